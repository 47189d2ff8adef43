"""The scene under Panda3D: its inputs and its state. What is drawn comes from a geometry; where it
is drawn is the subclass's."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    ColorBlendAttrib,
    DepthTestAttrib,
    GraphicsEngine,
    GraphicsOutput,
    LMatrix4f,
    LVecBase4f,
    NodePath,
    PTA_LVecBase4f,
    RenderAttrib,
    Texture,
)

from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.hosts.base import Detail, Host
from calf_viz.hosts.geometry import GeometryMaker, Stage
from calf_viz.hosts.panda_strip import StripGeometry
from calf_viz.hosts.panda_texture import data_texture
from calf_viz.render.colours import palette_texels
from calf_viz.render.ring import RingLayout
from calf_viz.render.scene import Scene
from calf_viz.render.sources import ShaderLibrary

log = logging.getLogger("calf_viz")

MIN_GL = (3, 3)


class PandaHost(Host):
    """Draws a `Scene` below `root`, which some camera of `output` looks at.

    Raises UserError where the shaders do not compile, naming file and line, or where the driver
    has no OpenGL 3.3.
    """

    def __init__(
        self,
        scene: Scene,
        heightfield: Heightfield | None,
        colour_map: NDArray[np.uint8],
        agents: int,
        library: ShaderLibrary | None,
        slots: int | None,
        engine: GraphicsEngine,
        output: GraphicsOutput,
        root: NodePath,
        geometry: GeometryMaker = StripGeometry,
    ) -> None:
        """colour_map: (entries, 4) RGBA. agents: the capacity at start. geometry: what makes the
        vertices."""
        gsg = output.get_gsg()
        version = gsg.driver_version_major, gsg.driver_version_minor
        if version < MIN_GL:
            raise UserError(
                f"OpenGL {version[0]}.{version[1]} ({gsg.driver_renderer}) is too old: "
                "install a driver that has 3.3"
            )
        self.engine, self.output, self.gsg = engine, output, gsg
        self.renderer = str(gsg.driver_renderer)
        self.texture_limit = int(gsg.max_texture_dimension)
        self.library = library or ShaderLibrary()
        self._inputs: dict[str, Any] = {}
        self.node = root.attach_new_node("scene")
        self._set_state()
        stage = Stage(scene, self.library, engine, output, self.node, self.count)
        self.geometry = geometry(stage)
        self.channels, self.design = self.geometry.channels, self.geometry.design
        colours = palette_texels(colour_map, scene.mode_colours)
        self.node.set_shader_input("u_palette", data_texture("palette", colours, Texture.F_rgba8))
        super().__init__(scene, heightfield, agents, slots or 4 * scene.trail)

    def _set_state(self) -> None:
        node = self.node
        node.set_two_sided(True)
        node.set_depth_write(True)
        node.set_attrib(DepthTestAttrib.make(RenderAttrib.M_less_equal))
        blend = ColorBlendAttrib
        node.set_attrib(
            blend.make(
                blend.M_add, blend.O_incoming_alpha, blend.O_one_minus_incoming_alpha,
                blend.M_add, blend.O_one, blend.O_one_minus_incoming_alpha,
            )
        )  # fmt: skip

    def _make_detail(self) -> Detail:
        return self.geometry.detail(self.scene)

    def _make_ring(self, layout: RingLayout) -> None:
        self.geometry.make(layout)

    def _regrow_ring(self, old: RingLayout, new: RingLayout) -> None:
        self.geometry.grow(old, new)

    def _append(self, texels: NDArray[np.float32], slot: int) -> None:
        self.geometry.append(texels, slot)

    def _upload_heights(self, texels: NDArray[np.float32]) -> None:
        self.geometry.set_heights(self.heightfield, texels)

    def uniforms(self) -> dict[str, Any]:
        if self.scrub and not self.geometry.looks_back:
            self.scrub = 0
            log.warning("the %s renderer cannot look back: it shows the newest step", self.design)
        return super().uniforms()

    def _prepare(self) -> None:
        """Sets the inputs that changed since the last frame."""
        values = self.uniforms()
        self.output.set_clear_color((*self.scene.background, 1.0))
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                known = self._inputs.get(name)
                if known is not None and np.array_equal(known, value):
                    continue
                self._inputs[name] = value.copy()
                self.node.set_shader_input(name, _panda_array(name, value))
            elif self._inputs.get(name) != value:
                self._inputs[name] = value
                self.node.set_shader_input(name, value)
        self.geometry.prepare(values)

    def draw(self) -> None:
        """One frame: a clear and what the geometry draws."""
        self._prepare()
        self._render()
        self.geometry.done()

    def _render(self) -> None:
        self.engine.render_frame()

    def close(self) -> None:
        self.node.remove_node()
        self.geometry.close()


def _panda_array(name: str, value: NDArray[np.float32]) -> Any:
    if name == "u_view_projection":
        # Panda multiplies row vectors: its matrix is the transpose.
        return LMatrix4f(*value.T.ravel().tolist())
    array = PTA_LVecBase4f()
    for row in value.tolist():
        array.push_back(LVecBase4f(*row))
    return array
