"""Positions in the picture of the marks on the plane's two nearest edges."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.hud import numbers
from calf_viz.hud.marks import Mark
from calf_viz.hud.shape import unit
from calf_viz.scene.scene import Scene

MOST_TICKS = 5
NAME_AT = (0.5, 1.07, -0.07)
"""Where along an axis its name may be, best first: half way, or past either end."""
OUTWARD = 0.02
"""Distance beyond the edge of a second projected point, as a fraction of the plane, which gives the
outward direction."""

Points = NDArray[np.float64]


class Edge(NamedTuple):
    """The marks along one axis: its ticks, and where its name may be, best first."""

    ticks: list[Mark]
    names: list[Mark | None]


def edges_of(
    scene: Scene,
    heightfield: Heightfield,
    value_range: tuple[float, float],
    labels: tuple[str, str],
) -> list[Edge]:
    """The edges along both axes. Marks behind the camera are left out; names there are None."""
    ticks = [
        numbers.nice_ticks(heightfield.lo[axis], heightfield.hi[axis], MOST_TICKS)
        for axis in (0, 1)
    ]
    texts = [[*numbers.tick_texts(ticks[axis]), *[labels[axis]] * len(NAME_AT)] for axis in (0, 1)]
    points = [_edge_points(scene, heightfield, axis, ticks[axis]) for axis in (0, 1)]
    # All projected at once: (2 at the edge and beyond it, points of both axes, 2).
    at = np.concatenate(points, axis=1)
    marks = _marks(_edge_pixels(scene, heightfield, value_range, at), [*texts[0], *texts[1]])
    first, second = marks[: len(texts[0])], marks[len(texts[0]) :]
    return [
        Edge([m for m in along[: -len(NAME_AT)] if m is not None], along[-len(NAME_AT) :])
        for along in (first, second)
    ]


def _edge_points(scene: Scene, heightfield: Heightfield, axis: int, ticks: list[float]) -> Points:
    """Points on an edge, and the same a little beyond it, (2, ticks + names, 2)."""
    lo, hi = heightfield.lo, heightfield.hi
    other = 1 - axis
    azimuth = scene.camera.azimuth
    # The edge along an axis is at that end of the other axis that is nearer to the camera; from
    # straight above, at the low end.
    near_high = (math.cos(azimuth), math.sin(azimuth))[other] > 1e-3
    across = hi[other] if near_high else lo[other]
    out = OUTWARD * (hi[other] - lo[other]) * (1.0 if near_high else -1.0)
    points = np.empty((2, len(ticks) + len(NAME_AT), 2))
    points[:, :, axis] = [*ticks, *(lo[axis] + part * (hi[axis] - lo[axis]) for part in NAME_AT)]
    points[:, :, other] = [[across], [across + out]]
    return points


def _edge_pixels(
    scene: Scene, heightfield: Heightfield, value_range: tuple[float, float], points: Points
) -> Points:
    """Points (2, m, 2) in the picture, all at the heights of the first m; NaN if behind it."""
    lo, hi = value_range
    # As in `shaders/field.vert`.
    levels = (heightfield.heights(points[0]) - lo) / (hi - lo if hi > lo else 1.0)
    places = np.empty((*points.shape[:2], 3))
    places[..., :2] = scene.frame.places(points)
    places[..., 2] = np.minimum(np.maximum(levels, -2.0), 3.0) * scene.height_scale
    return pixels(scene, places)


def pixels(scene: Scene, places: Points) -> Points:
    """Points (..., 3) of the scene in the picture, (..., 2); NaN if behind the camera."""
    width, height = scene.size
    matrix = scene.camera.view_projection(width / height).astype(np.float64)
    clip = places @ matrix[:, :3].T + matrix[:, 3]
    w = np.where(clip[..., 3:] > 1e-6, clip[..., 3:], np.nan)
    return (0.5 + 0.5 * clip[..., :2] / w * (1.0, -1.0)) * scene.size


def _marks(at_and_beyond: Points, texts: list[str]) -> list[Mark | None]:
    at, beyond = at_and_beyond.tolist()
    return [
        None if math.isnan(x + to_x) else Mark(x, y, unit(to_x - x, to_y - y), text)
        for (x, y), (to_x, to_y), text in zip(at, beyond, texts, strict=True)
    ]
