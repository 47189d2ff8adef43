"""All streams of a kind, as one: which rows are in which block of which of them.

It stays small however long a recording is: two numbers a block, and three in its stream.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

from calf_viz.errors import FileDamaged
from calf_viz.recording.folder import ADVICE, segments
from calf_viz.recording.rows import Columns
from calf_viz.recording.storage import Location
from calf_viz.recording.stream import Stream, Unbegun


class Place(NamedTuple):
    """Where rows are."""

    row: int
    """Number of the first, in the recording."""
    step: int
    stream: int
    block: int
    rows: int


class Streams:
    """Finds blocks by row and by step.

    Attributes:
        streams: all of them, in order.
        rows: rows in all of them.
        bytes: what their blocks take.
    """

    def __init__(self, folder: Location, kind: str, check: Callable[[Stream, str], None]) -> None:
        """kind: `agents` or `critic`. check: raises FileDamaged for a stream of another kind."""
        self._folder, self._kind, self._check = folder, kind, check
        self.streams: list[Stream] = []
        self._columns: dict[int, Columns] = {}
        self._rows, self._steps = array("q"), array("q")  # the first of each block
        self._begins: list[int] = []  # number of each stream's first block
        self._begun = True  # whether the newest stream has its schema
        self.rows = self.bytes = 0

    def __len__(self) -> int:
        """Blocks."""
        return len(self._rows)

    def __getitem__(self, number: int) -> Place:
        """Where a block is, from 0. Raises IndexError."""
        if not 0 <= number < len(self):
            raise IndexError(f"block {number} of {len(self)}")
        stream = bisect_right(self._begins, number) - 1
        block = number - self._begins[stream]
        rows = self.streams[stream].blocks[block].rows
        return Place(self._rows[number], self._steps[number], stream, block, rows)

    @property
    def steps(self) -> Sequence[int]:
        """The first step of each block."""
        return self._steps

    def columns(self, number: int) -> Columns:
        """What the rows of a stream of agents hold."""
        if number not in self._columns:
            stream = self.streams[number]
            self._columns[number] = Columns.of(stream.schema, stream.path)
        return self._columns[number]

    @property
    def complete(self) -> bool:
        """Whether nothing is being written, or was cut short. (All but the newest are sealed.)"""
        return self._begun and (not self.streams or self.streams[-1].sealed)

    def refresh(self, look: bool = True) -> None:
        """Find new streams, and new blocks of those that grow. look: whether the folder may have
        new files."""
        if self.streams and not self.streams[-1].sealed:
            self.streams[-1].refresh()
            self._index()
        ended = not self.streams or self.streams[-1].sealed
        if ended and (look or not self._begun):
            self._open(segments(self._folder, self._kind)[len(self.streams) :])

    def _open(self, paths: list[Location]) -> None:
        self._begun = True
        for path in paths:
            last = path is paths[-1]
            try:
                stream = Stream(path)
            except Unbegun:
                if not last:
                    raise
                self._begun = False
                return
            self._check(stream, self._kind)
            self.streams.append(stream)
            self._begins.append(len(self))
            if not last and not stream.sealed:
                stream.refresh()  # its writer sealed it meanwhile, before it began the next
                if not stream.sealed:
                    raise FileDamaged(path, f"it is cut off at byte {stream.end}", ADVICE)
            self._index()

    def _index(self) -> None:
        """Take note of what is new in the newest stream."""
        stream = self.streams[-1]
        for number in range(len(self) - self._begins[-1], len(stream.blocks)):
            found = stream.blocks[number]
            if self._steps and found.step < self._steps[-1]:
                raise FileDamaged(
                    stream.path,
                    f"step {found.step} after step {self._steps[-1]}: not in its order",
                    ADVICE,
                )
            self._rows.append(self.rows)
            self._steps.append(found.step)
            self.rows += found.rows
            self.bytes += found.end - found.start

    def at_row(self, row: int) -> Place:
        """The block that a row is in. Raises IndexError."""
        return self[self.number_at_row(row)]

    def number_at_row(self, row: int) -> int:
        """Its number. Raises IndexError."""
        if not 0 <= row < self.rows:
            raise IndexError(f"row {row} of {self.rows}")
        return bisect_right(self._rows, row) - 1

    def at_step(self, step: int) -> Place | None:
        """The last block that begins at a step or before it, or the first; None without any."""
        return self[max(self.before(step), 0)] if len(self) else None

    def before(self, step: int) -> int:
        """Number of the last block that begins at a step or before it; -1 if there is none."""
        return bisect_right(self._steps, step) - 1

    def close(self) -> None:
        """Close all files."""
        for stream in self.streams:
            stream.close()
