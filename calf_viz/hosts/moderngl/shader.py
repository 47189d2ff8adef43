"""Shader programs under moderngl."""

from __future__ import annotations

import moderngl

from calf_viz.glsl.compiler_log import explain
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.programs import ProgramSource

BLENDING = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA
"""The shaders' colours are multiplied by their opacity."""


def compile_program(context: moderngl.Context, source: ProgramSource) -> moderngl.Program:
    """Compile a source. Raises ShaderError with `file:line: message` for each error."""
    vertex, fragment = source.vertex, source.fragment
    texts = source.texts
    try:
        return context.program(vertex_shader=texts[0], fragment_shader=texts[1])
    except moderngl.Error as error:
        raise ShaderError(explain(str(error), vertex, fragment), str(error)) from None
