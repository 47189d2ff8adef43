"""Writes rows into a board's ring, in every step of somebody's training."""

from __future__ import annotations

import struct

import numpy as np

from calf_attach.board import ORDERED, Board, row_checksum
from calf_attach.layout import Word

_HEAD = struct.Struct("<7q")
_COUNTS = struct.Struct("<4q")
_ROW = int(Word.ROW)  # indexing by an enumeration's member takes twice as long
_COUNTS_AT = 8 * int(Word.STEP)


class Slot:
    """Where a row is written to.

    Attributes:
        positions: (n, 2).
        flags, modes: (n,) uint8.
        blank: both of them, and what is between.
        first: the first column, (n,) float32.
        others: the other columns, (columns - 1, n) float32, NaN where nothing is known.
        known: whether anything is known in these.
    """

    __slots__ = ("at", "blank", "first", "flags", "known", "modes", "others", "positions", "raw")

    def __init__(self, board: Board, number: int, n: int) -> None:
        shape = board.shape
        at_positions, at_flags, at_modes, at_columns, stride = shape.row_parts()
        kind = np.float64 if shape.wide else np.float32
        self.raw = raw = board.raw_row(number)
        end = at_positions + 2 * n * shape.position_bytes
        self.positions = raw[at_positions:end].view(kind).reshape(n, 2)
        self.flags, self.modes = raw[at_flags : at_flags + n], raw[at_modes : at_modes + n]
        self.blank = raw[at_flags : at_modes + n]
        columns = raw[at_columns : at_columns + 4 * shape.agents * shape.columns].view(np.float32)
        columns = columns.reshape(shape.columns, shape.agents)[:, :n]
        self.first, self.others = columns[0], columns[1:]
        self.others[...] = np.nan
        self.known = False
        self.at = shape.parts()[2] + number * stride


class RowWriter:
    """Writes rows of n agents into a board's ring.

    Views of each slot are made once, since making them would cost as much as writing, and words are
    written through a memoryview, which takes half the time of an array.
    """

    def __init__(self, board: Board, n: int) -> None:
        self.n, self.board, self._count = n, board, board.shape.rows
        self.number = board[Word.ROW]
        self._memory = board.memory
        self._words = memoryview(board.memory).cast("q")
        self._slots: list[Slot | None] = [None] * self._count

    def begin(self) -> Slot:
        """Begin the next row; its contents are then written to the slot."""
        number = self.number % self._count
        slot = self._slots[number]
        if slot is None:
            slot = self._slots[number] = Slot(self.board, number, self.n)
        self._words[slot.at >> 3] = self.number + 1
        return slot

    def end(self, slot: Slot, step: int, when: int, merged: int, dropped: int, cost: int) -> None:
        """Publish the row, and the loop's counts as `count`. merged: steps that it stands for."""
        number = self.number + 1
        check = 0 if ORDERED else row_checksum(slot.raw)
        _HEAD.pack_into(self._memory, slot.at + 8, step, when, self.n, merged, check, 0, number)
        self.number = number
        self._words[_ROW] = number
        _COUNTS.pack_into(self._memory, _COUNTS_AT, step, dropped, cost, when)

    def count(self, step: int, dropped: int, cost: int, now: int) -> None:
        """Say how far the loop is, and that it lives."""
        _COUNTS.pack_into(self._memory, _COUNTS_AT, step, dropped, cost, now)
