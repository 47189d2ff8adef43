"""The plane shown: which part of an observation it is, and its bounds."""

from __future__ import annotations

import math
from typing import Any, Sequence, Tuple

import numpy as np

Pair = Tuple[float, float]
LARGE = 1e6
"""Bounds of an observation space beyond this are taken for none."""
WIDE = 100.0
"""Positions are float64 if they are further from zero than this many widths of the plane, since
float32 would resolve less than a hundred thousandth of it."""


def shown(value: Any) -> str:
    """A value in a message: on one line, and cut."""
    try:
        text = repr(value)
    except Exception:
        text = type(value).__name__
    return " ".join(text[:400].split())[:80]


def slice_of(axes: Sequence[int]) -> slice:
    """Two columns of an array as a slice, which makes a view instead of a copy. Raises ValueError
    for other than two different columns, counted from 0."""
    if len(axes) != 2 or axes[0] == axes[1] or min(axes) < 0:
        raise ValueError(f"axes: {shown(tuple(axes))}: give two different ones, counted from 0")
    first, second = int(axes[0]), int(axes[1])
    step = second - first
    end = second + (1 if step > 0 else -1)
    return slice(first, None if end < 0 else end, step)


def checked_bounds(bounds: Any) -> tuple[Pair, Pair]:
    """Corners lo, hi from [(low, high), (low, high)]. Raises ValueError for anything else."""
    try:
        (x_lo, x_hi), (y_lo, y_hi) = bounds
        corners = (float(x_lo), float(y_lo)), (float(x_hi), float(y_hi))
    except (TypeError, ValueError):
        raise ValueError(f"bounds: {shown(bounds)}: give [(low, high), (low, high)]") from None
    for lo, hi in zip(*corners):
        if not (math.isfinite(lo) and math.isfinite(hi) and lo < hi):
            raise ValueError(
                f"bounds: {shown(bounds)}: give two finite numbers for each axis, the lower first"
            )
    return corners


def bounds_of(space: Any, axes: Sequence[int]) -> tuple[Pair, Pair] | None:
    """Corners of an observation space on two axes, if it is bounded there."""
    low, high = getattr(space, "low", None), getattr(space, "high", None)
    if not (isinstance(low, np.ndarray) and isinstance(high, np.ndarray) and low.ndim == 1):
        return None
    if max(axes) >= len(low):
        return None
    lo = [float(low[axis]) for axis in axes]
    hi = [float(high[axis]) for axis in axes]
    if not all(math.isfinite(v) and abs(v) < LARGE for v in (*lo, *hi)):
        return None
    if not all(a < b for a, b in zip(lo, hi)):
        return None
    return (lo[0], lo[1]), (hi[0], hi[1])


class SeenBounds:
    """Bounds from the positions seen, when nothing else says them. They grow in powers of two, so
    that they change rarely, and never shrink."""

    def __init__(self, ends: Sequence[Pair | None] = (None, None)) -> None:
        """ends: of each axis, where they are known."""
        self.ends = ends
        self.lo: list[float] = []
        self.hi: list[float] = []

    @property
    def corners(self) -> tuple[Pair, Pair]:
        """Corners lo, hi; of a unit's width around zero before anything was seen."""
        if not self.lo:
            return (-1.0, -1.0), (1.0, 1.0)
        (a, b), (c, d) = self.lo, self.hi
        return (a, b), (c, d)

    def see(self, positions: np.ndarray) -> bool:
        """Take positions (n, 2) in; returns whether the bounds changed."""
        there = positions[np.isfinite(positions).all(axis=1)]
        if not len(there):
            return False
        low, high = there.min(axis=0).tolist(), there.max(axis=0).tolist()
        for axis, known in enumerate(self.ends):
            if known is not None:
                low[axis], high[axis] = known
        if self.lo and all(a <= b and c <= d for a, b, c, d in zip(self.lo, low, high, self.hi)):
            return False
        if self.lo:
            low = [min(pair) for pair in zip(self.lo, low)]
            high = [max(pair) for pair in zip(self.hi, high)]
        found = [known or around(a, b) for a, b, known in zip(low, high, self.ends)]
        self.lo, self.hi = [list(each) for each in zip(*found)]
        return True


def around(low: float, high: float) -> Pair:
    """Ends around low and high, whole multiples of a power of two near their distance."""
    width = max(high - low, 1e-6 * max(abs(low), abs(high)), 1e-9)
    unit = 2.0 ** math.ceil(math.log2(width) - 1.0)
    return unit * math.floor(low / unit), unit * (math.floor(high / unit) + 1.0)


def wide(lo: Pair, hi: Pair) -> bool:
    """Whether positions on the plane need float64."""
    return any(max(abs(a), abs(b)) > WIDE * (b - a) for a, b in zip(lo, hi))


def grid_nodes(lo: Pair, hi: Pair, nodes: int) -> np.ndarray:
    """Points of a grid, (nodes * nodes, 2), row by row: the first axis runs fastest."""
    x = np.linspace(lo[0], hi[0], nodes)
    y = np.linspace(lo[1], hi[1], nodes)
    return np.stack([np.tile(x, nodes), np.repeat(y, nodes)], axis=1)
