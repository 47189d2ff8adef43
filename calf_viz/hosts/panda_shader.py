"""Shader programs under Panda3D, which draws white and says so only in its log if one is bad."""

from __future__ import annotations

from panda3d.core import GraphicsStateGuardian, LineStream, Notify, Shader, load_prc_file_data

from calf_viz.errors import UserError
from calf_viz.render.sources import ShaderLibrary, explain

# Panda would give the same text the same shader as long as anybody holds it, one that failed
# included; that one is not compiled again, and there would be no message.
load_prc_file_data("calf_viz", "cache-generated-shaders 0")


def compile_program(
    library: ShaderLibrary,
    name: str,
    gsg: GraphicsStateGuardian,
    fragment_name: str | None = None,
    vertex_name: str | None = None,
) -> Shader:
    """The program of `name`.vert and `name`.frag, or of other files where they are named.

    Raises UserError, as `file:line: message`, where a file is missing or does not compile.
    """
    vertex = library.load(f"{vertex_name or name}.vert")
    fragment = library.load(f"{fragment_name or name}.frag")
    notify, lines = Notify.ptr(), LineStream()
    notify.set_ostream_ptr(lines, False)
    try:
        shader = Shader.make(Shader.SL_GLSL, vertex.text, fragment.text)
        prepared = shader and shader.prepare_now(gsg.prepared_objects, gsg)
    finally:
        notify.set_ostream_ptr(None, False)
    log = []
    while lines.is_text_available():
        log.append(lines.get_line())
    if prepared is None or shader.get_error_flag():
        text = "\n".join(log)
        in_fragment = "fragment shader" in text and "vertex shader" not in text
        raise UserError(explain(text, fragment if in_fragment else vertex))
    return shader
