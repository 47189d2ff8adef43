"""Clocks, processes and profiles made up for the tests of calf_viz.profiling."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from calf_viz.profiling.profile import Profile
from calf_viz.profiling.profiler import PerformanceProfiler
from calf_viz.profiling.run import Resources, Run

MACHINE = {
    "cpu": "Some CPU", "cores": 4, "memory_mb": 8000, "os": "Linux", "gl_renderer": "llvmpipe",
    "gl_version": "4.5", "python": "3.11.7", "packages": {"numpy": "2.0.0"},
}  # fmt: skip
CONFIGURATION = {
    "system": "point_mass", "n_agents": 20, "size": [1280, 720], "renderer": "gpu",
    "trail_length": 600,
}  # fmt: skip


class Clock:
    """A clock that stands still unless advanced [s]."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += seconds


class Process:
    """A process as psutil reports it, with values set by the test."""

    def __init__(self) -> None:
        self.cpu, self.rss, self.asked = 0.0, 100e6, 0

    @contextmanager
    def oneshot(self) -> Iterator[None]:
        self.asked += 1
        yield

    def cpu_times(self) -> SimpleNamespace:
        return SimpleNamespace(user=0.75 * self.cpu, system=0.25 * self.cpu)

    def memory_info(self) -> SimpleNamespace:
        return SimpleNamespace(rss=self.rss)


def clock() -> Clock:
    """This, `process` and `profiler` are fixtures of files that make them theirs."""
    return Clock()


def process() -> Process:
    return Process()


def profiler(clock: Clock, process: Process) -> PerformanceProfiler:
    return made_profiler(clock, process)


def made_profiler(clock: Clock, process: Process, **changes: Any) -> PerformanceProfiler:
    return PerformanceProfiler(**{"warm_up": 0, "clock": clock, "process": process, **changes})


def frame(profiler: PerformanceProfiler, clock: Clock, ms: float, **sections: float) -> None:
    """A frame of this duration [ms], part of it in sections one after another."""
    with profiler.frame():
        for name, part in sections.items():
            with profiler.section(name):
                clock.go(1e-3 * part)
        clock.go(1e-3 * (ms - sum(sections.values())))


def made_run(frame_ms: Any, memory_mb: float = 400.0, **counters: float) -> Run:
    """A run whose frames have these durations, nine tenths of them in `draw`."""
    frame_ms = np.asarray(frame_ms, dtype=np.float64)
    start = np.concatenate(([0.0], np.cumsum(frame_ms)[:-1])) / 1e3
    draw = 0.9 * frame_ms
    ends = np.array([0.0, frame_ms.sum() / 1e3])
    counts = {"draw_calls": 1.0, "upload_bytes": 320.0, **counters}
    return Run(
        start_s=start,
        frame_ms=frame_ms,
        sections_ms={"draw": draw},
        own_ms={"draw": draw},
        counters={name: np.full(len(frame_ms), n) for name, n in counts.items()},
        gpu_ms=np.full(len(frame_ms), np.nan),
        resources=Resources(ends, 0.5 * ends, np.full(2, 1e6 * memory_mb)),
    )


def made_profile(*runs: Run, machine: Any = None, **configuration: Any) -> Profile:
    """A profile of these runs on this machine."""
    return Profile.of(
        list(runs), {**CONFIGURATION, **configuration}, {**MACHINE, **(machine or {})}
    )


def noisy(
    rng: np.random.Generator,
    median: float = 10.0,
    noise: float = 0.05,
    frames: int = 300,
    memory: float = 0.0,
) -> np.ndarray:
    """Frame times around a median [ms]; `memory` is how much of each deviation the next keeps."""
    normal = rng.standard_normal(frames)
    for i in range(1, frames):
        normal[i] = memory * normal[i - 1] + np.sqrt(1.0 - memory**2) * normal[i]
    return median * (1.0 + noise * normal)
