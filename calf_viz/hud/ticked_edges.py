"""The plane's edges in the picture, and which lines would be taken for one of them.

*----                 A camera high above a tall surface sees upright lines lean outwards. One
|\\ `----._            that leans as the edge beside it does, and is near it, seems to be that
| \\        `-._        edge's: its ticks are read as x, not as values.
+--\\------------
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.hud.edges import plane_of, surface_pixels
from calf_viz.scene.scene import Scene

POINTS = 13
"""Along each edge: the surface may bend it."""
SAMPLES, PART = 9, 0.6
"""Points of a line that are compared, and the fraction of them near an edge from which on the
line is along it."""
ANGLE = math.radians(16.0)
"""Angle between lines up to which they are taken for one."""
STAYS = 0.75
"""Fraction of that angle and of the reach, for what was there before: without, it would jump."""

Points = NDArray[np.float64]


class TickedEdges(NamedTuple):
    """Edges with ticks.

    Attributes:
        lines: points along each, (edges, POINTS, 2) [px]; NaN if behind the camera.
        reach: distance [px] within which something is read as belonging to an edge.
    """

    lines: Points
    reach: float

    @classmethod
    def of(
        cls, scene: Scene, levels: Heightfield, high: Mapping[int, bool], reach: float
    ) -> TickedEdges:
        """The edges along some axes. high: for each of these, whether its edge is at the high end
        of the other one: see `near_ends`."""
        lo, hi = plane_of(scene, levels)
        points = np.empty((len(high), POINTS, 2))
        for edge, axis in zip(points, high, strict=True):
            edge[:, axis] = np.linspace(lo[axis], hi[axis], POINTS)
            edge[:, 1 - axis] = (hi if high[axis] else lo)[1 - axis]
        at = surface_pixels(scene, levels, points.reshape(1, -1, 2))
        return cls(at.reshape(points.shape), reach)

    def along(self, ends: Points, part: ArrayLike = 1.0) -> NDArray[np.bool_]:
        """Whether lines with these ends (2, k, 2) [px] would be taken for an edge: (k,).

        part: fraction of the angle and the reach, for all or for each, (k,): STAYS for what was
        there before.
        """
        part = np.reshape(np.asarray(part, np.float64), (-1, 1, 1))
        start, way = ends[0, :, None, None], (ends[1] - ends[0])[:, None, None]
        steps = np.linspace(0.0, 1.0, SAMPLES)[:, None, None]
        begin = self.lines[:, :-1].reshape(-1, 2)
        side = (self.lines[:, 1:] - self.lines[:, :-1]).reshape(-1, 2)
        apart = start + steps * way - begin  # (k, SAMPLES, sides, 2)
        squares = np.maximum((side * side).sum(axis=-1), 1e-12)
        nearest = np.clip((apart * side).sum(axis=-1) / squares, 0.0, 1.0)
        apart -= nearest[..., None] * side
        is_near = (apart * apart).sum(axis=-1) < (part * self.reach) ** 2  # not if it is NaN
        across = way[..., 0] * side[:, 1] - way[..., 1] * side[:, 0]
        most = np.sin(part * ANGLE) ** 2 * (way * way).sum(axis=-1) * squares
        alike = is_near & (across * across < most)
        found: NDArray[np.bool_] = alike.any(axis=2).mean(axis=1) > PART
        return found
