"""What the commands print: lines, tables, progress bars.

Names of files, systems and runs come from the user: they are never taken as markup or as terminal
commands. All tables and progress bars are printed through this module.
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
    """During the block, `as_options` translates settings to these options: "seed" is "--seed",
    "no_hud" is "--no-hud"."""
    before = dict(_options)
    _options.update(options)
    try:
        yield
    finally:
        _options.clear()
        _options.update(before)


def as_options(text: str, options: Mapping[str, str] | None = None) -> str:
    """A message as worded on the command line.

    The library's messages know nothing of a command line: they name settings, in backquotes, with
    or without a value: `resume`, `renderer=gpu`, `hud=False`. If one is an option of the running
    command, or among `options`, it is written as such: --resume, --renderer gpu, --no-hud. From
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
    """Print one line: unchanged to a file or another program, which may use it as a path; on a
    terminal with unprintable characters made visible."""
    line = str(text)
    # Not with click, which strips escape sequences when the output is not a terminal.
    print(visible(line) if sys.stdout is not None and sys.stdout.isatty() else line, flush=True)


def tables(width: int) -> Console:
    """The console for tables, `width` wide if it is not a terminal: a table cut to a default width
    would be useless."""
    console = _console(None)
    return console if console.is_terminal else _console(None, width)


def bar(*columns: ProgressColumn, shown: bool = True) -> Progress:
    """A progress bar on stderr with a description, or with the given columns; errors in writing
    it are ignored."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    usual = (
        TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(),
        Remaining(),
    )  # fmt: skip
    file = None if sys.stderr is None else _IgnoringErrors(sys.stderr)
    return Progress(*(columns or usual), console=_console(file, stderr=True), disable=not shown)


def tracked(
    items: Iterable[Item], description: object, total: float | None = None, shown: bool = True
) -> Iterator[Item]:
    """The items, with a bar that advances by one for each. total: their number, if they have no
    length."""
    with bar(shown=shown) as progress:
        yield from progress.track(items, total, description=visible(str(description)))


def on_terminal() -> bool:
    """Whether bars are seen as they grow, rather than kept in a file."""
    return sys.stderr is not None and sys.stderr.isatty()


def plain(value: object, style: str = "") -> Text:
    """A value from the user, as a cell, title or description."""
    from rich.text import Text

    return Text(visible(str(value)), style)


def _console(file: Any, width: int | None = None, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(
        file=file, width=width, stderr=stderr, markup=False, emoji=False, highlight=False
    )


class _IgnoringErrors:
    """A stream that drops what cannot be written: losing the bar must not end a training."""

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
