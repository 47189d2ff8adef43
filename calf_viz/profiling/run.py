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
    """What the process used, sampled seldom; all (samples,)."""

    seconds: Column = field(default_factory=_nothing)
    """When, on the clock of `Run.start_s`."""
    cpu_seconds: Column = field(default_factory=_nothing)
    """Processor time used until then, of all threads [s]."""
    memory_bytes: Column = field(default_factory=_nothing)
    """Resident memory."""


@dataclass
class Run:
    """Frames in order, warm-up left out; every column is (frames,)."""

    start_s: Column
    """When each frame began [s]; the clock's zero means nothing."""
    frame_ms: Column
    """How long each frame took."""
    sections_ms: dict[str, Column] = field(default_factory=dict)
    """Time in each section, those within it included."""
    own_ms: dict[str, Column] = field(default_factory=dict)
    """Time in each section, those within it left out: these never count anything twice."""
    counters: dict[str, Column] = field(default_factory=dict)
    """What was counted in each frame."""
    gpu_ms: Column = field(default_factory=_nothing)
    """Time on the GPU, NaN where it is not known."""
    resources: Resources = field(default_factory=Resources)

    def __len__(self) -> int:
        return len(self.frame_ms)
