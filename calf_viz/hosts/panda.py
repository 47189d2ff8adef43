"""The scene under Panda3D: textures, uniforms, one draw. Where it is drawn is the subclass's."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    ColorBlendAttrib,
    DepthTestAttrib,
    Geom,
    GeomNode,
    GeomTristrips,
    GeomVertexData,
    GeomVertexFormat,
    GraphicsEngine,
    GraphicsOutput,
    LMatrix4f,
    LVecBase4f,
    NodePath,
    OmniBoundingVolume,
    PTA_LVecBase4f,
    RenderAttrib,
    Texture,
)

from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.hosts.base import Host
from calf_viz.hosts.panda_hud import PandaHud
from calf_viz.hosts.panda_ring import make_ring
from calf_viz.hosts.panda_shader import compile_program
from calf_viz.hosts.panda_texture import data_texture, fill
from calf_viz.hosts.programs import Programs
from calf_viz.render.colours import palette_texels
from calf_viz.render.ring import RingLayout
from calf_viz.render.scene import Scene
from calf_viz.render.sources import ShaderLibrary

MIN_GL = (3, 3)


class PandaHost(Host):
    """Draws a `Scene` below `root`, which some camera of `output` looks at.

    Raises UserError where the shaders do not compile, naming file and line, or where the driver
    has no OpenGL 3.3.
    """

    channels = (2, 1, 0, 3)  # Panda keeps RGBA float textures as BGRA

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
    ) -> None:
        """colour_map: (entries, 4) RGBA. agents: the ring's capacity at start."""
        gsg = output.get_gsg()
        version = gsg.driver_version_major, gsg.driver_version_minor
        if version < MIN_GL:
            raise UserError(
                f"OpenGL {version[0]}.{version[1]} ({gsg.driver_renderer}) is too old: "
                "install a driver that has 3.3"
            )
        self.engine, self.output, self.gsg, self.root = engine, output, gsg, root
        self.renderer = str(gsg.driver_renderer)
        self.texture_limit = int(gsg.max_texture_dimension)
        self.programs = Programs(library or ShaderLibrary(), partial(compile_program, gsg))
        self._inputs: dict[str, Any] = {}
        self.node = root.attach_new_node(self._strip())
        self._set_state()
        self._use({"field"})
        self.heights: Texture | None = None
        palette = palette_texels(colour_map, scene.mode_colours)
        self.palette = data_texture("palette", palette, Texture.F_rgba8)
        self.node.set_shader_input("u_palette", self.palette)
        self.hud_draws: PandaHud | None = None
        super().__init__(scene, heightfield, agents, slots or 4 * scene.trail)

    def _strip(self) -> GeomNode:
        # One strip of consecutive vertices without data is exactly one call to OpenGL.
        self.geom = Geom(GeomVertexData("field", GeomVertexFormat.get_empty(), Geom.UH_static))
        self._set_vertices(3)
        node = GeomNode("field")
        node.add_geom(self.geom)
        # Only the shader knows where anything is: never cull.
        node.set_bounds(OmniBoundingVolume())
        node.set_final(True)
        self.geom_node = node
        return node

    def _set_vertices(self, vertices: int) -> None:
        strip = GeomTristrips(Geom.UH_static)
        strip.add_consecutive_vertices(0, vertices)
        strip.close_primitive()
        self.geom.clear_primitives()
        self.geom.add_primitive(strip)

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

    def _make_ring(self, layout: RingLayout) -> None:
        self.ring = make_ring(layout, self.engine, self.output, self.programs)
        self.node.set_shader_input("u_ring", self.ring.texture)

    def _regrow_ring(self, old: RingLayout, new: RingLayout) -> None:
        self._flush()
        self.ring.grow(old, new)
        self.node.set_shader_input("u_ring", self.ring.texture)

    def _append(self, texels: NDArray[np.float32], slot: int) -> None:
        self._flush()  # several steps in one frame: each takes its own pass
        self.ring.append(texels, slot)

    def _flush(self) -> None:
        if self.ring.pending:
            active = self.output.is_active()
            self.output.set_active(False)
            self.engine.render_frame()
            self.output.set_active(active)
            self.ring.done()

    def _upload_heights(self, texels: NDArray[np.float32]) -> None:
        if self.heights is None or (self.heights.y_size, self.heights.x_size) != texels.shape[:2]:
            self.heights = data_texture("heightfield", texels, Texture.F_rg32)
            self.node.set_shader_input("u_heightfield", self.heights)
        else:
            fill(self.heights, texels)

    def _upload_palette(self, texels: NDArray[np.uint8]) -> None:
        fill(self.palette, texels[..., [2, 1, 0, 3]])

    def _open_hud(self) -> None:
        if self.hud_draws is not None:
            self.hud_draws.close()
        self.hud_draws = PandaHud(self.root, self.programs, self.palette)

    def _use(self, names: set[str]) -> None:
        if "field" in names:
            self.node.set_shader(self.programs["field"])
            # A control may come back as another type, whose value compares equal.
            self._inputs.clear()
        if names & {"hud_shape", "hud_text"}:
            self._open_hud()

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
                if name == "u_vertices":
                    self._set_vertices(value)
        instances = self.instances(values)
        if self._inputs.get("instances") != instances:
            self._inputs["instances"] = instances
            self.node.set_instance_count(instances)

    def draw(self) -> None:
        """One frame: a clear, one draw, and at most two of the HUD; before them the new samples'
        pass into the ring."""
        self._prepare()
        if self.hud_draws is not None:
            hud = self.prepare_hud()
            self.hud_draws.show(hud is not None)
            if hud is not None:
                self.hud_draws.prepare(hud.canvas, self.scene.size)
        self._render()
        self.ring.done()

    def _render(self) -> None:
        self.engine.render_frame()

    def close_nodes(self) -> None:
        """Gives back what was put below the root, and the ring's buffer."""
        self.node.remove_node()
        if self.hud_draws is not None:
            self.hud_draws.close()
        self.ring.close()


def _panda_array(name: str, value: NDArray[np.float32]) -> Any:
    if name == "u_view_projection":
        # Panda multiplies row vectors: its matrix is the transpose.
        return LMatrix4f(*value.T.ravel().tolist())
    array = PTA_LVecBase4f()
    for row in value.tolist():
        array.push_back(LVecBase4f(*row))
    return array
