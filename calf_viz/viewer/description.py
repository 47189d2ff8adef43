"""Describes the measured application for a profile."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from calf_viz.hosts.base import Host
from calf_viz.profiling.profiler import Description
from calf_viz.viewer.config import VisualizationConfig


def describe(config: VisualizationConfig, host: Host) -> Description:
    """The configuration, as resolved on this machine."""
    rows, columns = host.heightfield.shape
    settings = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(config).items()
    }
    found = {
        "renderer": host.design,
        "window": host.has_window,
        "size": list(host.scene.size),
        "grid": [columns - 1, rows - 1],
    }
    return Description({**settings, **found}, host.renderer, host.gl_version)
