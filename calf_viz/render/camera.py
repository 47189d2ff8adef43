"""An orbit camera in the plane's own units (z up), and its view-projection matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDEST = 1.6
"""Aspect of a picture below which its width, not its height, decides what fits."""


@dataclass
class OrbitCamera:
    """Looks at `target` from `distance` [plane units]; angles in radians, field of view vertical.

    In a picture that is narrower than `WIDEST` the view widens, so that the plane still fits.
    Elevation stays between just above the horizon and straight down.
    """

    target: tuple[float, float, float] = (0.0, 0.0, 0.1)
    distance: float = 16.5
    azimuth: float = math.radians(-60.0)
    elevation: float = math.radians(40.0)
    field_of_view: float = math.radians(40.0)

    def orbit(self, turn: float, lift: float) -> None:
        """Turns around the target."""
        self.azimuth = (self.azimuth + turn) % (2 * math.pi)
        self.elevation = min(max(self.elevation + lift, 0.05), math.pi / 2)

    def zoom(self, factor: float) -> None:
        """Multiplies the distance, within limits that keep the plane in reach."""
        self.distance = min(max(self.distance * factor, 1.0), 200.0)

    def reset(self) -> None:
        """Back to the view at start."""
        self.__dict__.update(OrbitCamera(target=self.target).__dict__)

    def top_view(self) -> None:
        """Straight down, the plane's second axis upwards."""
        self.azimuth, self.elevation = -math.pi / 2, math.pi / 2

    def focus(self, aspect: float) -> float:
        """Half a picture's height over the tangent of half the angle it spans."""
        return min(1.0, aspect / WIDEST) / math.tan(0.5 * self.field_of_view)

    def pixels_per_unit(self, size: tuple[int, int], nearest: bool = False) -> float:
        """Pixels that a plane unit spans across a view of `size` px: at the target, or where the
        plane (10 units wide) comes nearest."""
        width, height = size
        distance = self.nearest if nearest else self.distance
        return 0.5 * height * self.focus(width / height) / distance

    def units_per_depth(self) -> float:
        """Plane units towards the viewer that a unit of depth [NDC] spans, where the plane comes
        nearest."""
        near, far = self.clipping
        return self.nearest**2 * (far - near) / (2.0 * far * near)

    @property
    def nearest(self) -> float:
        """Distance of the plane (10 units wide) where it comes nearest, about."""
        return max(self.distance - 6.0, 0.3 * self.distance)

    @property
    def clipping(self) -> tuple[float, float]:
        """Distances of the near and the far plane."""
        return 0.1 * self.distance, self.distance + 20.0

    def view_projection(self, aspect: float) -> NDArray[np.float32]:
        """(4, 4) float32, for column vectors: clip = M @ (x, y, z, 1). The same array as long as
        nothing moves; not to be written to."""
        return _view_projection(tuple(vars(self).items()), aspect)


@lru_cache(maxsize=4)
def _view_projection(seen: tuple[tuple[str, Any], ...], aspect: float) -> NDArray[np.float32]:
    camera = OrbitCamera(**dict(seen))
    a, e = camera.azimuth, camera.elevation
    back = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
    right = np.array([-math.sin(a), math.cos(a), 0.0])
    up = np.cross(back, right)
    eye = np.array(camera.target) + camera.distance * back
    view = np.eye(4)
    view[:3, :3] = right, up, back
    view[:3, 3] = -view[:3, :3] @ eye
    near, far = camera.clipping
    focus = camera.focus(aspect)
    projection = np.zeros((4, 4))
    projection[0, 0], projection[1, 1] = focus / aspect, focus
    projection[2, 2] = (far + near) / (near - far)
    projection[2, 3] = 2 * far * near / (near - far)
    projection[3, 2] = -1.0
    matrix = (projection @ view).astype(np.float32)
    matrix.flags.writeable = False
    return matrix
