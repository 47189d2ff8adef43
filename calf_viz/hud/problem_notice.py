"""A problem that is shown until it is solved: its location, a description, the line of code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from calf_viz.hud import theme
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.layout import BOTTOM_LEFT, Anchor, Rect
from calf_viz.hud.text import width, wrapped
from calf_viz.hud.widgets import Values, Widget, backing, baseline_of
from calf_viz.scene.paint import Shade

MOST_LINES = 6


@dataclass
class ProblemNotice(Widget):
    """Shown while the key `problem` has a text; `problem_code` is the line of code."""

    name: str = "problem"
    title: str = "error; the last look without one is shown"
    anchor: Anchor = BOTTOM_LEFT
    captures = False
    share = (0.7, 0.35)
    _lines: list[tuple[str, Shade]] = field(default_factory=list, repr=False)

    @property
    def fitted(self) -> Sequence[str]:
        return "problem", "problem_code"

    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        if "problem" not in values:
            return None
        unit, face = canvas.metrics.unit, canvas.face("body")
        inside = room[0] - 6 * unit
        lines: list[tuple[str, Shade]] = []
        lines += ((line, theme.BRIGHT) for line in wrapped(face, values["problem"], inside))
        code = values.get("problem_code", "")
        fit = min(MOST_LINES, (room[1] - 4 * unit) // self._row(canvas) - 1)
        self._lines = lines[: max(fit - bool(code), 1)] + ([(code, theme.QUIET)] if code else [])
        widest = max(
            width(canvas.face("title"), self.title), *(width(face, t) for t, _ in self._lines)
        )
        extent = (
            min(widest, inside) + 6 * unit,
            (1 + len(self._lines)) * self._row(canvas) + 4 * unit,
        )
        return extent if extent[1] <= room[1] else None

    def _row(self, canvas: Canvas) -> int:
        return max(5 * canvas.metrics.unit, canvas.face("body").height)

    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        unit, row = canvas.metrics.unit, self._row(canvas)
        backing(canvas, rect)
        left, y, room = rect.x + 3 * unit, rect.y + 2 * unit, rect.width - 6 * unit
        baseline = baseline_of(canvas, "title", y, row)
        canvas.label(self.title, "title", left, baseline, theme.ALARM, room)
        for text, colour in self._lines:
            y += row
            canvas.label(text, "body", left, baseline_of(canvas, "body", y, row), colour, room)

    def update(self, canvas: Canvas, values: Values) -> None:
        """Nothing to do: another problem needs another layout."""
