"""The surface: values on a grid, and heights between its nodes.

Nodes are corner-aligned. Every cell is cut along its anti-diagonal, as the drawn triangle strips
are, and heights are linear on those two triangles:

    (0,1) *-----* (1,1)      r = position inside the cell, in [0, 1]^2
          |\\  B |
          | \\   |            A:  r.x + r.y <= 1
          |  \\  |            B:  r.x + r.y >  1
          | A \\ |
    (0,0) *-----* (1,0)

`shaders/height.glsl` does the same arithmetic in float32; this is its reference, in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Nodes (rows, columns) over a plane, without values, which only the GPU has."""

    shape: tuple[int, int]
    lo: tuple[float, float]
    hi: tuple[float, float]

    def nodes(self) -> FloatArray:
        """Positions, (rows * columns, 2), row by row."""
        return plane_nodes(self.lo, self.hi, *self.shape)


@dataclass
class Heightfield:
    """Values on a rectangular grid over a plane.

    values: (rows, columns) float, row = second axis, column = first axis; at least 2 x 2.
    lo, hi: corners of the plane, in the units of its axes.

    NaN and infinities are replaced by the largest finite value (a wall, not a hole) and marked in
    `bad`, (rows, columns) bool. Raises ValueError for an invalid grid.
    """

    values: NDArray[np.floating]
    lo: tuple[float, float]
    hi: tuple[float, float]
    bad: NDArray[np.bool_] = field(init=False)

    SAMPLED: ClassVar[int] = 65
    """Most nodes per side from which the distribution of values, and texts, are made."""

    def __post_init__(self) -> None:
        with np.errstate(over="ignore"):  # beyond float32 is not finite either
            values = np.array(self.values, dtype=np.float32)
        if values.ndim != 2 or min(values.shape) < 2:
            raise ValueError(f"a heightfield needs at least 2 x 2 nodes, not {values.shape}")
        if not (self.lo[0] < self.hi[0] and self.lo[1] < self.hi[1]):
            raise ValueError(f"the plane's corners are out of order: {self.lo}, {self.hi}")
        if not np.isfinite([*self.lo, *self.hi]).all():
            raise ValueError(f"the plane's corners are not finite: {self.lo}, {self.hi}")
        self.lo, self.hi = ((float(x), float(y)) for x, y in (self.lo, self.hi))
        self.bad = ~np.isfinite(values)
        if self.bad.any():
            finite = values[~self.bad]
            values[self.bad] = finite.max() if finite.size else 0.0
        self.values = values

    @classmethod
    def of(
        cls,
        function: Callable[[FloatArray, FloatArray], ArrayLike],
        lo: tuple[float, float],
        hi: tuple[float, float],
        nodes: int = 65,
    ) -> Heightfield:
        """The surface of a function of x and y, which is called once, with arrays.

        nodes: number along each axis.

        Raises ValueError for values, which need no function: `Heightfield(values, lo, hi)`.
        """
        if not callable(function):
            raise ValueError(
                f"Heightfield.of: a {type(function).__name__} is no function of x and y: for "
                "values on a grid, write Heightfield(values, lo, hi)"
            )
        x, y = plane_nodes(lo, hi, nodes, nodes).T
        values = np.broadcast_to(np.asarray(function(x, y), dtype=np.float64), x.shape)
        return cls(values.reshape(nodes, nodes), lo, hi)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of nodes."""
        rows, columns = self.values.shape
        return rows, columns

    @property
    def good(self) -> NDArray[np.floating]:
        """Its finite values at up to `SAMPLED` nodes a side, evenly spread, (m,): enough for how
        they are distributed, whatever the grid."""
        rows, columns = (
            np.floor(np.linspace(0.0, count - 1.0, min(count, self.SAMPLED)) + 0.5).astype(np.intp)
            for count in self.shape
        )
        at = np.ix_(rows, columns)
        found: NDArray[np.floating] = self.values[at][~self.bad[at]]
        return found

    @property
    def range(self) -> tuple[float, float]:
        """(lowest, highest) finite value."""
        good = self.values[~self.bad] if self.bad.any() else self.values
        return (float(good.min()), float(good.max())) if good.size else (0.0, 0.0)

    @property
    def points(self) -> FloatArray:
        """Its nodes and their values, (rows * columns, 3), row by row."""
        nodes = plane_nodes(self.lo, self.hi, *self.shape)
        return np.column_stack([nodes, self.values.ravel()])

    def heights(self, points: ArrayLike) -> FloatArray:
        """Values at points of the plane, (m, 2) -> (m,) float64; outside it, the edge's value."""
        return self.tangent_planes(points)[:, 0]

    def mean_height(self, points: ArrayLike) -> float:
        """Mean of the values at points of the plane, (m, 2), that are finite; NaN if none is."""
        heights = self.heights(points)
        known = heights[np.isfinite(heights)]
        return float(known.mean()) if len(known) else math.nan

    def tangent_planes(self, points: ArrayLike) -> FloatArray:
        """Value and slope along each axis of the triangle under points of the plane, (m, 2) ->
        (m, 3) float64; outside the plane, those at the edge."""
        points = np.asarray(points, dtype=np.float64)
        rows, columns = self.shape
        cells = np.array([columns - 1, rows - 1])
        lo, hi = np.array(self.lo), np.array(self.hi)
        grid = np.clip((points - lo) / (hi - lo), 0.0, 1.0) * cells
        # NaN has no cell; it takes the last one here and stays NaN through `rest`.
        cell = np.fmin(grid, cells - 1).astype(np.intp)
        rest = grid - cell
        column, row = cell.T
        lower = rest.sum(axis=1) <= 1.0
        upper = 1 - lower
        z = self.values
        corner = z[row + upper, column + upper].astype(np.float64)
        z10, z01 = z[row, column + 1], z[row + 1, column]
        planes = np.empty((len(points), 3))
        planes[:, 1] = np.where(lower, z10 - corner, corner - z01)
        planes[:, 2] = np.where(lower, z01 - corner, corner - z10)
        rest -= upper[:, None]
        planes[:, 0] = corner + rest[:, 0] * planes[:, 1] + rest[:, 1] * planes[:, 2]
        planes[:, 1:] *= cells / (hi - lo)
        return planes


def plane_nodes(
    lo: tuple[float, float], hi: tuple[float, float], rows: int, columns: int
) -> FloatArray:
    """Positions of a grid's nodes, (rows * columns, 2), row by row."""
    x, y = np.meshgrid(np.linspace(lo[0], hi[0], columns), np.linspace(lo[1], hi[1], rows))
    return np.stack([x.ravel(), y.ravel()], axis=1)
