"""The line of keys: what they do, at the picture's foot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calf_viz.hud import theme
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.layout import BOTTOM_LEFT, Anchor, Rect
from calf_viz.hud.text import width
from calf_viz.hud.widgets import Values, Widget, backing, baseline_of


@dataclass
class KeyLine(Widget):
    """Keys and what they do, on one line: as many as fit."""

    name: str
    keys: Sequence[tuple[str, str]]
    anchor: Anchor = BOTTOM_LEFT
    captures = False
    share = (0.5, 0.06)
    _shown: int = 0

    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        unit = canvas.metrics.unit
        extent, self._shown = 4 * unit, 0
        for key, does in self.keys:
            longer = extent + self._width(canvas, key, does) + (4 * unit if self._shown else 0)
            if longer > room[0]:
                break
            extent, self._shown = longer, self._shown + 1
        height = max(6 * unit, canvas.face("small").height + 2 * unit)
        return (extent, height) if self._shown and height <= room[1] else None

    def _width(self, canvas: Canvas, key: str, does: str) -> int:
        face = canvas.face("small")
        return width(face, key) + canvas.metrics.unit + width(face, does)

    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        unit, face = canvas.metrics.unit, canvas.face("small")
        backing(canvas, rect)
        baseline = baseline_of(canvas, "small", rect.y, rect.height)
        x = rect.x + 2 * unit
        for key, does in self.keys[: self._shown]:
            canvas.label(key, "small", x, baseline, theme.BRIGHT, rect.width)
            after = x + width(face, key) + unit
            canvas.label(does, "small", after, baseline, theme.QUIET, rect.width)
            x += self._width(canvas, key, does) + 4 * unit

    def update(self, canvas: Canvas, values: Values) -> None:
        """Nothing to do: keys do not change."""
