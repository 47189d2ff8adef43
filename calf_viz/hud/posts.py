"""Upright lines inside the plane, for the vertical axis where the picture cuts off all corners, or
where uprights there would lie along an edge with ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.hud.cut import Sight, in_sight
from calf_viz.hud.edges import pixels, plane_of, surface_pixels
from calf_viz.hud.ticked_edges import STAYS, TickedEdges
from calf_viz.hud.uprights import Point, Upright, eye_depths
from calf_viz.scene.scene import Scene

STEEPEST = math.radians(80.0)
"""Elevation from which an upright line is seen end on."""
APART = 1.6
"""Of the angle and the distance at which a corner's upright lies along an edge: inside the plane
there are many other places.
"""
NODES, MOST = 20, 12
"""Places along each side of what is in sight, and how many of all are tried."""


def posts_of(
    scene: Scene,
    heightfield: Heightfield,
    sight: Sight,
    last: Point | None,
    edges: TickedEdges | None = None,
) -> list[Upright]:
    """Uprights that are in sight, with room for texts on their outer side, those nearest to the
    picture's sides first: agents are in its middle. last: where in the scene it was before, which
    comes first. edges: along which they do not lie."""
    if scene.height_scale <= 0.0 or scene.camera.elevation > STEEPEST:
        return []
    plane = plane_of(scene, heightfield)
    part = in_sight(lambda at: surface_pixels(scene, heightfield, at), sight, plane)
    if part is None:
        return []
    places = scene.frame.places(plane_nodes(*part, NODES, NODES)).astype(np.float64)
    if last is not None:
        places = np.concatenate([[last], places])
    ends = np.repeat(places[None], 2, axis=0)
    heights = np.array([0.0, scene.height_scale])[:, None, None]
    points = np.concatenate([ends, np.broadcast_to(heights, (*ends.shape[:2], 1))], axis=2)
    at = pixels(scene, points)
    foot, head = at
    seen = sight.sees(foot) & sight.sees(head)
    across = np.abs(at[..., 0].mean(axis=0) / scene.size[0] - 0.5)
    if last is not None:
        across[0] = np.inf
    order = np.argsort(-across, kind="stable")
    best = _apart(order[seen[order]], at, edges, last is not None)
    depths = eye_depths(scene, points[:, best])
    ground = scene.frame.surface(heightfield).heights(places[best])
    return [
        Upright(
            (float(places[i, 0]), float(places[i, 1])),
            _pair(at[0, i]),
            _pair(at[1, i]),
            -1 if at[0, i, 0] + at[1, i, 0] < scene.size[0] else 1,
            _pair(depths[:, number]),
            float(np.clip(ground[number], 0.0, 1.0)),
        )
        for number, i in enumerate(best)
    ]


def _apart(
    places: NDArray[np.intp], at: NDArray[np.float64], edges: TickedEdges | None, stays: bool
) -> NDArray[np.intp]:
    """The first `MOST` that do not lie along an edge, of places in order: of all of them only a few
    need to be compared. at: ends of all lines, (2, k, 2) [px]. stays: whether line 0 was there
    before."""
    found = places[:0]
    for begin in range(0, len(places), MOST):
        some = places[begin : begin + MOST]
        if edges is not None:
            part = np.where(stays & (some == 0), STAYS, 1.0)
            some = some[~edges.along(at[:, some], part * APART)]
        found = np.concatenate([found, some])
        if len(found) >= MOST:
            break
    return found[:MOST]


def _pair(values: Sequence[float] | np.ndarray) -> Point:
    first, second = values
    return float(first), float(second)
