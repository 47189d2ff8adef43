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
    """One or more runs: one of them is reported, the others show how much runs vary."""

    runs: list[Run]
    reported: int
    """Index of the run with the median frame time."""
    configuration: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    created: str = ""
    """ISO 8601, with the time zone."""

    @classmethod
    def of(cls, runs: list[Run], configuration: dict[str, Any], machine: dict[str, Any]) -> Profile:
        """A profile created now. Raises UserError if a run has no samples."""
        if not runs or not all(len(run) for run in runs):
            raise UserError("no frame was measured yet: profile for longer than the warm-up")
        medians = [float(np.median(run.frame_ms)) for run in runs]
        reported = int(np.argsort(medians)[(len(runs) - 1) // 2])
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        return cls(runs, reported, configuration, machine, now)

    @property
    def run(self) -> Run:
        """The reported run."""
        return self.runs[self.reported]

    @property
    def summary(self) -> dict[str, Any]:
        """Summary of the reported run; see `PerformanceProfiler.get_stats`."""
        return summarise(self.run)
