"""Small plots, stacked in a panel; the GPU draws their curves from `Series`.

title                      value
▬ key  ▬ of each curve
 head +-----------------------+
      | curves                |
 foot +-----------------------+
      |#### band #############|     if there is one
      begin                 end
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from calf_viz.hud import theme
from calf_viz.hud.canvas import Canvas, Label
from calf_viz.hud.layout import BOTTOM_RIGHT, Anchor, Rect
from calf_viz.hud.text import width
from calf_viz.hud.widgets import VALUE_CAPACITY, Values, Widget, backing, baseline_of
from calf_viz.scene.paint import Paint, Shade

CURVE_WIDTH = 1.5
"""Width of a curve at scale 1 [px]."""
BAND = 1
"""Height of a band, in units."""
GUTTER = 11
"""Least width for the scale's numbers beside the curves, in units."""
STROKE, STRIP = 3, 2
"""Length of a key's stroke, and height of a band's, in units."""


@dataclass(frozen=True)
class Curve:
    """A series as a line; `name` in the key."""

    series: str
    paint: Paint
    width: float = CURVE_WIDTH
    name: str = ""


@dataclass(frozen=True)
class Plot:
    """Curves over the same samples and on one scale; `key` is that of the text beside the title.

    The texts with the suffixes `_head` and `_foot` are the scale's numbers, that with `_end` is at
    the right end of `begin`'s axis; each is optional.
    """

    key: str
    title: str
    curves: Sequence[Curve]
    band: str | None = None
    """Series whose colours are shown below the curves."""
    band_key: tuple[str, Sequence[Shade]] | None = None
    """Name and colours of the band in the key."""
    begin: str = "0"

    @property
    def entries(self) -> list[tuple[str, list[Paint], bool]]:
        """Entries of its key: name, colours, and whether it is the band's."""
        found = [(curve.name, [curve.paint], False) for curve in self.curves if curve.name]
        if self.band_key is not None:
            found.append((self.band_key[0], list(map(Paint, self.band_key[1])), True))
        return found


@dataclass
class Plots(Widget):
    """As many plots as fit; those without a text are not shown."""

    name: str
    plots: Sequence[Plot]
    anchor: Anchor = BOTTOM_RIGHT
    columns: int = 68
    narrowest: int = 56
    tall: int = 14
    shortest: int = 7
    """Width of all plots, and largest and least height of each one's curves, in units."""
    share = (0.45, 0.5)
    _tall: int = 14
    _gutter: int = 0
    _shown: list[Plot] = field(default_factory=list, repr=False)
    _labels: dict[str, Label] = field(default_factory=dict, repr=False)

    @property
    def fitted(self) -> Sequence[str]:
        return [f"{plot.key}{end}" for plot in self.plots for end in ("_head", "_foot")]

    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        unit = canvas.metrics.unit
        extent = min(self.columns * unit, max(room[0], self.narrowest * unit))
        shown = [plot for plot in self.plots if plot.key in values]
        self._tall = self.shortest
        while shown and self._height(canvas, values, shown) > room[1]:
            shown.pop()
        self._shown = shown
        small = canvas.face("small")
        numbers = (values[key] for key in self.fitted if key in values)
        widest = max((width(small, number) for number in numbers), default=0)
        self._gutter = min(max(GUTTER * unit, widest + unit), extent // 3)
        if not shown or extent > room[0]:
            return None
        spare = room[1] - self._height(canvas, values, shown)
        higher = spare // (len(shown) * unit)
        self._tall = min(self.shortest + higher, self.tall)
        return extent, self._height(canvas, values, shown)

    def _line(self, canvas: Canvas) -> int:
        return max(4 * canvas.metrics.unit, canvas.face("small").height)

    def _height(self, canvas: Canvas, values: Values, plots: Sequence[Plot]) -> int:
        unit, line = canvas.metrics.unit, self._line(canvas)
        heights = (
            line * (1 + bool(plot.entries) + (f"{plot.key}_end" in values))
            + unit * (self._tall + 3 + (BAND + 1) * (plot.band is not None))
            for plot in plots
        )
        return sum(heights) + 2 * unit

    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        unit = canvas.metrics.unit
        backing(canvas, rect)
        y = rect.y + unit
        self._labels = {}
        for plot in self._shown:
            y = self._draw_plot(canvas, values, plot, Rect(rect.x, y, rect.width, 0))

    def _draw_plot(self, canvas: Canvas, values: Values, plot: Plot, at: Rect) -> int:
        """Draw a plot from the top of `at`; returns where it ends."""
        unit, line = canvas.metrics.unit, self._line(canvas)
        left, right, y = at.x + 3 * unit, at.right - 3 * unit, at.y
        baseline = baseline_of(canvas, "small", y, line)
        canvas.label(plot.title, "small", left, baseline, theme.BRIGHT, right - left)
        room = right - left - width(canvas.face("small"), plot.title) - 2 * unit
        self._label(canvas, values, plot.key, right, baseline, max(room, 0), theme.BRIGHT)
        y += line
        if plot.entries:
            self._draw_key(canvas, plot, Rect(left, y, right - left, line))
            y += line
        y += unit
        begin = left + self._gutter * (f"{plot.key}_head" in values)
        box = Rect(begin, y, right - begin, self._tall * unit)
        for edge in (box.y, box.bottom):
            canvas.rectangle(Rect(box.x, edge, box.width, canvas.metrics.line), theme.FAINT)
        for curve in plot.curves:
            canvas.curve(box, curve.series, curve.width * canvas.metrics.scale, curve.paint)
        capital = canvas.face("small").cap_height
        for key, foot in (("_head", box.y + capital), ("_foot", box.bottom)):
            beside = self._gutter - unit
            self._label(canvas, values, plot.key + key, begin - unit, foot, beside, theme.QUIET)
        y = box.bottom + unit
        if plot.band is not None:
            canvas.band(Rect(box.x, y, box.width, BAND * unit), plot.band)
            y += (BAND + 1) * unit
        if f"{plot.key}_end" in values:
            baseline = y + capital
            canvas.label(plot.begin, "small", box.x, baseline, theme.QUIET, box.width // 3)
            self._label(
                canvas, values, f"{plot.key}_end", right, baseline, box.width // 2, theme.QUIET
            )
            y += line
        return y + unit

    def _label(
        self,
        canvas: Canvas,
        values: Values,
        key: str,
        x: int,
        baseline: int,
        room: int,
        colour: Shade,
    ) -> None:
        """Draw a text, left of x, that changes in place; nothing if it has no value."""
        if key in values:
            self._labels[key] = canvas.label(
                values[key], "small", x, baseline, colour, room, "right", 2 * VALUE_CAPACITY
            )

    def _draw_key(self, canvas: Canvas, plot: Plot, rect: Rect) -> None:
        """Draw as many strokes with names as fit."""
        unit, face = canvas.metrics.unit, canvas.face("small")
        baseline = baseline_of(canvas, "small", rect.y, rect.height)
        middle = baseline - (face.cap_height + 1) // 2
        x = rect.x
        for name, paints, is_band in plot.entries:
            after = x + (STROKE + 1) * unit
            if after + width(face, name) > rect.right:
                break
            thick = STRIP * unit if is_band else max(2, round(0.5 * unit))
            each = STROKE * unit // len(paints)
            for number, paint in enumerate(paints):
                canvas.rectangle(Rect(x + number * each, middle - thick // 2, each, thick), paint)
            canvas.label(name, "small", after, baseline, theme.QUIET, rect.width)
            x = after + width(face, name) + 2 * unit

    def update(self, canvas: Canvas, values: Values) -> None:
        for key, label in self._labels.items():
            canvas.change(label, values.get(key, ""))
