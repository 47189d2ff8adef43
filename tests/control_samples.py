"""Controls of every kind, and a look that has some."""

from __future__ import annotations

from pathlib import Path

from scene_folder import Agents, SceneFolder

from calf_viz.glsl.controls import read_annotation

SCENE = SceneFolder("controls", size=(160, 90), trail=60, steps=20, agents=[Agents(2, seed=1)])
EVERY = [
    read_annotation("float", "u_f", "// @slider -2..3"),
    read_annotation("float", "u_s", "// @slider 0..1 step 0.25 = 0.5"),
    read_annotation("int", "u_i", "// @slider -5..5 = 1"),
    read_annotation("bool", "u_b", "// @toggle = on"),
    read_annotation("int", "u_c", "// @choice dots|lines|none = lines"),
    read_annotation("vec3", "u_v", "// @color = #204060"),
]
CONTROLS = """
uniform float u_red;    // @slider 0..1 = 1 "how red – größer"
uniform bool u_on;      // @toggle = on
uniform int u_which;    // @choice all|none = all
uniform vec3 u_ink;     // @color = #ff0000
uniform int u_count;    // @slider 1..3
"""
BODY = """
vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad) {
    bool all = u_on && u_which == 0 && u_count == 1;
    return all ? u_red * u_ink : vec3(0.0, 0.0, 1.0);
}
"""


def controlled(look: Path) -> Path:
    """The look with a hook that its controls show in: the fixture of files that make it theirs."""
    (look / "surface_colour.glsl").write_text(CONTROLS + BODY, encoding="utf-8")
    return look
