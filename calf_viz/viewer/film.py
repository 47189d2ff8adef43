"""The pictures of a video: which steps they show, and the application that draws them.

frame   0     1     2     3    …
row     from  from + r, rounded down, where r is rows per frame: 1, 5, or 1/3
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, quoted, shown
from calf_viz.sources.rate import steps_per_second
from calf_viz.viewer.camera_moves import CameraMove

if TYPE_CHECKING:
    from calf_viz.recording.recording import Recording
    from calf_viz.view import View
    from calf_viz.viewer.app import CALFApplication

SLOWEST_FPS, FASTEST_FPS = Fraction(1, 10), Fraction(1000)
MOST_FRAMES = 10_000_000
AT_ONCE = 64
"""Steps that are taken together: all between two frames may be more than the memory holds."""
_FPS = re.compile(r"[0-9]{0,9}\.?[0-9]{0,20}|[0-9]{1,9}/[0-9]{1,9}")
"""Without exponents: all digits of 1e9999999 would be computed."""
_TIME = re.compile(r"(-?[0-9]*\.?[0-9]+) ?s")
_STEP = re.compile(r"-?[0-9]+")


@dataclass(frozen=True)
class Film:
    """What a video shows.

    Attributes:
        start: the row in its first frame; of a simulation, the step.
        per_frame: rows from a frame to the next.
        frames: how many there are.
        fps: how many of them a second.
    """

    start: int
    per_frame: Fraction
    frames: int
    fps: Fraction

    def row(self, frame: int) -> int:
        """The row in a frame."""
        return self.start + math.floor(frame * self.per_frame)


def frames_within(start: int, last: int, per_frame: Fraction) -> int:
    """How many frames rows take, from one to another, both of them shown."""
    return math.ceil((last - start + 1) / per_frame)


def read_fps(text: str) -> Fraction:
    """Frames per second: 60, 29.97 or 30000/1001. Raises UserError."""
    fps = Fraction(0)
    if _FPS.fullmatch(text.strip()):
        with suppress(ValueError, ZeroDivisionError):  # ".", 1/0
            fps = Fraction(text)
    if not SLOWEST_FPS <= fps <= FASTEST_FPS or fps.denominator > 100_000:
        raise UserError(f"`fps` {quoted(text)}: give frames per second, 0.1 to 1000: 60, 29.97")
    return fps


def per_frame(
    rate: str | None, speed: int, fps: Fraction, every: int, dt: float | None
) -> Fraction:
    """Rows from a frame to the next.

    Args:
        rate: steps per second of the video: `realtime`, or `20/s`; None: `speed` rows per frame.
        fps: frames per second.
        every: steps from a row to the next.
        dt: seconds of a step, if known.
    """
    if rate is None:
        return Fraction(speed)
    if rate == "realtime" and dt is None:
        raise UserError("`rate` realtime: its steps have no duration: give steps such as 20/s")
    steps = steps_per_second(rate, dt or 1.0, "`rate`")
    if math.isinf(steps):
        raise UserError("`rate` max: a video has a speed: give realtime, or steps such as 20/s")
    found = Fraction(steps).limit_denominator(1_000_000) / fps / every
    if not found:
        raise UserError(f"`rate` {rate}: its steps take {dt:g} s each: give steps such as 20/s")
    return found


def read_moment(name: str, text: str, view: View) -> int:
    """The step of a moment: `200`, or `12.5s` after the beginning. Raises UserError."""
    if _STEP.fullmatch(text) and len(text) < 16:
        return int(text)
    match = _TIME.fullmatch(text) if len(text) < 32 else None
    if match is None:
        raise UserError(f"`{name}` {quoted(text)}: give a step, 200, or a time, 12.5s")
    if view.dt is None:
        raise UserError(f"`{name}` {quoted(text)}: its steps have no duration: give a step")
    return max(round(float(match[1]) / view.dt) - 1, 0) if match[1][0] != "-" else -1


@dataclass(frozen=True)
class Asked:
    """What of something shall be in a video, as it was given.

    Attributes:
        start, stop: moments of the first and of the last frame.
        frames: how many, in place of `stop`.
        rate: steps per second of the video.
        fps: frames per second.
    """

    start: str | None = None
    stop: str | None = None
    frames: int | None = None
    rate: str | None = None
    fps: Fraction = Fraction(60)

    def __post_init__(self) -> None:
        if self.stop is not None and self.frames is not None:
            raise UserError("`to` and `frames` both say where it ends: leave one out")

    def of_recording(self, recording: Recording, speed: int, usual: int | None = None) -> Film:
        """What a recording shows of it. usual: frames, if nothing says where it ends; None: up to
        the recording's end. Raises UserError for what is not in it."""
        rows, view = len(recording), recording.view
        if not rows:
            raise UserError(f"{shown(recording.folder)} has no steps: nothing can be shown")

        def row(name: str, text: str) -> int:
            return recording.find(read_moment(name, text, view), name)

        each = per_frame(self.rate, speed, self.fps, recording.every, view.dt)
        start = 0 if self.start is None else row("from", self.start)
        stop = rows - 1 if self.stop is None else row("to", self.stop)
        there = self._frames(start, stop, each)
        frames = there if self.stop is not None else self.frames or usual or there
        if frames > there:
            raise UserError(
                f"`frames` {frames}: from there, the recording has {there} at this speed: give less"
            )
        return Film(start, each, frames, self.fps)

    def of_simulation(self, view: View, speed: int, usual: int) -> Film:
        """What a simulation shows of it. usual: frames, if nothing says where it ends."""
        each = per_frame(self.rate, speed, self.fps, 1, view.dt)
        start = 0 if self.start is None else read_moment("from", self.start, view)
        if start < 0:
            raise UserError(f"`from` {shown(self.start)}: a simulation begins at step 0")
        if self.stop is None:
            return Film(start, each, self.frames or usual, self.fps)
        stop = read_moment("to", self.stop, view)
        return Film(start, each, self._frames(start, stop, each), self.fps)

    def _frames(self, start: int, stop: int, each: Fraction) -> int:
        if stop < start:
            raise UserError(f"`to` {shown(self.stop)} is before `from` {shown(self.start or 0)}")
        frames = frames_within(start, stop, each)
        if frames > MOST_FRAMES:
            raise UserError(f"{frames:,} frames: at most {MOST_FRAMES:,} are written: show less")
        return frames


def pictures(
    app: CALFApplication, film: Film, camera: CameraMove, supersample: int | None = 1
) -> Iterator[NDArray[np.uint8]]:
    """The film's pictures, (height, width, 3) uint8, top row first; each is the caller's.

    Raises UserError: the source ended, or an agent to follow is not there.
    """
    show_row(app, film.row(0))
    seekable, move = app.playhead.seekable, None
    if seekable is not None and app.hud is not None:
        while not seekable.contents.complete:  # else one sees the timeline being filled
            seekable.contents.read()
    if camera.make is not None:
        app.draw()  # then the camera is where it starts
        move = camera.make(app, film.frames, float(film.fps))
    for frame in range(film.frames):
        if frame:
            _advance(app, film.row(frame) - film.row(frame - 1))
        if move is not None:
            app.host.scene.camera.pose = move(float(frame / film.fps))
        yield app.picture(supersample)


def show_row(app: CALFApplication, row: int) -> None:
    """Have a row of a recording, or a step of a simulation from its beginning, shown next."""
    if app.playhead.seekable is not None:
        app.seek(row)
        _check(app)
        return
    _advance(app, row + 1)


def _advance(app: CALFApplication, steps: int) -> None:
    head, target = app.playhead, app.playhead.at + steps
    if head.seekable is not None and steps > app.host.scene.trail:
        app.seek(target)  # nothing of what is between is in the picture
    while (left := target - head.at) > 0:
        if app.advance(min(left, AT_ONCE)) < min(left, AT_ONCE):
            _check(app)
            raise UserError("the source has no more steps")


def _check(app: CALFApplication) -> None:
    if app.failure is not None:
        raise UserError(app.failure)
