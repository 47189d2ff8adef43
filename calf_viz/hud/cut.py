"""Marks of an axis whose near edge is not all in sight: where the picture cuts the plane.

+----------------------------+
|     /       /       /      |     A tick's line leads from the near edge to the far one. Its
|    /       /       /       |     mark is at the first point in sight, with its text on the
|---*-------*-------*--------|     way back to the edge, where there is room for it: so marks
|  -2       0       2        |     slide along the border as the camera moves.
+----------------------------+
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.hud.layout import Rect
from calf_viz.hud.marks import Mark
from calf_viz.hud.shape import unit
from calf_viz.periods import Pair

NODES, ZOOMS = 16, 2
"""Points along each axis at which the part in sight is looked for, and how often: again within what
was found, as it may be small."""
STEPS, FINER = 16, (16, 8)
"""Points along a line that are tried, and then between the last one out of sight and the first one
in sight."""
ASIDE = 0.02
"""Distance of the points that give directions, as a fraction of the plane."""
LEAST_ASIDE = 0.3
"""Least sine of the angle between an edge and its outward direction, in the picture."""

Points = NDArray[np.float64]
Projection = Callable[[Points], Points]
"""Points (k, m, 2) of the plane in the picture [px], all at the surface's heights of the first m;
NaN if behind the camera."""
Plane = tuple[Pair, Pair]
"""Its corners, in the units of its axes."""


class Sight(NamedTuple):
    """Where marks may be.

    Attributes:
        size: of the picture [px].
        taken: rectangles that are covered.
        room: width and height to leave for a text beside a mark.
    """

    size: tuple[int, int]
    taken: Sequence[Rect]
    room: tuple[float, float]

    def sees(self, pixels: Points) -> NDArray[np.bool_]:
        """Whether a mark may be at pixels (..., 2); not at NaN."""
        (width, height), (across, upright) = self.size, self.room
        x, y = pixels[..., 0], pixels[..., 1]
        seen = (x >= across) & (x <= width - across) & (y >= upright) & (y <= height - upright)
        for rect in self.taken:
            over = (x > rect.x - across) & (x < rect.right + across)
            seen &= ~(over & (y > rect.y - upright) & (y < rect.bottom + upright))
        return seen


class Line(NamedTuple):
    """A line across an axis, and what is written at its mark.

    Attributes:
        axis: which axis.
        value: where along it.
        text: the mark's.
        ends: the other axis' coordinate at the near and the far end.
    """

    axis: int
    value: float
    text: str
    ends: Pair


def in_sight(project: Projection, sight: Sight, plane: Plane) -> Plane | None:
    """Bounds of the part of a plane that is in sight, a little too wide; None if nothing is."""
    lo, hi = np.array(plane[0], np.float64), np.array(plane[1], np.float64)
    for _ in range(ZOOMS):
        x, y = (np.linspace(lo[axis], hi[axis], NODES) for axis in (0, 1))
        nodes = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        seen = nodes[sight.sees(project(nodes[None])[0])]
        if not len(seen):
            return None
        cell = (hi - lo) / (NODES - 1)
        lo, hi = np.maximum(lo, seen.min(axis=0) - cell), np.minimum(hi, seen.max(axis=0) + cell)
    return (float(lo[0]), float(lo[1])), (float(hi[0]), float(hi[1]))


def cut_marks(project: Projection, sight: Sight, lines: Sequence[Line]) -> list[Mark | None]:
    """The mark of each line, at its first point in sight; None where there is none, or where the
    text would lie along the edge."""
    if not lines:
        return []
    first_axis = np.array([line.axis == 0 for line in lines])[:, None]
    values = np.array([line.value for line in lines])[:, None]
    ends = np.array([line.ends for line in lines])
    near, span = ends[:, :1], ends[:, 1:] - ends[:, :1]

    def points(values: Points, parts: Points) -> Points:
        across = near + span * parts
        swapped = np.where(first_axis, values, across), np.where(first_axis, across, values)
        return np.stack(swapped, axis=-1)

    every, there = np.arange(len(lines)), np.ones(len(lines), bool)
    parts = np.broadcast_to(np.linspace(0.0, 1.0, STEPS + 1), (len(lines), STEPS + 1))
    for count in (*FINER, 0):
        tried = points(values, parts)
        seen = sight.sees(project(tried.reshape(1, -1, 2))[0].reshape(tried.shape))
        there &= seen.any(axis=1)
        first = seen.argmax(axis=1)
        begin, end = parts[every, np.maximum(first - 1, 0), None], parts[every, first, None]
        if count:
            parts = begin + (end - begin) * (np.arange(count + 1) / count)
    # The points, others towards the near end, and others along the axis.
    aside = ASIDE * np.abs(span)
    around = np.concatenate(
        [points(values, end), points(values, end - ASIDE), points(values + aside, end)], axis=1
    )
    at, back, along = project(np.moveaxis(around, 1, 0)).tolist()
    marks: list[Mark | None] = []
    for i, line in enumerate(lines):
        (x, y), out, edge = at[i], _direction(at[i], back[i]), _direction(at[i], along[i])
        beside = abs(edge[0] * out[1] - edge[1] * out[0]) > LEAST_ASIDE
        legible = there[i] and (end[i, 0] > 0.0 or beside)
        marks.append(Mark(x, y, out, line.text) if legible else None)
    return marks


def _direction(start: Sequence[float], end: Sequence[float]) -> Pair:
    return unit(end[0] - start[0], end[1] - start[1])
