"""An entity for each trail and each marker, moved one by one in Python: the oldest design.

Each step computes the height under each agent in turn and adds a point to its trail; after REBUILD
points a trail's mesh is rebuilt. A new critic rebuilds all trails, in that frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import Texture

from calf_viz.errors import UserError
from calf_viz.hosts.panda.geometry import ConstantDetail, Stage
from calf_viz.hosts.panda.older.circle_mesh import CircleMesh
from calf_viz.hosts.panda.older.heights import (
    HeightMethod,
    Heights,
    beyond_edges,
    level,
    loop,
)
from calf_viz.hosts.panda.older.markers import Newest, marker_mesh
from calf_viz.hosts.panda.older.mesh import Mesh, count_frame, group
from calf_viz.hosts.panda.older.surface_mesh import SurfaceMesh
from calf_viz.hosts.panda.older.trail_mesh import TrailMesh
from calf_viz.scene.frame import Move
from calf_viz.scene.height_texels import LevelField
from calf_viz.scene.ring import Packed, RingLayout, Row
from calf_viz.scene.scene import Scene


class PerAgentGeometry:
    """Implements both `Geometry` and `Ring`."""

    design = "per_agent"
    channels = (0, 1, 2, 3)
    looks_back = False

    def __init__(self, stage: Stage, method: HeightMethod = loop) -> None:
        self.stage, self.method = stage, method
        self.heights: Heights = level
        self.surface = SurfaceMesh(group(stage, "surface", 0))
        self.circles = CircleMesh(group(stage, "circle", 1), stage.scene)
        self._trails, self._markers = group(stage, "trail", 2), group(stage, "marker", 3)
        self.trails: list[TrailMesh] = []
        self.markers: list[Mesh] = []
        self._newest = Newest()
        self._step = -1

    def detail(self, scene: Scene) -> ConstantDetail:
        return ConstantDetail(scene)

    def make(self, layout: RingLayout) -> PerAgentGeometry:
        return self  # agents bring what they need

    def grow(self, old: RingLayout, new: RingLayout) -> None:
        pass

    def move(self, by: Move) -> None:
        for trail in self.trails:
            trail.move(by)
        self._newest.place(by)

    def append(self, packed: Packed) -> None:
        for row in packed.rows:
            self._add(row)

    def _add(self, samples: Row) -> None:
        self._resize(len(samples.positions))
        if samples.step <= self._step:
            for trail in self.trails:
                trail.clear()
        self._step = samples.step
        planes = self.heights(samples.positions)
        turns = [(0, 0)] * len(planes) if samples.turns is None else samples.turns.tolist()
        for trail, *sample in zip(
            self.trails,
            samples.positions.tolist(),
            planes.tolist(),
            samples.modes.tolist(),
            samples.begins.tolist(),
            samples.drawn.tolist(),
            turns,
            samples.episode_begins.tolist(),
            strict=True,
        ):
            trail.add(samples.step, *sample)
        self._newest.move(samples, planes)

    def _resize(self, agents: int) -> None:
        """Makes entities for this number of agents, and removes others."""
        scene = self.stage.scene
        for agent in range(len(self.trails), agents):
            self.trails.append(TrailMesh(self._trails, agent, scene, self.heights))
            self.markers.append(marker_mesh(self._markers, 1))
        for trail, marker in zip(self.trails[agents:], self.markers[agents:], strict=True):
            trail.remove()
            marker.remove()
        del self.trails[agents:], self.markers[agents:]

    def set_heights(self, levels: LevelField, texels: NDArray[np.float32]) -> None:
        self.surface.show(levels)
        self.heights = beyond_edges(self.method(levels), self.stage.scene.frame)
        self.circles.lift(levels)
        for trail in self.trails:
            trail.lift(self.heights)
        self._newest.lift(self.heights)

    def use_heights(self, texture: Texture) -> None:
        raise UserError(
            f"the {self.design} renderer needs the critic's heights in memory: leave out "
            "`critic_on_gpu`, or take `renderer=gpu`"
        )

    def prepare(self, uniforms: dict[str, Any]) -> None:
        for trail in self.trails:
            if trail.due:
                trail.rebuild()
        rows = self._newest.vertices()
        if rows is not None:
            for marker, row in zip(self.markers, rows, strict=True):
                marker.vertices()[:] = row
        self.circles.prepare(self.heights, self._newest)
        meshes = [
            self.surface.mesh,
            self.circles.mesh,
            *(trail.mesh for trail in self.trails),
            *self.markers,
        ]
        count_frame(self.stage, (mesh for mesh in meshes if mesh is not None))

    def done(self) -> None:
        pass
