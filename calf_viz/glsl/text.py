"""Facts about GLSL text found without a compiler: lines, comments, conditions, uniforms.

Everything here takes time in proportion to the text, whatever it contains.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from calf_viz.glsl.directives import definition, directive

_COMMENT = re.compile(r"//[^\n]*+|/\*.*?(?:\*/|\Z)", re.DOTALL)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_LINE_END = re.compile(r"\r\n?|\n\r?")
_DIRECTIVE = re.compile(r"^[ \t]*+#[^\n]*+", re.MULTILINE)
_OPENING = ("if", "ifdef", "ifndef")
_UNIFORM = re.compile(r"\buniform\b")
_COMMA = re.compile(r"[][(),]")
_STATEMENT = re.compile(r"[;{]|\buniform\b|\Z")
_TYPE = re.compile(r"\s*+(?:(?:highp|mediump|lowp)\s++)?(\w+)(?:\s*+(\[[^\]]*+\]))?(?=\W)")
_NAME = re.compile(r"\s*+(\w++)\s*+(\[[^\]]*+\])?\s*+(?:=.*)?", re.DOTALL)


class Declaration(NamedTuple):
    """A uniform as declared: GLSL type, name, whether it is an array, line from 1.

    alone: it is the only one in its line. wrong: why it cannot be read, if so; then type and name
    are empty. macro: name and line of the macro that prevents reading it.
    """

    type: str
    name: str
    array: bool
    line: int
    alone: bool = True
    wrong: str = ""
    macro: tuple[str, int] | None = None


def without_comments(text: str) -> str:
    """The text with blanks for comments: same lines, same columns."""
    return _COMMENT.sub(lambda match: _blank(match[0]), text)


def with_ascii_comments(text: str) -> str:
    """The text with `?` for non-ASCII characters in comments: some compilers refuse them there."""
    return _COMMENT.sub(lambda match: _NOT_ASCII.sub("?", match[0]), text)


def unclosed_comment(text: str) -> int | None:
    """Line, from 1, of a comment without an end."""
    for match in _COMMENT.finditer(text):
        if match[0].startswith("/*") and (len(match[0]) < 4 or not match[0].endswith("*/")):
            return text.count("\n", 0, match.start()) + 1
    return None


def lines_of(text: str) -> list[str]:
    """Lines as compilers and editors count them: Python would break at form feeds and more."""
    lines = _LINE_END.sub("\n", text).split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def logical_lines(lines: Sequence[str]) -> list[str]:
    """Lines, each joined with those that a backslash continues it by, which become empty. Not every
    compiler of GLSL 3.30 joins lines; this way all of them number lines alike."""
    logical: list[str] = []
    parts: list[str] = []
    for line in lines:
        parts.append(line)
        if not line.endswith("\\"):
            logical += _joined(parts)
            parts = []
    return logical + (_joined(parts) if parts else [])


def _joined(parts: list[str]) -> list[str]:
    if len(parts) == 1:
        return [parts[0].rstrip("\\")]
    whole = "".join(part.removesuffix("\\") for part in parts)
    return [whole.rstrip("\\"), *[""] * (len(parts) - 1)]


def unpaired_condition(code: Sequence[str]) -> tuple[int, str] | None:
    """Line, from 1, and directive of an `#if` without an `#endif`, or the reverse, in lines without
    comments."""
    opened: list[tuple[int, str]] = []
    for number, line in enumerate(code, 1):
        deeper = nesting(line)
        if deeper > 0:
            opened.append((number, _word(line)))
        elif deeper < 0 and opened:
            opened.pop()
        elif deeper < 0:
            return number, _word(line)
    return opened[-1] if opened else None


def nesting(line: str) -> int:
    """Change in the nesting of conditions by a line without comments."""
    word = _word(line)
    return (word in _OPENING) - (word == "endif")


def _word(line: str) -> str:
    """A directive's word."""
    found = directive(line)
    return "" if found is None else found[0]


@lru_cache(maxsize=32)
def uniforms(text: str) -> tuple[Declaration, ...]:
    """Every uniform that a text declares outside comments, one per name; or why it cannot be read.
    Uniforms that come from macros are not read, but reported."""
    code = without_comments("\n".join(logical_lines(lines_of(text))))
    place = _Places(code)
    found: list[Declaration] = []
    macros: dict[str, int] = {}  # name -> line of its first definition
    for match in _DIRECTIVE.finditer(code):
        said = directive(match[0])
        macro = definition(said[1]) if said is not None and said[0] == "define" else None
        if macro is None:
            continue
        macros.setdefault(macro[0], place.line(match.start()))
        word = _UNIFORM.search(match[0])
        if word:
            wrong = "a macro must not declare a uniform: write it out here"
            found.append(_wrong(place.line(match.start() + word.start()), wrong))
    code = _DIRECTIVE.sub(lambda match: _blank(match[0]), code)
    for word in _UNIFORM.finditer(code):
        found += _declared(code, word.end(), macros, place)
    lines = Counter(declared.line for declared in found)
    return tuple(d._replace(alone=lines[d.line] == 1) for d in sorted(found, key=lambda d: d.line))


class _Places:
    """The positions of a text's lines."""

    def __init__(self, text: str) -> None:
        self._starts = [match.end() for match in re.finditer("\n", text)]

    def line(self, at: int) -> int:
        """The line, from 1, at an index into the text."""
        return bisect_right(self._starts, at) + 1


def _declared(code: str, start: int, macros: dict[str, int], place: _Places) -> list[Declaration]:
    """Uniforms of one statement, which continues after the word `uniform`."""

    def wrong(text: str, macro: str | None = None) -> list[Declaration]:
        cause = None if macro is None else (macro, macros[macro])
        return [_wrong(place.line(start), text, cause)]

    end = _STATEMENT.search(code, start)
    assert end is not None  # the text's end is one
    statement = code[start : end.start()]
    if end[0] == "uniform":
        return wrong(_UNREADABLE)
    for name in re.findall(r"\w+", statement):
        if name in macros:
            return wrong(f"{name} is a macro: write uniforms without macros", name)
    if end[0] == "{":
        block = re.fullmatch(r"\s*+\w++\s*+", statement)
        text = "nobody sets a uniform block: declare single uniforms"
        return wrong(text if block else _UNREADABLE)
    type_ = _TYPE.match(statement)
    if type_ is None:
        return wrong(_UNREADABLE)
    found = []
    for first, last in parts(statement, type_.end()):
        name = _NAME.fullmatch(statement, first, last)
        if name is None:
            return wrong(_UNREADABLE)
        line = place.line(start + name.start(1))
        array = type_[2] is not None or name[2] is not None
        found.append(Declaration(type_[1], name[1], array, line))
    return found


_UNREADABLE = "this uniform cannot be read: write `uniform type name;`"


def _wrong(line: int, text: str, macro: tuple[str, int] | None = None) -> Declaration:
    return Declaration("", "", False, line, wrong=text, macro=macro)


def parts(text: str, begin: int = 0) -> Iterator[tuple[int, int]]:
    """(begin, end) of the parts of a text separated by commas outside brackets."""
    depth = 0
    for match in _COMMA.finditer(text, begin):
        depth += (match[0] in "([") - (match[0] in ")]")
        if match[0] == "," and depth == 0:
            yield begin, match.start()
            begin = match.end()
    yield begin, len(text)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
