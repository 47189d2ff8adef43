"""From where points of the scene are in the part of the picture that panels leave free.

A camera that moves across its view shifts what it sees without a turn: the angles are given, and
the search is for the least distance, and for that shift.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.scene.camera import CLOSEST, GRAZING, NEAR, WIDEST, OrbitCamera, Pose, axes_of

Rectangle = tuple[float, float, float, float]
"""Left, lower, right and upper end, each from -1 to 1 across the picture."""
MOST_BACK = 1.6
"""Largest factor on the distance for the sake of panels: agents that a panel hides are better than
agents that are too small to be seen."""
FARTHER = np.linspace(1.0, 1.4, 9)
"""Factors on the distance that are tried for the sake of balance: panels at one side must not push
what is seen to the other, with half of the picture empty."""
BALANCE = 3.0
"""Weight of the square of what the middle of the points is off the picture's, in halves of its
size, against the logarithm of the distance."""
STEPS, SHIFTS = 9, 17
"""Halvings of the interval of distances, and shifts along each axis that are tried at each."""


class Picture(NamedTuple):
    """What a pose is for: the picture's aspect ratio, and what panels cover of it."""

    aspect: float = WIDEST
    covered: tuple[Rectangle, ...] = ()


class _Seen(NamedTuple):
    """Points from the camera's angles: to the right, upwards, and towards it, each (n,); and half
    the picture's width and height at distance 1."""

    right: NDArray[np.float64]
    up: NDArray[np.float64]
    towards: NDArray[np.float64]
    halves: tuple[float, float]

    def least(self, within: tuple[float, float]) -> float:
        """Least distance at which all are within fractions of the picture, for some shift."""
        needed = [float(self.towards.max()) / (1.0 - 1.5 * NEAR)]
        for along, half, part in zip((self.right, self.up), self.halves, within, strict=True):
            k = half * part
            before = k * self.towards
            needed.append(float((along + before).max() + (before - along).max()) / (2.0 * k))
        return max(needed)

    def shifts(
        self, distance: float, within: tuple[float, float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Shifts along each axis for which all are within fractions of the picture."""
        found = []
        for along, half, part in zip((self.right, self.up), self.halves, within, strict=True):
            reach = half * part * (distance - self.towards)
            low, high = float((along - reach).max()), float((along + reach).min())
            found.append(np.linspace(min(low, high), high, SHIFTS))
        return found[0], found[1]

    def off_centre(self, distance: float, shift: tuple[float, float]) -> float:
        """Square of the distance of the points' middle from the picture's, in halves of that."""
        depth, square = distance - self.towards, 0.0
        for along, half, by in zip((self.right, self.up), self.halves, shift, strict=True):
            place = (along - by) / (half * depth)
            square += float(0.5 * (place.min() + place.max())) ** 2
        return square

    def covered(
        self,
        distance: float,
        shifts: tuple[NDArray[np.float64], NDArray[np.float64]],
        rectangles: tuple[Rectangle, ...],
    ) -> NDArray[np.float64]:
        """Number of points that each pair of shifts has under rectangles, (SHIFTS, SHIFTS)."""
        depth = distance - self.towards
        x = (self.right - shifts[0][:, None]) / (self.halves[0] * depth)
        y = (self.up - shifts[1][:, None]) / (self.halves[1] * depth)
        counts = np.zeros((SHIFTS, SHIFTS))
        for left, lower, right, upper in rectangles:
            across = ((x > left) & (x < right)).astype(np.float64)
            counts += across @ ((y > lower) & (y < upper)).astype(np.float64).T
        return counts


def placed(
    camera: OrbitCamera,
    points: NDArray[np.float64],
    picture: Picture,
    within: tuple[float, float],
    at_least: float = CLOSEST,
    still: bool = False,
) -> Pose:
    """The nearest pose with a camera's angles in which points (n, 3) are within fractions of the
    picture's width and height, and not under what is covered, as far as that is possible.

    at_least: least distance. still: shift as little as possible, rather than to the middle.
    """
    focus = camera.focus(picture.aspect)
    axes = axes_of(camera.azimuth, camera.elevation)
    right, up, towards = axes @ (points - camera.target).T
    seen = _Seen(right, up, towards, (picture.aspect / focus, 1.0 / focus))
    least = distance = max(seen.least(within), at_least)
    low, high = least, MOST_BACK * least

    def clear(distance: float) -> bool:
        shifts = seen.shifts(distance, within)
        return not seen.covered(distance, shifts, picture.covered).all()

    if not clear(least):
        distance = high
        for _ in range(STEPS if clear(high) else 0):
            middle = 0.5 * (low + high)
            if clear(middle):
                distance = high = middle
            else:
                low = middle
    found = []
    factors = FARTHER[: 1 if still or not clear(distance) else None]
    for farther in (factors * distance).tolist():
        shift = _shift(seen, farther, within, picture.covered, still)
        off = BALANCE * seen.off_centre(farther, shift) if not still else 0.0
        found.append((math.log(farther) + off, farther, shift))
    _, distance, (across, upwards) = min(found)
    return _moved(camera, distance, across, upwards)


def _shift(
    seen: _Seen,
    distance: float,
    within: tuple[float, float],
    covered: tuple[Rectangle, ...],
    still: bool,
) -> tuple[float, float]:
    """The best shift at a distance, of those with the fewest points covered."""
    across, upwards = seen.shifts(distance, within)
    counts = seen.covered(distance, (across, upwards), covered)
    i, j = np.nonzero(counts == counts.min())
    wanted = 0.0, 0.0
    if not still:  # neither near a panel nor far from the picture's middle
        wanted = tuple(
            0.5 * (some.mean() + 0.5 * (every[0] + every[-1]))
            for some, every in ((across[i], across), (upwards[j], upwards))
        )
    best = np.argmin((across[i] - wanted[0]) ** 2 + (upwards[j] - wanted[1]) ** 2)
    return float(across[i][best]), float(upwards[j][best])


def _moved(camera: OrbitCamera, distance: float, across: float, upwards: float) -> Pose:
    """The pose at a distance, moved across its view, with the target at the height where it was if
    the eye is high enough for that."""
    right, up, back = axes_of(camera.azimuth, camera.elevation)
    target = np.array(camera.target) + across * right + upwards * up
    if camera.elevation > GRAZING:  # the same eye, and a target farther away or nearer
        nearer = -upwards / math.tan(camera.elevation)
        target, distance = target + nearer * back, distance - nearer
    x, y, z = target.tolist()
    return replace(camera, target=(x, y, z), distance=distance).pose
