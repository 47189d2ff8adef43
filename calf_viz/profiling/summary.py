"""Summarises the raw samples of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from calf_viz.profiling.resources import slope
from calf_viz.profiling.run import Column, Resources, Run

NAN = float("nan")

PER_FRAME = (
    "critic_queries",
    "mesh_updates",
    "draw_calls",
    "ring_draws",
    "hud_draws",
    "pick_draws",
    "upload_bytes",
    "policy_queries",
)
"""Counters reported as means over the frames, 0 if never counted."""
LATEST = ("vertices", "entities")
"""Counters reported for the last frame."""


def summarise(run: Run) -> dict[str, Any]:
    """The figures documented in `PerformanceProfiler.get_stats`; NaN if unknown."""
    return {
        "n_frames": len(run),
        **_frame_times(run),
        **_gpu(run),
        "sections": _sections(run),
        "unaccounted_share": _unaccounted(run),
        **_resources(run.resources),
        **_counters(run),
    }


def _frame_times(run: Run) -> dict[str, float]:
    names = ("avg", "min", "p50", "p95", "p99", "max")
    if len(run) == 0:
        return dict.fromkeys(["fps_avg", "fps_min", *(f"frame_time_{n}_ms" for n in names)], NAN)
    times = run.frame_ms
    mean, longest = float(times.mean()), float(times.max())
    values = (mean, times.min(), *np.percentile(times, (50, 95, 99)), longest)
    return {
        "fps_avg": _rate(mean),
        "fps_min": _rate(longest),
        **{f"frame_time_{name}_ms": float(x) for name, x in zip(names, values, strict=True)},
    }


def _rate(milliseconds: float) -> float:
    return 1e3 / milliseconds if milliseconds > 0.0 else NAN


def _gpu(run: Run) -> dict[str, float]:
    known = run.gpu_ms[np.isfinite(run.gpu_ms)]
    p95 = float(np.percentile(known, 95)) if len(known) else NAN
    return {"gpu_time_avg_ms": _mean(known), "gpu_time_p95_ms": p95}


def _sections(run: Run) -> dict[str, dict[str, float]]:
    whole = float(run.frame_ms.sum())
    return {
        name: {
            "mean_ms": float(times.mean()),
            "own_ms": float(run.own_ms[name].mean()),
            "p95_ms": float(np.percentile(times, 95)),
            "share": float(run.own_ms[name].sum()) / whole if whole > 0.0 else 0.0,
        }
        for name, times in run.sections_ms.items()
        if len(times)
    }


def _unaccounted(run: Run) -> float:
    whole = float(run.frame_ms.sum())
    if whole <= 0.0:
        return NAN
    return 1.0 - sum(float(own.sum()) for own in run.own_ms.values()) / whole


def _resources(used: Resources) -> dict[str, float]:
    cpu = memory = growth = NAN
    if len(used.seconds):
        memory = float(used.memory_bytes[-1]) / 1e6
        span = float(used.seconds[-1] - used.seconds[0])
        if span > 0.0:
            cpu = 100.0 * float(used.cpu_seconds[-1] - used.cpu_seconds[0]) / span
        per_second = slope(used.seconds, used.memory_bytes)
        growth = 60.0 * per_second / 1e6
    return {"cpu_percent": cpu, "memory_mb": memory, "memory_growth_mb_per_minute": growth}


def _counters(run: Run) -> dict[str, float]:
    figures: dict[str, float] = {}
    none = np.zeros(len(run))
    for name in dict.fromkeys((*PER_FRAME, *run.counters)):
        if name not in LATEST:
            figures[f"{name}_per_frame"] = _mean(run.counters.get(name, none))
    for name in LATEST:
        counts = run.counters.get(name)
        figures[name] = NAN if counts is None or not len(counts) else float(counts[-1])
    return figures


def _mean(values: Column) -> float:
    return float(values.mean()) if len(values) else NAN
