"""The metrics of a training: a line for each episode, as CSV."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from calf_viz.agent.modes import NAMES
from calf_viz.agent.trainer import Episode
from calf_viz.errors import UserError
from calf_viz.files import write_aside

COLUMNS = ("episode", "steps", "return", "goal", *NAMES, "p_relax")
"""The modes are counts of steps."""


def write(path: str | Path, episodes: Iterable[Episode]) -> None:
    """Write all lines, whole or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    with write_aside(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        file.write(_lines([COLUMNS, *map(_row, episodes)]))


def append(path: str | Path, episode: Episode) -> None:
    """Add one episode's line: in one piece, so that whoever reads beside it sees whole lines.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        with Path(path).open("ab", buffering=0) as file:
            file.write(_lines([_row(episode)]).encode())
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror}; make room or put that right, then --resume"
        ) from error


def _row(e: Episode) -> tuple[object, ...]:
    return e.episode, e.steps, e.ret, int(e.goal), *e.modes, e.p_relax


def _lines(rows: Iterable[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
