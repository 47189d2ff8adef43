"""An orbit camera in units of the scene (z up), its view-projection matrix, and the distance at
which its target fits the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDEST = 1.6
"""Aspect ratio of a picture below which its width, not its height, determines what fits."""
USUAL, USUAL_LIFT = 16.5, 0.1
"""Default distance from a plane 10 units wide, and the target's height above it, for a surface at
most 2 high."""
USUAL_DIAGONAL, USUAL_HEIGHT = math.hypot(10.0, 10.0), 2.0
WITHIN, WITHIN_FROM_ABOVE = 0.92, 0.94
"""Largest fraction of the picture for a surface that needs more room than usual; and from above.
The rest is for ticks."""
LEAST_TILT = 0.2
"""Elevation below which the plane is taken to be seen at this one [rad]."""
NEAR = 0.1
"""Fraction of the distance in front of which nothing is drawn."""

Box = tuple[float, float, float, float, float]
"""Corners of the plane, lo.x, lo.y, hi.x, hi.y, and the height above it [scene units]."""


Pose = tuple[tuple[float, float, float], float, float, float]


@dataclass
class OrbitCamera:
    """Looks at `target` from `distance` [scene units]; angles in radians, field of view vertical.

    In a picture narrower than `WIDEST` the view widens, so that the plane still fits. The elevation
    stays between just above the horizon and straight down.

    Attributes:
        box: the box to look at.
        home: the target's height, and the distance, of the initial view.
    """

    target: tuple[float, float, float] = (0.0, 0.0, USUAL_LIFT)
    distance: float = USUAL
    azimuth: float = math.radians(-60.0)
    elevation: float = math.radians(40.0)
    field_of_view: float = math.radians(40.0)
    box: Box = (-5.0, -5.0, 5.0, 5.0, USUAL_HEIGHT)
    home: tuple[float, float] = (USUAL_LIFT, USUAL)

    def frame(self, box: Box, surface: NDArray[np.floating]) -> None:
        """View a box from the default side: from the default distance for a plane of its size, or
        from where all of it is in the picture, whatever the aspect ratio: the surface's points
        (n, 3), and the box's upper corners, which a later critic may reach."""
        self.box = box
        size = self._plane_size
        lift = size * USUAL_LIFT + 0.5 * max(box[4] - size * USUAL_HEIGHT, 0.0)
        self.home = lift, 0.0
        self.reset()
        points = np.concatenate([surface.astype(np.float64), self._upper_corners])
        fitting = self._fitting(points, WIDEST, (WITHIN, WITHIN))
        self.home = lift, max(size * USUAL, fitting)
        self.reset()

    def orbit(self, turn: float, lift: float) -> None:
        """Rotate around the target."""
        self.azimuth = (self.azimuth + turn) % (2 * math.pi)
        self.elevation = min(max(self.elevation + lift, 0.05), math.pi / 2)

    def zoom(self, factor: float) -> None:
        """Multiply the distance, within limits that keep the box in reach."""
        extent = self.extent
        self.distance = min(max(self.distance * factor, extent), 200.0 * extent)

    def reset(self) -> None:
        """Return to the initial view."""
        lift, distance = self.home
        self.__dict__.update(OrbitCamera(box=self.box, home=self.home, distance=distance).__dict__)
        self.target = (*self._middle, lift)

    def top_view(self, aspect: float = WIDEST, foot: float = 0.0) -> None:
        """Look straight down, with the plane's second axis upwards, and the whole box in a picture
        of an aspect ratio.

        foot: fraction of its height to leave free at its foot, and also at its head."""
        self.reset()
        self.azimuth, self.elevation = -math.pi / 2, math.pi / 2
        high = min(WITHIN_FROM_ABOVE, 1.0 - 2.0 * foot)
        self.distance = self._fitting(self._upper_corners, aspect, (WITHIN_FROM_ABOVE, high))

    def _fitting(
        self, points: NDArray[np.float64], aspect: float, within: tuple[float, float]
    ) -> float:
        """The least distance at which points (n, 3) are within given fractions of the picture's
        width and height."""
        x, y, towards = _axes(self.azimuth, self.elevation) @ (points - self.target).T
        focus = self.focus(aspect)
        across = focus / aspect * np.abs(x) / within[0]
        upwards = focus * np.abs(y) / within[1]
        before_the_eye = towards / (1.0 - 1.5 * NEAR)
        return float(np.maximum(np.maximum(across, upwards) + towards, before_the_eye).max())

    @property
    def pose(self) -> Pose:
        """Target, distance and angles."""
        return self.target, self.distance, self.azimuth, self.elevation

    @pose.setter
    def pose(self, pose: Pose) -> None:
        self.target, self.distance, self.azimuth, self.elevation = pose

    @property
    def at_home(self) -> bool:
        """Whether it is where `reset` would put it."""
        there = OrbitCamera(box=self.box, home=self.home)
        there.reset()
        return there.pose == self.pose

    @property
    def _middle(self) -> tuple[float, float]:
        lo_x, lo_y, hi_x, hi_y, _ = self.box
        return 0.5 * (lo_x + hi_x), 0.5 * (lo_y + hi_y)

    @property
    def _upper_corners(self) -> NDArray[np.float64]:
        lo_x, lo_y, hi_x, hi_y, height = self.box
        return np.array([(x, y, height) for x in (lo_x, hi_x) for y in (lo_y, hi_y)])

    @property
    def _plane_size(self) -> float:
        """The plane's diagonal relative to that of the default plane."""
        lo_x, lo_y, hi_x, hi_y, _ = self.box
        return math.hypot(hi_x - lo_x, hi_y - lo_y) / USUAL_DIAGONAL

    @property
    def extent(self) -> float:
        """The box's diagonal relative to that of the default one."""
        size = self._plane_size
        diagonal = math.hypot(size * USUAL_DIAGONAL, max(self.box[4], size * USUAL_HEIGHT))
        return diagonal / math.hypot(USUAL_DIAGONAL, USUAL_HEIGHT)

    @property
    def eye(self) -> NDArray[np.float64]:
        """Position of the eye, (3,) [scene units]."""
        return np.array(self.target) + self.distance * _axes(self.azimuth, self.elevation)[2]

    def focus(self, aspect: float) -> float:
        """Focal length in half heights of the picture: 1 / tangent of half the vertical angle."""
        return min(1.0, aspect / WIDEST) / math.tan(0.5 * self.field_of_view)

    def pixels_per_unit(self, size: tuple[int, int], nearest: bool = False) -> float:
        """Pixels per unit of the scene in a view of `size` px, at the target or at the nearest
        point of the box."""
        width, height = size
        distance = self.nearest if nearest else self.distance
        return 0.5 * height * self.focus(width / height) / distance

    def pixels_per_square(self, size: tuple[int, int]) -> float:
        """Pixels that a unit square of the plane covers, at the target."""
        return self.pixels_per_unit(size) ** 2 * math.sin(max(self.elevation, LEAST_TILT))

    def units_per_depth(self) -> float:
        """Units of the scene towards the viewer per unit of depth [NDC], at the nearest point of
        the box."""
        near, far = self.clipping
        return self.nearest**2 * (far - near) / (2.0 * far * near)

    @property
    def nearest(self) -> float:
        """Approximate distance of the nearest point of the box."""
        return max(self.distance - 6.0 * self.extent, 0.3 * self.distance)

    @property
    def clipping(self) -> tuple[float, float]:
        """Distances of the near and the far plane."""
        return NEAR * self.distance, self.distance + 20.0 * self.extent

    def view_projection(self, aspect: float) -> NDArray[np.float32]:
        """(4, 4) float32, for column vectors: clip = M @ (x, y, z, 1). The same array while nothing
        moves; must not be written to."""
        return _view_projection(tuple(vars(self).items()), aspect)


def _axes(azimuth: float, elevation: float) -> NDArray[np.float64]:
    """Unit vectors to the picture's right, upwards, and towards the viewer, (3, 3)."""
    a, e = azimuth, elevation
    back = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
    right = np.array([-math.sin(a), math.cos(a), 0.0])
    return np.array([right, np.cross(back, right), back])


@lru_cache(maxsize=4)
def _view_projection(seen: tuple[tuple[str, Any], ...], aspect: float) -> NDArray[np.float32]:
    camera = OrbitCamera(**dict(seen))
    view = np.eye(4)
    view[:3, :3] = _axes(camera.azimuth, camera.elevation)
    view[:3, 3] = -view[:3, :3] @ camera.eye
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
