"""The scene as one instanced strip without vertex data: the GPU makes every vertex."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    Geom,
    GeomNode,
    GeomTristrips,
    GeomVertexData,
    GeomVertexFormat,
    Texture,
)

from calf_viz.hosts.panda.geometry import Stage
from calf_viz.hosts.panda.ring import PandaRing, make_ring
from calf_viz.hosts.panda.texture import CHANNELS, data_texture, fill
from calf_viz.hosts.panda.triangle import shader_placed
from calf_viz.scene.detail import DetailChooser
from calf_viz.scene.height_texels import LevelField
from calf_viz.scene.ring import RingLayout
from calf_viz.scene.scene import Scene


class StripGeometry:
    """Samples in a ring texture, heights in another, and one draw. Raises UserError if the shaders
    do not compile, naming file and line."""

    design = "gpu"
    channels = CHANNELS
    looks_back = True

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.node = stage.node.attach_new_node(self._strip())
        stage.use_program(self.node, "field")
        self.heights: Texture | None = None
        self._vertices = self._instances = 0

    def _strip(self) -> GeomNode:
        # One strip of consecutive vertices without data is exactly one OpenGL call.
        self.geom = Geom(GeomVertexData("field", GeomVertexFormat.get_empty(), Geom.UH_static))
        self.geom_node = shader_placed("field")
        self._set_vertices(3)
        self.geom_node.add_geom(self.geom)
        return self.geom_node

    def _set_vertices(self, vertices: int) -> None:
        strip = GeomTristrips(Geom.UH_static)
        strip.add_consecutive_vertices(0, vertices)
        strip.close_primitive()
        self.geom.clear_primitives()
        self.geom.add_primitive(strip)

    def detail(self, scene: Scene) -> DetailChooser:
        return DetailChooser(scene)

    def make(self, layout: RingLayout) -> PandaRing:
        self.ring = make_ring(layout, self.stage, self.node)
        return self.ring

    def set_heights(self, levels: LevelField, texels: NDArray[np.float32]) -> None:
        self.stage.count("upload_bytes", texels.nbytes)
        if self.heights is None or (self.heights.y_size, self.heights.x_size) != texels.shape[:2]:
            self.heights = data_texture("heightfield", texels, Texture.F_rg32)
            self.node.set_shader_input("u_heightfield", self.heights)
        else:
            fill(self.heights, texels)

    def use_heights(self, texture: Texture) -> None:
        self.heights = None  # a later upload makes a new texture
        self.node.set_shader_input("u_heightfield", texture)

    def prepare(self, uniforms: dict[str, Any]) -> None:
        vertices = uniforms["u_vertices"]
        instances = uniforms["u_surface_instances"] + uniforms["u_agents"]
        if vertices != self._vertices:
            self._vertices = vertices
            self._set_vertices(vertices)
        if instances != self._instances:
            self._instances = instances
            self.node.set_instance_count(instances)
        self.stage.count("draw_calls", 1)
        self.stage.count("vertices", instances * vertices)
        self.stage.count("entities", 1)

    def done(self) -> None:
        self.ring.done()
