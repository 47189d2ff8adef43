"""Modes, and beginnings of episodes, along a recording: read piece by piece, in constant memory.

blocks  |.|.|..|.|..|.|.|..|.|.|.|    all, or every n-th of very long recordings
bins    |..|..|..|..|..|..|..|..|     counts of each mode and of beginnings, by rows
columns |   |   |   |   |   |   |     shares of modes: of a timeline's pixels
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calf_viz.recording.recording import Recording

PIECE_BYTES, PIECE_BLOCKS = 1 << 18, 32
"""What is read together; at least one block."""
MOST_BYTES, MOST_BLOCKS = 1 << 30, 1 << 16
"""What is read: of longer recordings every second block, or every fourth."""
MOST_BINS = 4096
"""Bins along a recording: where there are too many, every two become one."""
LEAST = 1e-6
"""Rows and agents below which there are none: interpolation does not give exact zeros."""


class Summary:
    """Reads a recording from its first block to its last, and those that it gets meanwhile."""

    def __init__(self, recording: Recording, modes: int) -> None:
        self._recording, self._modes = recording, modes
        self._every, self._next, self._read = 1, 0, 0
        self._width = 1  # rows of a bin
        # Of each bin: agents in each mode, episodes that begin, and rows, as far as they were read.
        self._bins = np.zeros((MOST_BINS, modes + 2))

    @property
    def state(self) -> tuple[int, int]:
        """Changes when there is more in `columns`: blocks that were read, and rows there are."""
        return self._read, len(self._recording)

    @property
    def complete(self) -> bool:
        """Whether all blocks there are by now were read, as far as they are."""
        return self._next >= self._recording.blocks

    def read(self) -> None:
        """Read the next blocks. Raises FileDamaged."""
        recording, left = self._recording, PIECE_BYTES
        while (
            recording.bytes > MOST_BYTES * self._every
            or recording.blocks > MOST_BLOCKS * self._every
        ):
            self._every *= 2
        for _ in range(PIECE_BLOCKS):
            self._next += -self._next % self._every
            if self._next >= recording.blocks or left <= 0:
                break
            self._count(self._next)
            left -= recording.bytes_of_block(self._next)
            self._next += self._every
            self._read += 1

    def _count(self, block: int) -> None:
        start, modes, first = self._recording.modes_of_block(block)
        rows, known = len(modes), self._modes
        while start + rows > MOST_BINS * self._width:
            half = self._bins.reshape(MOST_BINS // 2, 2, -1).sum(axis=1)
            self._bins[: MOST_BINS // 2], self._bins[MOST_BINS // 2 :] = half, 0.0
            self._width *= 2
        at = np.arange(start, start + rows) // self._width
        begin, end = int(at[0]), int(at[-1]) + 1
        together = np.clip(modes, 0, known - 1).astype(np.int64)
        together += (at - begin)[:, None] * known
        counts = np.bincount(together.reshape(-1), minlength=(end - begin) * known)
        bins = self._bins[begin:end]
        bins[:, :known] += counts.reshape(-1, known)
        np.add.at(bins[:, known], at - begin, np.count_nonzero(first, axis=1))
        np.add.at(bins[:, known + 1], at - begin, 1.0)

    def columns(self, columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Shares of the modes in each of so many columns, (columns, modes), NaN where nothing was
        read yet; and how many episodes begin there, (columns,), as estimated where not all of it
        is read."""
        rows = max(len(self._recording), 1)
        wanted = np.linspace(0, rows, columns + 1)
        bins = self._bins[: -(-rows // self._width)]
        edges = np.minimum(np.arange(len(bins) + 1) * self._width, rows)
        summed = np.concatenate([np.zeros((1, bins.shape[1])), np.cumsum(bins, axis=0)])
        found = np.diff([np.interp(wanted, edges, column) for column in summed.T], axis=1).T
        agents, read = found[:, :-2].sum(axis=1, keepdims=True), found[:, -1]
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = np.where(agents > LEAST, found[:, :-2] / agents, np.nan)
            episodes = np.where(read > LEAST, found[:, -2] / read, np.nan)  # of a row
        if self._every > 1:
            _fill(shares)
            _fill(episodes[:, None])
        return shares, np.nan_to_num(episodes) * rows / columns


def _fill(values: NDArray[np.float64]) -> None:
    """Give columns between those that were read what their neighbour on the left has."""
    known = np.isfinite(values[:, 0])
    if known.any():
        last = np.flatnonzero(known)[-1]
        left = np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))[: last + 1]
        values[: last + 1] = values[left]
