"""PerformanceProfiler: where the time of each frame goes, and what each frame costs."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from threading import get_ident
from types import TracebackType
from typing import Any, NamedTuple

from calf_viz.profiling import machine
from calf_viz.profiling.frame_log import MOST_FRAMES, FrameLog
from calf_viz.profiling.profile import Profile
from calf_viz.profiling.profile_file import save_profile
from calf_viz.profiling.resources import ResourceSampler
from calf_viz.profiling.run import Run
from calf_viz.profiling.summary import summarise
from calf_viz.profiling.trace import TracedFrame, write_trace

WARM_UP = 50
"""First frames, not kept, while shaders compile and caches fill."""
TRACED_FRAMES = 1000
"""Last frames whose individual sections are kept for a trace; about 1 MB."""
CLOSING = 0.05
"""A snapshot takes another resource sample if the last is older than this [s]."""


class Description(NamedTuple):
    """What only the measured program knows about itself."""

    configuration: dict[str, Any]
    """JSON values; `size`, `n_agents`, `system` and `renderer` are compared."""
    gl_renderer: str
    gl_version: str


def _undescribed() -> Description:
    return Description({}, "unknown", "unknown")


class _Nothing:
    """Stands in for a section or frame while the profiler is off: one shared no-op."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


_NOTHING = _Nothing()


class _Section:
    """One pass through a section, linked to the enclosing one."""

    __slots__ = ("around", "inner", "name", "profiler", "start")

    def __init__(self, profiler: PerformanceProfiler, name: str) -> None:
        self.profiler, self.name = profiler, name
        self.inner = 0.0  # time spent in sections within this one

    def __enter__(self) -> None:
        profiler = self.profiler
        self.around = profiler._section
        profiler._section = self
        self.start = profiler._clock()

    def __exit__(self, *_: object) -> None:
        profiler, name = self.profiler, self.name
        end = profiler._clock()
        if profiler._section is not self:
            return  # its frame was dropped: the profiler was reset or switched off meanwhile
        duration = end - self.start
        around = profiler._section = self.around
        profiler._own[name] = profiler._own.get(name, 0.0) + duration - self.inner
        profiler._events.append((name, self.start, end))
        if around is None:
            profiler._total[name] = profiler._total.get(name, 0.0) + duration
            return
        around.inner += duration
        while around is not None:  # if nested in one of the same name, it is counted there
            if around.name == name:
                return
            around = around.around
        profiler._total[name] = profiler._total.get(name, 0.0) + duration


class _Frame:
    """`with profiler.frame():`. A frame that raises is not kept."""

    __slots__ = ("profiler",)

    def __init__(self, profiler: PerformanceProfiler) -> None:
        self.profiler = profiler

    def __enter__(self) -> None:
        self.profiler.frame_begin()

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None:
            self.profiler.frame_end()
        else:
            self.profiler._drop_frame()


class PerformanceProfiler:
    """Measures frames, and named sections within them.

        profiler = PerformanceProfiler()
        for _ in range(400):
            with profiler.frame():
                with profiler.section("physics"):
                    simulate()
                with profiler.section("draw"):
                    draw()
                profiler.count("draw_calls", 1)
        profiler.get_stats()["frame_time_p95_ms"]

    Sections nest and may have any name. Sections and counts from other threads than the frame's
    are ignored. While the profiler is off everything here is a no-op; it can be switched at any
    time, and a frame interrupted by that is not kept.

    Without `frame()`, entering the same outermost section again begins the next frame. Such a frame
    lasts until the next one begins, counts in between belong to it, and its thread is the one that
    first entered a section. Once frames are marked by `frame()` or `frame_begin()`, only those are
    kept: earlier ones are dropped, and sections and counts outside of frames are ignored.

    Attributes:
        enabled: whether it measures.
        frame_number: number of the last frame begun, -1 before any; `reset` does not reset it.
        describe: returns the configuration and OpenGL description to be written to files.
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        warm_up: int = WARM_UP,
        most_frames: int = MOST_FRAMES,
        clock: Callable[[], float] = time.perf_counter,
        process: Any = None,
    ) -> None:
        """Create a profiler.

        Args:
            enabled: whether it starts measuring at once.
            warm_up: number of first frames that are not kept.
            most_frames: number of last frames that are kept.
            clock: returns the time in seconds.
            process: a psutil.Process, by default this one.
        """
        if warm_up < 0 or most_frames < 1:
            raise ValueError(f"no such profiler: {warm_up} frames dropped, {most_frames} kept")
        self.warm_up, self._most_frames = warm_up, most_frames
        self.describe: Callable[[], Description] = _undescribed
        self.frame_number = -1
        self._clock, self._process = clock, process
        self._frame = _Frame(self)
        self._enabled = enabled
        self._section: _Section | None = None  # the innermost one open
        self._thread: int | None = None  # of the frame under way, None between frames
        self._marked = False  # whether frames are marked, rather than found by their sections
        self._entered: set[str] | None = None  # outermost sections of a frame that was found
        self.reset()

    def reset(self) -> None:
        """Drop all samples, and the frame in progress, and start over with the warm-up."""
        self._drop_frame()
        self._warming = self.warm_up
        self._log = FrameLog(self._most_frames)
        self._traced: deque[TracedFrame] = deque(maxlen=TRACED_FRAMES)
        self._resources = ResourceSampler(self._process)

    @property
    def enabled(self) -> bool:
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        if enabled != self._enabled:
            self._enabled = enabled
            self._drop_frame()

    # Measuring

    def frame(self) -> AbstractContextManager[None]:
        """A frame, for `with`."""
        if not self._marked:
            self._frames_are_marked()
        return self._frame if self._enabled else _NOTHING

    def _frames_are_marked(self) -> None:
        self._marked = True
        self.reset()  # frames found by their sections also include the time between updates

    def frame_begin(self) -> None:
        """Begin a frame; a previous one that was not ended is dropped."""
        if not self._marked:
            self._frames_are_marked()
        if self._enabled:
            self._open()

    def _open(self) -> None:
        if self._warming == 0 and len(self._log) == 0:
            self._resources.tick(self._clock())
        self.frame_number += 1
        self._section = None
        self._total: dict[str, float] = {}
        self._own: dict[str, float] = {}
        self._counts: dict[str, float] = {}
        self._events: list[tuple[str, float, float]] = []
        self._thread = get_ident()
        self._start = self._clock()

    def frame_end(self) -> None:
        """End the current frame, if any."""
        if self._thread == get_ident() and self._marked:
            self._close()

    def _close(self) -> None:
        end = self._clock()
        self._thread = None
        self._section = None
        if self._warming > 0:
            self._warming -= 1
            return
        self._log.append(
            self.frame_number, self._start, end - self._start, self._total, self._own, self._counts
        )
        self._traced.append(TracedFrame(self._start, end, self._events, self._counts))
        self._resources.tick(end)

    def _drop_frame(self) -> None:
        self._section = None
        self._thread = None
        self._entered = None

    def section(self, name: str) -> AbstractContextManager[None]:
        """A part of the frame, for `with`."""
        if self._thread != get_ident():
            if self._thread is not None or self._marked or not self._enabled:
                return _NOTHING
            self._find(name)
        elif self._entered is not None and self._section is None:
            if name in self._entered:
                self._close()
                self._find(name)
            else:
                self._entered.add(name)
        return _Section(self, name)

    def _find(self, name: str) -> None:
        """Begin a frame with its first section."""
        self._open()
        self._entered = {name}

    def count(self, name: str, n: float = 1) -> None:
        """Add to one of the frame's counters."""
        if self._thread == get_ident():
            self._counts[name] = self._counts.get(name, 0.0) + n

    def count_all(self, counts: Mapping[str, float]) -> None:
        """`count` for each of them."""
        if self._thread == get_ident():
            for name, n in counts.items():
                self._counts[name] = self._counts.get(name, 0.0) + n

    def set_gpu_time(self, frame_number: int, seconds: float) -> None:
        """Set a frame's GPU time, which a timer query reports some frames later."""
        self._log.set_gpu(frame_number, seconds)

    # Results

    def run(self, last: int | None = None) -> Run:
        """The raw samples of the last `last` frames, or of all that are kept."""
        run = self._log.run(last)
        # Unless the last frame is long past, when this would measure something else.
        if len(run) and self._clock() - 1e-3 * run.frame_ms[-1] - run.start_s[-1] < 1.0:
            self._resources.tick(self._clock(), CLOSING)
        run.resources = self._resources.resources()
        return run

    def get_stats(self, last: int | None = None) -> dict[str, Any]:
        """Summary of the samples, or of the last `last` frames only.

        Keys, NaN while unknown (null in files):
            n_frames: number of frames summarised.
            fps_avg, fps_min: 1000 / mean and 1000 / longest frame time.
            frame_time_avg_ms, _min_ms, _p50_ms, _p95_ms, _p99_ms, _max_ms.
            gpu_time_avg_ms, gpu_time_p95_ms: if the driver has timer queries.
            sections: by name: mean_ms and p95_ms of the time in it; own_ms, the mean without nested
                sections; share, own time as a share of all frame time.
            unaccounted_share: the share of frame time outside all sections.
            cpu_percent: processor time over wall time, 100 for one busy core, since the warm-up.
            memory_mb, memory_growth_mb_per_minute: resident memory [10^6 bytes], and its slope.
            critic_queries_per_frame, mesh_updates_per_frame, draw_calls_per_frame,
                ring_draws_per_frame, hud_draws_per_frame, upload_bytes_per_frame,
                policy_queries_per_frame, and `<name>_per_frame` of every other counter: means.
            vertices, entities: of the last frame.
        """
        return summarise(self.run(last))

    def profile(self) -> Profile:
        """The samples with the machine and the configuration.

        Raises:
            UserError: there is no sample yet.
        """
        configuration, gl_renderer, gl_version = self.describe()
        return Profile.of([self.run()], configuration, machine.describe(gl_renderer, gl_version))

    def save_json(self, path: str | Path) -> None:
        """Write a profile that `compare_results` reads; see `profile_file`.

        Raises:
            UserError: there is no sample yet, or the file cannot be written.
        """
        save_profile(self.profile(), path)

    def save_trace(self, path: str | Path) -> None:
        """Write the last frames, at most 1000, as a trace that ui.perfetto.dev opens.

        Raises:
            UserError: there is no sample yet, or the file cannot be written.
        """
        write_trace(path, list(self._traced), self._resources.resources())


OFF = PerformanceProfiler(enabled=False)
"""Shared no-op profiler; never enable it."""
