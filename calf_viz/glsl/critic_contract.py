"""The host-shader contract of the critic's passes: every input, declared once.

`shaders/lib/critic_contract.glsl` is generated from here (`python -m
calf_viz.glsl.critic_contract`), and a test checks that the two agree.
"""

from __future__ import annotations

from calf_viz.glsl.contract import TextureInput, Uniform
from calf_viz.glsl.contract import header as declare
from calf_viz.glsl.shipped_shaders import shader_folder

TEXTURES = (
    TextureInput("u_critic_weights", "rgba32f", "the networks; see calf_viz/scene/critic.py"),
    TextureInput("u_critic_values", "rgba32f", "critic at each node: value, 1 where not finite"),
    TextureInput("u_critic_columns", "rgba32f", "per column: lowest, highest, good, bad nodes"),
    TextureInput("u_critic_range", "rgba32f", "of all nodes: lowest, highest, good, bad nodes"),
    TextureInput("u_critic_knots", "rgba32f", "the scale: warped values, and their levels"),
    TextureInput("u_critic_last", "rgba32f", "the heightfield shown until now"),
)
UNIFORMS = (
    Uniform("vec4", "u_critic_plane", "corners of the plane: lo.xy, hi.xy [state units]"),
    Uniform("ivec2", "u_critic_cells", "cells of the grid along each axis"),
    Uniform("vec3", "u_critic_scale", "how values are warped; lowest value; threshold of symlog"),
    Uniform("float", "u_critic_morph", "position of the morph; < 0: there is no last surface"),
)

TEXTURE_NAMES = tuple(texture.name for texture in TEXTURES)
NAMES = TEXTURE_NAMES + tuple(uniform.name for uniform in UNIFORMS)
PASSES = ("critic_values", "critic_columns", "critic_range", "critic_heights", "critic_sample")
"""The passes' fragment shaders, in drawing order."""


def header() -> str:
    """The GLSL text of `shaders/lib/critic_contract.glsl`."""
    return declare(TEXTURES, UNIFORMS, "calf_viz.glsl.critic_contract", "the critic's passes")


if __name__ == "__main__":
    (shader_folder() / "lib" / "critic_contract.glsl").write_text(header(), encoding="utf-8")
