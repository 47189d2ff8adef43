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
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.hud.edges import NEAREST
from calf_viz.scene.scene import Scene

Point = tuple[float, float]


class Upright(NamedTuple):
    """One of those edges.

    Attributes:
        place: where it is in the scene.
        foot, head: its ends in the picture [px]: the lowest value, and the highest.
        side: the side of the surface where it is: -1 left, 1 right.
        depths: distance of its ends from the eye, along its view.
        ground: the level from which it is above the surface; 0 at the surface's outline.
    """

    place: Point
    foot: Point
    head: Point
    side: int
    depths: Point
    ground: float = 0.0

    def at(self, level: float) -> Point:
        """The point in the picture at a level from 0, its foot, to 1, its head."""
        # Straight in clip space: in the picture, weighted by the depths.
        (x, y), (to_x, to_y), (near, far) = self.foot, self.head, self.depths
        depth = near + level * (far - near)
        part = level * far / depth
        return x + part * (to_x - x), y + part * (to_y - y)


def uprights_of(scene: Scene, heightfield: Heightfield) -> list[Upright]:
    """Two of them or none, starting with the one beside the wall seen most frontally, where the
    plane's own edge leads away from it in the picture."""
    if scene.height_scale <= 0.0:
        return []
    corners = _corners(scene, heightfield)
    if not corners:
        return []
    width, height = scene.size
    rows = scene.camera.view_projection(width / height).tolist()
    ends = []
    for x, y in corners:
        for z in (0.0, scene.height_scale):
            right, up, _, depth = (a * x + b * y + c * z + d for a, b, c, d in rows)
            if not depth > NEAREST:
                return []
            ends.append(
                ((0.5 + 0.5 * right / depth) * width, (0.5 - 0.5 * up / depth) * height, depth)
            )
    side = -1 if ends[0][0] + ends[1][0] <= ends[2][0] + ends[3][0] else 1
    return [
        Upright(place, foot[:2], head[:2], to, (foot[2], head[2]))
        for place, foot, head, to in zip(corners, ends[::2], ends[1::2], (side, -side), strict=True)
    ]


def eye_depths(scene: Scene, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from the eye, along its view, of points (..., 3) of the scene."""
    width, height = scene.size
    row = scene.camera.view_projection(width / height)[3].astype(np.float64)
    return points @ row[:3] + row[3]


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
