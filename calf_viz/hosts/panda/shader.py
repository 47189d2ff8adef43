"""Shader programs under Panda3D, which reports errors only in its log, and draws white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    ColorBlendAttrib,
    GraphicsStateGuardian,
    LineStream,
    LMatrix4f,
    Notify,
    Shader,
)

from calf_viz.glsl.compiler_log import explain
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.programs import ProgramSource
from calf_viz.hosts.panda.settings import settings

BLENDING = ColorBlendAttrib.make(
    ColorBlendAttrib.M_add, ColorBlendAttrib.O_one, ColorBlendAttrib.O_one_minus_incoming_alpha
)
"""The shaders' colours are multiplied by their opacity."""


def compile_program(gsg: GraphicsStateGuardian, source: ProgramSource) -> Shader:
    """Compile a source. Raises ShaderError with `file:line: message` for each error."""
    vertex, fragment = source.vertex, source.fragment
    notify, lines = Notify.ptr(), LineStream()
    notify.set_ostream_ptr(lines, False)
    try:
        # Panda reuses a shader with the same text while anything holds it, even a failed one, which
        # is not compiled again, so there would be no message.
        with settings("cache-generated-shaders 0"):
            shader = Shader.make(Shader.SL_GLSL, *source.texts)
        prepared = shader and shader.prepare_now(gsg.prepared_objects, gsg)
    finally:
        notify.set_ostream_ptr(None, False)
    said = []
    while lines.is_text_available():
        said.append(lines.get_line())
    if prepared is None or shader.get_error_flag():
        log = "\n".join(said)
        raise ShaderError(explain(log, vertex, fragment), log)
    return shader


def matrix(value: NDArray[np.float32]) -> LMatrix4f:
    """A matrix (4, 4) for column vectors, as an input."""
    # Panda uses row vectors: its matrix is the transpose.
    return LMatrix4f(*value.T.ravel().tolist())
