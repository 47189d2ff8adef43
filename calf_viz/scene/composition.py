"""Where the camera must be for its subject to be in the picture.

The whole plane, from the default side, is `OrbitCamera.frame`'s; everything else is here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from calf_viz.heightfield import Heightfield, plane_nodes
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
from calf_viz.scene.viewpoint import PRESETS, Preset, Viewpoint
from calf_viz.scene.whereabouts import Points, Region

WITHIN_PLANE = 0.86
"""Largest fraction of the picture for the whole plane from a preset's side: ticks are around it."""
WITHIN = 0.95
"""Largest fraction of the picture for agents and what is around them."""
TALL = 3.0
"""Multiple of the usual height from which the initial view has the whole surface in the picture:
walls in the foreground would hide where agents are."""
STEEPEST, RAISE = math.radians(75.0), math.radians(5.0)
"""Elevation up to which the camera is raised, in such steps, to see agents behind a wall."""
SHOWN = 0.97
"""Fraction of the picture beyond which an agent is about to leave it."""
CENTRINGS = 4
"""Steps of the search for the middle, each of which halves what it is off at least."""
SIGHTS, CLEAR = 64, 0.01
"""Points along a line of sight, closer together near its start, at which the surface is checked,
and how far above them it may be, relative to its height: that does not hide a marker."""
MOST_HIDDEN = 0.1
"""Largest fraction of agents' paths, or of the goal, that may be behind a wall."""
NODES = 25
"""Points along each side of a region at which the surface must be in the picture."""


class Composition:
    """Poses of a camera for one surface."""

    def __init__(self, camera: OrbitCamera, ground: Heightfield, frame: Frame) -> None:
        """camera: framed on the surface; it is not moved. ground: the surface in the scene, with
        heights in its units."""
        self.camera = replace(camera)
        self.ground, self.frame = ground, frame
        self.camera.reset()
        self.plane = self.camera.pose

    def pose(
        self, viewpoint: Viewpoint, region: Region | None, sights: Sequence[Points] = ()
    ) -> Pose:
        """The pose of a viewpoint.

        region: where its agents are; None shows the plane instead. sights: groups of places on the
        plane, each (m, 2): if a wall hides some of one, the camera is raised, unless the viewpoint
        gives its elevation.
        """
        preset = viewpoint.preset
        azimuth = math.radians(_either(viewpoint.azimuth, preset.azimuth)) % (2 * math.pi)
        elevation = math.radians(_either(viewpoint.elevation, preset.elevation))
        pose = self.plane._replace(azimuth=azimuth, elevation=elevation)
        if region is None or preset.subject == "plane":
            pose = self._of_plane(pose, usual=preset[:2] == PRESETS["plane"][:2])
        else:
            points = self._region_points(region)
            places = [self.frame.places(sight).astype(np.float64) for sight in sights]
            pose = self._of_agents(pose, points, preset)
            while (
                viewpoint.elevation is None
                and pose.elevation + RAISE <= STEEPEST
                and any(self._hides(pose, each) for each in places)
            ):
                pose = self._of_agents(
                    pose._replace(elevation=pose.elevation + RAISE), points, preset
                )
        pose = pose._replace(target=self._target(viewpoint, pose))
        return pose._replace(distance=_either(viewpoint.distance, pose.distance))

    def shows(self, pose: Pose, places: Points) -> bool:
        """Whether places of the plane, (m, 2), are in the picture, however narrow."""
        places = self.frame.places(places).astype(np.float64)
        points = np.column_stack([places, self.ground.heights(places)])
        camera = replace(self.camera, **pose._asdict())
        return bool((np.abs(camera.places(points, WIDEST)) < SHOWN).all())

    def _of_plane(self, pose: Pose, usual: bool) -> Pose:
        """All of the surface. usual: from where it is in the picture from all sides."""
        if usual:
            return self._of_all_sides(pose)
        corners = np.concatenate([self.camera.upper_corners, self.ground.points])
        return self._fitted(pose, corners, WITHIN_PLANE)

    def _region_points(self, region: Region) -> Points:
        """Points of the surface over a region, (NODES * NODES, 3)."""
        (lo_x, lo_y), (hi_x, hi_y) = self.frame.places(np.array(region)).tolist()
        places = plane_nodes((lo_x, lo_y), (hi_x, hi_y), NODES, NODES)
        return np.column_stack([places, self.ground.heights(places)])

    def _of_agents(self, pose: Pose, points: Points, preset: Preset) -> Pose:
        """The surface over where they are, from the angles of a pose."""
        low, high = points.min(axis=0), points.max(axis=0)
        x, y = (0.5 * (low + high)[:2]).tolist()
        pose = pose._replace(target=(x, y, float(np.median(points[:, 2]))))
        pose = self._fitted(pose, points, WITHIN)
        return self._stepped_back(pose) if preset.subject == "home" else pose

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
        circles = turned(np.concatenate([self.ground.points, self.camera.upper_corners]) - centre)
        camera = replace(self.camera, **pose._asdict())
        distance = camera.fitting(circles + centre, WIDEST, (WITHIN_ORBIT, WITHIN_ORBIT))
        return pose._replace(distance=max(distance, self.plane.distance))

    def _hides(self, pose: Pose, places: Points) -> bool:
        """Whether the surface hides more of a group of places on it, (m, 2), than it may."""
        eye = replace(self.camera, **pose._asdict()).eye
        starts = np.column_stack([places, self.ground.heights(places)])
        parts = np.linspace(0.0, 1.0, SIGHTS + 1)[1:, None, None] ** 2
        sight = starts + parts * (eye - starts)  # (SIGHTS, m, 3)
        x, y, z = sight.reshape(-1, 3).T
        (lo_x, lo_y), (hi_x, hi_y) = self.ground.lo, self.ground.hi
        over = (x >= lo_x) & (x <= hi_x) & (y >= lo_y) & (y <= hi_y)
        heights = self.ground.heights(np.column_stack([x, y]))
        blocked = over & (heights > z + CLEAR * self.camera.box[4])
        hidden = blocked.reshape(SIGHTS, -1).any(axis=0)
        return int(hidden.sum()) > MOST_HIDDEN * len(places)

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
