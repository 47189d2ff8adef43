"""Writes rows into a board's ring, in every step of somebody's training."""

from __future__ import annotations

import struct
from typing import Sequence

import numpy as np

from calf_attach.board import ORDERED, Board, row_checksum
from calf_attach.layout import Word

_HEAD = struct.Struct("<7q")
_COUNTS = struct.Struct("<4q")
_ROW = int(Word.ROW)  # indexing by an enumeration's member takes twice as long
_COUNTS_AT = 8 * int(Word.STEP)
_NONE = np.zeros(0), np.zeros(0)
_MODES, _ANY = 1, 2
"""What a slot may have in it beside positions and rewards: modes, or anything."""


class Slot:
    """Where a row is written to.

    Attributes:
        positions: (n, 2).
        flags, modes: (n,) uint8.
        first: the first column, (n,) float32.
        others: the other columns, (columns - 1, n) float32, NaN where nothing is known.
    """

    __slots__ = ("_both", "first", "flags", "modes", "others", "positions")

    def __init__(self, board: Board, number: int, n: int) -> None:
        shape = board.shape
        at_positions, at_flags, at_modes, at_columns, _ = shape.row_parts()
        kind = np.float64 if shape.wide else np.float32
        raw = board.raw_row(number)
        end = at_positions + 2 * n * shape.position_bytes
        self.positions = raw[at_positions:end].view(kind).reshape(n, 2)
        self.flags, self.modes = raw[at_flags : at_flags + n], raw[at_modes : at_modes + n]
        self._both = raw[at_flags : at_modes + n]
        columns = raw[at_columns : at_columns + 4 * shape.agents * shape.columns].view(np.float32)
        columns = columns.reshape(shape.columns, shape.agents)[:, :n]
        self.first, self.others = columns[0], columns[1:]

    def clear(self) -> None:
        """Nobody has flags, or a mode but the first; nothing is known in other columns."""
        self._both.fill(0)
        self.others.fill(np.nan)


class RowWriter:
    """Writes rows of n agents into a board's ring.

    Views of each slot are made once, since making them would cost as much as writing: only the two
    that every row needs, as more would not stay in the processor's cache. Words are written through
    a memoryview, which takes half the time of an array.
    """

    def __init__(self, board: Board, n: int) -> None:
        self.n, self.board, self._count = n, board, board.shape.rows
        self.number = board[Word.ROW]
        self._memory = board.memory
        self._words = memoryview(board.memory).cast("q")
        self._rows = board.shape.parts()[2]
        self._stride = board.shape.row_parts()[-1]
        self._views: list[tuple[np.ndarray, np.ndarray]] = [_NONE] * self._count
        self._modes: dict[int, np.ndarray] = {}
        self._used = bytearray([_ANY]) * self._count  # by this or an earlier writer

    def write(
        self, positions: np.ndarray, rewards: np.ndarray, step: int, when: int, merged: int,
        dropped: int, cost: int, modes: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """A whole row in which nobody has flags, nor anything in other columns: as `begin`, its
        contents, and `end`, in one call. modes: (n,); all 0 for None."""
        number = self.number + 1
        slot = self.number % self._count
        used = self._used[slot]
        if used and (used == _ANY or modes is None):
            self._clear(slot)
        at = self._rows + slot * self._stride
        words = self._words
        words[at >> 3] = number
        to_positions, to_rewards = self._views[slot]
        to_positions[...] = positions
        to_rewards[...] = rewards
        if modes is not None:
            self._used[slot] = _MODES
            self._modes[slot][...] = modes
        check = 0 if ORDERED else row_checksum(self.board.raw_row(slot))
        _HEAD.pack_into(self._memory, at + 8, step, when, self.n, merged, check, 0, number)
        words[_ROW] = self.number = number
        _COUNTS.pack_into(self._memory, _COUNTS_AT, step, dropped, cost, when)

    def _clear(self, number: int) -> None:
        self._words[(self._rows + number * self._stride) >> 3] = self.number + 1
        slot = Slot(self.board, number, self.n)
        slot.clear()
        self._used[number] = 0
        self._views[number], self._modes[number] = (slot.positions, slot.first), slot.modes

    def begin(self) -> Slot:
        """Begin the next row; its contents are then written to the slot."""
        number = self.number % self._count
        self._used[number] = _ANY
        self._words[(self._rows + number * self._stride) >> 3] = self.number + 1
        return Slot(self.board, number, self.n)

    def end(self, step: int, when: int, merged: int, dropped: int, cost: int) -> None:
        """Publish the row, and the loop's counts as `count`. merged: steps that it stands for."""
        slot = self.number % self._count
        at = self._rows + slot * self._stride
        self.number = number = self.number + 1
        check = 0 if ORDERED else row_checksum(self.board.raw_row(slot))
        _HEAD.pack_into(self._memory, at + 8, step, when, self.n, merged, check, 0, number)
        self._words[_ROW] = number
        _COUNTS.pack_into(self._memory, _COUNTS_AT, step, dropped, cost, when)

    def count(self, step: int, dropped: int, cost: int, now: int) -> None:
        """Say how far the loop is, and that it lives."""
        _COUNTS.pack_into(self._memory, _COUNTS_AT, step, dropped, cost, now)


class OneAgentWriter(RowWriter):
    """Writes rows of a single agent, with all columns, from plain numbers: in half the time that
    arrays of one number would take."""

    def __init__(self, board: Board) -> None:
        """Raises ValueError for a board that is made for others."""
        super().__init__(board, 1)
        if board.shape.agents != 1 or board.shape.wide:
            raise ValueError("a board for one agent with float32 positions is wanted")
        at, _, modes, columns, _ = board.shape.row_parts()
        self._contents_at = at
        self._contents = struct.Struct(f"<2f2B{columns - modes - 1}x{board.shape.columns}f")

    def write_one(
        self, x: float, y: float, flags: int, mode: int, columns: Sequence[float], step: int,
        when: int,
    ) -> None:  # fmt: skip
        """A whole row. columns: all of them; numbers beyond float32 become infinite."""
        at = self._rows + (self.number % self._count) * self._stride
        self._words[at >> 3] = self.number + 1
        at += self._contents_at
        try:
            self._contents.pack_into(self._memory, at, x, y, flags, mode, *columns)
        except OverflowError:  # of float32, which NumPy makes infinite
            with np.errstate(over="ignore"):
                x, y, *others = np.array([x, y, *columns], np.float32).tolist()
            self._contents.pack_into(self._memory, at, x, y, flags, mode, *others)
        self.end(step, when, 1, 0, 0)
