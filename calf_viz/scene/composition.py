"""Where the camera must be for its subject to be in the picture.

The whole plane, from the default side, is `OrbitCamera.frame`'s; everything else is here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

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
from calf_viz.scene.placement import Picture, placed
from calf_viz.scene.viewpoint import PRESETS, Preset, Viewpoint
from calf_viz.scene.whereabouts import Points, Region

WITHIN_PLANE = 0.86
"""Largest fraction of the picture for the whole plane from a preset's side: ticks are around it."""
WITHIN, WITHIN_EDGE = 0.95, 0.91
"""Largest fraction of the picture for agents and what is around them, and if that is at an edge of
the plane, whose ticks are beside it."""
TALL = 3.0
"""Multiple of the usual height from which the initial view has the whole surface in the picture:
walls in the foreground would hide where agents are."""
STEEPEST, RAISE = math.radians(75.0), math.radians(5.0)
"""Elevation up to which the camera is raised, in such steps, to see agents behind a wall."""
AT_EDGE = 0.01
"""Distance from an edge of the default plane within which a region is at it [scene units]."""
SHOWN = 0.94
"""Fraction of the picture beyond which an agent is about to leave it."""
SIGHTS, CLEAR = 64, 0.01
"""Points along a line of sight, closer together near its start, at which the surface is checked,
and how far above them it may be, relative to its height: that does not hide a marker."""
MOST_HIDDEN = 0.1
"""Largest fraction of agents' paths, or of the goal, that may be behind a wall."""
NODES, RIM = 25, 97
"""Points along each side of a region at which the surface must be in the picture, in it and at its
edges."""


class Composition:
    """Poses of a camera for one surface in one picture."""

    def __init__(
        self, camera: OrbitCamera, ground: Heightfield, frame: Frame, picture: Picture
    ) -> None:
        """camera: framed on the surface; it is not moved. ground: the surface in the scene, with
        heights in its units."""
        self.camera = replace(camera)
        self.ground, self.frame, self.picture = ground, frame, picture
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
        if region is None and preset.subject != "plane":
            preset = PRESETS["plane"]
        azimuth = math.radians(_either(viewpoint.azimuth, preset.azimuth)) % (2 * math.pi)
        elevation = math.radians(_either(viewpoint.elevation, preset.elevation))
        pose = self.plane._replace(azimuth=azimuth, elevation=elevation)
        if region is None:
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
        """Whether places of the plane, (m, 2), are in the picture, and not under a panel."""
        places = self.frame.places(places).astype(np.float64)
        points = np.column_stack([places, self.ground.heights(places)])
        camera = replace(self.camera, **pose._asdict())
        x, y = camera.places(points, self.picture.aspect).T
        seen = (np.abs(x) < SHOWN) & (np.abs(y) < SHOWN)
        for left, lower, right, upper in self.picture.covered:
            seen &= (x <= left) | (x >= right) | (y <= lower) | (y >= upper)
        return bool(seen.all())

    def _of_plane(self, pose: Pose, usual: bool) -> Pose:
        """All of the surface. usual: from where it is in the picture from all sides."""
        if usual:
            return self._of_all_sides(pose)
        corners = np.concatenate([self.camera.upper_corners, self.ground.points])
        return self._placed(pose, corners, WITHIN_PLANE)

    def _region_points(self, region: Region) -> Points:
        """Points of the surface over a region, (n, 3)."""
        (lo_x, lo_y), (hi_x, hi_y) = self.frame.places(np.array(region)).tolist()
        inside = plane_nodes((lo_x, lo_y), (hi_x, hi_y), NODES, NODES)
        along, one = np.linspace(0.0, 1.0, RIM), np.ones(RIM)
        rim = [(along, 0.0 * one), (along, one), (0.0 * one, along), (one, along)]
        parts = np.concatenate([np.column_stack(side) for side in rim])
        edges = np.array([lo_x, lo_y]) + parts * [hi_x - lo_x, hi_y - lo_y]
        places = np.concatenate([inside, edges])
        return np.column_stack([places, self.ground.heights(places)])

    def _of_agents(self, pose: Pose, points: Points, preset: Preset) -> Pose:
        """The surface over where they are, from the angles of a pose."""
        low, high = points.min(axis=0), points.max(axis=0)
        x, y = (0.5 * (low + high)[:2]).tolist()
        pose = pose._replace(target=(x, y, float(np.median(points[:, 2]))))
        if preset.subject == "home":
            points = np.concatenate([points, self._uprights(pose, low, high)])
        within = WITHIN_EDGE if self._at_edge(low, high).any() else WITHIN
        pose = self._placed(pose, points, within)
        if preset.subject != "home":
            return pose
        back = self._stepped_back(pose)
        # On the way from one pose to the other, what is clear of panels in both may not be.
        return self._placed(back, points, within, back.distance) if back != pose else pose

    def _at_edge(self, low: Points, high: Points) -> NDArray[np.bool_]:
        """Whether a region of the scene is at the low and at the high end of each axis, (2, 2)."""
        lo_x, lo_y, hi_x, hi_y, _ = self.camera.box
        ends = np.array([(lo_x, lo_y), (hi_x, hi_y)])
        return np.abs(np.array([low[:2], high[:2]]) - ends) < AT_EDGE * self.camera.size

    def _uprights(self, pose: Pose, low: Points, high: Points) -> Points:
        """Ends of the upright edges of the box that are outermost in the picture, where a region
        reaches them, (n, 3): one of them is the vertical axis."""
        lo_x, lo_y, hi_x, hi_y, height = self.camera.box
        reached = self._at_edge(low, high)
        corners = [
            (x, y, reached[i, 0] and reached[j, 1])
            for i, x in enumerate((lo_x, hi_x))
            for j, y in enumerate((lo_y, hi_y))
        ]
        sine, cosine = math.sin(pose.azimuth), math.cos(pose.azimuth)
        corners.sort(key=lambda corner: cosine * corner[1] - sine * corner[0])
        outermost = corners[0], corners[-1]
        found = [(x, y, z) for x, y, there in outermost if there for z in (0.0, height)]
        return np.array(found).reshape(-1, 3)

    def _placed(
        self, pose: Pose, points: Points, within: float, least: float | None = None
    ) -> Pose:
        """The pose in which points are within a fraction of the picture, clear of panels.

        least: least distance, from which the target should stay where it is, as it is in the middle
        of an orbit."""
        camera = replace(self.camera, **pose._asdict())
        still = least is not None
        return placed(camera, points, self.picture, (within, within), least or CLOSEST, still)

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
        points = np.concatenate([self.ground.points, self.camera.upper_corners])
        pose = self._placed(pose, points, WITHIN_PLANE, self._orbit(pose, points))
        return pose._replace(distance=max(pose.distance, self._orbit(pose, points)))

    def _orbit(self, pose: Pose, points: Points) -> float:
        """Least distance from which points are in the picture from all sides of a pose."""
        centre = (*pose.target[:2], 0.0)
        camera = replace(self.camera, **pose._asdict())
        within = WITHIN_ORBIT, WITHIN_ORBIT
        distance = camera.fitting(turned(points - centre) + centre, WIDEST, within)
        return max(distance, self.plane.distance)

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
