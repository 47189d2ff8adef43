"""One shader file: read, and its lines as compilers get them.

What compilers disagree about, or stumble over, does not reach them: ends of lines, continued lines,
white space and comments that are not ASCII, `#line`, and files of a size that no shader needs.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from calf_viz import files
from calf_viz.glsl import text as glsl
from calf_viz.glsl.problems import Problem, ShaderError, telling

SUFFIXES = (".glsl", ".vert", ".frag")
LONGEST_LINE, LARGEST_FILE = 2000, 2**18
"""Characters, bytes: what no shader needs. Drivers copy whole lines into messages, and those onto
their stack."""

_INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')
_INCLUDES = re.compile(r"\s*#\s*(pragma\s+)?include\b")
_LINE_NUMBER = re.compile(r"\s*#\s*line\b")
_BLANKS = str.maketrans("\f\v", "  ")


class Line(NamedTuple):
    """A line: as compilers get it, without comments, as it was written, and where."""

    text: str
    code: str
    written: str
    origin: tuple[Path, int]

    @property
    def included(self) -> str | None:
        """The name of the file that stands here instead."""
        if not _INCLUDES.match(self.code):
            return None
        # In the name there may be what looks like a comment.
        match = _INCLUDE.match(self.code) or _INCLUDE.match(self.text)
        return match[1] if match else None

    def problem(self, text: str) -> Problem:
        """Something wrong with it."""
        return Problem(*self.origin, text, self.written)


def read(path: Path) -> tuple[Line, ...]:
    """Lines of a file, at least one.

    A line that the one before is continued by is empty. Raises ShaderError for a file that cannot
    be read, and for what no shader has.
    """
    with telling():
        data = files.read_bytes(path, LARGEST_FILE, "put a shader's text there")
        return _lines_of(path, data)


@lru_cache(maxsize=128)  # of all files, a save changes one
def _lines_of(path: Path, data: bytes) -> tuple[Line, ...]:
    written = glsl.lines_of(files.decode(path, data)) or [""]  # an empty file takes part as well

    def refuse(number: int, text: str) -> ShaderError:
        return ShaderError([Problem(path, number, text, written[number - 1])])

    logical = glsl.logical_lines(written)
    for number, whole in enumerate(logical, 1):
        if "\0" in whole:
            raise refuse(number, "a zero byte: this is no text")
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
        if not includes and _INCLUDES.match(given):  # within a comment, where hosts may see it
            line = line._replace(text=given.replace("#", "?", 1))
        elif _LINE_NUMBER.match(bare):
            # Messages are told in the lines of the files, whatever else these claim to be.
            line = line._replace(text="", code="")
        lines.append(line)
    return tuple(lines)
