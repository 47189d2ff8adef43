"""Opens outputs under Panda3D beside those of other contexts.

Whenever it opens something, Panda makes every output of the process current in turn, in sort order.
Once an output of EGL has been current, those of GLX are refused, and vice versa; and a refused new
output would be set up in another one's context. So while something is opened, it is sorted first.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import RLock

from panda3d.core import (
    FrameBufferProperties,
    GraphicsEngine,
    GraphicsOutput,
    GraphicsPipe,
    GraphicsPipeSelection,
    Notify,
    NS_fatal,
    WindowProperties,
)

from calf_viz.hosts import current_context
from calf_viz.hosts.context import Owner, forked, opens_context
from calf_viz.hosts.panda.settings import settings

ENGINE_LOCK = RLock()
"""Only one thread at a time may use the process's single engine."""
OWNERS: list[Owner] = []
"""The owners of this program's contexts."""
OURS: dict[current_context.Handle, current_context.Current] = {}
"""This program's open contexts, with what to restore to make them current."""
FIRST = -10_000
"""Sort order before all others."""
EGL = "display:egldisplay"
NOISY = (EGL, "display:x11display", "display:glxdisplay", "display:gsg:glgsg")


@atexit.register
def _silence_exit() -> None:
    """Silence errors at exit, when Panda closes displays after some drivers are gone already."""
    Notify.ptr().get_category(EGL).set_severity(NS_fatal)


def _leave_to_parent() -> None:
    """Keep a forked process from releasing its parent's resources at exit, which would take them
    from the parent or crash the driver."""
    if not forked():
        return
    GraphicsEngine.get_global_ptr().ref()  # so that it and its contexts are never freed
    shown = sys.modules.get("direct.showbase.ShowBase")
    if shown is not None:
        atexit.unregister(shown.exitfunc)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


@contextmanager
def beside_others() -> Iterator[None]:
    """For opening a context in the block. A foreign context that was current is restored.

    Raises UserError if that is impossible: in a forked process, or beside contexts of another
    thread, as the engine makes all of them current in the thread that uses it.
    """
    with ENGINE_LOCK:
        opens_context()
        OWNERS[:] = (owner for owner in OWNERS if not owner.ended)
        for owner in OWNERS:
            owner.check_beside()
        before = current_context.current()
        current_context.choose_opengl()
        try:
            yield
        finally:
            if before is not None and before.context not in OURS:
                before.restore()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence refusals of contexts while others are opened, which are harmless."""
    notify = Notify.ptr()
    noisy = [notify.get_category(name) for name in NOISY] if OURS else []
    levels = [category.get_severity() for category in noisy]
    for category in noisy:
        category.set_severity(NS_fatal)
    try:
        yield
    finally:
        for category, level in zip(noisy, levels, strict=True):
            category.set_severity(level)


@contextmanager
def _opening(first: GraphicsOutput | None) -> Iterator[None]:
    """For opening something in the context of `first`, or in a new one if None. Afterwards no
    context is current."""
    current_context.release()
    sort = 0 if first is None else first.get_sort()
    if first is not None:
        first.set_sort(FIRST)
    with quiet():
        try:
            yield
        finally:
            if first is not None:
                first.set_sort(sort)
            for own in OURS.values():
                own.clear_errors()
            current_context.release()


def buffer_of(
    output: GraphicsOutput,
    name: str,
    sort: int,
    properties: FrameBufferProperties,
    size: tuple[int, int],
) -> GraphicsOutput | None:
    """A buffer, not active, in the context of an output; None if the driver cannot. sort: frames
    render lower ones first."""
    engine = GraphicsEngine.get_global_ptr()
    with _opening(output):
        made = engine.make_output(
            output.get_pipe(), name, sort, properties, WindowProperties.size(*size),
            GraphicsPipe.BF_refuse_window, output.get_gsg(), output,
        )  # fmt: skip
        if made is not None:
            made.set_active(False)
            engine.open_windows()  # otherwise it happens in the next frame
    return made


def new_context(module: str) -> GraphicsOutput | None:
    """A tiny buffer, not active, with a new context from one of Panda's display modules; None if
    that has none."""
    pipe = _pipe(module)
    if pipe is None:
        return None
    engine = GraphicsEngine.get_global_ptr()
    with _opening(None):
        made = engine.make_output(
            pipe, "context", FIRST, FrameBufferProperties.get_default(),
            WindowProperties.size(1, 1), GraphicsPipe.BF_refuse_window,
        )  # fmt: skip
        if made is not None:
            engine.open_windows()
            made.set_active(False)
            made.set_sort(0)
    return made


def window_context(window: GraphicsOutput) -> GraphicsOutput | None:
    """A tiny buffer as from `new_context`, but in a window's context."""
    properties = FrameBufferProperties()
    properties.set_rgba_bits(8, 8, 8, 8)
    return buffer_of(window, "context", 0, properties, (1, 1))


@contextmanager
def opening_window() -> Iterator[None]:
    """For Ursina opening a window: beside headless hosts, something of its API must come first."""
    first = new_context("pandagl") if OURS else None
    try:
        with _opening(first):
            yield
    finally:
        if first is not None:
            GraphicsEngine.get_global_ptr().remove_window(first)


@cache
def _pipe(module: str) -> GraphicsPipe | None:
    """A pipe, kept for the whole process: closing it would close EGL's display, which all other
    contexts use."""
    # Without this, Ursina would later open its window with the first kind of pipe that was made,
    # EGL's, which has no windows. Panda reads it with its first pipe.
    windows = "load-display pandagl glxGraphicsPipe" if sys.platform.startswith("linux") else ""
    with settings(windows):
        return GraphicsPipeSelection.get_global_ptr().make_module_pipe(module)
