"""One OpenGL context under Panda3D, beside others.

A process has one engine, which renders whatever is active, in whatever context that has, and leaves
that current. So nothing is active but in the frame that it is wanted in:

    render(output) ──▶ output and what is due, active ──▶ a frame ──▶ none active
    with context:      what Panda does between frames, such as compiling, in this context

Panda tells nobody of a frame that it leaves out, or of a texture that it could not read: a picture
is of its frame, or there is an error.

What somebody else's program had current is current again afterwards.
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
from calf_viz.hosts.panda.notices import held_notices, told
from calf_viz.hosts.panda.opening import ENGINE_LOCK, OURS, OWNERS, buffer_of, quiet
from calf_viz.hosts.panda.target import Target

LARGE = 2**24
"""Bytes from which on it is asked whether there are so many left."""
ATTEMPTS, PAUSE = 200, 0.005
"""How often a window that is not ready is asked again, and seconds in between."""
PATIENCE = 5.0
"""Seconds that frames may be left out, over and over."""
READINGS = 3
"""How often a texture is read before it is given up."""


def forget_states() -> None:
    """Panda keeps states that nobody holds any more until it is told to look; some hold others."""
    for kind in (RenderState, TransformState):
        before = kind.get_num_states() + 1
        while (left := kind.get_num_states()) < before:
            before = left
            kind.garbage_collect()


def _trim() -> None:
    """Have the C library give freed memory back, where it has a word for that: pieces of every
    size, of textures and shaders, leave its heap full of holes."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


class PandaContext(Owned):
    """A context that `buffer` is of.

    Attributes:
        engine: the process's.
        gsg: the context, as Panda calls it.
        due: what the next frame renders too, and then no more.
        steady: whether no frame is ever left out; a window's are while its manager is asked.
    """

    KIND = "context"
    steady = True

    def __init__(self, buffer: GraphicsOutput) -> None:
        """buffer: to which nothing is drawn, so that a frame of it alone makes the context current.
        It is the context's from now on."""
        self.engine = GraphicsEngine.get_global_ptr()
        self.gsg, self._buffer = buffer.get_gsg(), buffer
        self.due: list[GraphicsOutput] = []
        self._targets: dict[int, Target] = {}  # by Panda's address
        self._entered = 0
        self._missed: float | None = None  # when the first was of the last frames, all left out
        self._before: current_context.Current | None = None
        self._handle: current_context.Handle | None = None
        OWNERS.append(self.owner)
        self._attempts = ATTEMPTS
        self.closing.callback(self._give_back)
        with quiet(), self:  # opening it may have left errors in it
            own = current_context.current()
        if own is not None:
            self._handle = own.context
            OURS[own.context] = own

    def _give_back(self) -> None:
        self._attempts = 1  # a window may be gone by now
        # Where the driver refused something, that was told; Panda would tell of it again, from what
        # the driver says in the next frame.
        with held_notices(), self:
            OURS.pop(self._handle or 0, None)
            while self._targets:
                self.remove(next(reversed(self._targets.values())).output)
            self.gsg.prepared_objects.release_all()
            self._make_current()  # which deletes what was released
            self.engine.remove_window(self._buffer)
            current_context.release()  # what is gone must not stay current
        forget_states()
        _trim()

    @property
    def is_current(self) -> bool:
        """Whether it is known to be current."""
        return self._handle is not None and current_context.context() == self._handle

    @property
    def is_lost(self) -> bool:
        """Whether it is known not to be current, just after it was to be: its driver refuses it."""
        return self._handle is not None and not self.is_current

    def render(
        self,
        *outputs: GraphicsOutput,
        frame: Callable[[], Any] | None = None,
        surely: bool | None = None,
    ) -> None:
        """A frame of outputs of this context and of what is due. frame: renders it; else the engine
        does. surely: what is left out is rendered again; None where the context is `steady`.

        Raises UserError where something is left out for good.
        """
        with ENGINE_LOCK:
            before = self._give_way()
            active = [*self.due, *outputs]
            self.due.clear()
            try:
                # Of frames in a row that are left out the first alone says why on the terminal.
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
        """A frame; whether all were to be drawn. A window that is minimised or closed is not."""
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
        """Whether the last frame in which a target was to be rendered did so."""
        return self._targets[target.this].drawn

    def _rendered(self, active: list[GraphicsOutput]) -> bool:
        """Whether the last frame left none of them out, nor was in no context at all."""
        known = (self._targets.get(output.this) for output in active)
        return not self.is_lost and all(target is None or target.drawn for target in known)

    def _repeat(self, active: list[GraphicsOutput]) -> None:
        """Render them until none is left out: all of them, as some show what others draw."""
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
        """A frame was left out, of which the next may take the place, if there is one."""
        now = time.monotonic()
        if self._missed is None:
            self._missed = now
        elif now - self._missed > PATIENCE:
            raise self.refusal(notices)

    def refusal(self, notices: list[str]) -> UserError:
        """Why nothing is drawn any more. notices: what Panda had to say."""
        reason = "".join(f" ({told(notice)})" for notice in notices[:1])
        if self.steady or self.is_lost:
            what = f"{self.gsg.driver_renderer} draws no frame any more{reason}: start again"
        else:
            what = f"the window does not get ready to be drawn to{reason}: use `headless=True`"
        return UserError(what)

    def _give_way(self) -> current_context.Current | None:
        """Have nothing else current; what is to be restored later."""
        if self.is_current:
            return None
        before = current_context.current()
        # A window shows its last frame when the next begins, which may be another's by then.
        self.engine.flip_frame()
        # Panda would be refused a context of EGL beside one of GLX, and the other way round.
        current_context.release()
        return None if before is None or before.context in OURS else before

    def target(
        self, texture: Texture, less: str, sort: int, floats: bool = False, depth: bool = False
    ) -> GraphicsOutput | None:
        """What renders into a texture, as large as that; None where the driver is not able to.

        less: what to give to have a smaller one, "a coarser --grid" say. sort: frames render the
        lower first. floats: unlimited values of 32 bits, not of 8.
        Raises UserError where there is no memory for it.
        """
        width, height = texture.x_size, texture.y_size
        what = f"the {texture.name}, a texture of {width} x {height},"
        if drawn_by_cpu(self.gsg.driver_renderer):
            # A picture is read as well.
            texel = 16 if floats else 20 if depth else 4
            memory.check(width * height * texel, what, less)
        properties = FrameBufferProperties()
        properties.set_rgba_bits(*(32 if floats else 8,) * 4)
        properties.set_float_color(floats)
        properties.set_depth_bits(24 if depth else 0)
        with self:
            made = buffer_of(self._buffer, texture.name, sort, properties, (width, height))
            self._make_current()  # opening left any of all contexts so
            if made is None:
                return None
            got = made.get_fb_properties()
            if floats and not (got.get_float_color() and got.get_red_bits() >= 32):
                self.engine.remove_window(made)
                return None
        self._targets[made.this] = Target(made)
        made.add_render_texture(texture, GraphicsOutput.RTM_bind_or_copy, GraphicsOutput.RTP_color)
        # With its first frame the driver takes the memory.
        with held_notices() as notices:
            self.render(made, surely=False)
        if any("error" in notice for notice in notices):
            self.remove(made)
            raise UserError(f"{what} is more than the driver has memory for: give {less}")
        return made

    def remove(self, target: GraphicsOutput) -> None:
        """Give a target back."""
        with self:  # else Panda deletes what has its number in another context
            self._targets.pop(target.this)
            self.engine.remove_window(target)

    def read(self, texture: Texture) -> NDArray[Any]:
        """The memory of a texture that was drawn into, flat; waits until it is.

        Raises UserError where the driver gives nothing of it, or where there is no memory for it,
        which Panda would end the process for.
        """
        size = texture.get_expected_ram_image_size()
        if size > LARGE:  # Panda's copy, the driver's and the caller's
            memory.check(3 * size, f"reading the {texture.name}", "a smaller size")
        kind = np.float32 if texture.component_type == Texture.T_float else np.uint8
        for _ in range(READINGS):
            # Else what was read the last time would be taken for what is there now.
            texture.clear_ram_image()
            with self, held_notices() as notices:
                done = self.engine.extract_texture_data(texture, self.gsg)
            wrong = [notice for notice in notices if "error" in notice]
            if done and not wrong and texture.get_ram_image_size() == size:
                return np.frombuffer(texture.get_ram_image(), kind)
        reason = "".join(f" ({told(notice)})" for notice in wrong[:1])
        renderer = self.gsg.driver_renderer
        raise UserError(f"{renderer} gives nothing of the {texture.name}{reason}: start again")

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
        # A window that was moved is not drawn to before X has told so.
        for _ in range(self._attempts):
            self._buffer.set_active(True)
            self.engine.render_frame()
            self._buffer.set_active(False)
            if current_context.context() is not None or not current_context.askable():
                break
            time.sleep(PAUSE)

    def __exit__(self, *_: object) -> None:
        self._entered -= 1
        if self._entered == 0 and self._before is not None:
            self._before.restore()
            self._before = None
        ENGINE_LOCK.release()
