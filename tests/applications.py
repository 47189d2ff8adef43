"""Small applications without a window."""

from __future__ import annotations

from typing import Any

from calf_viz import CALFApplication, PerformanceProfiler, VisualizationConfig

SMALL: dict[str, Any] = {"size": (192, 108), "grid": 16, "trail_length": 40, "headless": True}


def opened(profiler: PerformanceProfiler | None = None, **changes: Any) -> CALFApplication:
    """One of four agents, with a HUD."""
    return CALFApplication(VisualizationConfig(**{**SMALL, "n_agents": 4, **changes}), profiler)
