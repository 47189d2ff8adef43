"""The HUD's draw under moderngl."""

from __future__ import annotations

from typing import Any

import moderngl

from calf_viz.glsl.hud_contract import TEXTURE_NAMES
from calf_viz.glsl.programs import Programs
from calf_viz.hosts.moderngl.shader import BLENDING
from calf_viz.hosts.moderngl.texture import data_texture
from calf_viz.hud.atlas import Atlas
from calf_viz.hud.batch import Batch
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.series import Series


class ModernglHud:
    """Draws a canvas over the scene. Raises ShaderError as `Programs`."""

    def __init__(
        self, context: moderngl.Context, programs: Programs, palette: moderngl.Texture
    ) -> None:
        self.context = context
        self.program = programs["hud"]
        self.array = context.vertex_array(self.program, [])
        self.textures: dict[str, moderngl.Texture] = {"u_palette": palette}
        self._atlas: Atlas | None = None

    def draw(self, canvas: Canvas, size: tuple[int, int]) -> None:
        """Upload what changed, and draw into the bound framebuffer."""
        if canvas.atlas is not self._atlas:
            self._atlas = canvas.atlas
            self._replace("u_hud_atlas", data_texture(self.context, canvas.atlas.image[..., None]))
            self._replace("u_hud_glyphs", data_texture(self.context, canvas.atlas.table[None]))
        self._upload("u_hud_shapes", canvas.shapes)
        self._upload("u_hud_text", canvas.glyphs)
        self._upload("u_hud_series", canvas.series)
        self.context.disable(moderngl.DEPTH_TEST)
        self.context.blend_func = BLENDING
        for unit, name in enumerate(TEXTURE_NAMES):
            self.textures[name].use(unit)
            self._set(name, unit)
        self._set("u_hud_viewport", tuple(map(float, size)))
        self._set("u_hud_shape_count", canvas.shapes.count)
        if canvas.quads:
            self.array.render(moderngl.TRIANGLES, 6 * canvas.quads)

    def _set(self, name: str, value: Any) -> None:
        if name in self.program:  # drivers drop inputs that a look's shader does not use
            self.program[name] = value

    def _replace(self, name: str, texture: moderngl.Texture) -> None:
        if name in self.textures:
            self.textures[name].release()
        self.textures[name] = texture

    def _upload(self, name: str, batch: Batch | Series) -> None:
        rows, columns, _ = batch.texels.shape
        texture = self.textures.get(name)
        if texture is None or texture.size != (columns, rows):
            self._replace(name, data_texture(self.context, batch.texels))
        elif batch.dirty:
            first, count = batch.dirty.start, len(batch.dirty)
            changed = batch.texels[first : first + count]
            texture.write(changed.tobytes(), viewport=(0, first, columns, count))
        batch.clean()
