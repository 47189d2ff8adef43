"""Errors that users can act on, and how their messages quote values."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

MOST_SHOWN = 200
"""Characters of a value quoted in a message."""
LONGEST_MESSAGE = 1000
"""Characters: a backstop after `shown`, for messages of libraries."""


class UserError(Exception):
    """An error that the user can correct.

    The message is one line that says what is wrong, where, and what to do. The command line
    prints only that line and ends with `exit_code`.
    """

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(shown(message, LONGEST_MESSAGE))

    def __reduce__(self) -> Any:
        # Unpickling calls the constructor, which may take other arguments in a subclass; a
        # multiprocessing pool that cannot unpickle an error waits for it forever.
        return _rebuilt, (type(self), str(self)), self.__dict__


def _rebuilt(kind: type[UserError], message: str) -> UserError:
    error = kind.__new__(kind, message)
    Exception.__init__(error, message)
    return error


class FileError(UserError):
    """Something is wrong with one of the user's files.

    Attributes:
        path: the file.
        reason: what is wrong with it, phrased to follow its name.
        explanation: the reason, and what to do.
        line: line number, from 1; None if unknown.
    """

    def __init__(
        self, path: str | PathLike[str], reason: str, advice: str, line: int | None = None
    ) -> None:
        self.path, self.reason, self.line = Path(path), shown(reason), line
        self.explanation = f"{self.reason}; {advice}"
        where = shown(path) if line is None else f"{shown(path)}:{line}"
        super().__init__(f"{where}: {self.explanation}")


class FileTrouble(FileError):
    """A file that could not be read: missing, no permission, not regular, too large, no memory.

    Nothing is known about its contents, so it must not be treated as damaged.
    """


class FileDamaged(FileError):
    """A file that was read completely and is damaged or of another kind."""


def shown(value: Any, most: int = MOST_SHOWN) -> str:
    """A value as quoted in a message: on one line, with its middle left out if it is long.

    Strings and paths are quoted as they are, other values by their repr. Characters that do not
    print, terminal escape sequences included, are written as Python's escapes.
    """
    if isinstance(value, PathLike):
        value = str(value)
    try:
        text = value if isinstance(value, str) else repr(value)
    except (ValueError, RecursionError, MemoryError):  # 5 000 digits, 5 000 brackets
        return f"{type(value).__name__} too large to be shown"
    except Exception:  # a class of the user's may raise anything
        return f"{type(value).__name__} that cannot be shown"
    if len(text) > most:
        half = (most - 1) // 2
        text = f"{text[: most - 1 - half]}…{text[-half:]}"
    return visible(text.replace("\r\n", " ").replace("\n", " "))


def quoted(value: Any) -> str:
    """As `shown`, but strings by their repr too, to tell them from other values."""
    return shown(repr(value) if isinstance(value, str) else value)


def text_of(error: BaseException) -> str:
    """An exception's text, which its class may compute; empty if that fails."""
    try:
        return str(error)
    except Exception:
        return ""


def innermost(error: BaseException, inside: Callable[[str], bool]) -> tuple[str, int] | None:
    """File and line of the innermost frame of a traceback that is in a module with such a name;
    None if there is none."""
    found = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if inside(str(frame.f_globals.get("__name__"))):
            found = frame.f_code.co_filename, number
    return found


def visible(text: str) -> str:
    """The text with every character that does not print, or that a terminal obeys, escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
