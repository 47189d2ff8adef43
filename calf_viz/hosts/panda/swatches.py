"""Samples of a look's colours under Panda3D."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray
from panda3d.core import Camera, NodePath, Shader, Texture

from calf_viz.errors import UserError
from calf_viz.hosts.panda.context import PandaContext
from calf_viz.hosts.panda.texture import CHANNELS, empty_texture
from calf_viz.hosts.panda.triangle import shader_placed, triangles
from calf_viz.scene.swatches import SIZE, VERTICES


def draw_swatches(context: PandaContext, shader: Shader, like: NodePath) -> NDArray[np.uint8]:
    """Draw the cells of `shaders/swatch.vert` with the inputs and the blending of a node of the
    scene; returns pixels for `Swatches.of`."""
    texture = empty_texture("swatches", *SIZE, Texture.F_rgba8, np.uint8)
    with ExitStack() as closing:
        closing.callback(texture.release_all)
        buffer = context.target(texture, "a smaller `size`", sort=0)
        if buffer is None:
            raise UserError("the driver gives no framebuffer for the legend's colours")
        closing.callback(context.remove, buffer)
        buffer.set_clear_color((0.0, 0.0, 0.0, 0.0))
        root, node = NodePath("swatches"), shader_placed("swatches")
        node.add_geom(triangles("swatches", VERTICES))
        path = root.attach_new_node(node)
        path.set_state(like.get_net_state())
        path.set_shader(shader)
        path.set_instance_count(0)
        path.set_depth_test(False)
        path.set_depth_write(False)
        buffer.make_display_region().set_camera(root.attach_new_node(Camera("swatches")))
        context.render(buffer, surely=True)
        pixels = context.read(texture).reshape(SIZE[1], SIZE[0], 4)
        return pixels[..., CHANNELS]
