"""The upright edges of the surface's bounding box that are part of its outline in the picture.

*-----*-----*
|     |     |       A wall faces the viewer if the eye is beyond its plane. An upright edge
*     |     *       between one that does and one that does not is part of the outline: on one
  \\   |   /         side of it there is nothing of the surface. There are two of them, or none
    \\ | /           if the eye is above the plane.
      *
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from calf_viz.heightfield import Heightfield
from calf_viz.hud.edges import pixels
from calf_viz.scene.scene import Scene

Point = tuple[float, float]


class Upright(NamedTuple):
    """One of those edges.

    Attributes:
        corner: the corner of the plane where it is [scene units].
        foot, head: its ends in the picture [px]: the lowest value, and the highest.
        side: the side of the surface where it is: -1 left, 1 right.
    """

    corner: Point
    foot: Point
    head: Point
    side: int


def uprights_of(scene: Scene, heightfield: Heightfield) -> list[Upright]:
    """Two of them or none, starting with the one beside the wall seen most frontally, where the
    plane's own edge leads away from it in the picture."""
    if scene.height_scale <= 0.0:
        return []
    corners = _corners(scene, heightfield)
    if not corners:
        return []
    places = np.array([(*corner, height) for corner in corners for height in (0.0, 1.0)])
    places[:, 2] *= scene.height_scale
    at = pixels(scene, places)
    if not np.isfinite(at).all():
        return []
    (foot, head), (other_foot, other_head) = at.reshape(2, 2, 2).tolist()
    side = -1 if foot[0] + head[0] <= other_foot[0] + other_head[0] else 1
    one, other = corners
    return [
        Upright(one, (foot[0], foot[1]), (head[0], head[1]), side),
        Upright(other, (other_foot[0], other_foot[1]), (other_head[0], other_head[1]), -side),
    ]


def _corners(scene: Scene, heightfield: Heightfield) -> list[Point]:
    """Corners of the plane, in the order of `uprights_of`."""
    ends = list(zip(*scene.frame.corners(heightfield), strict=True))
    eye = scene.camera.eye.tolist()
    # The end of each axis whose wall faces the viewer; none if the eye is between both.
    facing = [
        hi if at > hi else lo if at < lo else None for at, (lo, hi) in zip(eye, ends, strict=False)
    ]
    azimuth = scene.camera.azimuth
    frontal = abs(math.cos(azimuth)), abs(math.sin(azimuth))
    found: list[Point] = []
    for axis in sorted((0, 1), key=lambda axis: -frontal[axis]):
        wall, other = facing[axis], 1 - axis
        if wall is None:
            continue
        # If the other axis also has a wall that faces the viewer, they share the nearer corner.
        shared, far = facing[other], sorted(ends[other], key=lambda end: -abs(end - eye[other]))
        found += [(wall, end) if axis == 0 else (end, wall) for end in far if end != shared]
    return found
