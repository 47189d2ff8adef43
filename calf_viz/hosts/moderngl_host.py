"""The scene under moderngl, offscreen: for tests of numbers and pixels."""

from __future__ import annotations

from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.render.contract import TEXTURE_NAMES
from calf_viz.render.ring import RingLayout, RingPacker
from calf_viz.render.scene import Scene, height_texels
from calf_viz.render.sources import ShaderLibrary, explain


def create_context() -> moderngl.Context:
    """A standalone OpenGL 3.3 context; UserError, with what to install, if there is none."""
    for backend in ("egl", None):
        try:
            if backend:
                return moderngl.create_context(standalone=True, require=330, backend=backend)  # type: ignore[arg-type]
            return moderngl.create_context(standalone=True, require=330)
        except Exception as error:  # moderngl raises bare Exception
            reason = error
    raise UserError(f"no OpenGL 3.3 ({reason}): install libgl1 libegl1 libgl1-mesa-dri or a driver")


class ModernglHost:
    """Draws a `Scene` into a framebuffer of its own.

    Raises UserError where the shaders do not compile, naming file and line.
    """

    def __init__(
        self,
        scene: Scene,
        heightfield: Heightfield,
        colour_map: NDArray[np.uint8],
        agents: int,
        library: ShaderLibrary | None = None,
        slots: int | None = None,
        context: moderngl.Context | None = None,
    ) -> None:
        """colour_map: (entries, 4) RGBA. agents: the ring's capacity."""
        self.context = context or create_context()
        self.scene = scene
        self.agents = agents
        limit = int(self.context.info["GL_MAX_TEXTURE_SIZE"])
        self.layout = RingLayout.fit(agents, slots or 4 * scene.trail, limit)
        self.packer = RingPacker(self.layout, scene.trail)
        self.program = self._compile(library or ShaderLibrary())
        zeros = np.zeros((self.layout.size[1], self.layout.size[0], 4), dtype=np.float32)
        self.ring = self._texture(zeros)
        self.colour_map = self._texture(colour_map[None])
        self.set_heightfield(heightfield)
        size = scene.size
        self.framebuffer = self.context.framebuffer(
            [self.context.renderbuffer(size)], self.context.depth_renderbuffer(size)
        )
        self.vertex_array = self.context.vertex_array(self.program, [])

    def _compile(self, library: ShaderLibrary) -> moderngl.Program:
        vertex, fragment = library.load("field.vert"), library.load("field.frag")
        try:
            return self.context.program(vertex_shader=vertex.text, fragment_shader=fragment.text)
        except moderngl.Error as error:
            source = fragment if "fragment_shader" in str(error) else vertex
            raise UserError(explain(str(error), source)) from None

    def _texture(self, texels: NDArray[Any]) -> moderngl.Texture:
        height, width, components = texels.shape
        kind = "f4" if texels.dtype == np.float32 else "f1"
        texture = self.context.texture((width, height), components, texels.tobytes(), dtype=kind)
        texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
        texture.repeat_x = texture.repeat_y = False
        return texture

    def set_heightfield(self, heightfield: Heightfield) -> None:
        """A new critic's surface, normalised over its own range."""
        self.heightfield = heightfield
        self.value_range = heightfield.range
        self.heights = self._texture(height_texels(heightfield, self.value_range))

    def push(
        self,
        positions: NDArray[np.floating],
        modes: NDArray[np.integer],
        first: NDArray[np.bool_],
        headings: NDArray[np.floating] | None = None,
    ) -> None:
        """One step's samples; see `RingPacker.pack`."""
        texels = self.packer.pack(positions, modes, first, headings)
        self.agents = len(positions)
        columns, rows = self.layout.columns, self.layout.rows
        self.ring.write(texels, viewport=(0, self.packer.slot * rows, columns, rows))

    def bind(self, program: moderngl.Program, scrub: int = 0) -> int:
        """Sets every input that the program uses; returns the vertices of an instance."""
        runs = self.packer.runs
        values = self.scene.uniforms(
            self.heightfield,
            self.layout,
            self.agents,
            self.packer.step - scrub,
            runs,
            self.value_range,
        )
        for unit, name in enumerate(TEXTURE_NAMES):
            texture = {
                "u_ring": self.ring,
                "u_heightfield": self.heights,
                "u_colour_map": self.colour_map,
            }[name]
            texture.use(unit)
            if name in program:
                program[name] = unit
        for name, value in values.items():
            if name not in program:
                continue  # a swapped-in shader need not use every input
            if name == "u_view_projection":
                program[name].write(np.ascontiguousarray(value.T))  # type: ignore[union-attr]
            elif isinstance(value, np.ndarray):
                program[name].write(value)  # type: ignore[union-attr]
            else:
                program[name] = value
        return int(values["u_vertices"])

    def draw(self) -> None:
        """One frame: a clear and one draw."""
        context = self.context
        self.framebuffer.use()
        context.enable_only(moderngl.BLEND | moderngl.DEPTH_TEST)
        context.depth_func = "<="
        one_minus_alpha = moderngl.ONE_MINUS_SRC_ALPHA
        # Colour and alpha separately; moderngl's stubs know only the first pair.
        context.blend_func = (  # type: ignore[assignment]
            moderngl.SRC_ALPHA,
            one_minus_alpha,
            moderngl.ONE,
            one_minus_alpha,
        )
        context.clear(*self.scene.background, 1.0)
        vertices = self.bind(self.program)
        instances = self.scene.surface_instances(self.heightfield, vertices) + self.agents
        self.vertex_array.render(moderngl.TRIANGLE_STRIP, vertices, instances=instances)

    def screenshot(self) -> NDArray[np.uint8]:
        """The picture, (height, width, 3) uint8, top row first."""
        width, height = self.scene.size
        pixels = np.frombuffer(self.framebuffer.read(components=3, alignment=1), np.uint8)
        return pixels.reshape(height, width, 3)[::-1].copy()
