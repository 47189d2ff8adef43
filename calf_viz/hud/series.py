"""Rings of numbers for the HUD's plots: one row of a texture per curve.

    texel 0: number of samples, next slot, values at the plot's foot and head
    texel 1: number of samples across the plot's width
    then     the ring, `SAMPLES` slots: value, colour 0xRRGGBB (for bands)

A new sample writes one slot and the row's head; `shaders/lib/hud_shape.glsl` computes the curve
from it, so that no shape is ever rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

SAMPLES = 80
"""Slots of each ring."""
HEAD = 2
"""Texels before the ring."""


class Series:
    """The rows, by name.

    Attributes:
        texels: (rows, `HEAD` + `SAMPLES`, 4) float32, what the texture must hold.
        dirty: rows [from, to) of `texels` that changed since `clean`; empty if none did.
    """

    def __init__(self) -> None:
        self.texels = np.zeros((1, HEAD + SAMPLES, 4), np.float32)
        self.dirty = range(0, 1)
        self._rows: dict[str, int] = {}

    def row(self, name: str) -> int:
        """The row of a series, created if it is new."""
        if name not in self._rows:
            self._rows[name] = len(self._rows)
            if len(self._rows) > len(self.texels):
                grown = np.zeros((len(self._rows), *self.texels.shape[1:]), np.float32)
                grown[:-1] = self.texels
                self.texels = grown
            self._changed(name)[:HEAD] = (0, 0, 0, 1), (SAMPLES, 0, 0, 0)
        return self._rows[name]

    def push(self, name: str, value: float, colour: int = 0) -> None:
        """Add a sample, replacing the oldest once the ring is full."""
        texels = self._changed(name)
        count, following = int(texels[0, 0]), int(texels[0, 1])
        texels[HEAD + following, :2] = value, colour
        texels[0, :2] = min(count + 1, SAMPLES), (following + 1) % SAMPLES

    def fill(self, name: str, values: Sequence[float]) -> None:
        """Replace all samples, at most `SAMPLES`, by as many as there are values, which span the
        plot's width."""
        texels = self._changed(name)
        count = len(values)
        texels[HEAD : HEAD + count, 0] = values
        texels[0, :2] = count, count % SAMPLES
        texels[1, 0] = count

    def clear(self, name: str) -> None:
        """Drop all samples; the scale stays."""
        self._changed(name)[0, :2] = 0

    def recolour(self, name: str, colour: Callable[[float], int]) -> None:
        """Give all samples other colours, 0xRRGGBB, by their values."""
        samples = self._changed(name)[HEAD:]
        samples[:, 1] = [colour(value) for value in samples[:, 0].tolist()]

    def scale(self, name: str, low: float, high: float, span: int | None = None) -> None:
        """Set the values at the plot's foot and head, and the samples across its width."""
        row = self.row(name)
        texels = self.texels[row]
        span = span or int(texels[1, 0])
        if tuple(texels[0, 2:]) != (np.float32(low), np.float32(high)) or texels[1, 0] != span:
            texels = self._changed(name)
            texels[0, 2:] = low, high
            texels[1, 0] = span

    def values(self, name: str) -> NDArray[np.float32]:
        """The samples, oldest first."""
        row = self.row(name)
        texels = self.texels[row]
        count, following = int(texels[0, 0]), int(texels[0, 1])
        return texels[HEAD + (following - count + np.arange(count)) % SAMPLES, 0]

    def clean(self) -> None:
        """Mark everything as uploaded."""
        self.dirty = range(0)

    def _changed(self, name: str) -> NDArray[np.float32]:
        row = self.row(name)
        first, end = (self.dirty.start, self.dirty.stop) if self.dirty else (row, row)
        self.dirty = range(min(first, row), max(end, row + 1))
        return self.texels[row]
