"""Small plots, one above the other in a panel; the GPU draws their curves from `Series`.

title                 value
+-------------------------+ head
| curves                  |
+-------------------------+ foot
|#### band ###############|         where there is one
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from calf_viz.hud import theme
from calf_viz.hud.canvas import Canvas, Label
from calf_viz.hud.layout import BOTTOM_RIGHT, Anchor, Rect
from calf_viz.hud.shape import Paint
from calf_viz.hud.widgets import VALUE_CAPACITY, Values, Widget, backing, baseline_of

CURVE_WIDTH = 1.5
"""px at scale 1."""
BAND = 1
"""Height of a band, in units."""


@dataclass(frozen=True)
class Curve:
    """A series as a line."""

    series: str
    paint: Paint
    width: float = CURVE_WIDTH


@dataclass(frozen=True)
class Plot:
    """Curves over the same samples; `key` of the text beside the title."""

    key: str
    title: str
    curves: Sequence[Curve]
    band: str | None = None
    """Series whose colours lie below the curves."""


@dataclass
class Plots(Widget):
    """Plots, as many as there is room for; those without a text are not shown."""

    name: str
    plots: Sequence[Plot]
    anchor: Anchor = BOTTOM_RIGHT
    columns: int = 56
    tall: int = 14
    """Width of all and height of each plot's curves, in units."""
    share = (0.45, 0.45)
    _shown: list[Plot] = field(default_factory=list, repr=False)
    _labels: dict[str, Label] = field(default_factory=dict, repr=False)

    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        width = self.columns * canvas.metrics.unit
        shown = [plot for plot in self.plots if plot.key in values]
        while shown and self._height(canvas, shown) > room[1]:
            shown.pop()
        self._shown = shown
        return (width, self._height(canvas, shown)) if shown and width <= room[0] else None

    def _title_height(self, canvas: Canvas) -> int:
        return max(5 * canvas.metrics.unit, canvas.face("small").height)

    def _height(self, canvas: Canvas, plots: Sequence[Plot]) -> int:
        unit = canvas.metrics.unit
        bands = sum(plot.band is not None for plot in plots)
        each = self._title_height(canvas) + (self.tall + 2) * unit
        return len(plots) * each + (2 + bands * (BAND + 1)) * unit

    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        unit, title = canvas.metrics.unit, self._title_height(canvas)
        backing(canvas, rect)
        left, width = rect.x + 3 * unit, rect.width - 6 * unit
        y = rect.y + unit
        self._labels = {}
        for plot in self._shown:
            baseline = baseline_of(canvas, "small", y, title)
            canvas.label(plot.title, "small", left, baseline, theme.QUIET, width // 2)
            self._labels[plot.key] = canvas.label(
                values[plot.key], "small", left + width, baseline, theme.BRIGHT, width // 2 - unit,
                "right", 2 * VALUE_CAPACITY,
            )  # fmt: skip
            box = Rect(left, y + title, width, self.tall * unit)
            line = canvas.metrics.line
            for edge in (box.y, box.bottom):
                canvas.rectangle(Rect(left, edge, width, line), theme.FAINT)
            for curve in plot.curves:
                canvas.curve(box, curve.series, curve.width * canvas.metrics.scale, curve.paint)
            y = box.bottom + 2 * unit
            if plot.band is not None:
                canvas.band(Rect(left, box.bottom + unit, width, BAND * unit), plot.band)
                y += (BAND + 1) * unit

    def update(self, canvas: Canvas, values: Values) -> None:
        for key, label in self._labels.items():
            canvas.change(label, values.get(key, ""))
