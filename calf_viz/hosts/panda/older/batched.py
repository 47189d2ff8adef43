"""All trails in one mesh, all markers in another: the older design at its best.

Each step computes the heights of all agents in one call and writes their newest samples; a new
critic those of all samples. Three draws, as long as the trails fit a mesh (see trail_chunks.py).
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
    vectorised,
)
from calf_viz.hosts.panda.older.markers import HIDDEN, Newest, marker_mesh
from calf_viz.hosts.panda.older.mesh import count_frame, group
from calf_viz.hosts.panda.older.surface_mesh import SurfaceMesh
from calf_viz.hosts.panda.older.trail_chunks import TrailChunks
from calf_viz.scene.frame import Move
from calf_viz.scene.height_texels import LevelField
from calf_viz.scene.ring import Packed, RingLayout
from calf_viz.scene.scene import Scene


class BatchedGeometry:
    """Implements both `Geometry` and `Ring`.

    Attribute `max_agents`: capacity in agents; grows by itself.
    """

    design = "batched"
    channels = (0, 1, 2, 3)
    looks_back = False

    def __init__(self, stage: Stage, method: HeightMethod = vectorised) -> None:
        self.stage, self.method = stage, method
        self.heights: Heights = level
        self.surface = SurfaceMesh(group(stage, "surface", 0))
        self.circles = CircleMesh(group(stage, "circle", 1), stage.scene)
        self._trails, self._markers = group(stage, "trail", 2), group(stage, "marker", 3)
        self._newest = Newest()

    def detail(self, scene: Scene) -> ConstantDetail:
        return ConstantDetail(scene)

    @property
    def max_agents(self) -> int:
        return self.trails.agents

    def make(self, layout: RingLayout) -> BatchedGeometry:
        self.trails = TrailChunks(self._trails, layout.agents, self.stage.scene)
        self.markers = marker_mesh(self._markers, layout.agents)
        return self

    def grow(self, old: RingLayout, new: RingLayout) -> None:
        self.trails.grow(new.agents)
        self.markers.remove()
        self.markers = marker_mesh(self._markers, new.agents)

    def move(self, by: Move) -> None:
        self.trails.move(by)
        self._newest.place(by)

    def append(self, packed: Packed) -> None:
        for row in packed.rows:
            planes = self.heights(row.positions)
            self.trails.append(row, planes)
            self._newest.move(row, planes)

    def set_heights(self, levels: LevelField, texels: NDArray[np.float32]) -> None:
        self.surface.show(levels)
        self.heights = beyond_edges(self.method(levels), self.stage.scene.frame)
        self.circles.lift(levels)
        self.trails.lift(self.heights)
        self._newest.lift(self.heights)

    def use_heights(self, texture: Texture) -> None:
        raise UserError(
            f"the {self.design} renderer needs the critic's heights in memory: leave out "
            "`critic_on_gpu`, or take `renderer=gpu`"
        )

    def prepare(self, uniforms: dict[str, Any]) -> None:
        rows = self._newest.vertices()
        if rows is not None:
            markers = self.markers.vertices().reshape(-1, 4)
            markers[: len(rows)] = rows[:, None]
            markers["a_id"][len(rows) :, :, 1] = HIDDEN
        self.circles.prepare(self.heights, self._newest)
        edges = self.trails.edges
        meshes = [self.surface.mesh, self.circles.mesh, *self.trails.meshes(), self.markers]
        meshes.append(None if edges is None else edges.mesh)
        count_frame(self.stage, (mesh for mesh in meshes if mesh is not None))

    def done(self) -> None:
        pass
