"""The scene under Panda3D: its inputs and state. A geometry makes what is drawn, and a subclass
provides the output."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    DepthTestAttrib,
    GraphicsOutput,
    NodePath,
    RenderAttrib,
    Shader,
    Texture,
)

from calf_viz.errors import UserError
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import Programs, ProgramSource
from calf_viz.hosts.base import Host
from calf_viz.hosts.panda.compared_looks import PandaComparison
from calf_viz.hosts.panda.context import PandaContext
from calf_viz.hosts.panda.critic import PandaCritic
from calf_viz.hosts.panda.fine_picture import FinePicture
from calf_viz.hosts.panda.geometry import GeometryMaker, Stage
from calf_viz.hosts.panda.gpu_timer import GpuTimer
from calf_viz.hosts.panda.hud import PandaHud
from calf_viz.hosts.panda.picking import PROGRAM, PandaPicks
from calf_viz.hosts.panda.second_look import FirstLook, SecondLook
from calf_viz.hosts.panda.shader import BLENDING, compile_program, matrix
from calf_viz.hosts.panda.strip import StripGeometry
from calf_viz.hosts.panda.swatches import draw_swatches
from calf_viz.hosts.panda.texture import CHANNELS, data_texture, fill
from calf_viz.hosts.picking import PickPrograms
from calf_viz.hosts.ring import Ring
from calf_viz.hosts.setup import Setup
from calf_viz.scene.detail import Detail
from calf_viz.scene.height_texels import VALUES_KEPT
from calf_viz.scene.ring import RingLayout

log = logging.getLogger("calf_viz")

MIN_GL = (3, 3)
TIMED_BY_CPU = 16
"""In software only every 16th frame is timed: llvmpipe takes a timestamp in a pass over the whole
picture, which costs 0.3 ms."""


class PandaHost(Host):
    """Draws a `Scene` below `root`, which a camera of `output` looks at.

    Raises UserError if the shaders do not compile, naming file and line, or if the driver has no
    OpenGL 3.3.
    """

    compare: PandaComparison | None = None

    def __init__(
        self,
        setup: Setup,
        context: PandaContext,
        output: GraphicsOutput,
        root: NodePath,
        geometry: GeometryMaker = StripGeometry,
    ) -> None:
        """Prepare everything but `_ready`, which the subclass calls.

        Args:
            setup: what to draw.
            context: the context of `output`; closed by its creator.
            output: what to draw to.
            root: parent of everything drawn.
            geometry: makes the vertices.
        """
        super().__init__(setup)
        scene = setup.scene
        gsg = context.gsg
        version = gsg.driver_version_major, gsg.driver_version_minor
        if version < MIN_GL:
            raise UserError(
                f"OpenGL {version[0]}.{version[1]} ({gsg.driver_renderer}) is too old: "
                "install a driver that has 3.3"
            )
        self.context, self.output, self.gsg, self.root = context, output, gsg, root
        self.renderer, self.gl_version = str(gsg.driver_renderer), str(gsg.driver_version)
        self.texture_limit = int(gsg.max_texture_dimension)
        self.programs = Programs(setup.library, self._compile, setup.trial)
        self.closing.callback(self._untie)
        self._inputs: dict[str, Any] = {}
        self._gpu_timer: GpuTimer | None = None
        self._timed: int | None = None
        self.node = root.attach_new_node("scene")
        self.closing.callback(self.node.remove_node)
        self._set_state()
        self.first = self.node.attach_new_node("first look")
        self._program_nodes: list[tuple[NodePath, str]] = []
        self._drawn_below = self.first.attach_new_node("geometry")
        stage = Stage(
            scene, self.programs, self._use_program, context, self._drawn_below, self.count
        )
        self.geometry = geometry(stage)
        self.channels, self.design = self.geometry.channels, self.geometry.design
        self.looks_back = self.geometry.looks_back
        self.palette = data_texture("palette", self._palette, Texture.F_rgba8)
        self.node.set_shader_input("u_palette", self.palette)
        self.values = data_texture(
            "values", np.zeros((1, VALUES_KEPT, 2), np.float32), Texture.F_rg32
        )
        self.node.set_shader_input("u_values", self.values)
        self.hud_draws: PandaHud | None = None

    def _compile(self, source: ProgramSource) -> Shader:
        with self.context:
            return compile_program(self.gsg, source)

    def _untie(self) -> None:
        """Drop references back to the host, so that it is freed with its last user; and those to
        textures, so that these are freed now."""
        owner = self.owner
        self.programs.compiler = lambda source: owner.check("compile")
        for drawn in (self.__dict__.get("hud_draws"), self.__dict__.get("compare")):
            if drawn is not None:  # below the root, which outlives a window
                drawn.close()
        for name in (
            "geometry",
            "compare",
            "first",
            "hud_draws",
            "critic_draws",
            "_critic",
            "_pick_draws",
            "ring",
        ):
            self.__dict__.pop(name, None)
        self._program_nodes.clear()

    def _set_state(self) -> None:
        node = self.node
        node.set_two_sided(True)
        node.set_depth_write(True)
        node.set_attrib(DepthTestAttrib.make(RenderAttrib.M_less_equal))
        node.set_attrib(BLENDING)

    def _make_detail(self) -> Detail:
        return self.geometry.detail(self.scene)

    def _make_ring(self, layout: RingLayout) -> Ring:
        return self.geometry.make(layout)

    def _upload_heights(self, texels: NDArray[np.float32]) -> None:
        self.geometry.set_heights(self.scene_levels, texels)

    def uniforms(self) -> dict[str, Any]:
        if self.scrub and not self.looks_back:
            self.scrub = 0
            log.warning("the %s renderer cannot look back: it shows the newest step", self.design)
        return super().uniforms()

    def _open_critic(self) -> PandaCritic:
        self.critic_draws = PandaCritic(self.context, self.programs)
        return self.critic_draws

    def _use_heights(self, name: str) -> None:
        self.geometry.use_heights(self.critic_draws.textures[name])

    def _open_hud(self) -> None:
        if self.hud_draws is not None:
            self.hud_draws.close()
        self.hud_draws = PandaHud(self.root, self.programs, self.palette)
        if self.compare is not None:
            self.compare.lift(self.hud_draws.node)

    def _draw_swatches(self, program: Shader) -> NDArray[np.uint8]:
        return draw_swatches(self.context, program, self._program_nodes[0][0])

    def _use_program(self, node: NodePath, program: str) -> None:
        node.set_shader(self.programs[program])
        node.set_tag(PROGRAM, program)
        self._program_nodes.append((node, program))

    def _use(self, names: set[str]) -> None:
        for node, program in self._program_nodes:
            if program in names:
                node.set_shader(self.programs[program])
        # A control may return with another type, whose value compares equal.
        self._inputs.clear()
        if "hud" in names:
            self._open_hud()

    def set_second(self, library: ShaderLibrary, colour_map: NDArray[np.uint8]) -> SecondLook:
        first = FirstLook(self.node, self._program_nodes, self.gsg, self.scene, self.programs.trial)
        second = SecondLook(first, library, colour_map, self._fill_palette)
        second.mark(self._marks)
        shader = self.programs["difference"]
        self.compare = PandaComparison(
            self.root, self.first, second, shader, self.context, self.output
        )
        if self.hud_draws is not None:
            self.compare.lift(self.hud_draws.node)
        self._fill_palette()
        return second

    def _upload_values(self, texels: NDArray[np.float32]) -> None:
        fill(self.values, texels)
        if self.values.is_prepared(self.gsg.prepared_objects):  # else no shader reads it
            self.count("upload_bytes", texels.nbytes)

    def _upload_palette(self, texels: NDArray[np.uint8]) -> None:
        if self.compare is not None:
            self.compare.second.mark(self._marks)
        self._fill_palette()

    def _fill_palette(self) -> None:
        if self.compare is not None:  # the HUD over both looks shows the colours of both
            self._palette[2] = self.compare.second.row
        fill(self.palette, self._palette[..., CHANNELS])

    def _open_picks(self) -> PandaPicks:
        names = {program for _, program in self._program_nodes}
        programs = PickPrograms(self.programs)
        return PandaPicks(self.context, self.node, self._drawn_below, programs, names)

    def _prepared(self) -> dict[str, Any]:
        """Set the inputs that changed since the last frame; returns all."""
        values = self.uniforms()
        self.output.set_clear_color((*self.scene.background, 1.0))
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                known = self._inputs.get(name)
                if known is not None and np.array_equal(known, value):
                    continue
                self._inputs[name] = value.copy()
                self.node.set_shader_input(name, matrix(value))
            elif self._inputs.get(name) != value:
                self._inputs[name] = value
                self.node.set_shader_input(name, value)
        self.geometry.prepare(values)
        if self.compare is not None:
            self.compare.prepare(self.scene)
            self.count("draw_calls", self.compare.draws)
        return values

    def _draw(self) -> None:
        self._begin_picking(self._prepared())
        if self.hud_draws is not None:
            hud = self.prepare_hud()
            self.hud_draws.show(hud is not None)
            if hud is not None:
                self.count("upload_bytes", self.hud_draws.prepare(hud.canvas, self.scene.size))
            self.count("hud_draws", self.hud_draws.draws)
        token, self._timed = self._timed, None
        timer = self._gpu_timer if self.context.is_current else None
        if timer is None or token is None:
            self._render()
        else:
            timer.begin()
            self._render()
            timer.end(token)
        self._end_picking()
        self.geometry.done()

    def _render(self) -> None:
        self.context.render(self.output)

    def _fine_picture(self, samples: int) -> NDArray[np.uint8]:
        hud, shown = self.hud_draws, False
        fine = FinePicture(self.context, self.root, self.programs["box_filter"])
        with fine.closing:
            buffer = fine.open_scene(self.scene.samples)
            with self.compare.also(buffer) if self.compare is not None else nullcontext():
                self._prepared()
                if hud is not None:
                    update = self.prepare_hud()
                    shown = update is not None
                    if update is not None:
                        hud.prepare(update.canvas, self.scene.size)
                    hud.show(False)
                fine.draw_scene(self.scene.background)
            self.geometry.done()
            if hud is not None:
                hud.show(shown)
            return fine.picture(self.scene.size, samples, hud.node if hud and shown else None)

    def time_next_frame(self, token: int) -> None:
        if self.software and token % TIMED_BY_CPU:
            return
        if self._gpu_timer is None:
            self._gpu_timer = GpuTimer()
        self._timed = token

    def gpu_times(self) -> list[tuple[int, float]]:
        return [] if self._gpu_timer is None else self._gpu_timer.times()
