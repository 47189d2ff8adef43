"""What must be known of GLSL text without a compiler: comments, and the uniforms it declares."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_UNIFORM = re.compile(
    r"^[ \t]*(?:layout\s*\([^)]*\)\s*)?uniform\s+(?:(?:highp|mediump|lowp)\s+)?"
    r"(\w+)\s+(\w+)\s*(\[[^\]]*\])?[^;{]*;",
    re.MULTILINE,
)


class Declaration(NamedTuple):
    """A uniform as it is declared: GLSL type, name, whether it is an array, line from 1."""

    type: str
    name: str
    array: bool
    line: int


def without_comments(text: str) -> str:
    """The text with blanks for comments: as many lines, as many columns."""
    return _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def with_ascii_comments(text: str) -> str:
    """The text with `?` for what is not ASCII in comments: some compilers refuse it even there."""
    return _COMMENT.sub(lambda match: _NOT_ASCII.sub("?", match[0]), text)


def lines_of(text: str) -> list[str]:
    """Lines as compilers and editors count them: Python would break at form feeds and more."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


@lru_cache(maxsize=32)
def uniforms(text: str) -> tuple[Declaration, ...]:
    """The uniforms that a text declares outside comments, one name in each declaration."""
    code = without_comments(text)
    return tuple(
        Declaration(
            match[1], match[2], match[3] is not None, code.count("\n", 0, match.start(2)) + 1
        )
        for match in _UNIFORM.finditer(code)
    )
