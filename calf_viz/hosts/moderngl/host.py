"""The scene under moderngl, offscreen: for tests of numbers and pixels."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.glsl.contract import TEXTURE_NAMES
from calf_viz.glsl.programs import Programs
from calf_viz.hosts import current_context, memory
from calf_viz.hosts.base import Host
from calf_viz.hosts.context import opens_context
from calf_viz.hosts.moderngl.critic import ModernglCritic
from calf_viz.hosts.moderngl.hud import ModernglHud
from calf_viz.hosts.moderngl.picking import ModernglPicks
from calf_viz.hosts.moderngl.ring import ModernglRing
from calf_viz.hosts.moderngl.shader import BLENDING, compile_program
from calf_viz.hosts.moderngl.texture import data_texture
from calf_viz.hosts.picking import SIDE, PickPrograms
from calf_viz.hosts.pictured import check_size
from calf_viz.hosts.setup import Setup
from calf_viz.scene.height_texels import VALUES_KEPT
from calf_viz.scene.ring import RingLayout
from calf_viz.scene.swatches import SIZE, VERTICES


def create_context() -> moderngl.Context:
    """A standalone OpenGL 3.3 context. Raises UserError, with what to install, if there is none."""
    opens_context()
    current_context.release()  # EGL refuses to open beside a window's current context
    for backend in ("egl", None):
        try:
            if backend:
                return moderngl.create_context(standalone=True, require=330, backend=backend)  # type: ignore[arg-type]
            return moderngl.create_context(standalone=True, require=330)
        except Exception as error:  # moderngl raises bare Exception
            reason = error
    raise UserError(f"no OpenGL 3.3 ({reason}): install libgl1 libegl1 libgl1-mesa-dri or a driver")


class ModernglHost(Host):
    """Draws a `Scene` into its own framebuffer.

    Raises UserError if the shaders do not compile, naming file and line.
    """

    ring: ModernglRing
    _values: dict[str, Any]

    def __init__(self, setup: Setup, context: moderngl.Context | None = None) -> None:
        """context: the context to draw in, which stays open; by default a new one."""
        super().__init__(setup)
        self.context = context or create_context()
        if context is None:
            self.closing.callback(self.context.release)
        self.renderer = self.context.info["GL_RENDERER"]
        self.gl_version = self.context.info["GL_VERSION"]
        self.texture_limit = int(self.context.info["GL_MAX_TEXTURE_SIZE"])
        compiler = partial(compile_program, self.context)
        self.programs = Programs(setup.library, compiler, setup.trial)
        self._use({"field"})
        self.palette = data_texture(self.context, self._palette)
        self.values = data_texture(self.context, np.zeros((1, VALUES_KEPT, 2), np.float32))
        size = setup.scene.size
        check_size(size, self.texture_limit)
        self.framebuffer = self.context.framebuffer(
            [self.context.renderbuffer(size)], self.context.depth_renderbuffer(size)
        )
        self._ready()

    def _use(self, names: set[str]) -> None:
        if "field" in names:
            self.program = self.programs["field"]
            self.vertex_array = self.context.vertex_array(self.program, [])
        if "hud" in names:
            self._open_hud()

    def _make_ring(self, layout: RingLayout) -> ModernglRing:
        return ModernglRing(self.context, layout, self.count)

    def _upload_heights(self, texels: NDArray[np.float32]) -> None:
        self.heights = data_texture(self.context, texels)
        self.count("upload_bytes", texels.nbytes)

    def _open_critic(self) -> ModernglCritic:
        self.critic_draws = ModernglCritic(self.context, self.programs)
        return self.critic_draws

    def _use_heights(self, name: str) -> None:
        self.heights = self.critic_draws.textures[name]

    def _upload_values(self, texels: NDArray[np.float32]) -> None:
        self.values.write(texels.tobytes())
        self.count("upload_bytes", texels.nbytes)

    def _upload_palette(self, texels: NDArray[np.uint8]) -> None:
        self.palette.write(texels.tobytes())

    def _open_hud(self) -> None:
        self.hud_draws = ModernglHud(self.context, self.programs, self.palette)

    def _draw_swatches(self, program: moderngl.Program) -> NDArray[np.uint8]:
        context, usual = self.context, self.framebuffer
        with ExitStack() as closing:
            texture = context.texture(SIZE, 4)
            closing.callback(texture.release)
            cells = context.framebuffer([texture])
            closing.callback(cells.release)
            closing.callback(usual.use)  # before the bound one is released
            cells.use()
            cells.clear()
            context.disable(moderngl.DEPTH_TEST)
            closing.callback(context.enable, moderngl.DEPTH_TEST)
            context.blend_func = BLENDING
            self.bind(program)
            context.vertex_array(program, []).render(moderngl.TRIANGLES, VERTICES)
            return np.frombuffer(texture.read(), np.uint8).reshape(SIZE[1], SIZE[0], 4)

    def _open_picks(self) -> ModernglPicks:
        self._numbers = PickPrograms(self.programs)
        self.closing.callback(self.__dict__.pop, "_pick_draws", None)
        return ModernglPicks(self.context, self._draw_numbers)

    def _draw_numbers(self, seen: NDArray[np.float32]) -> None:
        """Draw numbers of agents into the bound framebuffer."""
        program = self._numbers["field"]
        if program is None:
            return
        values = self._values | {"u_view_projection": seen, "u_viewport": (SIDE, SIDE)}
        self.bind(program, values)
        vertices, instances = values["u_vertices"], self.instances(values)
        array = self.context.vertex_array(program, [])
        array.render(moderngl.TRIANGLE_STRIP, vertices, instances=instances)
        array.release()

    def _prepared(self) -> dict[str, Any]:
        self._values = self.uniforms()
        return self._values

    def bind(
        self, program: moderngl.Program, values: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Set every input that the program uses; returns the uniforms' values. values: those to set
        in place of the frame's."""
        if values is None:
            values = self.uniforms()
        inputs = {name: program[name] for name in program}  # `in program` is a search
        textures = (self.ring.texture, self.heights, self.palette, self.values)
        for unit, (name, texture) in enumerate(zip(TEXTURE_NAMES, textures, strict=True)):
            texture.use(unit)
            if name in inputs:
                inputs[name].value = unit  # type: ignore[union-attr]
        for name, value in values.items():
            if name not in inputs:
                continue  # a user's shader need not use every input
            if isinstance(value, np.ndarray):
                inputs[name].write(np.ascontiguousarray(value.T))  # type: ignore[union-attr]
            else:
                inputs[name].value = value  # type: ignore[union-attr]
        return values

    def begin(self) -> None:
        """Bind the framebuffer, set the state that the scene needs, and clear."""
        context = self.context
        self.framebuffer.use()
        context.enable_only(moderngl.BLEND | moderngl.DEPTH_TEST)
        context.depth_func = "<="
        context.blend_func = BLENDING
        context.clear(*self.scene.background, 1.0)

    def _draw(self) -> None:
        self.begin()
        self._draw_scene()
        self._draw_hud()
        self._begin_picking(self._values)
        self._end_picking()

    def _draw_scene(self) -> None:
        values = self._values = self.bind(self.program)
        vertices, instances = values["u_vertices"], self.instances(values)
        self.vertex_array.render(moderngl.TRIANGLE_STRIP, vertices, instances=instances)
        self.count("draw_calls")
        self.count("vertices", vertices * instances)
        self.count("entities")

    def _draw_hud(self) -> None:
        hud = self.prepare_hud()
        if hud is not None:
            self.hud_draws.draw(hud.canvas, self.scene.size)

    def _picture(self) -> NDArray[np.uint8]:
        width, height = self.scene.size
        pixels = np.frombuffer(self.framebuffer.read(components=3, alignment=1), np.uint8)
        return pixels.reshape(height, width, 3)[::-1].copy()

    def _fine_picture(self, samples: int) -> NDArray[np.uint8]:
        context, usual = self.context, self.framebuffer
        width, height = self.scene.samples
        what = f"a picture of {width} x {height} samples"
        if self.software:
            memory.check(8 * width * height, what, "a smaller `size` or `supersample`")
        with ExitStack() as closing:
            fine, picture = context.texture((width, height), 4), context.renderbuffer(usual.size)
            depth = context.depth_renderbuffer((width, height))
            large = context.framebuffer([fine], depth)
            small = context.framebuffer([picture])
            for made in (fine, picture, depth, large, small):
                closing.callback(made.release)
            closing.callback(usual.use)  # before the bound one is released
            closing.callback(setattr, self, "framebuffer", usual)
            self.framebuffer = large
            self.begin()
            self._draw_scene()
            self.framebuffer = small
            self.begin()
            mean = self.programs["box_filter"]
            fine.use(0)
            mean["u_fine"], mean["u_samples"] = 0, samples
            context.disable(moderngl.BLEND | moderngl.DEPTH_TEST)
            context.vertex_array(mean, []).render(moderngl.TRIANGLES, 3)
            context.enable(moderngl.BLEND)
            self._draw_hud()
            return self._picture()
