"""What must be known of GLSL text without a compiler: comments, and the uniforms it declares."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
_MACRO = re.compile(r"\s*#\s*define\s+(\w+)")
_UNIFORM = re.compile(r"\buniform\b")
_TYPE = re.compile(r"\s*(?:(?:highp|mediump|lowp)\s+)?(\w+)\s*(\[[^\]]*\])?(?=\W)")
_NAME = re.compile(r"\s*(\w+)\s*(\[[^\]]*\])?\s*(?:=.*)?", re.DOTALL)


class Declaration(NamedTuple):
    """A uniform as it is declared: GLSL type, name, whether it is an array, line from 1.

    alone: it is the only one of its line. wrong: why it cannot be read, if so; then type and name
    are empty.
    """

    type: str
    name: str
    array: bool
    line: int
    alone: bool = True
    wrong: str = ""


def without_comments(text: str) -> str:
    """The text with blanks for comments: as many lines, as many columns."""
    return _COMMENT.sub(lambda match: _blank(match[0]), text)


def with_ascii_comments(text: str) -> str:
    """The text with `?` for what is not ASCII in comments: some compilers refuse it even there."""
    return _COMMENT.sub(lambda match: _NOT_ASCII.sub("?", match[0]), text)


def unclosed_comment(text: str) -> int | None:
    """Line of a comment that has no end, from 1."""
    for match in _COMMENT.finditer(text):
        if match[0].startswith("/*") and (len(match[0]) < 4 or not match[0].endswith("*/")):
            return text.count("\n", 0, match.start()) + 1
    return None


def lines_of(text: str) -> list[str]:
    """Lines as compilers and editors count them: Python would break at form feeds and more."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


@lru_cache(maxsize=32)
def uniforms(text: str) -> tuple[Declaration, ...]:
    """Every uniform that a text declares outside comments, one for each name; or why it cannot be
    read. What a compiler would take from a macro is not read, but told."""
    code = without_comments(text)
    found: list[Declaration] = []
    macros = set[str]()
    for directive in _DIRECTIVE.finditer(code):
        macro = _MACRO.match(directive[0])
        macros.update([macro[1]] if macro else [])
        word = _UNIFORM.search(directive[0])
        if macro and word:
            wrong = "a macro declares no uniform: write it where it stands"
            found.append(_wrong(code, directive.start() + word.start(), wrong))
    code = _DIRECTIVE.sub(lambda match: _blank(match[0]), code)
    for word in _UNIFORM.finditer(code):
        found += _declared(code, word.end(), macros)
    lines = Counter(declared.line for declared in found)
    return tuple(d._replace(alone=lines[d.line] == 1) for d in sorted(found, key=lambda d: d.line))


def _declared(code: str, start: int, macros: set[str]) -> list[Declaration]:
    """Those of one statement, which goes on behind the word `uniform`."""
    end = re.compile("[;{]|$").search(code, start)
    statement = code[start : end.start() if end else None]
    for name in re.findall(r"\w+", statement):
        if name in macros:
            return [_wrong(code, start, f"{name} is a macro: write uniforms without")]
    if end and end[0] == "{":
        if re.fullmatch(r"\s*\w+\s*", statement):
            return [_wrong(code, start, "nobody sets a uniform block: declare single uniforms")]
        return [_wrong(code, start, _UNREADABLE)]
    type_ = _TYPE.match(statement)
    if type_ is None:
        return [_wrong(code, start, _UNREADABLE)]
    found, at = [], type_.end()
    for part in _parts(statement[at:]):
        name = _NAME.fullmatch(part)
        if name is None:
            return [_wrong(code, start, _UNREADABLE)]
        line = code.count("\n", 0, start + at + name.start(1)) + 1
        array = type_[2] is not None or name[2] is not None
        found.append(Declaration(type_[1], name[1], array, line))
        at += len(part) + 1
    return found


_UNREADABLE = "this uniform cannot be read: write `uniform type name;`"


def _wrong(code: str, at: int, text: str) -> Declaration:
    return Declaration("", "", False, code.count("\n", 0, at) + 1, wrong=text)


def _parts(text: str) -> list[str]:
    """Split at commas that are in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
