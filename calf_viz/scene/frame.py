"""Where the plane lies in the scene: a square of its own, whatever the plane's bounds and units.

plane, in the units of its axes          scene, z up
                    hi                                5
     +-------------*                      +----------*
     |             |     (x - centre)     |          |      Float32 is exact enough there,
     |      +      |  ──────────────────▶ |    0     |      however far from zero the plane
     |             |       * scale        |          |      is, and camera, level of detail
     *-------------+                      *----------+      and heights need know no units.
    lo                                   -5
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.glsl.variants import PERIODIC
from calf_viz.heightfield import FloatArray, Grid, Heightfield
from calf_viz.periods import Pair, fold_axes
from calf_viz.view import View

SIZE = 10.0
"""Of the scene's square."""
FARTHEST = 3e38
"""Of a place: what is further away is there."""
LINES = 10.0
"""Lines of the surface's grid along an axis, about."""


class Move(NamedTuple):
    """From one frame's scene to another's: scale * place + offset, on each axis."""

    scale: Pair = (1.0, 1.0)
    offset: Pair = (0.0, 0.0)

    def __call__(self, places: NDArray[np.floating]) -> FloatArray:
        """Places (..., 2) of the one scene, in the other, within what float32 holds."""
        moved = places.astype(np.float64) * self.scale + self.offset
        return np.clip(moved, -FARTHEST, FARTHEST)


@dataclass(frozen=True)
class Frame:
    """scene = (plane - centre) * scale, on each axis; as it is made here, both are the same.

    Attributes:
        centre: of the plane, in the units of its axes.
        scale: units of the scene to one of each axis.
        lines: how far apart the lines of the surface's grid are, in the units of the axes.
        periods: how long each axis is that is periodic, in units of the scene; 0 for others.
    """

    centre: Pair = (0.0, 0.0)
    scale: Pair = (1.0, 1.0)
    lines: Pair = (1.0, 1.0)
    periods: Pair = (0.0, 0.0)

    @classmethod
    def of(cls, view: View) -> Frame:
        """The plane of a view, as large as the square allows; on `[-5, 5]` both are the same."""
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
        )

    @cached_property
    def same(self) -> bool:
        """Whether plane and scene are the same."""
        return self.centre == (0.0, 0.0) and self.scale == (1.0, 1.0)

    def places(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """Points (..., 2) of the plane, in the scene; in float64 where that is not the same."""
        if self.same:
            return points
        moved: FloatArray = (points.astype(np.float64) - self.centre) * self.scale
        return moved

    def moved_from(self, old: Frame) -> Move:
        """Where what lies in the scene of another frame is in this one's."""
        (x, y), (old_x, old_y) = self.scale, old.scale
        return Move(
            (x / old_x, y / old_y),
            ((old.centre[0] - self.centre[0]) * x, (old.centre[1] - self.centre[1]) * y),
        )

    def wraps_as(self, old: Frame) -> bool:
        """Whether axes that are periodic have the ends that they have in another frame."""
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
        """Macros that shaders of the plane are given, where they are not the default."""
        return {PERIODIC.name: "1"} if any(self.periodic) else {}

    def samples(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """As `places`, (n, 2), but on the plane where an axis is periodic: modulo its period."""
        (x, y), places = self.periods, self.places(points)
        return fold_axes(places, (-0.5 * x, -0.5 * y), (0.5 * x, 0.5 * y), self.periodic)

    def corners(self, plane: Heightfield | Grid) -> tuple[Pair, Pair]:
        """Of what lies on the plane, in the scene."""
        if self.same:
            return plane.lo, plane.hi
        return self._corner(plane.lo), self._corner(plane.hi)

    def surface(self, heightfield: Heightfield) -> Heightfield:
        """A surface, in the scene; its values are shared."""
        if self.same:
            return heightfield
        placed = copy.copy(heightfield)
        placed.lo, placed.hi = self.corners(heightfield)
        return placed

    @cached_property
    def uniform(self) -> tuple[float, float, float, float]:
        """`u_frame`: the plane's centre, and what a unit of the scene is on its axes."""
        return (*self.centre, 1.0 / self.scale[0], 1.0 / self.scale[1])

    @cached_property
    def grid(self) -> tuple[float, float, float, float]:
        """`u_grid`: how many lines a unit of the scene spans, and where in between its zero is."""
        per_unit = [1.0 / (s * step) for s, step in zip(self.scale, self.lines, strict=True)]
        # Only parts are told: their whole numbers may be beyond what float32 tells apart.
        at = [
            math.remainder(c / step, 1.0) for c, step in zip(self.centre, self.lines, strict=True)
        ]
        return (per_unit[0], per_unit[1], at[0], at[1])

    def _corner(self, point: Pair) -> Pair:
        (x, y), (cx, cy), (sx, sy) = point, self.centre, self.scale
        return (x - cx) * sx, (y - cy) * sy


def _round_step(about: float) -> float:
    """The round number, 1, 2 or 5 times a power of ten, that is the next to one."""
    exponent = math.floor(math.log10(about))
    power = float(f"1e{exponent}")  # as near as floats allow, which `**` is not
    steps = [factor * power for factor in (1.0, 2.0, 5.0, 10.0)]
    return min(steps, key=lambda step: abs(math.log(step / about)))
