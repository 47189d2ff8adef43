"""Describes the measured application for a profile."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from calf_viz.hosts.base import Host
from calf_viz.profiling.profiler import Description
from calf_viz.recording.credentials import without_secrets
from calf_viz.settings import is_address
from calf_viz.viewer.config import VisualizationConfig

SIMULATED = ("policy", "checkpoint", "slice")
"""Settings of a simulation alone."""
LONGEST_NAME = 40
"""Characters, of up to four bytes: a file's name has 255 at most, with number, design and time."""


def file_name(title: str) -> str:
    """A title as part of a file's name: letters, digits, dots, hyphens and underscores."""
    return re.sub(r"[^\w.-]+", "_", title)[:LONGEST_NAME].strip("._-") or "source"


def plain(config: VisualizationConfig) -> dict[str, Any]:
    """All settings as JSON has them; addresses without passwords."""
    return {field.name: _plain(getattr(config, field.name)) for field in fields(config)}


def _plain(value: Any) -> Any:
    if is_address(value):
        return without_secrets(value)
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def describe(
    config: VisualizationConfig, host: Host, name: str, agents: int, simulated: bool
) -> Description:
    """The configuration, as resolved on this machine. name: of what is shown. simulated: whether
    that is a system of the configuration."""
    rows, columns = host.heightfield.shape
    settings = {
        name: value for name, value in plain(config).items() if simulated or name not in SIMULATED
    }
    found = {
        "system": name,
        "n_agents": agents,
        "renderer": host.design,
        "window": host.has_window,
        "size": list(host.scene.size),
        "grid": [columns - 1, rows - 1],
    }
    return Description({**settings, **found}, host.renderer, host.gl_version)
