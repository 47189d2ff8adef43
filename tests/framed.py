"""Applications without a display, and where places on the plane are in their pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from calf_viz.hosts.stub import StubHost
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.config import VisualizationConfig

SMALL: dict[str, Any] = {"size": (640, 360), "trail_length": 48, "grid": 12, "headless": True}


def showing(source: Any = None, **changes: Any) -> CALFApplication:
    config = VisualizationConfig(**{**SMALL, **changes})
    return CALFApplication(config, source=source, host=StubHost)


def seen(app: CALFApplication, positions: np.ndarray) -> np.ndarray:
    """Where positions (n, 2) on the surface are in the picture, (n, 2): inside within -1 and 1."""
    scene, ground = app.host.scene, app.host.ground
    places = scene.frame.places(np.asarray(positions, np.float64))
    width, height = scene.size
    points = np.column_stack([places, ground.heights(places), np.ones(len(places))])
    clip = points @ scene.camera.view_projection(width / height).astype(np.float64).T
    assert (clip[:, 3] > 0).all(), "before the eye"
    assert (np.abs(clip[:, 2]) <= clip[:, 3]).all(), "between the clipping planes"
    return clip[:, :2] / clip[:, 3:]
