"""Small applications without a window, and how their pictures differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from calf_viz import CALFApplication, PerformanceProfiler, VisualizationConfig

SMALL: dict[str, Any] = {"size": (192, 108), "grid": 16, "trail_length": 40, "headless": True}
PICTURE: dict[str, Any] = {key: SMALL[key] for key in ("size", "grid", "trail_length")}
"""Settings of a small picture of a recording."""


def opened(profiler: PerformanceProfiler | None = None, **changes: Any) -> CALFApplication:
    """One of four agents, with a HUD."""
    return CALFApplication(VisualizationConfig(**{**SMALL, "n_agents": 4, **changes}), profiler)


def running(profiler: PerformanceProfiler | None = None, **changes: Any) -> CALFApplication:
    """One of as many agents as usual, without a HUD."""
    return CALFApplication(VisualizationConfig(**{**SMALL, "hud": False, **changes}), profiler)


def record(folder: str | Path, steps: int, **changes: Any) -> None:
    """Record some steps of one of four agents, without a HUD, in a folder or at an address."""
    with running(**{"n_agents": 4, "record": folder, **changes}) as app:
        for _ in range(steps):
            app.advance()


def apart(picture: np.ndarray, other: np.ndarray) -> float:
    """Share of the pixels that differ visibly."""
    return float((np.abs(picture.astype(int) - other).max(axis=2) > 40).mean())
