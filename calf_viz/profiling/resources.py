"""Processor time and memory of this process, sampled rarely, as a sample costs some 50 us."""

from __future__ import annotations

import math
from array import array
from typing import Any

import numpy as np

from calf_viz.profiling.run import Column, Resources

INTERVAL = 0.25  # s between samples at first
MOST_SAMPLES = 512  # then every second one is dropped, and the interval doubles
FEWEST = 5  # samples needed for a slope
MOST_POINTS = 128  # used for a slope, which considers every pair of them


class ResourceSampler:
    """Samples the resource use of a process, on the profiler's clock."""

    def __init__(self, process: Any = None) -> None:
        """process: a psutil.Process; this one, by default."""
        self._process = process
        self.interval = INTERVAL
        self._columns = (array("d"), array("d"), array("d"))

    def tick(self, now: float, interval: float | None = None) -> None:
        """Take a sample if the last is at least an interval old."""
        seconds = self._columns[0]
        if not seconds or now - seconds[-1] >= (self.interval if interval is None else interval):
            self.sample(now)

    def sample(self, now: float) -> None:
        """Take a sample."""
        if self._process is None:
            import psutil

            self._process = psutil.Process()
        with self._process.oneshot():
            times, memory = self._process.cpu_times(), self._process.memory_info()
        values = (now, times.user + times.system, memory.rss)
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)
        if len(self._columns[0]) > MOST_SAMPLES:
            for column in self._columns:
                del column[1::2]
            self.interval *= 2

    def resources(self) -> Resources:
        """A copy of the samples."""
        return Resources(*(np.array(column, dtype=np.float64) for column in self._columns))


def slope(x: Column, y: Column) -> float:
    """The median of the slopes between all pairs of points (Theil-Sen), which a few jumps or peaks
    do not sway. NaN for fewer than 5 samples."""
    if len(x) < FEWEST:
        return math.nan
    every = -(-len(x) // MOST_POINTS)
    x, y = x[::every], y[::every]
    i, j = np.triu_indices(len(x), 1)
    apart = x[j] > x[i]
    return (
        float(np.median((y[j] - y[i])[apart] / (x[j] - x[i])[apart])) if apart.any() else math.nan
    )
