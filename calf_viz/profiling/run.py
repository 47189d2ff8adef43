"""The raw samples of one run, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


def _nothing() -> Column:
    return np.zeros(0)


@dataclass
class Resources:
    """Resource use of the process, sampled rarely; all (samples,)."""

    seconds: Column = field(default_factory=_nothing)
    """Time of the sample, on the clock of `Run.start_s`."""
    cpu_seconds: Column = field(default_factory=_nothing)
    """Processor time used so far by all threads [s]."""
    memory_bytes: Column = field(default_factory=_nothing)
    """Resident memory."""


@dataclass
class Run:
    """Frames in order, warm-up left out; every column is (frames,)."""

    start_s: Column
    """Start of each frame [s]; the clock's zero is arbitrary."""
    frame_ms: Column
    """Duration of each frame."""
    sections_ms: dict[str, Column] = field(default_factory=dict)
    """Time in each section, nested ones included."""
    own_ms: dict[str, Column] = field(default_factory=dict)
    """Time in each section, nested ones excluded, so that nothing is counted twice."""
    counters: dict[str, Column] = field(default_factory=dict)
    """Counts in each frame."""
    gpu_ms: Column = field(default_factory=_nothing)
    """Time on the GPU, NaN if unknown."""
    resources: Resources = field(default_factory=Resources)

    def __len__(self) -> int:
        return len(self.frame_ms)
