"""The critic's passes under Panda3D: each has its own buffer, which is rendered alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from panda3d.core import Camera, NodePath, Texture

from calf_viz.errors import UserError
from calf_viz.glsl.critic_contract import PASSES
from calf_viz.glsl.programs import Programs
from calf_viz.hosts.panda.context import PandaContext
from calf_viz.hosts.panda.passes import Pass
from calf_viz.hosts.panda.texture import CHANNELS, data_texture, empty_texture
from calf_viz.hosts.panda.triangle import triangle


class PandaCritic:
    """Textures and draws of `CriticPasses`.

    Raises ShaderError as `Programs`, or if the driver cannot render into float textures.
    """

    def __init__(self, context: PandaContext, programs: Programs) -> None:
        self.context = context
        self.shaders = {name: programs[name] for name in PASSES}
        self.textures: dict[str, Texture] = {}
        self.passes: dict[str, Pass] = {}
        root = NodePath("critic")
        self.triangle = triangle(root)
        self.camera = root.attach_new_node(Camera("critic"))

    def set_texture(self, name: str, texels: NDArray[np.float32]) -> None:
        """Set a texture's texels, (height, width, 4)."""
        if name in self.passes:
            self.context.remove(self.passes.pop(name).buffer)
        self.textures[name] = data_texture(name, texels, Texture.F_rgba32)

    def draw(
        self,
        shader: str,
        target: str,
        inputs: dict[str, str],
        values: dict[str, tuple[float, ...] | float],
        rows: tuple[int, int] | None = None,
    ) -> None:
        """Draw a pass into a texture, or into rows [from, to) of it."""
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
        # A texture that is rendered into must have no image in RAM.
        old = self.textures[name]
        texture = empty_texture(name, old.x_size, old.y_size, Texture.F_rgba32, np.float32)
        buffer = self.context.target(texture, "a coarser grid", sort=-200, floats=True)
        if buffer is None:
            raise UserError("`critic_on_gpu`: this driver cannot render into float textures")
        self.textures[name] = texture
        buffer.set_clear_color_active(False)
        buffer.set_clear_depth_active(False)
        region = buffer.make_display_region()
        region.set_camera(self.camera)
        self.passes[name] = Pass(self.context, buffer, region)
        return self.passes[name]

    def read(self, name: str) -> NDArray[np.float32]:
        """A texture's texels, (height, width, 4); waits for draws into it."""
        texture = self.textures[name]
        texels = self.context.read(texture)
        texels = texels.reshape(texture.y_size, texture.x_size, 4)[..., CHANNELS]
        texture.clear_ram_image()  # else Panda would upload it again
        return texels

    def wait(self) -> None:
        """Wait until everything is drawn."""
        # OpenGL draws in order: once the smallest is read, everything before it is done.
        if self.passes:
            self.read(min(self.passes, key=lambda n: self.textures[n].x_size))

    def close(self) -> None:
        """Release all buffers."""
        for drawing in self.passes.values():
            self.context.remove(drawing.buffer)
        for texture in self.textures.values():
            texture.release_all()
        self.passes.clear()
