"""Maps the plane to a square in the scene, whatever the plane's bounds and units.

plane, in the units of its axes          scene, z up
                    hi                                5
     +-------------*                      +----------*
     |             |     (x - centre)     |          |      Float32 is exact enough there,
    |      +      |  ──────────────────▶ |    0     |      however far from zero the plane
    |             |       * scale        |          |      is, and camera, level of detail
    *-------------+                      *----------+      and heights are free of units.
    lo                                   -5
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from calf_viz.glsl.variants import PERIODIC
from calf_viz.heightfield import FloatArray, Grid, Heightfield
from calf_viz.periods import Pair, fold_axes
from calf_viz.view import View

SIZE = 10.0
"""Width of the scene's square."""
FARTHEST = 3e38
"""Largest coordinate; anything further away is clamped to it."""
LINES = 10.0
"""Approximate number of grid lines on the surface along an axis."""


Surface = TypeVar("Surface", bound=Heightfield)


class Move(NamedTuple):
    """Maps one frame's scene to another's: scale * place + offset, on each axis."""

    scale: Pair = (1.0, 1.0)
    offset: Pair = (0.0, 0.0)

    def __call__(self, places: NDArray[np.floating]) -> FloatArray:
        """Places (..., 2) of one scene in the other, clamped to the range of float32."""
        moved = places.astype(np.float64) * self.scale + self.offset
        return np.clip(moved, -FARTHEST, FARTHEST)


@dataclass(frozen=True)
class Frame:
    """scene = (plane - centre) * scale, on each axis; by default both are the same.

    Attributes:
        centre: centre of the plane, in the units of its axes.
        scale: units of the scene per unit of each axis.
        lines: distance of the surface's grid lines, in the units of the axes.
        periods: length of each periodic axis, in units of the scene; 0 for others.
        plane: corners of the view's plane, in the units of its axes; None: those of the surface.
    """

    centre: Pair = (0.0, 0.0)
    scale: Pair = (1.0, 1.0)
    lines: Pair = (1.0, 1.0)
    periods: Pair = (0.0, 0.0)
    plane: tuple[Pair, Pair] | None = None

    @classmethod
    def of(cls, view: View) -> Frame:
        """The frame for a view's plane, as large as the square allows; for `[-5, 5]` plane and
        scene are the same."""
        (x_lo, y_lo), (x_hi, y_hi) = view.lo, view.hi
        width, height = float(x_hi - x_lo), float(y_hi - y_lo)
        if view.aspect == "equal":
            width = height = max(width, height)
        return cls(
            (0.5 * (x_lo + x_hi), 0.5 * (y_lo + y_hi)),
            (SIZE / width, SIZE / height),
            (_round_step(width / LINES), _round_step(height / LINES)),
            (
                view.periodic[0] * float(x_hi - x_lo) * SIZE / width,
                view.periodic[1] * float(y_hi - y_lo) * SIZE / height,
            ),
            (view.lo, view.hi),
        )

    @cached_property
    def same(self) -> bool:
        """Whether plane and scene are the same."""
        return self.centre == (0.0, 0.0) and self.scale == (1.0, 1.0)

    def places(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """Points (..., 2) of the plane in the scene; in float64 unless both are the same."""
        if self.same:
            return points
        moved: FloatArray = (points.astype(np.float64) - self.centre) * self.scale
        return moved

    def moved_from(self, old: Frame) -> Move:
        """The move from another frame's scene to this one's."""
        (x, y), (old_x, old_y) = self.scale, old.scale
        return Move(
            (x / old_x, y / old_y),
            ((old.centre[0] - self.centre[0]) * x, (old.centre[1] - self.centre[1]) * y),
        )

    def wraps_as(self, old: Frame) -> bool:
        """Whether the periodic axes have the same ends as in another frame."""
        return all(
            self.centre[axis] == old.centre[axis]
            and math.isclose(period / self.scale[axis], old.periods[axis] / old.scale[axis])
            for axis, period in enumerate(self.periods)
            if period
        )

    @cached_property
    def periodic(self) -> tuple[bool, bool]:
        """Whether each axis wraps."""
        return self.periods[0] > 0.0, self.periods[1] > 0.0

    @property
    def defines(self) -> dict[str, str]:
        """Macros for shaders of the plane that differ from the default."""
        return {PERIODIC.name: "1"} if any(self.periodic) else {}

    def samples(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """As `places`, (n, 2), but taken modulo the period on periodic axes."""
        (x, y), places = self.periods, self.places(points)
        return fold_axes(places, (-0.5 * x, -0.5 * y), (0.5 * x, 0.5 * y), self.periodic)

    def corners(self, plane: Heightfield | Grid) -> tuple[Pair, Pair]:
        """Corners of something on the plane, in the scene."""
        if self.same:
            return plane.lo, plane.hi
        return self._corner(plane.lo), self._corner(plane.hi)

    def surface(self, heightfield: Surface) -> Surface:
        """A surface in the scene, sharing its values."""
        if self.same:
            return heightfield
        placed = copy.copy(heightfield)
        placed.lo, placed.hi = self.corners(heightfield)
        return placed

    @cached_property
    def uniform(self) -> tuple[float, float, float, float]:
        """`u_frame`: the plane's centre, and the size of a unit of the scene on its axes."""
        return (*self.centre, 1.0 / self.scale[0], 1.0 / self.scale[1])

    @cached_property
    def grid(self) -> tuple[float, float, float, float]:
        """`u_grid`: grid lines per unit of the scene, and the phase of zero between two of them."""
        per_unit = [1.0 / (s * step) for s, step in zip(self.scale, self.lines, strict=True)]
        # Only the fraction, as its integer part may exceed what float32 resolves.
        at = [
            math.remainder(c / step, 1.0) for c, step in zip(self.centre, self.lines, strict=True)
        ]
        return (per_unit[0], per_unit[1], at[0], at[1])

    def _corner(self, point: Pair) -> Pair:
        (x, y), (cx, cy), (sx, sy) = point, self.centre, self.scale
        return (x - cx) * sx, (y - cy) * sy


def _round_step(about: float) -> float:
    """The nearest round number: 1, 2 or 5 times a power of ten."""
    exponent = math.floor(math.log10(about))
    power = float(f"1e{exponent}")  # the nearest float, which `**` does not always give
    steps = [factor * power for factor in (1.0, 2.0, 5.0, 10.0)]
    return min(steps, key=lambda step: abs(math.log(step / about)))
