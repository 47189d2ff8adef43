"""Each host's compiler by itself, without a scene and without a window."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Any

from calf_viz.hosts.programs import load_program
from calf_viz.render.sources import ShaderLibrary

Compile = Callable[[ShaderLibrary, str], Any]
"""Compiles a program of a library by its name. Raises ShaderError."""


def compilers(closing: ExitStack) -> dict[str, Compile]:
    """The compiler of each host that there is, by the host's name, until `closing` is closed.

    moderngl's is left out where it is not installed. Raises UserError where there is no OpenGL.
    """
    found = {"Panda3D": _panda(closing)}
    if find_spec("moderngl") is not None:
        found["moderngl"] = _moderngl(closing)
    return found


def _panda(closing: ExitStack) -> Compile:
    from panda3d.core import GraphicsEngine

    from calf_viz.hosts.offscreen import open_context
    from calf_viz.hosts.panda_shader import compile_program

    engine = GraphicsEngine.get_global_ptr()
    context = open_context(engine)
    closing.callback(engine.remove_window, context)
    gsg = context.get_gsg()

    def compile_one(library: ShaderLibrary, name: str) -> Any:
        # A frame that draws nothing makes the context the current one.
        context.set_active(True)
        engine.render_frame()
        context.set_active(False)
        return compile_program(gsg, load_program(library, name))

    return compile_one


def _moderngl(closing: ExitStack) -> Compile:
    from calf_viz.hosts.moderngl_host import create_context
    from calf_viz.hosts.moderngl_shader import compile_program

    context = create_context()
    closing.callback(context.release)

    def compile_one(library: ShaderLibrary, name: str) -> Any:
        with context:
            return compile_program(context, load_program(library, name))

    return compile_one
