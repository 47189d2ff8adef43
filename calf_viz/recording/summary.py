"""Modes, and beginnings of episodes, along a recording: read block by block, in constant memory.

blocks  |.....|.....|.....|.....|      every n-th, so that there are at most `MOST_BLOCKS`
bins    |..|..|     |..|..|            counts of each mode and of beginnings, by rows
columns |   |   |   |   |   |   |      shares of modes: of a timeline's pixels
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.recording.recording import Recording

MOST_BLOCKS = 1024
"""Blocks that are read: of longer recordings every second one, or every fourth."""
LEAST_BINS, MOST_BINS = 16, 4096
"""Bins of a block if there are many blocks, and of all if there are few."""


class Bins(NamedTuple):
    """Of a block: what is known at the edges between them."""

    edges: NDArray[np.float64]
    """(bins + 1,), rows."""
    counts: NDArray[np.float64]
    """(bins + 1, modes + 1): agents in each mode, and episodes that begin, since the edge before;
    0 at the first."""


class Summary:
    """Reads a recording from its first block to its last, and those that it gets meanwhile."""

    def __init__(self, recording: Recording, modes: int) -> None:
        self._recording, self._modes = recording, modes
        self._bins: dict[int, Bins] = {}
        self._every, self._next = 1, 0

    @property
    def state(self) -> tuple[int, int]:
        """Changes when there is more in `columns`."""
        return len(self._bins), len(self._recording)

    @property
    def complete(self) -> bool:
        """Whether all blocks there are by now were read, as far as they are."""
        return self._next >= self._recording.blocks

    def read(self) -> None:
        """Read the next block. Raises FileDamaged."""
        blocks = self._recording.blocks
        while blocks > MOST_BLOCKS * self._every:
            self._every *= 2
            self._bins = {at: bins for at, bins in self._bins.items() if at % self._every == 0}
        self._next += -self._next % self._every
        if self._next < blocks:
            self._bins[self._next] = self._count(self._next)
            self._next += self._every

    def _count(self, block: int) -> Bins:
        start, modes, first = self._recording.modes_of_block(block)
        rows, known = len(modes), self._modes
        together = np.clip(modes, 0, known - 1).astype(np.int64)
        together += np.arange(rows)[:, None] * known
        counts = np.bincount(together.reshape(-1), minlength=rows * known).reshape(rows, known)
        each = np.hstack([counts, np.count_nonzero(first, axis=1)[:, None]])
        bins = min(rows, max(LEAST_BINS, MOST_BINS // max(self._recording.blocks, 1)))
        begins = np.linspace(0, rows, bins + 1).astype(np.int64)
        summed = np.zeros((bins + 1, known + 1))
        summed[1:] = np.add.reduceat(each, begins[:-1], axis=0)
        return Bins(start + begins.astype(np.float64), summed)

    def columns(self, columns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Shares of the modes in each of so many columns, (columns, modes), NaN where nothing was
        read yet; and how many episodes begin there, (columns,)."""
        wanted = np.linspace(0, max(len(self._recording), 1), columns + 1)
        if not self._bins:
            return np.full((columns, self._modes), np.nan), np.zeros(columns)
        bins = [self._bins[at] for at in sorted(self._bins)]
        edges = np.concatenate([one.edges for one in bins])
        known = np.cumsum(np.concatenate([one.counts for one in bins]), axis=0)
        found = np.diff([np.interp(wanted, edges, column) for column in known.T], axis=1).T
        agents = found[:, :-1].sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            shares = np.where(agents > 0.0, found[:, :-1] / agents, np.nan)
        if self._every > 1:
            _fill(shares)
        return shares, found[:, -1]


def _fill(shares: NDArray[np.float64]) -> None:
    """Give columns between those that were read what their neighbour on the left has."""
    known = np.isfinite(shares[:, 0])
    if known.any():
        last = np.flatnonzero(known)[-1]
        left = np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))[: last + 1]
        shares[: last + 1] = shares[left]
