"""Shader programs under moderngl."""

from __future__ import annotations

import moderngl

from calf_viz.errors import UserError
from calf_viz.render.sources import ShaderLibrary, explain


def compile_program(
    context: moderngl.Context, library: ShaderLibrary, name: str, vertex_name: str | None = None
) -> moderngl.Program:
    """The program of `name`.vert and `name`.frag, or with another vertex shader.

    Raises UserError, as `file:line: message`, where a file is missing or does not compile.
    """
    vertex, fragment = library.load(f"{vertex_name or name}.vert"), library.load(f"{name}.frag")
    try:
        return context.program(vertex_shader=vertex.text, fragment_shader=fragment.text)
    except moderngl.Error as error:
        source = fragment if "fragment_shader" in str(error) else vertex
        raise UserError(explain(str(error), source)) from None
