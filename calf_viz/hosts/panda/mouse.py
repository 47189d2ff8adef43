"""The mouse that moves the camera around the scene, and points at agents; keys are in
calf_viz/hud/keys.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

from calf_viz.scene.scene import Scene

PANS = ("shift-mouse1", "mouse2", "mouse3")
"""Buttons that pan: the left one with shift, the middle and the right one."""
TURN = math.radians(0.4)
"""Rotation of the camera per pixel dragged."""
WHEEL = 0.9
"""Factor of the distance per notch of the wheel."""
STILL = 3.0
"""Pixels that a click may move: beyond, it drags."""


class Panels(Protocol):
    """Receives the mouse where it is captured: the HUD; and, elsewhere, where it points."""

    def press(self, x: float, y: float) -> None: ...
    def drag(self, x: float, y: float) -> None: ...
    def release(self) -> None: ...
    def hover(self, x: float, y: float) -> None: ...
    def leave(self) -> None: ...
    def click(self, x: float, y: float) -> None: ...


class OrbitControls:
    """Drag to orbit, drag with shift or another button to pan, scroll to zoom, except over what
    captures the mouse."""

    def __init__(
        self,
        app: Any,
        scene: Scene,
        captured: Callable[[float, float], bool] = lambda x, y: False,
        panels: Panels | None = None,
    ) -> None:
        """Attach to the mouse.

        Args:
            app: Ursina's application, which provides the mouse.
            scene: the scene whose camera moves.
            captured: whether something else, such as a panel, has the mouse at a pixel.
            panels: receives the left button then; and elsewhere a mouse that moves without a
                button, or clicks.
        """
        self.app, self.scene, self.captured = app, scene, captured
        self.panels, self._panel_pressed = panels, False
        self.dragged_from: tuple[float, float] | None = None
        self._button, self._pans = "", False
        self._click: tuple[float, float] | None = None  # where one began
        self._hovered: tuple[float, float] | None = None
        for event in ("mouse1", *PANS):
            app.accept(event, self._press, [event])
        for button in sorted({event.rpartition("-")[2] for event in ("mouse1", *PANS)}):
            app.accept(f"{button}-up", self._release, [button])
        app.accept("wheel_up", self._zoom, [WHEEL])
        app.accept("wheel_down", self._zoom, [1.0 / WHEEL])

    def _pointer(self) -> tuple[float, float] | None:
        pointer = self.app.win.get_pointer(0)
        return (pointer.get_x(), pointer.get_y()) if pointer.get_in_window() else None

    def _is_captured(self) -> bool:
        pointer = self._pointer()
        return pointer is not None and self.captured(*pointer)

    def _zoom(self, factor: float) -> None:
        if not self._is_captured():
            self.scene.camera.zoom(factor)

    def _press(self, event: str) -> None:
        if self._button:  # one button at a time: the last one
            self._release(self._button)
        self._button, self._pans = event.rpartition("-")[2], event in PANS
        pointer = self._pointer()
        captured = self._is_captured()
        self.dragged_from = None if captured else pointer
        self._click = pointer if event == "mouse1" and not captured else None
        self._panel_pressed = captured and not self._pans and self.panels is not None
        if self._panel_pressed and self.panels is not None and pointer is not None:
            self.panels.press(*pointer)

    def _release(self, button: str) -> None:
        if button != self._button:
            return
        self.update()
        self._button, self.dragged_from = "", None
        if self._click is not None and self.panels is not None:
            self.panels.click(*self._click)
        self._click = None
        if self._panel_pressed and self.panels is not None:
            self.panels.release()
        self._panel_pressed = False

    def update(self) -> None:
        """Called once per frame: move the camera by how far the mouse was dragged since the last
        one, or pass that to a panel."""
        if self._panel_pressed and self.panels is not None:
            pointer = self._pointer()
            if pointer is not None:
                self.panels.drag(*pointer)
        if self._button == "":
            self._hover()
        if self.dragged_from is None:
            return
        now = self._pointer()
        if now is None:
            return
        if self._click is not None and math.dist(self._click, now) > STILL:
            self._click = None
        (x0, y0), (x1, y1) = self.dragged_from, now
        camera = self.scene.camera
        if not self._pans:
            camera.orbit(-TURN * (x1 - x0), TURN * (y1 - y0))
        elif now != self.dragged_from:
            unit = 1.0 / camera.pixels_per_unit(self.scene.size)
            camera.pan(unit * (x1 - x0), unit * (y0 - y1))
        self.dragged_from = now

    def _hover(self) -> None:
        """Tell where the mouse points, if that changed."""
        pointer, panels = self._pointer(), self.panels
        if pointer == self._hovered or panels is None:
            return
        over = self._hovered is not None
        self._hovered = None if pointer is None or self.captured(*pointer) else pointer
        if self._hovered is not None:
            panels.hover(*self._hovered)
        elif over:
            panels.leave()
