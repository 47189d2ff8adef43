"""The timeline at the foot: where in a recording the picture is, under the mouse.

critics  |      |     |   |        a tick where each begins
         ====o------------------   played, and still to come
12.30 s, step 1,230 of 90,000
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from calf_viz.hud import theme
from calf_viz.hud.canvas import Canvas, Label
from calf_viz.hud.layout import BOTTOM_LEFT, Anchor, Rect
from calf_viz.hud.widgets import Values, Widget, backing, baseline_of
from calf_viz.scene.paint import Paint


@dataclass
class Timeline(Widget):
    """Shows a fraction of the whole, and takes another one from the mouse.

    Attributes:
        at: the fraction shown, 0 to 1; takes effect with the next change of the text.
        ticks: fractions where something begins.
        wanted: what the mouse asked for, until it is taken.
    """

    name: str = "timeline"
    key: str = "timeline"
    """The text below it."""
    anchor: Anchor = BOTTOM_LEFT
    share = (0.6, 0.14)
    at: float = 0.0
    ticks: Sequence[float] = ()
    wanted: float | None = None
    _track: Rect = field(default=Rect(0, 0, 0, 0), repr=False)
    _items: tuple[int, int] = field(default=(0, 0), repr=False)
    _label: Label | None = field(default=None, repr=False)

    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        unit = canvas.metrics.unit
        height = 8 * unit + canvas.face("small").height
        if self.key not in values or room[0] < 40 * unit or room[1] < height:
            return None
        return room[0], height

    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        unit = canvas.metrics.unit
        backing(canvas, rect)
        track = self._track = Rect(
            rect.x + 3 * unit, rect.y + 4 * unit, rect.width - 6 * unit, unit
        )
        canvas.rectangle(track, theme.GROOVE, 0.5 * unit)
        places = sorted({self._place(tick) for tick in self.ticks})
        for x in places:  # more than one at a pixel are one
            top = track.y - 2 * unit
            canvas.rectangle(Rect(x, top, canvas.metrics.line, 2 * unit), theme.QUIET)
        self._items = (
            canvas.rectangle(self._played(unit), Paint(theme.ACCENT, 0.9), 0.5 * unit),
            canvas.rectangle(self._knob(unit), Paint(theme.BRIGHT), 1.5 * unit),
        )
        baseline = baseline_of(
            canvas, "small", track.bottom + unit, rect.bottom - track.bottom - unit
        )
        text = values[self.key]
        self._label = canvas.label(
            text, "small", track.x, baseline, theme.QUIET, track.width, capacity=len(text) + 24
        )

    def update(self, canvas: Canvas, values: Values) -> None:
        unit = canvas.metrics.unit
        played, knob = self._items
        canvas.move(played, self._played(unit), Paint(theme.ACCENT, 0.9), 0.5 * unit)
        canvas.move(knob, self._knob(unit), Paint(theme.BRIGHT), 1.5 * unit)
        if self._label is not None:
            canvas.change(self._label, values.get(self.key, ""))

    def _place(self, fraction: float) -> int:
        return self._track.x + round(min(max(fraction, 0.0), 1.0) * self._track.width)

    def _played(self, unit: int) -> Rect:
        return self._track._replace(width=max(self._place(self.at) - self._track.x, 1))

    def _knob(self, unit: int) -> Rect:
        radius = 3 * unit // 2
        middle = self._track.y + self._track.height // 2
        return Rect(self._place(self.at) - radius, middle - radius, 2 * radius, 2 * radius)

    def press(self, x: float, y: float) -> None:
        self.drag(x, y)

    def drag(self, x: float, y: float) -> None:
        self.wanted = min(max((x - self._track.x) / max(self._track.width, 1), 0.0), 1.0)
