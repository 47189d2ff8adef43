"""One OpenGL context under Panda3D, beside others.

A process has one engine, which renders every active output in its own context, and leaves that
current. So outputs are only active in the frames in which they are wanted:

    render(output) ──▶ output and what is due, active ──▶ a frame ──▶ none active
    with context:      what Panda does between frames, such as compiling, in this context

Panda does not report a frame that it skips, or a texture that it could not read. Here a picture is
always that of its frame, or there is an error.

A foreign context that was current before is current again afterwards.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d.core import (
    FrameBufferProperties,
    GraphicsEngine,
    GraphicsOutput,
    RenderState,
    Texture,
    TransformState,
)

from calf_viz.errors import UserError
from calf_viz.hosts import current_context, memory
from calf_viz.hosts.context import Owned
from calf_viz.hosts.memory import drawn_by_cpu
from calf_viz.hosts.panda.notices import held_notices, without_category
from calf_viz.hosts.panda.opening import ENGINE_LOCK, OURS, OWNERS, buffer_of, quiet
from calf_viz.hosts.panda.target import Target

LARGE = 2**24
"""Allocations from this size on check the available memory [bytes]."""
ATTEMPTS, PAUSE = 200, 0.005
"""Retries for a window that is not ready, and seconds in between."""
PATIENCE = 5.0
"""Seconds for which frames may be skipped repeatedly."""
READINGS = 3
"""Attempts at reading a texture."""


def forget_states() -> None:
    """Release Panda's unused states, which it keeps until told to collect them; in several rounds,
    as some hold others."""
    for kind in (RenderState, TransformState):
        before = kind.get_num_states() + 1
        while (left := kind.get_num_states()) < before:
            before = left
            kind.garbage_collect()


def _trim() -> None:
    """Make the C library return freed memory, if it supports that: textures and shaders of all
    sizes leave its heap fragmented."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


class PandaContext(Owned):
    """The context of a buffer.

    Attributes:
        engine: the process's engine.
        gsg: Panda's object for the context.
        due: additional targets to render in the next frame only.
        steady: whether no frame is ever skipped; a window's are while it waits for its manager.
    """

    KIND = "context"
    steady = True

    def __init__(self, buffer: GraphicsOutput) -> None:
        """buffer: nothing is drawn to it, so that a frame of it alone makes the context current.
        The context owns it from now on."""
        self.engine = GraphicsEngine.get_global_ptr()
        self.gsg, self._buffer = buffer.get_gsg(), buffer
        self.due: list[GraphicsOutput] = []
        self._targets: dict[int, Target] = {}  # by Panda's address
        self._entered = 0
        self._missed: float | None = None  # time of the first of the last frames, all skipped
        self._before: current_context.Current | None = None
        self._handle: current_context.Handle | None = None
        OWNERS.append(self.owner)
        self._attempts = ATTEMPTS
        self.closing.callback(self._give_back)
        with quiet(), self:  # clear errors left from opening it
            own = current_context.current()
        if own is not None:
            self._handle = own.context
            OURS[own.context] = own

    def _give_back(self) -> None:
        self._attempts = 1  # a window may be gone by now
        # If the driver refused something, that was reported; in the next frame Panda would
        # report it again.
        with held_notices(), self:
            OURS.pop(self._handle or 0, None)
            while self._targets:
                self.remove(next(reversed(self._targets.values())).output)
            self.gsg.prepared_objects.release_all()
            self._make_current()  # which deletes what was released
            self.engine.remove_window(self._buffer)
            current_context.release()  # a deleted context must not stay current
        forget_states()
        _trim()

    @property
    def is_current(self) -> bool:
        """Whether it is known to be current."""
        return self._handle is not None and current_context.context() == self._handle

    @property
    def is_lost(self) -> bool:
        """Whether it is known not to be current right after it should be: its driver refuses it."""
        return self._handle is not None and not self.is_current

    def render(
        self,
        *outputs: GraphicsOutput,
        frame: Callable[[], Any] | None = None,
        surely: bool | None = None,
    ) -> None:
        """Render a frame of outputs of this context and of what is due.

        Args:
            outputs: what to render.
            frame: renders the frame; by default the engine does.
            surely: whether to render again what was skipped; None: if the context is `steady`.

        Raises:
            UserError: something is skipped for good.
        """
        with ENGINE_LOCK:
            before = self._give_way()
            active = [*self.due, *outputs]
            self.due.clear()
            try:
                # Of consecutive skipped frames only the first reports the reason on the terminal.
                held: AbstractContextManager[list[str]] = nullcontext([])
                if self._missed is not None:
                    held = held_notices()
                with held as notices:
                    awake = self._render(active, frame or self.engine.render_frame)
                if self._rendered(active) or not awake:
                    self._missed = None
                elif self.steady if surely is None else surely:
                    self._repeat(active)
                else:
                    self._miss(notices)
            finally:
                if before is not None:
                    before.restore()

    def _render(self, active: list[GraphicsOutput], frame: Callable[[], Any]) -> bool:
        """Render a frame; returns whether all should have been drawn. A window that is minimised or
        closed should not."""
        for output in active:
            output.set_active(True)
            if output.this in self._targets:
                self._targets[output.this].begin()
        awake = all(output.is_active() for output in active)
        try:
            frame()
        finally:
            for output in active:
                output.set_active(False)
        return awake

    def drew(self, target: GraphicsOutput) -> bool:
        """Whether the target was rendered in the last frame that included it."""
        return self._targets[target.this].drawn

    def _rendered(self, active: list[GraphicsOutput]) -> bool:
        """Whether the last frame skipped none of them, and had a context at all."""
        known = (self._targets.get(output.this) for output in active)
        return not self.is_lost and all(target is None or target.drawn for target in known)

    def _repeat(self, active: list[GraphicsOutput]) -> None:
        """Render all of them until none is skipped, as some show what others draw."""
        given_up = time.monotonic() + PATIENCE
        while True:
            time.sleep(PAUSE)
            with held_notices() as notices:
                self._render(active, self.engine.render_frame)
            if self._rendered(active):
                return
            if time.monotonic() > given_up:
                raise self.refusal(notices)

    def _miss(self, notices: list[str]) -> None:
        """Note that a frame was skipped; the next one may replace it, if there is one."""
        now = time.monotonic()
        if self._missed is None:
            self._missed = now
        elif now - self._missed > PATIENCE:
            raise self.refusal(notices)

    def refusal(self, notices: list[str]) -> UserError:
        """The error that nothing is drawn any more. notices: Panda's messages."""
        reason = "".join(f" ({without_category(notice)})" for notice in notices[:1])
        if self.steady or self.is_lost:
            what = f"{self.gsg.driver_renderer} draws no frame any more{reason}: start again"
        else:
            what = f"the window does not get ready to be drawn to{reason}: use `headless=True`"
        return UserError(what)

    def _give_way(self) -> current_context.Current | None:
        """Release any other current context; returns what to restore later."""
        if self.is_current:
            return None
        before = current_context.current()
        # A window shows its last frame when the next begins, which may be another one's by then.
        self.engine.flip_frame()
        # Panda cannot make an EGL context current beside one of GLX, or vice versa.
        current_context.release()
        return None if before is None or before.context in OURS else before

    def target(
        self, texture: Texture, less: str, sort: int, floats: bool = False, depth: bool = False
    ) -> GraphicsOutput | None:
        """A target of the texture's size that renders into it; None if the driver cannot.

        Args:
            texture: what to render into.
            less: advice to get a smaller one, such as "a coarser --grid".
            sort: frames render lower ones first.
            floats: 32-bit float values instead of 8 bits.
            depth: whether it has a depth buffer.

        Raises:
            NotEnough: there is no memory for it.
        """
        width, height = texture.x_size, texture.y_size
        what = f"the {texture.name}, a texture of {width} x {height},"
        if drawn_by_cpu(self.gsg.driver_renderer):
            # A picture also needs memory to be read.
            texel = 16 if floats else 20 if depth else 4
            memory.check(width * height * texel, what, less)
        properties = FrameBufferProperties()
        properties.set_rgba_bits(*(32 if floats else 8,) * 4)
        properties.set_float_color(floats)
        properties.set_depth_bits(24 if depth else 0)
        with self:
            made = buffer_of(self._buffer, texture.name, sort, properties, (width, height))
            self._make_current()  # after opening, any context may be current
            if made is None:
                return None
            got = made.get_fb_properties()
            if floats and not (got.get_float_color() and got.get_red_bits() >= 32):
                self.engine.remove_window(made)
                return None
        self._targets[made.this] = Target(made)
        made.add_render_texture(texture, GraphicsOutput.RTM_bind_or_copy, GraphicsOutput.RTP_color)
        # The driver allocates the memory with the first frame.
        with held_notices() as notices:
            self.render(made, surely=False)
        if any("error" in notice for notice in notices):
            lost = self.is_lost
            self.remove(made)
            if lost:
                raise self.refusal(notices)
            raise memory.NotEnough(f"{what} is more than the driver has memory for: give {less}")
        return made

    def remove(self, target: GraphicsOutput) -> None:
        """Release a target."""
        with self:  # else Panda deletes the object with the same number in another context
            self._targets.pop(target.this)
            self.engine.remove_window(target)

    def read(self, texture: Texture) -> NDArray[Any]:
        """The contents of a texture that was drawn into, flat; waits until it is drawn.

        Raises UserError if the driver returns nothing, or if there is not enough memory, for which
        Panda would end the process.
        """
        size = texture.get_expected_ram_image_size()
        if size > LARGE:  # copies of Panda, the driver and the caller
            memory.check(3 * size, f"reading the {texture.name}", "a smaller size")
        kind = np.float32 if texture.component_type == Texture.T_float else np.uint8
        for _ in range(READINGS):
            # Otherwise the result of the last reading could be mistaken for the current one.
            texture.clear_ram_image()
            with self, held_notices() as notices:
                done = self.engine.extract_texture_data(texture, self.gsg)
            wrong = [notice for notice in notices if "error" in notice]
            if done and not wrong and texture.get_ram_image_size() == size:
                return np.frombuffer(texture.get_ram_image(), kind)
        reason = "".join(f" ({without_category(notice)})" for notice in wrong[:1])
        renderer = self.gsg.driver_renderer
        raise UserError(f"{renderer} gives nothing of the {texture.name}{reason}: start again")

    def picture(self, texture: Texture) -> NDArray[np.uint8]:
        """A picture that was drawn into a texture of `F_rgba8`, (height, width, 3), top row first;
        as `read`."""
        pixels = self.read(texture).reshape(texture.y_size, texture.x_size, 4)
        return pixels[::-1, :, 2::-1].copy()  # it is BGRA

    def __enter__(self) -> PandaContext:
        self.owner.check("draw")
        ENGINE_LOCK.acquire()
        self._entered += 1
        if self._entered == 1:
            self._before = self._give_way()
            if not self.is_current:
                self._make_current()
        return self

    def _make_current(self) -> None:
        current_context.release()
        # A window that was moved is not drawn to until X reports that.
        for _ in range(self._attempts):
            self._buffer.set_active(True)
            self.engine.render_frame()
            self._buffer.set_active(False)
            if current_context.context() is not None or not current_context.determinable():
                break
            time.sleep(PAUSE)

    def __exit__(self, *_: object) -> None:
        self._entered -= 1
        if self._entered == 0 and self._before is not None:
            self._before.restore()
            self._before = None
        ENGINE_LOCK.release()
