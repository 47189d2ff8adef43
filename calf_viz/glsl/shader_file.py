"""Reads one shader file, and prepares its lines for compilers.

What compilers disagree about, or stumble over, does not reach them: line endings, continued lines,
white space and comments that are not ASCII, `#line`, and files larger than any shader.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from calf_viz import files
from calf_viz.glsl import text as glsl
from calf_viz.glsl.problems import Problem, ShaderError, as_shader_errors

SUFFIXES = (".glsl", ".vert", ".frag")
LONGEST_LINE, LARGEST_FILE = 2000, 2**18
"""Characters, bytes: more than any shader needs. Drivers copy whole lines into messages, and these
onto their stack."""

_INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')
_INCLUDES = re.compile(r"\s*#\s*(pragma\s+)?include\b")
_LINE_NUMBER = re.compile(r"\s*#\s*line\b")
_BLANKS = str.maketrans("\f\v", "  ")


class Line(NamedTuple):
    """A line: as compilers get it, without comments, as written, and its position."""

    text: str
    code: str
    written: str
    origin: tuple[Path, int]

    @property
    def included(self) -> str | None:
        """The name of the file to include here."""
        if not _INCLUDES.match(self.code):
            return None
        # The name may contain what looks like a comment.
        match = _INCLUDE.match(self.code) or _INCLUDE.match(self.text)
        return match[1] if match else None

    def problem(self, text: str) -> Problem:
        """A problem of this line."""
        return Problem(*self.origin, text, self.written)


def read(path: Path) -> tuple[Line, ...]:
    """Lines of a file, at least one.

    A line that continues the previous one is empty. Raises ShaderError for a file that cannot be
    read, and for what no shader has.
    """
    with as_shader_errors():
        data = files.read_bytes(path, LARGEST_FILE, "put a shader's text there")
        return _lines_of(path, data)


@lru_cache(maxsize=128)  # a save changes one of all files
def _lines_of(path: Path, data: bytes) -> tuple[Line, ...]:
    written = glsl.lines_of(files.decode(path, data)) or [""]  # an empty file counts as well

    def refuse(number: int, text: str) -> ShaderError:
        return ShaderError([Problem(path, number, text, written[number - 1])])

    logical = glsl.logical_lines(written)
    for number, whole in enumerate(logical, 1):
        if "\0" in whole:
            raise refuse(number, "a zero byte: this is not text")
        if len(whole) > LONGEST_LINE:
            with_next = "" if whole == written[number - 1] else ", with those that continue it"
            what = f"a line of {len(whole):,} characters{with_next}"
            raise refuse(number, f"{what}: no shader needs more than {LONGEST_LINE:,}")
    text = "\n".join(logical).translate(_BLANKS)
    unclosed = glsl.unclosed_comment(text)
    if unclosed is not None:
        raise refuse(unclosed, "this comment has no end: write */")
    compiled = glsl.with_ascii_comments(text).split("\n")
    code = glsl.without_comments(text).split("\n")
    unpaired = glsl.unpaired_condition(code)
    if unpaired is not None:
        number, directive = unpaired
        raise refuse(
            number,
            "#endif without #if" if directive == "endif"
            else f"unterminated #{directive}: write #endif in this file",
        )  # fmt: skip
    lines = []
    for number, (given, bare) in enumerate(zip(compiled, code, strict=True), 1):
        line = Line(given, bare, written[number - 1], (path, number))
        includes = _INCLUDES.match(bare)
        if includes and (includes[1] or line.included is None):
            raise refuse(number, 'write `#include "file"`: nothing else includes a file here')
        if not includes and _INCLUDES.match(given):  # in a comment, where hosts may see it
            line = line._replace(text=given.replace("#", "?", 1))
        elif _LINE_NUMBER.match(bare):
            # Messages refer to the lines of the files, whatever `#line` claims.
            line = line._replace(text="", code="")
        lines.append(line)
    return tuple(lines)
