"""Where the camera must be for its subject to be in the picture.

The whole plane, from the default side, is `OrbitCamera.frame`'s; everything else is here.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.scene.camera import (
    CLOSEST,
    USUAL_HEIGHT,
    WIDEST,
    WITHIN_ORBIT,
    OrbitCamera,
    Pose,
    turned,
)
from calf_viz.scene.frame import Frame
from calf_viz.scene.glide import between
from calf_viz.scene.viewpoint import PRESETS, Viewpoint
from calf_viz.scene.whereabouts import Region

WITHIN_PLANE = 0.86
"""Largest fraction of the picture for the whole plane from a preset's side: ticks are around it."""
WITHIN = 0.95
"""Largest fraction of the picture for agents and what is around them."""
TALL = 3.0
"""Multiple of the usual height from which the initial view has the whole surface in the picture:
walls in the foreground would hide where agents are."""
STEEPEST, RAISE = math.radians(75.0), math.radians(5.0)
"""Elevation up to which the camera is raised, in such steps, to see agents behind a wall."""
CENTRINGS = 4
"""Steps of the search for the middle, each of which halves what it is off at least."""
SIGHTS, CLEAR = 64, 0.02
"""Points along a line of sight at which the surface is checked, and how far below them it must be,
relative to its height."""

Points = NDArray[np.float64]


class Composition:
    """Poses of a camera for one surface."""

    def __init__(self, camera: OrbitCamera, ground: Heightfield, frame: Frame) -> None:
        """camera: framed on the surface; it is not moved. ground: the surface in the scene, with
        heights in its units."""
        self.camera = replace(camera)
        self.ground, self.frame = ground, frame
        self.camera.reset()
        self.plane = self.camera.pose
        self._points = ground.points

    def pose(self, viewpoint: Viewpoint, region: Region | None) -> Pose:
        """The pose of a viewpoint. region: where its agents are; None shows the plane instead."""
        preset = viewpoint.preset
        azimuth = math.radians(_either(viewpoint.azimuth, preset.azimuth)) % (2 * math.pi)
        elevation = math.radians(_either(viewpoint.elevation, preset.elevation))
        pose = self.plane._replace(azimuth=azimuth, elevation=elevation)
        if region is None or preset.subject == "plane":
            pose = self._of_plane(pose, usual=preset[:2] == PRESETS["plane"][:2])
        else:
            pose = self._of_region(pose, region, raised=viewpoint.elevation is None)
            if preset.subject == "home":
                pose = self._stepped_back(pose)
        pose = pose._replace(target=self._target(viewpoint, pose))
        return pose._replace(distance=_either(viewpoint.distance, pose.distance))

    def _of_plane(self, pose: Pose, usual: bool) -> Pose:
        """All of the surface. usual: from where it is in the picture from all sides."""
        if usual:
            return self._of_all_sides(pose)
        corners = np.concatenate([self.camera.upper_corners, self._points])
        return self._fitted(pose, corners, WITHIN_PLANE)

    def _of_region(self, pose: Pose, region: Region, raised: bool) -> Pose:
        """The region, and the surface over it. raised: from higher, if a wall hides it."""
        (lo_x, lo_y), (hi_x, hi_y) = self.frame.places(np.array(region)).tolist()
        x, y, z = self._points.T
        inside = (x >= lo_x) & (x <= hi_x) & (y >= lo_y) & (y <= hi_y)
        corners = np.array([(x, y) for x in (lo_x, hi_x) for y in (lo_y, hi_y)])
        heights = np.concatenate([z[inside], self.ground.heights(corners)])
        low, high = float(heights.min()), float(heights.max())
        middle = 0.5 * (lo_x + hi_x), 0.5 * (lo_y + hi_y)
        pose = pose._replace(target=(*middle, float(np.median(heights))))
        box = np.array([(*corner, height) for corner in corners for height in (low, high)])
        fitted = self._fitted(pose, box, WITHIN)
        while raised and fitted.elevation + RAISE <= STEEPEST and self._hidden(fitted, corners):
            pose = pose._replace(elevation=fitted.elevation + RAISE)
            fitted = self._fitted(pose, box, WITHIN)
        return fitted

    def _fitted(self, pose: Pose, points: Points, within: float) -> Pose:
        """The pose in which points are within a fraction of the picture, and in its middle."""
        camera = replace(self.camera, **pose._asdict())
        for _ in range(CENTRINGS):
            camera.distance = max(camera.fitting(points, WIDEST, (within, within)), CLOSEST)
            places = camera.places(points, WIDEST)
            x, y = (0.5 * (places.min(axis=0) + places.max(axis=0))).tolist()
            unit = camera.distance / camera.focus(WIDEST)
            camera.pan(-unit * WIDEST * x, -unit * y)
        camera.distance = max(camera.fitting(points, WIDEST, (within, within)), CLOSEST)
        return camera.pose

    def _stepped_back(self, pose: Pose) -> Pose:
        """The pose for a usual surface, that of the whole plane for a tall one."""
        relative = self.camera.box[4] / (self.camera.size * USUAL_HEIGHT)
        part = min(max((relative - 1.0) / (TALL - 1.0), 0.0), 1.0)
        whole = self._of_all_sides(
            self.plane._replace(azimuth=pose.azimuth, elevation=pose.elevation)
        )
        return whole if pose.distance >= whole.distance else between(pose, whole, part)

    def _of_all_sides(self, pose: Pose) -> Pose:
        """The pose from so far away that an orbit keeps the surface in the picture."""
        if pose.elevation == self.plane.elevation:
            return pose._replace(distance=self.plane.distance)
        centre = (*pose.target[:2], 0.0)
        circles = turned(np.concatenate([self._points, self.camera.upper_corners]) - centre)
        camera = replace(self.camera, **pose._asdict())
        distance = camera.fitting(circles + centre, WIDEST, (WITHIN_ORBIT, WITHIN_ORBIT))
        return pose._replace(distance=max(distance, self.plane.distance))

    def _hidden(self, pose: Pose, corners: Points) -> bool:
        """Whether the surface hides most of a region, from half way between its middle and its
        corners."""
        eye = replace(self.camera, **pose._asdict()).eye
        starts = np.concatenate([[pose.target[:2]], 0.5 * (corners + pose.target[:2])])
        starts = np.column_stack([starts, self.ground.heights(starts)])
        parts = np.linspace(0.02, 1.0, SIGHTS)[:, None, None]
        sight = starts + parts * (eye - starts)  # (SIGHTS, starts, 3)
        x, y, z = sight.reshape(-1, 3).T
        (lo_x, lo_y), (hi_x, hi_y) = self.ground.lo, self.ground.hi
        over = (x >= lo_x) & (x <= hi_x) & (y >= lo_y) & (y <= hi_y)
        heights = self.ground.heights(np.column_stack([x, y]))
        blocked = over & (heights > z + CLEAR * self.camera.box[4])
        return bool(blocked.reshape(SIGHTS, -1).any(axis=0).sum() * 2 > len(starts))

    def _target(self, viewpoint: Viewpoint, pose: Pose) -> tuple[float, float, float]:
        """The target, of which a viewpoint may give parts; on the surface if its place is given
        alone."""
        x, y, z = pose.target
        if viewpoint.x is not None or viewpoint.y is not None:
            (here,) = np.array([(x, y)]) / self.frame.scale + self.frame.centre
            at = _either(viewpoint.x, here[0]), _either(viewpoint.y, here[1])
            ((x, y),) = self.frame.places(np.array([at])).tolist()
            z = float(self.ground.heights([(x, y)])[0])
        return x, y, _either(viewpoint.z, z)


def _either(given: float | None, otherwise: float) -> float:
    return otherwise if given is None else given
