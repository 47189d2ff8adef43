"""The metrics of a training: a line for each episode, as CSV.

Lines are only ever appended, so that the cost of an episode does not grow with those before it. A
checkpoint stores how many lines the file has, and the last few of them (see `resume.py`).
"""

import csv
import io
import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from calf_viz.errors import UserError, shown
from calf_viz.files import opened, set_aside, write_aside
from calf_viz.training.columns import METRICS
from calf_viz.training.trainer import RECENT, Episode, Trainer

log = logging.getLogger("calf_viz")

LARGEST = 2**40
"""Bytes of the file of a resumed training; it is read line by line."""
LONGEST_LINE, _REST = 1000, 2**20
_APPEND = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""Non-blocking, in case the file has been replaced by a pipe."""
GO_ON = "make room or put that right, then `resume`"


def write(path: str | Path, episodes: Iterable[Episode] = ()) -> None:
    """Write the header and these lines, completely or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    with write_aside(path) as part:
        _fill(part, episodes)


def append(path: str | Path, episode: Episode) -> None:
    """Append one episode's line in a single write, so that concurrent readers see complete lines.

    Raises:
        UserError: the file is gone, or cannot be written.
    """
    try:
        # Not with open(), which would create a missing file, without its header.
        file = os.open(path, _APPEND)
        try:
            line = _line(episode)
            written = os.write(file, line)
            if written < len(line):  # the disk is full: remove the partial line
                os.ftruncate(file, os.fstat(file).st_size - written)
                raise OSError(None, "No space left on device")
        finally:
            os.close(file)
    except OSError as error:
        raise UserError(f"cannot write {shown(path)}: {error.strerror}; {GO_ON}") from error


def to_disk(path: str | Path) -> None:
    """Flush all lines to disk, before a checkpoint relies on them.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        file = os.open(path, _APPEND)
        try:
            os.fsync(file)
        finally:
            os.close(file)
    except FileNotFoundError:
        return  # the next append reports it
    except OSError as error:
        raise UserError(f"cannot write {shown(path)}: {error.strerror}; {GO_ON}") from error


def go_on(path: str | Path, trainer: Trainer, source: str | Path | None = None) -> None:
    """Make the file match what the trainer has done, and give the trainer the newest lines.

    Later lines are cut off; the training writes them again. The last lines, if missing, are
    restored from the trainer, which has them from its checkpoint. If others are missing, that is
    reported, and the training goes on without them. A file with other content is set aside, and
    its valid lines are kept.

    Args:
        source: the file to take the lines from, if it is another one; it is not changed.

    Raises:
        FileTrouble: the file cannot be read.
        UserError: it cannot be written.
    """
    path, source = Path(path), Path(source or path)
    lines = _Lines(trainer)
    last: deque[Episode] = deque(lines.of(source), maxlen=RECENT)
    end = last[-1].episode + 1 if last else 0
    restored = [episode for episode in trainer.recent if episode.episode >= end]
    missing = trainer.done - lines.count - len(restored)
    if source == path and lines.whole and not lines.damaged:
        _cut(path, lines.whole)
        for episode in restored:
            append(path, episode)
    else:
        with write_aside(path) as part:
            _fill(part, chain(_Lines(trainer).of(source), restored))
            if source == path and lines.damaged:
                aside = set_aside(os.path.realpath(path))
                log.warning(
                    "%s:%d: not a line of metrics; it is now %s", path, lines.damaged, aside.name
                )
    if missing:
        log.warning("%s lacks %d of %d episodes: going on", path, missing, trainer.done)
    trainer.recent.clear()
    trainer.recent.extend(chain(last, restored))


class _Lines:
    """A file's lines for the finished episodes of a trainer.

    Attributes:
        count: number of valid lines.
        whole: bytes up to the end of the last of them.
        damaged: number of the first invalid line, from 1; 0 if there is none.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.done = trainer.done
        self.known = {episode.episode: _line(episode) for episode in trainer.recent}
        self.count = self.whole = self.damaged = 0

    def of(self, path: Path) -> Iterator[Episode]:
        """Their episodes, oldest first; none if there is no file."""
        if not os.path.lexists(path):
            return
        with opened(path, LARGEST) as (file, _):
            line = _next(file)
            if line.strip() == _HEADER.strip():
                self.whole = len(line)
            elif line:
                self.damaged = 1
            number, expected = 1, 0
            while line := _next(file):
                number += 1
                episode = _episode(line)
                if episode is None or episode.episode < expected or self._differs(episode):
                    if line.endswith(b"\n") or len(line) == LONGEST_LINE:  # else just incomplete
                        self.damaged = self.damaged or number
                    continue
                if episode.episode >= self.done:
                    return
                expected = episode.episode + 1
                self.count += 1
                self.whole += len(line)
                yield episode

    def _differs(self, episode: Episode) -> bool:
        """Whether the checkpoint has different figures for this episode."""
        known = self.known.get(episode.episode)
        return known is not None and known != _line(episode)


def _next(file: BinaryIO) -> bytes:
    """The next line, or the beginning of an overlong one: data lost by a disk may read as gigabytes
    of zeros."""
    line = rest = file.readline(LONGEST_LINE)
    while len(rest) >= LONGEST_LINE and not rest.endswith(b"\n"):
        rest = file.readline(_REST)
    return line


def _fill(part: Path, episodes: Iterable[Episode]) -> None:
    with part.open("wb") as file:
        file.write(_HEADER)
        file.writelines(map(_line, episodes))


def _cut(path: Path, end: int) -> None:
    """Truncate a file to its first `end` bytes."""
    try:
        if os.path.getsize(path) > end:
            os.truncate(path, end)
    except OSError as error:
        raise UserError(f"cannot write {shown(path)}: {error.strerror}; {GO_ON}") from error


def _line(e: Episode) -> bytes:
    return _csv(e.episode, e.steps, e.ret, int(e.goal), *e.modes, e.p_relax)


def _csv(*values: object) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue().encode()


_HEADER = _csv(*METRICS)


def _episode(line: bytes) -> Episode | None:
    """The episode of a line; None if the line is invalid or incomplete."""
    cells = line.split(b",")
    if len(cells) != len(METRICS) or not line.endswith(b"\n"):
        return None
    try:
        number, steps, ret, goal, *modes, p_relax = cells
        found = Episode(int(number), int(steps), float(ret), bool(int(goal)))
        found.modes, found.p_relax = [int(mode) for mode in modes], float(p_relax)
    except ValueError:
        return None
    return found
