"""A picture with several samples per pixel under Panda3D.

scene's root ──▶ a texture that many times as large ──▶ its mean, and the HUD over it ──▶ picture
"""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray
from panda3d.core import Camera, GraphicsOutput, NodePath, Shader, Texture

from calf_viz.errors import UserError
from calf_viz.hosts.panda.context import PandaContext
from calf_viz.hosts.panda.texture import empty_texture
from calf_viz.hosts.panda.triangle import triangle

LESS = "a smaller `size` or `supersample`"


class FinePicture:
    """Two targets in a context, for a single picture. Raises NotEnough if there is no memory for
    them.

    Attributes:
        scene: the large target, of the scene.
    """

    def __init__(self, context: PandaContext, root: NodePath, shader: Shader) -> None:
        """root: of the scene. shader: the program `box_filter`."""
        self.context, self.root, self.shader = context, root, shader
        self.closing = ExitStack()

    def open_scene(self, size: tuple[int, int]) -> GraphicsOutput:
        """A target of `size` samples that shows the scene."""
        self.fine, buffer = self._target("fine picture", size, depth=True)
        camera = self.root.attach_new_node(Camera("fine picture"))
        self.closing.callback(camera.remove_node)
        region = buffer.make_display_region()
        region.set_camera(camera)
        self.scene = buffer
        return buffer

    def draw_scene(self, background: tuple[float, float, float]) -> None:
        """Draw the scene."""
        self.scene.set_clear_color((*background, 1.0))
        self.context.render(self.scene, surely=True)

    def picture(
        self, size: tuple[int, int], samples: int, hud: NodePath | None
    ) -> NDArray[np.uint8]:
        """The mean of the scene's samples with a HUD over it, (height, width, 3), top row first."""
        picture, buffer = self._target("picture", size)
        root = NodePath("picture")
        mean = triangle(root, "mean")
        mean.set_shader(self.shader)
        mean.set_shader_inputs(u_fine=self.fine, u_samples=samples)
        mean.set_bin("background", 0)
        if hud is not None:
            hud.instance_to(root)
        self.closing.callback(root.remove_node)
        buffer.make_display_region().set_camera(root.attach_new_node(Camera("picture")))
        self.context.render(buffer, surely=True)
        return self.context.picture(picture)

    def _target(
        self, name: str, size: tuple[int, int], depth: bool = False
    ) -> tuple[Texture, GraphicsOutput]:
        texture = empty_texture(name, *size, Texture.F_rgba8, np.uint8)
        self.closing.callback(texture.release_all)
        buffer = self.context.target(texture, LESS, sort=0, depth=depth)
        if buffer is None:
            raise UserError(f"the driver gives no framebuffer of {size[0]} x {size[1]}: try {LESS}")
        self.closing.callback(self.context.remove, buffer)
        return texture, buffer
