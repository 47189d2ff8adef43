"""Positions in the picture of the marks on the plane's two nearest edges."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from calf_viz.heightfield import Heightfield
from calf_viz.hud import numbers
from calf_viz.hud.cut import Plane, Points
from calf_viz.hud.marks import Mark
from calf_viz.hud.shape import unit
from calf_viz.periods import Pair
from calf_viz.scene.scene import Scene

MOST_TICKS = 5
SPARSER = ((4, False), (3, False), (2, False), (3, True), (2, True))
"""If those are too close: the most ticks, and whether the plane's ends may have one; best first."""
NAME_AT = (0.5, 1.07, -0.07)
"""Where along an axis its name may be, best first: half way, or past either end."""
NEAREST = 1e-6
"""Least distance from the eye, along its view, of what is in front of the camera."""
OUTWARD = 0.02
"""Distance beyond the edge of a second projected point, as a fraction of the plane, which gives the
outward direction."""

INDIFFERENT = 0.05
"""Sine of the angle from which on another edge is nearer: without, it would jump to and fro."""


class Edge(NamedTuple):
    """The marks along one axis: its ticks, and where its name may be, best first."""

    ticks: list[Mark]
    names: list[Mark | None]

    @property
    def ends(self) -> tuple[Mark, Mark] | None:
        """The marks that are furthest apart; None if there is only one in front of the camera."""
        _, high, low = self.names
        marks = [mark for mark in (low, *self.ticks, high) if mark is not None]
        return (marks[0], marks[-1]) if len(marks) > 1 else None


def edges_of(
    scene: Scene,
    levels: Heightfield,
    labels: tuple[str, str],
    apart: float = 0.0,
    high: tuple[bool, bool] | None = None,
) -> list[Edge]:
    """The edges along both axes of the view's plane, which may be another than the surface's until
    the next surface. Marks behind the camera are left out; names there are None.

    levels: of the surface, in the units of its axes. apart: least distance of ticks [px]. An edge
    that is too short for two has none. high: see `near_ends`, which gives them by default.
    """
    lo, hi = plane = plane_of(scene, levels)
    high = high or near_ends(scene)
    ticks = [numbers.nice_ticks(lo[axis], hi[axis], MOST_TICKS) for axis in (0, 1)]
    edges = _edges(scene, levels, labels, (plane, high), ticks)
    chosen = [
        _sparser(edge, values, ends, apart)
        for edge, values, ends in zip(edges, ticks, zip(lo, hi, strict=True), strict=True)
    ]
    if chosen == ticks:
        return edges
    return _edges(scene, levels, labels, (plane, high), chosen)


def _sparser(edge: Edge, ticks: list[float], ends: Pair, apart: float) -> list[float]:
    """The same ticks, or as many as are so far apart in the picture."""
    gaps = len(edge.ticks) - 1
    if gaps < 1:
        return ticks
    first, last = edge.ticks[0], edge.ticks[-1]
    gap = math.hypot(last.x - first.x, last.y - first.y) / gaps
    if gap >= apart:
        return ticks
    step = ticks[1] - ticks[0]
    for most, with_ends in SPARSER:
        found = numbers.nice_ticks(*ends, most, ends=with_ends)
        if len(found) > 1 and gap * (found[1] - found[0]) / step >= apart:
            return found
    return []


def _edges(
    scene: Scene,
    levels: Heightfield,
    labels: tuple[str, str],
    near: tuple[Plane, tuple[bool, bool]],
    ticks: list[list[float]],
) -> list[Edge]:
    """The edges with these ticks."""
    texts = [[*numbers.tick_texts(ticks[axis]), *[labels[axis]] * len(NAME_AT)] for axis in (0, 1)]
    points = [_edge_points(*near, axis, ticks[axis]) for axis in (0, 1)]
    # All projected at once: (2 at the edge and beyond it, points of both axes, 2).
    at = np.concatenate(points, axis=1)
    marks = _marks(surface_pixels(scene, levels, at), [*texts[0], *texts[1]])
    first, second = marks[: len(texts[0])], marks[len(texts[0]) :]
    return [
        Edge([m for m in along[: -len(NAME_AT)] if m is not None], along[-len(NAME_AT) :])
        for along in (first, second)
    ]


def plane_of(scene: Scene, levels: Heightfield) -> Plane:
    """The plane whose edges they are."""
    return scene.frame.plane or (levels.lo, levels.hi)


def near_ends(scene: Scene, last: tuple[bool, bool] | None = None) -> tuple[bool, bool]:
    """For each axis, whether its edge is at the high end of the other axis: at the end that is
    nearer to the camera; from straight above, at the low end.

    last: the same before, which stays while both ends are about equally near.
    """
    towards = math.sin(scene.camera.azimuth), math.cos(scene.camera.azimuth)
    if last is None:
        return towards[0] > 1e-3, towards[1] > 1e-3
    x, y = (
        before if abs(by) < INDIFFERENT else by > 0.0
        for by, before in zip(towards, last, strict=True)
    )
    return x, y


def _edge_points(plane: Plane, high: tuple[bool, bool], axis: int, ticks: list[float]) -> Points:
    """Points on an edge, and the same a little beyond it, (2, ticks + names, 2)."""
    lo, hi = plane
    other = 1 - axis
    across = hi[other] if high[axis] else lo[other]
    out = OUTWARD * (hi[other] - lo[other]) * (1.0 if high[axis] else -1.0)
    points = np.empty((2, len(ticks) + len(NAME_AT), 2))
    points[:, :, axis] = [*ticks, *(lo[axis] + part * (hi[axis] - lo[axis]) for part in NAME_AT)]
    points[:, :, other] = [[across], [across + out]]
    return points


def surface_pixels(scene: Scene, levels: Heightfield, points: Points) -> Points:
    """Points (k, m, 2) of the plane in the picture, all at the surface's heights of the first m;
    NaN if behind the camera."""
    places = np.empty((*points.shape[:2], 3))
    places[..., :2] = scene.frame.places(points)
    places[..., 2] = levels.heights(points[0]) * scene.height_scale
    return pixels(scene, places)


def pixels(scene: Scene, places: Points) -> Points:
    """Points (..., 3) of the scene in the picture, (..., 2); NaN if behind the camera."""
    width, height = scene.size
    matrix = scene.camera.view_projection(width / height).astype(np.float64)
    clip = places @ matrix[:, :3].T + matrix[:, 3]
    w = np.where(clip[..., 3:] > NEAREST, clip[..., 3:], np.nan)
    return (0.5 + 0.5 * clip[..., :2] / w * (1.0, -1.0)) * scene.size


def _marks(at_and_beyond: Points, texts: list[str]) -> list[Mark | None]:
    at, beyond = at_and_beyond.tolist()
    return [
        None if math.isnan(x + to_x) else Mark(x, y, unit(to_x - x, to_y - y), text)
        for (x, y), (to_x, to_y), text in zip(at, beyond, texts, strict=True)
    ]
