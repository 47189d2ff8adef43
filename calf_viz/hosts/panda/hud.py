"""The HUD's draw under Panda3D."""

from __future__ import annotations

import numpy as np
from panda3d.core import NodePath, Texture

from calf_viz.glsl.programs import Programs
from calf_viz.hosts.panda.shader import BLENDING
from calf_viz.hosts.panda.texture import CHANNELS, data_texture, empty_texture, fill
from calf_viz.hosts.panda.triangle import shader_placed, triangles
from calf_viz.hud.atlas import Atlas
from calf_viz.hud.batch import Batch
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.series import Series


class PandaHud:
    """Draws a canvas after the scene, below its root. Raises ShaderError as `Programs`."""

    def __init__(self, root: NodePath, programs: Programs, palette: Texture) -> None:
        self.geom_node = shader_placed("hud")
        self.node = root.attach_new_node(self.geom_node)
        self.node.set_shader(programs["hud"])
        self.node.set_bin("fixed", 0)  # after the scene
        self.node.set_shader_input("u_palette", palette)
        self.node.set_depth_test(False)
        self.node.set_depth_write(False)
        self.node.set_two_sided(True)
        self.node.set_attrib(BLENDING)
        self._textures: dict[str, Texture] = {}
        self._shapes = -1
        self._quads = 0
        self._atlas: Atlas | None = None
        self._size = (0, 0)

    def prepare(self, canvas: Canvas, size: tuple[int, int]) -> int:
        """Upload what changed, for the next frame; returns how many bytes."""
        uploaded = 0
        if size != self._size:
            self._size = size
            self.node.set_shader_input("u_hud_viewport", tuple(map(float, size)))
        if canvas.atlas is not self._atlas:
            self._atlas = canvas.atlas
            image = data_texture("hud atlas", canvas.atlas.image[..., None], Texture.F_red)
            glyphs = data_texture("hud glyphs", canvas.atlas.table[None], Texture.F_rgba32)
            self.node.set_shader_inputs(u_hud_atlas=image, u_hud_glyphs=glyphs)
            uploaded += canvas.atlas.image.nbytes + canvas.atlas.table.nbytes
        uploaded += self._upload("u_hud_series", canvas.series)
        uploaded += self._upload("u_hud_shapes", canvas.shapes)
        uploaded += self._upload("u_hud_text", canvas.glyphs)
        if canvas.shapes.count != self._shapes:
            self._shapes = canvas.shapes.count
            self.node.set_shader_input("u_hud_shape_count", self._shapes)
        self._set_quads(canvas.quads)
        return uploaded

    @property
    def draws(self) -> int:
        """Number of draws in the next frame."""
        return 0 if self.node.is_hidden() else int(self._quads > 0)

    def _upload(self, sampler: str, batch: Batch | Series) -> int:
        """Upload a batch's texels if they changed; completely, as Panda does, but it is small."""
        rows, columns, _ = batch.texels.shape
        texture = self._textures.get(sampler)
        if texture is None or texture.y_size != rows:
            texture = empty_texture(sampler, columns, rows, Texture.F_rgba32, np.float32)
            self._textures[sampler] = texture
            self.node.set_shader_input(sampler, texture)
        elif not batch.dirty:
            return 0
        fill(texture, batch.texels[..., CHANNELS])
        batch.clean()
        return batch.texels.nbytes

    def _set_quads(self, count: int) -> None:
        """Set the number of items, each of six vertices without data."""
        if count == self._quads:
            return
        self._quads = count
        self.geom_node.remove_all_geoms()
        if count:
            self.geom_node.add_geom(triangles("hud", 6 * count))

    def show(self, visible: bool) -> None:
        """Show or hide it."""
        if visible == self.node.is_hidden():
            self.node.show() if visible else self.node.hide()

    def close(self) -> None:
        self.node.remove_node()
