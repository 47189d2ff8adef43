"""OpenGL past Panda3D, in the context that it left current: what it has no word for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType

log = logging.getLogger("calf_viz")


def raw(version: str) -> ModuleType:
    """PyOpenGL's raw functions and constants that came with a version, `1_5` and so on; its
    wrappers cost some 20 us each. Raises whatever PyOpenGL does where it finds no OpenGL."""
    return _module(f"raw.GL.VERSION.GL_{version}")


def _module(name: str) -> ModuleType:
    import OpenGL

    # Panda's errors are not ours to report. Read by the first module below `OpenGL`, and once.
    OpenGL.ERROR_CHECKING = False
    return import_module(f"OpenGL.{name}")


@cache
def waiter() -> Callable[[], None] | None:
    """What waits until all is drawn; None where PyOpenGL finds no OpenGL."""
    try:
        # The library's own: PyOpenGL's would raise Panda's errors, if whoever imported it first
        # let it check for them.
        found: Callable[[], None] = _module("platform").PLATFORM.GL.glFinish
    except Exception as error:  # whatever a system lacks, there is another way to wait
        log.info("PyOpenGL cannot be used (%s)", error)
        return None
    return found
