"""The host-shader contract: every input of the scene's shaders, declared once.

Hosts take names, types and texture formats from here; `shaders/lib/contract.glsl` is generated
from it (`python -m calf_viz.glsl.contract`), and a test checks that the two agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calf_viz.glsl.shipped_shaders import shader_folder


@dataclass(frozen=True)
class Uniform:
    """A uniform: GLSL type, name, meaning followed by its unit in brackets, and its coordinate
    system, if any."""

    type: str
    name: str
    meaning: str
    space: str = ""


@dataclass(frozen=True)
class TextureInput:
    """A texture: name, format (`rgba32f`, `rg32f`, `rgba8`), meaning of a texel.

    All are read with texelFetch: nearest, no mipmaps, clamped.
    """

    name: str
    format: str
    meaning: str
    space: str = ""


PALETTE_COLOURS = 256  # texels in a row of u_palette

PALETTE = TextureInput(
    "u_palette",
    "rgba8",
    "row 0: the surface from low to high; row 1: the modes, then those named in "
    "lib/variants.glsl; row 2: as row 0, for a second look; row 3: trails by age and speed, from "
    "low to high. Alpha of rows 0 and 2: where contours are; see lib/contours.glsl; "
    "of rows 1 and 3: grey of outlines around that colour",
)
TEXTURES = (
    TextureInput("u_ring", "rgba32f", "ring of samples; see shaders/lib/ring.glsl", "ring"),
    TextureInput(
        "u_heightfield", "rg32f", "levels (last, current critic) at nodes: scaled values", "grid"
    ),
    PALETTE,
    TextureInput(
        "u_values", "rg32f", "critic values (last, current critic) at levels from 0 to 1, evenly"
    ),
)

UNIFORMS = (
    Uniform(
        "mat4",
        "u_view_projection",
        "scene units and scaled height to clip space",
        space="scene to clip",
    ),
    Uniform("vec2", "u_viewport", "size of the picture [px]", "picture"),
    Uniform(
        "float",
        "u_line_scale",
        "factor on the width of lines: 1 up to 1152 x 720 px, more in larger or averaged pictures",
    ),
    Uniform("vec4", "u_plane", "corners of the plane: lo.xy, hi.xy [state units]", "plane"),
    Uniform("vec4", "u_corners", "the same corners in the scene [scene units]", "scene"),
    Uniform(
        "vec4",
        "u_frame",
        "centre of the plane, and a unit of the scene along its axes [state units]",
        "plane",
    ),
    Uniform(
        "vec2",
        "u_periods",
        "period of each axis, 0 if it is not periodic [scene units]",
        "scene",
    ),
    Uniform(
        "vec4",
        "u_grid",
        "grid lines per unit of the scene, and the position of zero between two of them",
        "scene",
    ),
    Uniform("ivec2", "u_cells", "cells of the heightfield along each axis", "grid"),
    Uniform("float", "u_morph", "0: last critic, 1: current critic"),
    Uniform(
        "float",
        "u_height_scale",
        "height of level 1 [scene units]",
        space="scene",
    ),
    Uniform("vec2", "u_value_range", "critic values at levels 0 and 1"),
    Uniform("vec3", "u_light", "unit vector towards the light", "scene"),
    Uniform("int", "u_surface_instances", "instances that draw the surface, before the agents'"),
    Uniform("int", "u_vertices", "vertices of each instance"),
    Uniform("int", "u_agents", "agents drawn"),
    Uniform("int", "u_training_agent", "agent being trained, in a colour of its own; -1: none"),
    Uniform(
        "int", "u_highlighted", "agent with a double ring and a wider trail, above all; -1: none"
    ),
    Uniform("vec4", "u_goal", "the goal's region: its centre and semi-axes [scene units]", "scene"),
    Uniform(
        "vec2",
        "u_goal_copy",
        "from there to its copies over the edges of periodic axes, 0 if none is needed "
        "[scene units]",
        "scene",
    ),
    Uniform(
        "float",
        "u_goal_depth",
        "how much nearer its circle is than it lies, so that slopes right before it do not hide it "
        "[NDC]",
        "picture",
    ),
    Uniform(
        "ivec2", "u_circles", "circles drawn behind the surface: of the goal, and all; two for each"
    ),
    Uniform(
        "vec2",
        "u_circle_radii",
        "least of the goal's circle, that of the inner ring [px]",
        "picture",
    ),
    Uniform("int", "u_ring_rows", "texture rows of one slot of the ring", "ring"),
    Uniform("int", "u_ring_slots", "slots of the ring", "ring"),
    Uniform("int", "u_head", "slot of the newest sample shown", "ring"),
    Uniform("int", "u_head_step", "simulation step of the newest sample shown"),
    Uniform("int", "u_trail", "steps that a trail reaches back"),
    Uniform("int", "u_stride", "steps between drawn samples (level of detail)"),
    Uniform("float", "u_trail_width", "width of a trail, less in a crowd [px]", "picture"),
    Uniform("float", "u_marker_radius", "radius of a marker, less in a crowd [px]", "picture"),
    Uniform("int", "u_marker_shape", "0: sphere, 1: arrow along the heading"),
    Uniform(
        "float",
        "u_casing",
        "width of a trail's outline, less in a crowd [px]; fragments get it in `v_tone`",
        "picture",
    ),
    Uniform("vec2", "u_opacity", "factors on the opacity of trails, of markers: less in a crowd"),
    Uniform(
        "vec4",
        "u_depth_bias",
        "towards the viewer: for all; per agent, of markers, of trails; of a trail's newest part, "
        "more than of its oldest [NDC]",
        "NDC",
    ),
    Uniform("int", "u_chosen", "agent that u_q_plus belongs to"),
    Uniform("vec2", "u_q_plus", "q+ of the chosen agent's last certified triple; 1: there is one"),
    Uniform("vec3", "u_certificate", "constants of the certificate: nu_bar, C_low, C_up"),
    Uniform("float", "u_hidden_square", "sum of the squares of the states not shown"),
)

TEXTURE_NAMES = tuple(texture.name for texture in TEXTURES)
NAMES = TEXTURE_NAMES + tuple(uniform.name for uniform in UNIFORMS)


def types(
    textures: Sequence[TextureInput] = TEXTURES, uniforms: Sequence[Uniform] = UNIFORMS
) -> dict[str, str]:
    """The GLSL type of each input, by name."""
    return {t.name: "sampler2D" for t in textures} | {u.name: u.type for u in uniforms}


def header(
    textures: Sequence[TextureInput] = TEXTURES,
    uniforms: Sequence[Uniform] = UNIFORMS,
    module: str = "calf_viz.glsl.contract",
    subject: str = "the shaders",
) -> str:
    """The GLSL text that declares a contract, by default `shaders/lib/contract.glsl`."""
    lines = [
        f"// What {subject} are given. Generated from {module.replace('.', '/')}.py by",
        f"// `python -m {module}`; do not edit.",
        "",
    ]
    rows = [(f"uniform sampler2D {t.name};", f"{t.format}: {t.meaning}") for t in textures]
    if PALETTE in textures:
        constant = f"const int PALETTE_COLOURS = {PALETTE_COLOURS};"
        rows.append((constant, f"texels in a row of {PALETTE.name}"))
    rows += [(f"uniform {u.type} {u.name};", u.meaning) for u in uniforms]
    width = max(len(left) for left, _ in rows)
    lines += [f"{left:<{width}}  // {right}" for left, right in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (shader_folder() / "lib" / "contract.glsl").write_text(header(), encoding="utf-8")
