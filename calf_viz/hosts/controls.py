"""Mouse and keys that move the camera around the scene."""

from __future__ import annotations

import math
from typing import Any

from calf_viz.render.scene import Scene

TURN = math.radians(0.4)
"""Turn of the camera for a pixel dragged."""
WHEEL = 0.9
"""Factor of the distance for a notch of the wheel."""


class OrbitControls:
    """Drag to orbit, wheel to zoom, r for the view at start, t to look from above."""

    def __init__(self, app: Any, scene: Scene) -> None:
        """app: Ursina's application, whose mouse and keys are listened to."""
        self.app, self.scene = app, scene
        self.dragged_from: tuple[float, float] | None = None
        camera = scene.camera
        app.accept("mouse1", self._press)
        app.accept("mouse1-up", self._release)
        app.accept("wheel_up", camera.zoom, [WHEEL])
        app.accept("wheel_down", camera.zoom, [1.0 / WHEEL])
        app.accept("r", camera.reset)
        app.accept("t", camera.top_view)

    def _pointer(self) -> tuple[float, float] | None:
        pointer = self.app.win.get_pointer(0)
        return (pointer.get_x(), pointer.get_y()) if pointer.get_in_window() else None

    def _press(self) -> None:
        self.dragged_from = self._pointer()

    def _release(self) -> None:
        self.update()
        self.dragged_from = None

    def update(self) -> None:
        """Once per frame: turns the camera by what the mouse was dragged since the last."""
        if self.dragged_from is None:
            return
        now = self._pointer()
        if now is None:
            return
        (x0, y0), (x1, y1) = self.dragged_from, now
        self.scene.camera.orbit(-TURN * (x1 - x0), TURN * (y1 - y0))
        self.dragged_from = now
