"""A camera's smooth ways: from one pose to another, and after something that moves."""

from __future__ import annotations

import math

from calf_viz.scene.camera import OrbitCamera, Point, Pose

FRAMES = 24
"""Frames that it takes."""
CATCHES_UP = 0.15
"""Share of the way to what it follows that a camera takes in each frame."""
ARRIVED = 1e-4
"""Distance that does not show [scene units]."""


class Glide:
    """Moves a camera, a step in each frame, until it is there or someone else moved it.

    Attributes:
        frames: frames that it takes; 0 moves at once.
    """

    def __init__(self, camera: OrbitCamera, frames: int = FRAMES) -> None:
        self.camera, self.frames = camera, frames
        self._left = 0
        self._from = self._to = self._last = camera.pose

    def to(self, pose: Pose, at_once: bool = False) -> None:
        """Begin to move to a pose, by the shorter way around."""
        self._from, self._to = self.camera.pose, pose
        self._left = 0 if at_once else self.frames
        if not self._left:
            self.camera.pose = pose
        self._last = self.camera.pose

    @property
    def end(self) -> Pose:
        """Where it leads."""
        return self._to

    @property
    def undisturbed(self) -> bool:
        """Whether nobody else moved the camera since."""
        return self.camera.pose == self._last

    def step(self) -> None:
        """Called before each frame."""
        if not self._left:
            return
        if not self.undisturbed:
            self._left = 0
            return
        self._left -= 1
        part = 1.0 - self._left / self.frames
        self.camera.pose = self._last = (
            between(self._from, self._to, part * part * (3.0 - 2.0 * part))
            if self._left
            else self._to
        )


class Chase:
    """Keeps a camera's target at something that moves, from the side and distance that there are,
    until someone else moves the target.

    Attributes:
        share: of the way there that each step takes; 1 is all of it.
    """

    def __init__(self, camera: OrbitCamera, share: float = CATCHES_UP) -> None:
        self.camera, self.share = camera, share
        self._last = camera.target

    def begin(self) -> None:
        """Follow from where the camera looks now."""
        self._last = self.camera.target

    @property
    def undisturbed(self) -> bool:
        """Whether nobody else moved the target since."""
        return self.camera.target == self._last

    def step(self, place: Point) -> None:
        """Called before each frame, with where the target should be [scene units]."""
        target = self.camera.target
        if math.dist(target, place) <= ARRIVED:
            return
        self.camera.target = self._last = partway(target, place, self.share)


def partway(start: Point, end: Point, part: float) -> Point:
    """The point at a part, from 0 to 1, of the way."""
    x, y, z = (a + part * (b - a) for a, b in zip(start, end, strict=True))
    return x, y, z


def between(start: Pose, end: Pose, part: float) -> Pose:
    """The pose at a part, from 0 to 1, of the way."""
    turn = math.remainder(end.azimuth - start.azimuth, 2 * math.pi)
    return Pose(
        partway(start.target, end.target, part),
        start.distance * (end.distance / start.distance) ** part,
        (start.azimuth + part * turn) % (2 * math.pi),
        start.elevation + part * (end.elevation - start.elevation),
    )
