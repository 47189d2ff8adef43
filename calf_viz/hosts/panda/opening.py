"""Outputs opened under Panda3D, beside those of other contexts.

Whenever it opens something, Panda has every output of the process be current in turn, as they are
sorted. Beside outputs of EGL, those of GLX are refused once one of EGL's was current, and the other
way round; and what is opened, refused, would be made ready in a context that is another's. So for
the time being what is opened comes first.
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
"""The process's one engine is used by one thread at a time."""
OWNERS: list[Owner] = []
"""Of this program's contexts."""
OURS: dict[current_context.Handle, current_context.Current] = {}
"""The contexts of this program that are open, and what they were when they were current."""
FIRST = -10_000
"""Sort of what comes before all others."""
EGL = "display:egldisplay"
NOISY = (EGL, "display:x11display", "display:glxdisplay", "display:gsg:glgsg")


@atexit.register
def _say_no_more() -> None:
    """Panda gives displays back when the process ends, after everybody else: some drivers are gone
    by then, and refuse it."""
    Notify.ptr().get_category(EGL).set_severity(NS_fatal)


def _leave_to_parent() -> None:
    """A forked process has what is the parent's: given back here, when the process ends, it would
    be taken from the parent, if the driver does not crash on it."""
    if not forked():
        return
    GraphicsEngine.get_global_ptr().ref()  # so it never goes, nor the contexts that it holds
    shown = sys.modules.get("direct.showbase.ShowBase")
    if shown is not None:
        atexit.unregister(shown.exitfunc)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


@contextmanager
def beside_others() -> Iterator[None]:
    """While a context is opened. What its caller had current, of a program of its own, is so again
    afterwards.

    Raises UserError where there can be none: in a forked process, or beside those of another
    thread, as the engine has all of them be current in the thread that it is used in.
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
    """That some contexts are refused while others are opened does no harm, and is no news."""
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
    """While Panda opens something of the context that `first` is of; None where that is new.
    Afterwards none is current."""
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
    """A buffer, not active, of the context that an output has; None where the driver is not able
    to. sort: frames render the lower first."""
    engine = GraphicsEngine.get_global_ptr()
    with _opening(output):
        made = engine.make_output(
            output.get_pipe(), name, sort, properties, WindowProperties.size(*size),
            GraphicsPipe.BF_refuse_window, output.get_gsg(), output,
        )  # fmt: skip
        if made is not None:
            made.set_active(False)
            engine.open_windows()  # now, else the next frame does
    return made


def new_context(module: str) -> GraphicsOutput | None:
    """A tiny buffer, not active, with a context of its own, by a display module of Panda's; None
    where that has none."""
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
    """A tiny buffer, as `new_context`, with the context that a window has."""
    properties = FrameBufferProperties()
    properties.set_rgba_bits(8, 8, 8, 8)
    return buffer_of(window, "context", 0, properties, (1, 1))


@contextmanager
def opening_window() -> Iterator[None]:
    """While Ursina opens a window. Beside headless hosts something of its way has to come first."""
    first = new_context("pandagl") if OURS else None
    try:
        with _opening(first):
            yield
    finally:
        if first is not None:
            GraphicsEngine.get_global_ptr().remove_window(first)


@cache
def _pipe(module: str) -> GraphicsPipe | None:
    """One for the whole process: with a pipe goes EGL's display, under the feet of every other
    context of the process."""
    # Where nobody says what windows are made by, Ursina would later try the first kind of pipe that
    # there is: EGL's, which has no windows. Panda takes note of it with its first pipe.
    windows = "load-display pandagl glxGraphicsPipe" if sys.platform.startswith("linux") else ""
    with settings(windows):
        return GraphicsPipeSelection.get_global_ptr().make_module_pipe(module)
