"""The items of a HUD draw as texels, in drawing order, and which of them changed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COLUMNS = 64
"""Texels per row of the texture; textures grow by rows, and stay small, as hosts may have to upload
them completely."""


class Batch:
    """Items of a fixed number of texels each, drawn in the order in which they were appended.

    Attributes:
        texels: (rows, `COLUMNS`, 4) float32, what the texture must hold.
        count: items drawn.
        dirty: rows [from, to) of `texels` that changed since `clean`; empty if none did.
    """

    def __init__(self, texels_per_item: int) -> None:
        self.per_item = texels_per_item
        self.texels = np.zeros((1, COLUMNS, 4), np.float32)
        self.count = 0
        self.dirty = range(0, 1)

    def append(self, texels: NDArray[np.float32]) -> range:
        """Add items, (items * texels per item, 4); returns their indices, for `write`."""
        first = self.count
        self.count += len(texels) // self.per_item
        self._reserve(self.count * self.per_item)
        self.write(first, texels)
        return range(first, self.count)

    def write(self, item: int, texels: NDArray[np.float32]) -> None:
        """Overwrite items from `item` on, float32. Unchanged values are not uploaded."""
        begin = item * self.per_item
        end = begin + len(texels)
        there = self.texels.reshape(-1, 4)[begin:end]
        # As bytes: for the few texels of a label much faster than comparing numbers.
        if len(texels) and there.tobytes() != texels.tobytes():
            there[:] = texels
            self.dirty = _union(self.dirty, range(begin // COLUMNS, (end - 1) // COLUMNS + 1))

    def truncate(self, count: int) -> None:
        """Drop the items from `count` on; appending continues there."""
        self.count = count

    def clean(self) -> None:
        """Mark everything as uploaded."""
        self.dirty = range(0)

    def _reserve(self, texels: int) -> None:
        rows = -(-texels // COLUMNS)
        if rows > len(self.texels):
            grown = np.zeros((rows, COLUMNS, 4), np.float32)
            grown[: len(self.texels)] = self.texels
            self.texels, self.dirty = grown, range(rows)


def _union(a: range, b: range) -> range:
    return b if not a else range(min(a.start, b.start), max(a.stop, b.stop))
