"""The programs that hosts compile: two shaders each, checked before a compiler sees them."""

from __future__ import annotations

from dataclasses import dataclass

from calf_viz.hud import contract as hud_contract
from calf_viz.render import contract, glsl
from calf_viz.render.problems import Problem, ShaderError
from calf_viz.render.sources import ShaderLibrary, Source

INPUTS: dict[str, dict[str, str]] = {
    "field": contract.types(),
    "hud_shape": contract.types(hud_contract.TEXTURES, hud_contract.UNIFORMS),
    "hud_text": contract.types(hud_contract.TEXTURES, hud_contract.UNIFORMS),
    "ring_copy": {
        "u_source": "sampler2D",
        "u_source_layout": "ivec3",
        "u_target_layout": "ivec3",
    },
}
"""GLSL type of every input of each program, by name."""


@dataclass(frozen=True)
class ProgramSource:
    """A program's two shaders, expanded."""

    name: str
    vertex: Source
    fragment: Source


def load_program(library: ShaderLibrary, name: str) -> ProgramSource:
    """`name`.vert and `name`.frag.

    Raises ShaderError where a file is missing, or declares a uniform that nobody would set.
    """
    vertex, fragment = library.load(f"{name}.vert"), library.load(f"{name}.frag")
    problems = dict.fromkeys(p for s in (vertex, fragment) for p in _check(s, INPUTS[name]))
    if problems:
        raise ShaderError(problems)
    return ProgramSource(name, vertex, fragment)


def _check(source: Source, inputs: dict[str, str]) -> list[Problem]:
    """A driver would take them; the host's values would be refused later, or missing."""
    problems = []
    for declared in glsl.uniforms(source.text):
        expected = inputs.get(declared.name)
        if expected is None:
            text = f"nobody sets {declared.name}: it is not in lib/contract.glsl"
        elif expected != declared.type or declared.array:
            kind = f"{declared.type}[]" if declared.array else declared.type
            text = f"{declared.name} is a {expected}, not a {kind}"
        else:
            continue
        path, line = source.origin(declared.line)
        problems.append(Problem(path, line, text, source.line(declared.line)))
    return problems
