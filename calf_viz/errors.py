"""Errors that people can act on, and values as their messages quote them."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

MOST_SHOWN = 200
"""Characters of a value that a message repeats."""
LONGEST_MESSAGE = 1000
"""Characters: a backstop behind `shown`, for what libraries say."""


class UserError(Exception):
    """Something the user can put right.

    The message is one line that says what is wrong, where, and what to do. The command line
    prints that line alone and ends with `exit_code`.
    """

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(shown(message, LONGEST_MESSAGE))

    def __reduce__(self) -> Any:
        # By its constructor, which may take anything, it would not come back from a process of
        # multiprocessing's, whose pool waits for it without end then.
        return _made_again, (type(self), str(self)), self.__dict__


def _made_again(kind: type[UserError], message: str) -> UserError:
    error = kind.__new__(kind, message)
    Exception.__init__(error, message)
    return error


class FileError(UserError):
    """Something is wrong with a file of the user's.

    Attributes:
        path: the file.
        reason: what is wrong with it, in words that follow its name.
        told: that, and what to do.
        line: where in it, from 1; None where that is not known.
    """

    def __init__(
        self, path: str | PathLike[str], reason: str, advice: str, line: int | None = None
    ) -> None:
        self.path, self.reason, self.line = Path(path), shown(reason), line
        self.told = f"{self.reason}; {advice}"
        where = shown(path) if line is None else f"{shown(path)}:{line}"
        super().__init__(f"{where}: {self.told}")


class FileTrouble(FileError):
    """A file that could not be had: missing, not readable, not regular, too large, no memory.

    Of what it holds nothing is known, so nothing may be concluded from it.
    """


class FileDamaged(FileError):
    """A file that was read, whole, and found to be broken or something else."""


def shown(value: Any, most: int = MOST_SHOWN) -> str:
    """A value as a message quotes it: in one line, its middle left out where it is long.

    Texts and paths stand as they are, other values as Python writes them. Whatever does not print,
    escape sequences of terminals included, comes as Python's escapes.
    """
    if isinstance(value, PathLike):
        value = str(value)
    try:
        text = value if isinstance(value, str) else repr(value)
    except (ValueError, RecursionError, MemoryError):  # 5 000 digits, 5 000 brackets
        return f"{type(value).__name__} too large to be shown"
    if len(text) > most:
        half = (most - 1) // 2
        text = f"{text[: most - 1 - half]}…{text[-half:]}"
    return visible(text.replace("\r\n", " ").replace("\n", " "))


def visible(text: str) -> str:
    """A text whose every character prints: what a terminal would obey comes as Python's escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
