"""The HUD's two draws under Panda3D."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    ColorBlendAttrib,
    Geom,
    GeomNode,
    GeomTriangles,
    GeomVertexData,
    GeomVertexFormat,
    NodePath,
    OmniBoundingVolume,
    Texture,
)

from calf_viz.hosts.panda_texture import data_texture, empty_texture, fill
from calf_viz.hosts.programs import Programs
from calf_viz.hud.atlas import Atlas
from calf_viz.hud.batch import Batch
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.series import Series

BGRA = [2, 1, 0, 3]


class PandaHud:
    """Draws a canvas after the scene, below its root. Raises ShaderError as `Programs`."""

    def __init__(self, root: NodePath, programs: Programs, palette: Texture) -> None:
        shaders = programs["hud_shape"], programs["hud_text"]
        self.node = root.attach_new_node("hud")
        self.node.set_shader_input("u_palette", palette)
        self.node.set_depth_test(False)
        self.node.set_depth_write(False)
        self.node.set_two_sided(True)
        blend = ColorBlendAttrib
        self.node.set_attrib(
            blend.make(
                blend.M_add, blend.O_incoming_alpha, blend.O_one_minus_incoming_alpha,
                blend.M_add, blend.O_one, blend.O_one_minus_incoming_alpha,
            )
        )  # fmt: skip
        self.shapes = _Quads(self.node, "shape", "u_hud_shapes", 0)
        self.text = _Quads(self.node, "text", "u_hud_text", 1)
        for quads, shader in zip((self.shapes, self.text), shaders, strict=True):
            quads.node.set_shader(shader)
        self._series: Texture | None = None
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
        uploaded += self._show_series(canvas.series)
        return uploaded + self.shapes.show(canvas.shapes) + self.text.show(canvas.glyphs)

    @property
    def draws(self) -> int:
        """Draws that the next frame takes."""
        return 0 if self.node.is_hidden() else (self.shapes.count > 0) + (self.text.count > 0)

    def _show_series(self, series: Series) -> int:
        rows, columns, _ = series.texels.shape
        if self._series is None or self._series.y_size != rows:
            self._series = empty_texture("series", columns, rows, Texture.F_rgba32, np.float32)
            self.node.set_shader_input("u_hud_series", self._series)
        elif not series.dirty:
            return 0
        fill(self._series, series.texels[..., BGRA])
        series.clean()
        return series.texels.nbytes

    def show(self, visible: bool) -> None:
        """Whether anything is drawn."""
        if visible == self.node.is_hidden():
            self.node.show() if visible else self.node.hide()

    def close(self) -> None:
        self.node.remove_node()


class _Quads:
    """One draw: six vertices without data for each item of a batch."""

    def __init__(self, parent: NodePath, name: str, sampler: str, order: int) -> None:
        self.name, self.sampler = name, sampler
        self.count = 0
        node = GeomNode(name)
        # Only the shader knows where anything is: never cull.
        node.set_bounds(OmniBoundingVolume())
        node.set_final(True)
        self.geom_node = node
        self.node = parent.attach_new_node(node)
        self.node.set_bin("fixed", order)  # after the scene; text above shapes
        self.texture: Texture | None = None

    def show(self, batch: Batch) -> int:
        uploaded = 0
        if batch.dirty or self.texture is None:
            self._upload(batch.texels)
            batch.clean()
            uploaded = batch.texels.nbytes
        if batch.count != self.count:
            self._set_count(batch.count)
        return uploaded

    def _upload(self, texels: NDArray[np.float32]) -> None:
        rows, columns, _ = texels.shape
        if self.texture is None or self.texture.y_size != rows:
            self.texture = empty_texture(self.name, columns, rows, Texture.F_rgba32, np.float32)
            self.node.set_shader_input(self.sampler, self.texture)
        fill(self.texture, texels[..., BGRA])  # Panda uploads whole textures: these are small

    def _set_count(self, count: int) -> None:
        self.count = count
        self.geom_node.remove_all_geoms()
        if count:
            triangles = GeomTriangles(Geom.UH_static)
            triangles.add_consecutive_vertices(0, 6 * count)
            vertices = GeomVertexData(self.name, GeomVertexFormat.get_empty(), Geom.UH_static)
            geom = Geom(vertices)
            geom.add_primitive(triangles)
            self.geom_node.add_geom(geom)
