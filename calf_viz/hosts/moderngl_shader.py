"""Shader programs under moderngl."""

from __future__ import annotations

import moderngl

from calf_viz.hosts.programs import load_program
from calf_viz.render.problems import ShaderError, explain
from calf_viz.render.sources import ShaderLibrary


def compile_program(
    context: moderngl.Context, library: ShaderLibrary, name: str
) -> moderngl.Program:
    """The program of `name`.vert and `name`.frag.

    Raises ShaderError, as `file:line: message`, where a file is missing or does not compile.
    """
    source = load_program(library, name)
    vertex, fragment = source.vertex, source.fragment
    try:
        return context.program(vertex_shader=vertex.text, fragment_shader=fragment.text)
    except moderngl.Error as error:
        raise ShaderError(explain(str(error), vertex, fragment)) from None
