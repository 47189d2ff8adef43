"""An orbit camera in units of the scene (z up), its view-projection matrix, and the distance at
which its target fits the picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WIDEST = 1.6
"""Aspect ratio of a picture below which its width, not its height, determines what fits."""
USUAL, USUAL_LIFT = 16.5, 0.1
"""Default distance from a plane 10 units wide, and the target's height above it, for a surface at
most 2 high."""
USUAL_DIAGONAL, USUAL_HEIGHT = math.hypot(10.0, 10.0), 2.0
LEAST_TILT = 0.2
"""Elevation below which the plane is taken to be seen at this one [rad]."""
WITHIN, WITHIN_FROM_ABOVE, WITHIN_ORBIT = 0.92, 0.94, 0.99
"""Largest fraction of the picture for a surface that needs more room than usual; from above; and
from any other side. The rest is for ticks."""
THIRDS = 16
"""Steps of a search, each of which leaves two thirds of an interval."""
TURNS, BINS = 48, 64
"""Azimuths at which an orbit is checked, and intervals of the height."""
NEAR = 0.1
"""Fraction of the distance in front of which nothing is drawn."""

NEARER = (USUAL - 6.0) / USUAL
"""Fraction of the distance at which the box's nearest point is, from the usual distance."""

Point = tuple[float, float, float]
Inside = tuple[Point, Point]
"""The corners of a part of the scene."""
Box = tuple[float, float, float, float, float]
"""Corners of the plane, lo.x, lo.y, hi.x, hi.y, and the height above it [scene units]."""


AZIMUTH, ELEVATION = math.radians(-60.0), math.radians(40.0)
"""The default side."""
LOWEST = math.radians(3.0)
"""Least elevation: just above the horizon."""
GRAZING = math.radians(20.0)
"""Elevation below which a vertical pan moves the target up and down, not to and fro."""
CLOSEST, FARTHEST = 0.5, 1000.0
"""Least and largest distance from the default plane."""


class Pose(NamedTuple):
    """Where the camera looks, and from where: the point in the picture's middle and the distance
    from it [scene units]; angles in radians."""

    target: Point
    distance: float
    azimuth: float
    elevation: float


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
    azimuth: float = AZIMUTH
    elevation: float = ELEVATION
    field_of_view: float = math.radians(40.0)
    box: Box = (-5.0, -5.0, 5.0, 5.0, USUAL_HEIGHT)
    home: tuple[float, float] = (USUAL_LIFT, USUAL)

    def frame(self, box: Box, surface: NDArray[np.floating]) -> None:
        """View a box from the default side: from the default distance for a plane of its size, or
        from where all of it is in the picture, whatever the aspect ratio and from whichever side:
        the surface's points (n, 3), and the box's upper corners, which a later critic may reach."""
        self.box = box
        size = self.size
        points = np.concatenate([surface.astype(np.float64), self.upper_corners])
        points[:, :2] -= self._middle
        circles = turned(points)

        def fitting(lift: float, points: NDArray[np.float64], within: float) -> float:
            trial = replace(self, target=(0.0, 0.0, lift), azimuth=AZIMUTH, elevation=ELEVATION)
            return trial.fitting(points, WIDEST, (within, within))

        lift = size * USUAL_LIFT
        if fitting(lift, circles, WITHIN_ORBIT) > size * USUAL:
            highest = max(lift, box[4])
            lift = _least(lambda lift: fitting(lift, circles, WITHIN_ORBIT), lift, highest)
        still, orbit = fitting(lift, points, WITHIN), fitting(lift, circles, WITHIN_ORBIT)
        self.home = lift, max(size * USUAL, still, orbit)
        self.reset()

    def orbit(self, turn: float, lift: float) -> None:
        """Rotate around the target."""
        self.azimuth = (self.azimuth + turn) % (2 * math.pi)
        self.elevation = min(max(self.elevation + lift, LOWEST), math.pi / 2)

    def zoom(self, factor: float) -> None:
        """Multiply the distance, within limits that keep the box in reach."""
        size = self.size
        self.distance = min(max(self.distance * factor, CLOSEST * size), FARTHEST * size)

    def pan(self, right: float, up: float) -> None:
        """Move what is seen at the target to the right and upwards in the picture [scene units].

        The target moves at its height, or up and down if the camera looks along the ground; it
        stays above the plane.
        """
        x, y, z = self.target
        away = up / math.sin(self.elevation) if self.elevation > GRAZING else 0.0
        fall = 0.0 if away else up / math.cos(self.elevation)
        sine, cosine = math.sin(self.azimuth), math.cos(self.azimuth)
        lo_x, lo_y, hi_x, hi_y, height = self.box
        self.target = (
            min(max(x + sine * right + cosine * away, lo_x), hi_x),
            min(max(y - cosine * right + sine * away, lo_y), hi_y),
            min(max(z - fall, 0.0), max(z, height, self.size * USUAL_HEIGHT)),
        )

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
        self.distance = self.fitting(self.upper_corners, aspect, (WITHIN_FROM_ABOVE, high))

    def fitting(
        self, points: NDArray[np.float64], aspect: float, within: tuple[float, float]
    ) -> float:
        """The least distance at which points (n, 3) are within given fractions of the picture's
        width and height."""
        x, y, towards = axes_of(self.azimuth, self.elevation) @ (points - self.target).T
        focus = self.focus(aspect)
        across = focus / aspect * np.abs(x) / within[0]
        upwards = focus * np.abs(y) / within[1]
        before_the_eye = towards / (1.0 - 1.5 * NEAR)
        return float(np.maximum(np.maximum(across, upwards) + towards, before_the_eye).max())

    def places(self, points: NDArray[np.float64], aspect: float) -> NDArray[np.float64]:
        """Points (n, 3) in front of the eye in a picture of an aspect ratio, (n, 2), each component
        within -1 and 1 if inside."""
        x, y, towards = axes_of(self.azimuth, self.elevation) @ (points - self.target).T
        scale = self.focus(aspect) / (self.distance - towards)
        return np.column_stack([scale / aspect * x, scale * y])

    @property
    def pose(self) -> Pose:
        """Target, distance and angles."""
        return Pose(self.target, self.distance, self.azimuth, self.elevation)

    @pose.setter
    def pose(self, pose: Pose) -> None:
        self.target, self.distance, self.azimuth, self.elevation = pose

    @property
    def _middle(self) -> tuple[float, float]:
        lo_x, lo_y, hi_x, hi_y, _ = self.box
        return 0.5 * (lo_x + hi_x), 0.5 * (lo_y + hi_y)

    @property
    def upper_corners(self) -> NDArray[np.float64]:
        lo_x, lo_y, hi_x, hi_y, height = self.box
        return np.array([(x, y, height) for x in (lo_x, hi_x) for y in (lo_y, hi_y)])

    @property
    def size(self) -> float:
        """The plane's diagonal relative to that of the default plane."""
        lo_x, lo_y, hi_x, hi_y, _ = self.box
        return math.hypot(hi_x - lo_x, hi_y - lo_y) / USUAL_DIAGONAL

    @property
    def extent(self) -> float:
        """The box's diagonal relative to that of the default one."""
        size = self.size
        diagonal = math.hypot(size * USUAL_DIAGONAL, max(self.box[4], size * USUAL_HEIGHT))
        return diagonal / math.hypot(USUAL_DIAGONAL, USUAL_HEIGHT)

    @property
    def eye(self) -> NDArray[np.float64]:
        """Position of the eye, (3,) [scene units]."""
        return np.array(self.target) + self.distance * axes_of(self.azimuth, self.elevation)[2]

    def focus(self, aspect: float) -> float:
        """Focal length in half heights of the picture: 1 / tangent of half the vertical angle."""
        return min(1.0, aspect / WIDEST) / math.tan(0.5 * self.field_of_view)

    def pixels_per_unit(
        self, size: tuple[int, int], nearest: bool = False, inside: Inside | None = None
    ) -> float:
        """Pixels per unit of the scene in a view of `size` px, at the target or at the nearest
        point of the box; or of what is inside a part of it."""
        width, height = size
        distance = self.nearest_of(inside) if nearest else self.distance
        return 0.5 * height * self.focus(width / height) / distance

    def pixels_per_square(self, size: tuple[int, int]) -> float:
        """Pixels that a unit square of the plane covers, at the target."""
        return self.pixels_per_unit(size) ** 2 * math.sin(max(self.elevation, LEAST_TILT))

    def units_per_depth(self, inside: Inside | None = None) -> float:
        """Units of the scene towards the viewer per unit of depth [NDC], at the nearest point of
        the box, or of what is inside a part of it."""
        near, far = self.clipping
        return self.nearest_of(inside) ** 2 * (far - near) / (2.0 * far * near)

    def depth_before_target(self, units: float) -> float:
        """Depth [NDC] from the target to a point that is nearer by some units of the scene; at
        most half way to the eye."""
        near, far = self.clipping
        nearer = self.distance - min(units, 0.5 * self.distance)
        return 2.0 * far * near / (far - near) * (1.0 / nearer - 1.0 / self.distance)

    def nearest_of(self, inside: Inside | None) -> float:
        """Approximate distance of the nearest point of a part of the box; None: all of it."""
        nearest = self.nearest
        if inside is None or nearest >= NEARER * self.distance:
            return nearest
        a, e = self.azimuth, self.elevation
        back = math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)
        towards = sum(
            max(b * (lo - at), b * (hi - at))
            for b, at, lo, hi in zip(back, self.target, *inside, strict=True)
        )
        return max(nearest, min(self.distance - towards, NEARER * self.distance))

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


def axes_of(azimuth: float, elevation: float) -> NDArray[np.float64]:
    """Unit vectors to the picture's right, upwards, and towards the viewer, (3, 3)."""
    a, e = azimuth, elevation
    back = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
    right = np.array([-math.sin(a), math.cos(a), 0.0])
    return np.array([right, np.cross(back, right), back])


def turned(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Circles around the vertical axis that enclose points (n, 3), as an orbit shows them."""
    x, y, z = points.T
    low, high = z.min(), z.max()
    # Of points at about one height only the outermost count.
    bins = np.minimum((z - low) / max(high - low, 1e-9) * BINS, BINS - 1).astype(np.intp)
    radii = np.zeros(BINS)
    np.maximum.at(radii, bins, np.hypot(x, y))
    edges = np.linspace(low, high, BINS + 1)
    angles = np.linspace(0.0, 2 * math.pi, TURNS, endpoint=False)
    around = np.stack([np.cos(angles), np.sin(angles)])[:, None, :] * radii[:, None]
    circles = np.empty((2, 3, BINS, TURNS))
    circles[:, :2], circles[0, 2], circles[1, 2] = around, edges[:-1, None], edges[1:, None]
    return circles.transpose(0, 2, 3, 1).reshape(-1, 3)


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Where within [low, high] a function that falls and then rises is least, approximately."""
    for _ in range(THIRDS):
        third = (high - low) / 3.0
        if function(low + third) <= function(high - third):
            high -= third
        else:
            low += third
    return 0.5 * (low + high)


@lru_cache(maxsize=4)
def _view_projection(seen: tuple[tuple[str, Any], ...], aspect: float) -> NDArray[np.float32]:
    camera = OrbitCamera(**dict(seen))
    view = np.eye(4)
    view[:3, :3] = axes_of(camera.azimuth, camera.elevation)
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
