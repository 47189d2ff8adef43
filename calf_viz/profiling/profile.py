"""A profile: the runs of one configuration on one machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from calf_viz.errors import UserError
from calf_viz.profiling.run import Run
from calf_viz.profiling.summary import summarise


@dataclass
class Profile:
    """One or more runs; what is told is `reported`, and the others say how far runs differ."""

    runs: list[Run]
    reported: int
    """Index of the run with the median frame time."""
    configuration: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    created: str = ""
    """ISO 8601, with the time zone."""

    @classmethod
    def of(cls, runs: list[Run], configuration: dict[str, Any], machine: dict[str, Any]) -> Profile:
        """A profile made now. Raises UserError where a run holds no sample."""
        if not runs or not all(len(run) for run in runs):
            raise UserError("no frame was measured yet: profile for longer than the warm-up")
        medians = [float(np.median(run.frame_ms)) for run in runs]
        reported = int(np.argsort(medians)[(len(runs) - 1) // 2])
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        return cls(runs, reported, configuration, machine, now)

    @property
    def run(self) -> Run:
        """The run reported."""
        return self.runs[self.reported]

    @property
    def summary(self) -> dict[str, Any]:
        """What the run reported amounts to; see `PerformanceProfiler.get_stats`."""
        return summarise(self.run)
