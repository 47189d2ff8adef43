"""The critic's passes under Panda3D: each a buffer of its own, rendered alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    Camera,
    FrameBufferProperties,
    GraphicsEngine,
    GraphicsOutput,
    GraphicsPipe,
    NodePath,
    Texture,
    WindowProperties,
)

from calf_viz.errors import UserError
from calf_viz.hosts.panda_pass import Pass
from calf_viz.hosts.panda_texture import data_texture, empty_texture
from calf_viz.hosts.panda_triangle import triangle
from calf_viz.hosts.programs import Programs
from calf_viz.render.critic_contract import PASSES


class PandaCritic:
    """Textures and draws of `CriticPasses`.

    Raises ShaderError as `Programs`, or where the driver cannot render into float textures.
    """

    def __init__(self, engine: GraphicsEngine, output: GraphicsOutput, programs: Programs) -> None:
        self.engine, self.output, self.gsg = engine, output, output.get_gsg()
        self.shaders = {name: programs[name] for name in PASSES}
        self.textures: dict[str, Texture] = {}
        self.passes: dict[str, Pass] = {}
        root = NodePath("critic")
        self.triangle = triangle(root)
        self.camera = root.attach_new_node(Camera("critic"))

    def set_texture(self, name: str, texels: NDArray[np.float32]) -> None:
        """A texture's texels, (height, width, 4)."""
        if name in self.passes:
            self.engine.remove_window(self.passes.pop(name).buffer)
        self.textures[name] = data_texture(name, texels, Texture.F_rgba32)

    def draw(
        self,
        shader: str,
        target: str,
        inputs: dict[str, str],
        values: dict[str, tuple[float, ...] | float],
        rows: tuple[int, int] | None = None,
    ) -> None:
        """One pass into a texture, or into rows [from, to) of it."""
        drawing = self.passes.get(target) or self._pass(target)
        height = self.textures[target].y_size
        first, end = rows or (0, height)
        drawing.region.set_dimensions(0, 1, first / height, end / height)
        self.triangle.set_shader(self.shaders[shader])
        for sampler, name in inputs.items():
            self.triangle.set_shader_input(sampler, self.textures[name])
        for name, value in values.items():
            self.triangle.set_shader_input(name, value)
        drawing.render()

    def _pass(self, name: str) -> Pass:
        properties = FrameBufferProperties()
        properties.set_rgba_bits(32, 32, 32, 32)
        properties.set_float_color(True)
        old = self.textures[name]
        width, height = old.x_size, old.y_size
        buffer = self.engine.make_output(
            self.output.get_pipe(), name, -200, properties, WindowProperties.size(width, height),
            GraphicsPipe.BF_refuse_window, self.gsg, self.output,
        )  # fmt: skip
        if buffer is None or not buffer.get_fb_properties().get_float_color():
            raise UserError("--critic-on-gpu: this driver cannot render into float textures")
        # A texture that is rendered into has no image in RAM.
        self.textures[name] = empty_texture(name, width, height, Texture.F_rgba32, np.float32)
        buffer.add_render_texture(
            self.textures[name], GraphicsOutput.RTM_bind_or_copy, GraphicsOutput.RTP_color
        )
        buffer.set_clear_color_active(False)
        buffer.set_clear_depth_active(False)
        region = buffer.make_display_region()
        region.set_camera(self.camera)
        self.passes[name] = Pass(self.engine, self.output, buffer, region)
        return self.passes[name]

    def read(self, name: str) -> NDArray[np.float32]:
        """A texture's texels, (height, width, 4); waits for what is drawn into it."""
        texture = self.textures[name]
        self.engine.extract_texture_data(texture, self.gsg)
        texels = np.frombuffer(texture.get_ram_image(), np.float32)
        texels = texels.reshape(texture.y_size, texture.x_size, 4)[..., [2, 1, 0, 3]]
        texture.clear_ram_image()  # else Panda would upload it again
        return texels

    def wait(self) -> None:
        """Until everything is drawn."""
        # OpenGL draws in order: once the smallest is read, everything before it is there.
        if self.passes:
            self.read(min(self.passes, key=lambda n: self.textures[n].x_size))

    def close(self) -> None:
        """Give all buffers back."""
        for drawing in self.passes.values():
            self.engine.remove_window(drawing.buffer)
        self.passes.clear()
