"""The host-shader contract of the HUD: every input of its program, declared once.

`shaders/lib/hud_contract.glsl` is generated from here (`python -m calf_viz.glsl.hud_contract`), and
a test checks that the two agree.
"""

from __future__ import annotations

from calf_viz.glsl.contract import PALETTE, TextureInput, Uniform
from calf_viz.glsl.contract import header as declare
from calf_viz.glsl.shipped_shaders import shader_folder

TEXTURES = (
    TextureInput("u_hud_atlas", "r8", "coverage of every glyph"),
    TextureInput("u_hud_glyphs", "rgba32f", "table of glyphs: x, y, width, height in the atlas"),
    TextureInput("u_hud_text", "rgba32f", "glyphs drawn: x, y [px], index in the table, colour"),
    TextureInput("u_hud_shapes", "rgba32f", "shapes drawn, 3 texels each; see lib/hud_shape.glsl"),
    TextureInput("u_hud_series", "rgba32f", "rings of plots; see calf_viz/hud/series.py"),
    PALETTE,
)
UNIFORMS = (
    Uniform("vec2", "u_hud_viewport", "size of the picture [px]"),
    Uniform("int", "u_hud_shape_count", "shapes, which are drawn before the text"),
)

TEXTURE_NAMES = tuple(texture.name for texture in TEXTURES)
NAMES = TEXTURE_NAMES + tuple(uniform.name for uniform in UNIFORMS)


def header() -> str:
    """The GLSL text of `shaders/lib/hud_contract.glsl`."""
    return declare(TEXTURES, UNIFORMS, "calf_viz.glsl.hud_contract", "the HUD's shaders")


if __name__ == "__main__":
    (shader_folder() / "lib" / "hud_contract.glsl").write_text(header(), encoding="utf-8")
