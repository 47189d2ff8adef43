"""What there is in a recording, for a timeline: found piece by piece while it is shown."""

from __future__ import annotations

import logging
from bisect import bisect_right
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.recording.marks import Marks
from calf_viz.recording.recording import Recording
from calf_viz.recording.summary import Summary

log = logging.getLogger("calf_viz")

MARK = "mark"
"""Kind of event that a user's mark is."""
EVENTS_TOGETHER = 8
"""Blocks of events in a piece: they are small."""
SEARCHED = 64
"""Blocks that are searched for the beginning of an episode."""


class Contents:
    """Finds modes, beginnings of episodes, and marks; of a recording in a folder, not of one at an
    address.

    Attributes:
        summary: modes and episodes, as far as they were read.
    """

    def __init__(self, recording: Recording) -> None:
        """Raises FileTrouble, FileDamaged: marks beside it that cannot be read."""
        self._recording = recording
        self.summary = Summary(recording, len(recording.view.modes))
        self._marks = Marks(recording.folder)
        self._rows: dict[int, int] = {}  # by step
        self._marked: tuple[tuple[int, int], list[int]] = (-1, 0), []  # see `marks`
        self._early = False  # whether a step is marked that is not there yet
        self._events = 0  # blocks of events that were read
        self._failed = not isinstance(recording.folder, Path)  # all of it would be fetched

    @property
    def complete(self) -> bool:
        """Whether all there is by now was read."""
        known = self.summary.complete and self._events >= self._recording.event_blocks
        return known or self._failed

    def read(self) -> None:
        """Read the next piece: a block of rows, and some events."""
        if self._failed:
            return
        try:
            self.summary.read()
            end = min(self._events + EVENTS_TOGETHER, self._recording.event_blocks)
            for block in range(self._events, end):
                for step in self._recording.event_steps(block, MARK):
                    self._marks.add_recorded(step)
            self._events = end
        except UserError as error:  # rows that are shown may be whole nevertheless
            self._failed = True
            log.warning(f"the timeline is not complete: {error}")

    def marks(self) -> list[int]:
        """Marked rows, in order; the same list until one is added or taken away."""
        state = self._marks.version, len(self._recording) if self._early else 0
        if state != self._marked[0]:
            steps, rows, recording = self._marks.steps, self._rows, self._recording
            last = recording.step(len(recording) - 1)
            there = steps[: bisect_right(steps, last)]
            for step in there:
                if step not in rows:
                    rows[step] = recording.row(step)
            self._early = len(there) < len(steps)
            state = state[0], len(recording) if self._early else 0
            found = {rows[step] for step in there}
            if self._early:  # or between the last row and the next one, of those left out
                found.add(len(recording) - 1)
            self._marked = state, sorted(found)
        return self._marked[1]

    def toggle_mark(self, row: int) -> bool | None:
        """As `Marks.toggle`, for a row, or the last one."""
        return self._marks.toggle(self._recording.step(min(row, len(self._recording) - 1)))

    def episode(self, agent: int, row: int, forwards: bool) -> int | None:
        """The nearest row after this one, or before it, where the agent begins an episode; None if
        there is none in some `SEARCHED` blocks. Raises FileDamaged."""
        recording = self._recording
        block, way = recording.block_of(min(row, len(recording) - 1)), 1 if forwards else -1
        for number in range(block, block + way * SEARCHED, way):
            if not 0 <= number < recording.blocks:
                return None
            start, _, first = recording.modes_of_block(number)
            found = _begins(first, agent) + start
            found = found[found > row] if forwards else found[found < row]
            if len(found):
                return int(found[0] if forwards else found[-1])
        return None


def _begins(first: NDArray[np.bool_], agent: int) -> NDArray[np.intp]:
    """Rows in which an agent, or the last one, begins an episode."""
    if not first.shape[1]:
        return np.zeros(0, np.intp)
    return np.flatnonzero(first[:, min(agent, first.shape[1] - 1)])
