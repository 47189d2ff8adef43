"""A shader as compilers get it, with each `#include` expanded, and the origin of each line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from calf_viz.glsl import text as glsl
from calf_viz.glsl.problems import Problem

DEFINE = "define "
"""Prefix of the origin of a macro that was given, and is in no file: `define NAME=VALUE`."""


def is_define(origin: Path) -> bool:
    """Whether a line's origin is a macro given, not a file."""
    return str(origin).startswith(DEFINE)


@dataclass(frozen=True)
class Source:
    """An expanded shader.

    Attributes:
        text: what compilers get.
        origins: (file, line) that each of its lines came from.
        written: its lines as written in their files.
        own: files of the overlay, or of the look, among them.
    """

    text: str
    origins: tuple[tuple[Path, int], ...]
    written: tuple[str, ...]
    own: frozenset[Path] = frozenset()

    @cached_property
    def code(self) -> tuple[str, ...]:
        """Its lines without comments."""
        return tuple(glsl.without_comments(self.text).split("\n"))

    def origin(self, line: int) -> tuple[Path, int]:
        """(file, line) of an expanded line, both counted from 1."""
        return self.origins[min(max(line, 1), len(self.origins)) - 1]

    def is_overlays(self, path: Path) -> bool:
        """Whether an origin's file is an overlay's or a look's: not shipped, nor a macro given."""
        return path in self.own

    def line(self, line: int) -> str:
        """An expanded line as written, counted from 1; empty if there is none."""
        return self.written[line - 1].strip() if 0 < line <= len(self.written) else ""

    def problem(self, line: int, text: str) -> Problem:
        """A problem of an expanded line, counted from 1."""
        return Problem(*self.origin(line), text, self.line(line))
