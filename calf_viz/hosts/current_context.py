"""Which OpenGL context is current in this thread, according to the driver.

Linux has two APIs for contexts: EGL, and GLX for X11 windows. While one of them has a context
current in a thread, those of the other are refused there (EGL_BAD_ACCESS) until it is released.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

MOST_ERRORS = 100
Handle = int
"""A context's handle in the driver."""


class Current:
    """A current context and its surfaces, to be restored later."""

    def __init__(self, way: _Way) -> None:
        self._way, self._handles = way, way.handles()
        self.context = self._handles[-1] or 0

    def restore(self) -> None:
        """Make it current again."""
        if context() != self.context:
            release()
            self._way.make_current(*self._handles)

    def clear_errors(self) -> None:
        """Make it current, and clear its OpenGL errors."""
        self.restore()
        self._way.clear_errors(*self._handles)


def context() -> Handle | None:
    """The current context; None if there is none, or if that cannot be determined."""
    for way in _ways():
        found: Handle | None = way.context()
        if found is not None:
            return found
    return None


def determinable() -> bool:
    """Whether the current context can be determined."""
    return bool(_ways())


def current() -> Current | None:
    """The current context with its surfaces; None as for `context`."""
    return next((Current(way) for way in _ways() if way.context() is not None), None)


def release() -> None:
    """Make no context current."""
    for way in _ways():
        if way.context() is not None:
            display, *_ = way.handles()
            way.make_current(display, None, None, None)


def choose_opengl() -> None:
    """Select OpenGL in this thread, as EGL defaults to OpenGL ES, and Panda sets only its own."""
    for way in _ways():
        way.choose_opengl()


class _Way:
    """EGL or GLX. Raises OSError or AttributeError if its library is missing."""

    _make_current: Any

    def __init__(self, library: str, prefix: str) -> None:
        self._library, self._prefix = ctypes.CDLL(library), prefix
        self._get_error = ctypes.CDLL("libGL.so.1").glGetError
        self.context = self._getter("CurrentContext")
        self.display = self._getter("CurrentDisplay")

    def _getter(self, name: str, *arguments: Any) -> Any:
        found = self._library[f"{self._prefix}Get{name}"]
        found.restype, found.argtypes = ctypes.c_void_p, arguments
        return found

    def handles(self) -> tuple[Handle | None, ...]:
        """The current display, draw and read surfaces, and context."""
        raise NotImplementedError

    def make_current(self, *handles: Handle | None) -> None:
        """Make the result of `handles` current."""
        self._make_current(*handles)

    def choose_opengl(self) -> None:
        """See the function."""

    def clear_errors(self, *handles: Handle | None) -> None:
        """Clear the OpenGL errors of the current context."""
        for _ in range(MOST_ERRORS):
            if not self._get_error():
                break


class _Egl(_Way):
    def __init__(self) -> None:
        super().__init__("libEGL.so.1", "egl")
        self.surface = self._getter("CurrentSurface", ctypes.c_int)
        self._make_current = self._library["eglMakeCurrent"]
        self._make_current.argtypes = (ctypes.c_void_p,) * 4

    def choose_opengl(self) -> None:
        self._library["eglBindAPI"](0x30A2)

    def handles(self) -> tuple[Handle | None, ...]:
        draw, read = 0x3059, 0x305A
        return self.display(), self.surface(draw), self.surface(read), self.context()


class _Glx(_Way):
    def __init__(self) -> None:
        super().__init__("libGL.so.1", "glX")
        self.draw = self._getter("CurrentDrawable")
        self.read = self._getter("CurrentReadDrawable")
        self._make_current = self._library["glXMakeContextCurrent"]
        self._make_current.argtypes = (ctypes.c_void_p,) * 4

    def handles(self) -> tuple[Handle | None, ...]:
        return self.display(), self.draw(), self.read(), self.context()

    def clear_errors(self, *handles: Handle | None) -> None:
        super().clear_errors()
        display, *_ = handles
        self._library["XSync"](ctypes.c_void_p(display), 0)  # else X reports errors later


@cache
def _ways() -> tuple[_Way, ...]:
    # Other systems have only one API, so there is nothing to keep apart.
    found: list[_Way] = []
    for way in (_Egl, _Glx) if sys.platform.startswith("linux") else ():
        try:
            found.append(way())
        except (OSError, AttributeError):  # without the library there are no such contexts
            continue
    return tuple(found)
