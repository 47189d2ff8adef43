"""The critic's passes under moderngl."""

from __future__ import annotations

import moderngl
import numpy as np
from numpy.typing import NDArray

from calf_viz.glsl.critic_contract import PASSES
from calf_viz.glsl.programs import Programs
from calf_viz.hosts.moderngl.texture import data_texture


class ModernglCritic:
    """Textures and draws of `CriticPasses`. Raises ShaderError as `Programs`."""

    def __init__(self, context: moderngl.Context, programs: Programs) -> None:
        self.context = context
        self.programs = {name: programs[name] for name in PASSES}
        self.arrays = {name: context.vertex_array(p, []) for name, p in self.programs.items()}
        self.textures: dict[str, moderngl.Texture] = {}
        self.targets: dict[str, moderngl.Framebuffer] = {}

    def set_texture(self, name: str, texels: NDArray[np.float32]) -> None:
        """Set a texture's texels, (height, width, 4)."""
        if name in self.textures:
            self.textures[name].release()
        self.textures[name] = data_texture(self.context, texels)

    def draw(
        self,
        shader: str,
        target: str,
        inputs: dict[str, str],
        values: dict[str, tuple[float, ...] | float],
        rows: tuple[int, int] | None = None,
    ) -> None:
        """Draw a pass into a texture, or into rows [from, to) of it.

        inputs: texture for each sampler. values: the uniforms.
        """
        texture = self.textures[target]
        framebuffer = self.context.framebuffer([texture])
        framebuffer.use()
        self.context.disable(moderngl.DEPTH_TEST | moderngl.BLEND)
        first, end = rows or (0, texture.height)
        framebuffer.viewport = (0, first, texture.width, end - first)
        program = self.programs[shader]
        for unit, (sampler, name) in enumerate(inputs.items()):
            self.textures[name].use(unit)
            if sampler in program:
                program[sampler] = unit
        for name, value in values.items():
            if name in program:
                program[name] = value
        self.arrays[shader].render(moderngl.TRIANGLES, 3)
        framebuffer.release()

    def read(self, name: str) -> NDArray[np.float32]:
        """A texture's texels, (height, width, 4); waits for draws into it."""
        texture = self.textures[name]
        texels = np.frombuffer(texture.read(), np.float32)
        return texels.reshape(texture.height, texture.width, 4)

    def wait(self) -> None:
        """Wait until everything is drawn."""
        self.context.finish()

    def close(self) -> None:
        """Release all textures."""
        for texture in self.textures.values():
            texture.release()
