"""Comparing two profiles: which differences the samples show, and which they do not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from calf_viz.errors import UserError, shown
from calf_viz.profiling.bootstrap import resampled
from calf_viz.profiling.metrics import Metric
from calf_viz.profiling.profile import Profile

BETTER, WORSE, SAME, ONLY_A, ONLY_B = "better", "worse", "no difference", "only in A", "only in B"
CONFIDENCE = 0.99
"""Confidence of each interval; above the usual 0.95, as a dozen metrics are judged at once."""
DRAWS = 2000
SEED = 0
MUST_AGREE = (
    ("machine", "cpu"),
    ("machine", "cores"),
    ("machine", "gl_renderer"),
    ("configuration", "system"),
    ("configuration", "size"),
    ("configuration", "n_agents"),
)
"""If two profiles differ in any of these, their figures are not comparable."""


class IncomparableError(UserError):
    """Two profiles with different machines, picture sizes, systems or numbers of agents."""

    exit_code = 3


@dataclass(frozen=True)
class Verdict:
    """The verdict on one metric in A and B."""

    metric: str
    unit: str
    a: float | None
    b: float | None
    change: float | None
    """(b - a) / a; None if one is missing, infinite if only a is 0."""
    interval: tuple[float, float] | None
    """Interval of the change at `CONFIDENCE`, widened by the metric's resolution."""
    verdict: str
    worsening: tuple[float, float] | None
    """The interval with its sign such that positive is worse, for any metric."""

    def is_worse_by(self, margin: float) -> bool:
        """Whether it is shown to be worse by more than a margin (0.1 for 10 %)."""
        return self.verdict == WORSE and self.worsening is not None and self.worsening[0] > margin


@dataclass(frozen=True)
class Comparison:
    """Two profiles and the verdicts on their metrics, in a fixed order."""

    a: Profile
    b: Profile
    names: tuple[str, str]
    read: tuple[Path, ...]
    """The files that they come from, which a report must not replace."""
    verdicts: list[Verdict]
    differences: list[str]
    """Other differences, in machine, packages and configuration, as `what: A, B`."""
    forced: list[str]
    """The differences that make the profiles incomparable."""

    def __getitem__(self, metric: str) -> Verdict:
        """The verdict on a metric. Raises UserError, listing the metrics, for an unknown one."""
        for verdict in self.verdicts:
            if verdict.metric == metric:
                return verdict
        known = ", ".join(verdict.metric for verdict in self.verdicts)
        raise UserError(f"unknown metric '{shown(metric)}': choose one of {known}")


def judge(metric: Metric, a: Profile, b: Profile, draws: int = DRAWS, seed: int = SEED) -> Verdict:
    """The verdict on one metric."""
    value_a, value_b = metric.value(a), metric.value(b)
    runs_a, runs_b = metric.runs(a), metric.runs(b)
    if value_a is None or value_b is None or runs_a is None or runs_b is None:
        only = ONLY_B if value_a is None else ONLY_A
        return Verdict(metric.name, metric.unit, value_a, value_b, None, None, only, None)
    rng = np.random.default_rng(seed)
    of_a = resampled(runs_a, metric.statistic, draws, rng)
    of_b = resampled(runs_b, metric.statistic, draws, rng)
    changes = [_change(x, y) for x, y in zip(of_a.tolist(), of_b.tolist(), strict=True)]
    tail = (1.0 - CONFIDENCE) / 2.0
    # Without interpolation, as a change from 0 is infinite.
    low, high = np.quantile(changes, (tail, 1.0 - tail), method="inverted_cdf").tolist()
    interval = low - metric.resolution, high + metric.resolution
    worsening = (-interval[1], -interval[0]) if metric.higher_is_better else interval
    verdict = WORSE if worsening[0] > 0.0 else BETTER if worsening[1] < 0.0 else SAME
    change = _change(value_a, value_b)
    return Verdict(metric.name, metric.unit, value_a, value_b, change, interval, verdict, worsening)


def _change(a: float, b: float) -> float:
    if a == b:
        return 0.0
    return math.inf if a == 0.0 else (b - a) / a


def difference(a: Profile, b: Profile, part: str, key: str) -> str | None:
    """How the two differ in a value, as `what: A, B`; None if they agree."""
    here, there = (getattr(profile, part).get(key) for profile in (a, b))
    return None if here == there else f"{key}: {short(here)}, {short(there)}"


def differences(a: Profile, b: Profile) -> list[str]:
    """All differences of machine, packages and configuration."""
    found = []
    for part in ("machine", "configuration"):
        here, there = _flat(getattr(a, part)), _flat(getattr(b, part))
        for key in {**here, **there}:
            if here.get(key) != there.get(key):
                found.append(f"{shown(key)}: {short(here.get(key))}, {short(there.get(key))}")
    return found


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """With nested dictionaries replaced by their entries."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat.update(value if isinstance(value, dict) else {key: value})
    return flat


def short(value: Any) -> str:
    """A value of the configuration as a short text."""
    if isinstance(value, list):
        return shown("x".join(map(shown, value)))
    return "none" if value is None else shown(value)
