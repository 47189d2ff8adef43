"""Problems of shaders and looks, in terms of the user's own files and lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from calf_viz.errors import FileError, UserError, shown

LONGEST_TEXT = 500
"""Maximum characters of a problem's text."""
MOST = 50
"""Problems reported at once: nobody reads more."""


@dataclass(frozen=True)
class Problem:
    """One message; `line` from 1, `code` the offending line, None and empty where unknown.

    Both texts are shortened to fit a message of one line.
    """

    path: Path
    line: int | None
    text: str
    code: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", shown(self.text, LONGEST_TEXT))
        object.__setattr__(self, "code", shown(self.code.strip()))

    def __str__(self) -> str:
        where = shown(self.path) if self.line is None else f"{shown(self.path)}:{self.line}"
        return f"{where}: {self.text}"


class ShaderError(UserError):
    """Shaders that cannot be used; the message is that of the first of `problems`.

    log: the compiler's output, if the problems were read from it.
    """

    def __init__(self, problems: Iterable[Problem], log: str = "") -> None:
        self.problems, self.log = tuple(islice(problems, MOST)), log
        super().__init__(str(self.problems[0]))


@contextmanager
def as_shader_errors() -> Iterator[None]:
    """Turn the error about a file that cannot be read, or is not text, into a ShaderError."""
    try:
        yield
    except FileError as error:
        raise ShaderError([Problem(error.path, error.line, error.explanation)]) from error
