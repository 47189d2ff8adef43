"""The panel of one agent: what it does, and why it took its last step.

agent 7
state, rule, action, Q ...                rows, as of any panel
----------------------------
why: step 231                             the certificate's inequalities, by how much they hold
Q of actor, nominal, taken                the legend of the dots below
    |       . - * - .                     Q along each action, with those three on it
    |   .o             ` .
    |#### certified ####
   -3        action        3
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from calf_viz.hud import theme
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.layout import BOTTOM_RIGHT, Anchor, Rect
from calf_viz.hud.panel import Panel
from calf_viz.hud.plots import BAND
from calf_viz.hud.text import width
from calf_viz.hud.widgets import Values, baseline_of
from calf_viz.scene.paint import Paint, mode_tone

CERTIFIED, NOMINAL = 0, 2
"""Modes that have the colours of the actor's and the nominal policy's action."""
ACTOR, OTHER = Paint(mode_tone(CERTIFIED)), Paint(mode_tone(NOMINAL))
DOTS = (ACTOR, OTHER, None)
"""Of the actor's and the nominal policy's action; the one taken has a ring."""
TALL, DOT = 11, 2
"""Height of a plot's curve, and size of a dot, in units."""
MOST_WIDTH = 0.7
"""Of the room: in a small picture data matter more."""
MOST_PARTS = 33
"""Parts of an action's range: every other of its points."""
BEFORE_PLOTS = 3
"""Rows up to this rank are not left out for plots."""


class Plotted(NamedTuple):
    """Q along one action.

    Attributes:
        series: of the curve.
        low, high: texts at the left and at the right end.
        name: of the action.
        dots: place of the actor's, the nominal policy's and the taken action: along it, and in
            height, each from 0 to 1.
        certified: where along it the certificate would have agreed, as pairs from 0 to 1, at most
            `MOST_PARTS`.
        threshold: height from 0 to 1 of the least Q that is certified; None if it is not in sight.
    """

    series: str
    name: str
    low: str
    high: str
    dots: Sequence[tuple[float, float]]
    certified: Sequence[tuple[float, float]]
    threshold: float | None


@dataclass
class AgentPanel(Panel):
    """Rows, and plots below them if there is room.

    Attributes:
        plots: what to plot; a new number of them needs a new layout.
    """

    anchor: Anchor = BOTTOM_RIGHT
    passing = True
    share = (0.45, 0.75)
    plots: Sequence[Plotted] = ()
    _plotted: int = 0
    _boxes: list[Rect] = field(default_factory=list, repr=False)
    _items: list[list[int]] = field(default_factory=list, repr=False)

    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        each = self._plot_height(canvas)
        self._plotted = len(self.plots)
        # Plots matter more than what the rows of the highest ranks say.
        rows = [row for row in self.rows if row.key in values and row.rank <= BEFORE_PLOTS]
        needed = self._height(canvas, rows)
        while self._plotted and needed + each * self._plotted > room[1]:
            self._plotted -= 1
        found = super().measure(canvas, values, (room[0], room[1] - each * self._plotted))
        if found is None or found[0] > MOST_WIDTH * room[0]:
            return None
        return found[0], found[1] + each * self._plotted

    def _plot_height(self, canvas: Canvas) -> int:
        unit = canvas.metrics.unit
        return (TALL + BAND + 4) * unit + canvas.face("small").height

    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        super().draw(canvas, values, rect)
        unit, each = canvas.metrics.unit, self._plot_height(canvas)
        self._boxes, self._items = [], []
        left, extent = rect.x + 3 * unit, rect.width - 6 * unit
        y = rect.bottom - each * self._plotted - unit
        for plot in self.plots[: self._plotted]:
            box = Rect(left, y + unit, extent, TALL * unit)
            self._draw_plot(canvas, plot, box)
            y += each

    def _draw_plot(self, canvas: Canvas, plot: Plotted, box: Rect) -> None:
        unit, line = canvas.metrics.unit, canvas.metrics.line
        for edge in (box.y, box.bottom):
            canvas.rectangle(Rect(box.x, edge, box.width, line), theme.FAINT)
        items = [canvas.rectangle(*self._threshold(canvas, plot, box))]
        canvas.curve(box, plot.series, 1.5 * canvas.metrics.scale, Paint(theme.BRIGHT))
        items += [
            canvas.rectangle(rect, paint, radius)
            for rect, paint, radius in self._dots(canvas, plot, box)
        ]
        canvas.rectangle(self._band(canvas, box), theme.GROUND)
        items += [canvas.rectangle(*part) for part in self._parts(canvas, plot, box)]
        self._boxes.append(box)
        self._items.append(items)
        face = canvas.face("small")
        top = box.bottom + (BAND + 1) * unit
        baseline = baseline_of(canvas, "small", top, face.height)
        room = box.width // 4
        canvas.label(plot.low, "small", box.x, baseline, theme.QUIET, room)
        canvas.label(plot.high, "small", box.right, baseline, theme.QUIET, room, "right")
        between = box.width - 2 * max(width(face, plot.low), width(face, plot.high)) - 2 * unit
        middle = box.x + box.width // 2
        canvas.label(plot.name, "small", middle, baseline, theme.QUIET, between, "centre")

    @staticmethod
    def _threshold(canvas: Canvas, plot: Plotted, box: Rect) -> tuple[Rect, Paint]:
        if plot.threshold is None:
            return Rect(box.x, box.bottom, box.width, 1), Paint(0, 0.0)
        y = round(box.bottom - plot.threshold * box.height)
        return Rect(box.x, y, box.width, canvas.metrics.line), Paint(theme.ACCENT, 0.8)

    @staticmethod
    def _band(canvas: Canvas, box: Rect) -> Rect:
        unit = canvas.metrics.unit
        return Rect(box.x, box.bottom + unit, box.width, BAND * unit)

    def _parts(self, canvas: Canvas, plot: Plotted, box: Rect) -> list[tuple[Rect, Paint]]:
        """Those that are certified, and as many without width as there might be more."""
        band = self._band(canvas, box)
        found = []
        for start, end in plot.certified:
            left, right = (band.x + round(at * band.width) for at in (start, end))
            found.append((band._replace(x=left, width=max(right - left, 1)), ACTOR))
        nothing = band._replace(width=0), Paint(0, 0.0)
        return [*found, *[nothing] * (MOST_PARTS - len(found))]

    @staticmethod
    def _dots(canvas: Canvas, plot: Plotted, box: Rect) -> list[tuple[Rect, Paint, float]]:
        """The ring last, around the others."""
        unit = canvas.metrics.unit
        found = []
        for (along, height), paint in zip(plot.dots, DOTS, strict=True):
            size = DOT * unit if paint is not None else (2 * DOT - 1) * unit
            x = round(box.x + along * box.width) - size // 2
            y = round(box.bottom - height * box.height) - size // 2
            ring = Paint(0, 0.0, 0.375 * unit, theme.BRIGHT)
            found.append((Rect(x, y, size, size), paint or ring, 0.5 * size))
        return found

    def update(self, canvas: Canvas, values: Values) -> None:
        super().update(canvas, values)
        for plot, box, items in zip(self.plots, self._boxes, self._items, strict=False):
            threshold, *moving = items
            canvas.move(threshold, *self._threshold(canvas, plot, box))
            dots, parts = self._dots(canvas, plot, box), self._parts(canvas, plot, box)
            for item, dot in zip(moving, dots, strict=False):
                canvas.move(item, *dot)
            for item, part in zip(moving[len(dots) :], parts, strict=True):
                canvas.move(item, *part)
