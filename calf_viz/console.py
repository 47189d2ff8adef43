"""What the commands print: lines, tables, progress bars.

Names of files, systems and runs are the user's: nothing in them is markup, and a terminal obeys
nothing in them. Whatever is printed in tables and bars goes through here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, TypeVar

from calf_viz.errors import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn
    from rich.text import Text


Item = TypeVar("Item")

_SETTING = re.compile(r"`([a-z]\w*)(?:=(\w+))?`")
_options: dict[str, str] = {}


@contextmanager
def called_by(options: Mapping[str, str]) -> Iterator[None]:
    """While the block runs, `as_options` knows these options of a command line, by setting: "seed"
    is "--seed", and "no_hud" is "--no-hud"."""
    before = dict(_options)
    _options.update(options)
    try:
        yield
    finally:
        _options.clear()
        _options.update(before)


def as_options(text: str, options: Mapping[str, str] | None = None) -> str:
    """A message as the command line says it.

    The library's messages know nothing of a command line: they name settings, in backquotes, with
    or without a value: `resume`, `renderer=gpu`, `hud=False`. Where one is an option of the command
    that runs, or of those given, it is written as such: --resume, --renderer gpu, --no-hud. From
    Python no command runs, and the names stay.
    """
    known = _options if options is None else options

    def option(found: re.Match[str]) -> str:
        name, value = found[1], found[2]
        written = known.get(f"no_{name}" if value == "False" else name)
        if written is None:
            return found[0]
        return written if value in (None, "True", "False") else f"{written} {value}"

    return _SETTING.sub(option, text)


def say(text: object) -> None:
    """Print one line, whole: as it is for files and other programs, which may take it for a path;
    on a terminal with what does not print made visible."""
    line = str(text)
    # Not by click, which takes escape sequences out of what is no terminal's.
    print(visible(line) if sys.stdout is not None and sys.stdout.isatty() else line, flush=True)


def tables(width: int) -> Console:
    """Where tables are printed; `width` where it is no terminal, since a table that is cut to a
    narrow pipe is of no use."""
    console = _console(None)
    return console if console.is_terminal else _console(None, width)


def bar(*columns: ProgressColumn, shown: bool = True) -> Progress:
    """A progress bar on stderr, with its description before it and other columns where they are
    given; it ends nothing where it cannot be written."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    usual = (
        TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(),
        Remaining(),
    )  # fmt: skip
    file = None if sys.stderr is None else _Forgiving(sys.stderr)
    return Progress(*(columns or usual), console=_console(file, stderr=True), disable=not shown)


def tracked(
    items: Iterable[Item], description: object, total: float | None = None, shown: bool = True
) -> Iterator[Item]:
    """Items as they come, with a bar that goes on by one with each. total: how many come, where
    they cannot tell."""
    with bar(shown=shown) as progress:
        yield from progress.track(items, total, description=visible(str(description)))


def plain(value: object, style: str = "") -> Text:
    """A value of the user's, as a cell, title or description."""
    from rich.text import Text

    return Text(visible(str(value)), style)


def _console(file: Any, width: int | None = None, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(
        file=file, width=width, stderr=stderr, markup=False, emoji=False, highlight=False
    )


class _Forgiving:
    """A stream that drops what cannot be written: a training does not end for want of its bar."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
