"""Direct OpenGL calls in the context that Panda3D left current, for what it does not offer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType

log = logging.getLogger("calf_viz")


def raw(version: str) -> ModuleType:
    """PyOpenGL's raw functions and constants introduced in a version, such as `1_5`, as its
    wrappers cost some 20 us each. Raises whatever PyOpenGL raises if it finds no OpenGL."""
    return _module(f"raw.GL.VERSION.GL_{version}")


def _module(name: str) -> ModuleType:
    import OpenGL

    # Do not report Panda's errors. Read only once, by the first module imported below `OpenGL`.
    OpenGL.ERROR_CHECKING = False
    return import_module(f"OpenGL.{name}")


@cache
def waiter() -> Callable[[], None] | None:
    """A function that waits until everything is drawn; None if PyOpenGL finds no OpenGL."""
    try:
        # Not PyOpenGL's wrapper, which would raise Panda's errors if someone imported it earlier
        # with checks enabled.
        found: Callable[[], None] = _module("platform").PLATFORM.GL.glFinish
    except Exception as error:  # there is another way to wait
        log.info("PyOpenGL cannot be used (%s)", error)
        return None
    return found
