"""The metrics compared between profiles: figure, unit, direction and resolution of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calf_viz.profiling.bootstrap import Statistic
from calf_viz.profiling.profile import Profile
from calf_viz.profiling.run import Column, Run
from calf_viz.profiling.summary import PER_FRAME

TIMES, MEMORY, PROCESSOR, EXACT = 0.01, 0.02, 0.05, 0.0
"""Resolutions: how much the same program varies from start to start (memory layout, temperature of
the processor), which no single run can show."""


@dataclass(frozen=True)
class Metric:
    """A figure of a profile."""

    name: str
    unit: str
    samples: Callable[[Run], Column | None]
    """Gives the samples of a run, (frames,) or (1,); None if it has none."""
    statistic: Statistic
    """Reduces samples along the last axis."""
    resolution: float
    """Relative differences below this are ignored."""
    higher_is_better: bool = False
    absent: float | None = None
    """The value assumed for a run without samples; None if there is none."""

    def runs(self, profile: Profile) -> list[Column] | None:
        """Samples of each run, or None if one has none."""
        found = []
        for run in profile.runs:
            samples = self.samples(run)
            if samples is None and self.absent is not None:
                samples = np.full(len(run), self.absent)
            if samples is None or len(samples) == 0:
                return None
            found.append(samples)
        return found

    def value(self, profile: Profile) -> float | None:
        """The figure of the reported run."""
        runs = self.runs(profile)
        if runs is None:
            return None
        return float(self.statistic(runs[profile.reported][None, :])[0])


def metrics_of(*profiles: Profile) -> list[Metric]:
    """The metrics for which any of the profiles has a figure."""
    runs = [run for profile in profiles for run in profile.runs]
    sections = dict.fromkeys(name for run in runs for name in run.sections_ms)
    counters = dict.fromkeys([*PER_FRAME, *(name for run in runs for name in run.counters)])
    metrics = [
        Metric("frame_p50", "ms", _frames, _percentile(50), TIMES),
        Metric("frame_p95", "ms", _frames, _percentile(95), TIMES),
        Metric("frame_p99", "ms", _frames, _percentile(99), TIMES),
        Metric("frame_mean", "ms", _frames, _mean, TIMES),
        Metric("fps", "1/s", _frames, _rate, TIMES, higher_is_better=True),
        Metric("gpu_mean", "ms", _gpu, _mean, TIMES),
        *(Metric(f"section_{name}", "ms", _section(name), _mean, TIMES) for name in sections),
        Metric("cpu_per_frame", "ms", _cpu, _mean, PROCESSOR),
        Metric("memory", "MB", _memory, _mean, MEMORY),
        *(Metric(name, "", _counter(name), _mean, EXACT, absent=0.0) for name in counters),
    ]
    return [m for m in metrics if any(m.runs(profile) is not None for profile in profiles)]


def _mean(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(samples.mean(axis=-1))


def _rate(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1e3 / np.maximum(samples.mean(axis=-1), 1e-9)


def _percentile(q: float) -> Statistic:
    return lambda samples: np.asarray(np.percentile(samples, q, axis=-1))


def _frames(run: Run) -> Column:
    return run.frame_ms


def _gpu(run: Run) -> Column | None:
    known = run.gpu_ms[np.isfinite(run.gpu_ms)]
    return known if len(known) else None


def _section(name: str) -> Callable[[Run], Column | None]:
    return lambda run: run.sections_ms.get(name)


def _counter(name: str) -> Callable[[Run], Column | None]:
    def known(run: Run) -> Column | None:
        counts = run.counters.get(name)
        return None if counts is None else counts[np.isfinite(counts)]

    return known


def _cpu(run: Run) -> Column | None:
    """Processor time of all threads per frame."""
    used = run.resources
    if len(used.seconds) < 2 or used.seconds[-1] <= used.seconds[0]:
        return None
    busy = (used.cpu_seconds[-1] - used.cpu_seconds[0]) / (used.seconds[-1] - used.seconds[0])
    return np.array([busy * float(run.frame_ms.mean())])


def _memory(run: Run) -> Column | None:
    sizes = run.resources.memory_bytes
    return sizes[-1:] / 1e6 if len(sizes) else None
