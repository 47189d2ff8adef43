"""The timeline at the foot: where among all steps the picture is, under the mouse.

marks       v        v                 where the user set them; between two, perhaps, the loop
critics  |      |     |   |            a tick where each begins
         ====o------------------       played, and still to come
modes    ########################      shares of the modes; dots: episodes begin
12.30 s, step 1,230 of 90,000
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from calf_viz.hud import theme
from calf_viz.hud.canvas import Canvas, Label
from calf_viz.hud.layout import BOTTOM_LEFT, Anchor, Rect
from calf_viz.hud.widgets import Values, Widget, backing, baseline_of
from calf_viz.scene.paint import Paint, mode_tone

MOST_COLUMNS = 160
"""Columns of the band: each may take several rectangles."""


@dataclass
class Timeline(Widget):
    """Shows a fraction of the whole, and takes another one from the mouse.

    Attributes:
        at: the fraction shown, 0 to 1; takes effect with the next change of the text. So do those
            below, with a new layout.
        ticks: fractions where a critic begins.
        marks: fractions that the user marked.
        loop: fractions between which playback stays; None if it does not.
        shares: of the modes from left to right, (columns, modes), NaN where they are not known.
        episodes: where episodes begin, (columns,): how many.
        wanted: what the mouse asked for, until it is taken.
    """

    name: str = "timeline"
    key: str = "timeline"
    """The text below it."""
    anchor: Anchor = BOTTOM_LEFT
    anyway = 0.1
    share = (0.6, 0.16)
    at: float = 0.0
    ticks: Sequence[float] = ()
    marks: Sequence[float] = ()
    loop: Sequence[float] | None = None
    shares: NDArray[np.floating] | None = None
    episodes: NDArray[np.floating] | None = None
    wanted: float | None = None
    _track: Rect = field(default=Rect(0, 0, 0, 0), repr=False)
    _banded: bool = field(default=False, repr=False)
    _items: tuple[int, int] = field(default=(0, 0), repr=False)
    _label: Label | None = field(default=None, repr=False)

    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        unit = canvas.metrics.unit
        height = 8 * unit + canvas.face("small").height
        if self.key not in values or room[0] < 40 * unit or room[1] < height:
            return None
        self._banded = self.shares is not None and room[1] >= height + 5 * unit
        return room[0], height + 5 * unit * self._banded

    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        unit, line = canvas.metrics.unit, canvas.metrics.line
        backing(canvas, rect)
        track = self._track = Rect(
            rect.x + 3 * unit, rect.y + 4 * unit, rect.width - 6 * unit, unit
        )
        canvas.rectangle(track, theme.GROOVE, 0.5 * unit)
        if self.loop:
            begin, end = self._place(min(self.loop)), self._place(max(self.loop))
            around = Rect(begin, track.y - unit // 2, max(end - begin, line), 2 * unit)
            canvas.rectangle(around, Paint(theme.ACCENT, 0.25), 0.5 * unit)
        places = sorted({self._place(tick) for tick in self.ticks})
        for x in places:  # more than one at a pixel are one
            top = track.y - 2 * unit
            canvas.rectangle(Rect(x, top, line, 2 * unit), theme.QUIET)
        for x in sorted({self._place(mark) for mark in self.marks}):
            canvas.rectangle(
                Rect(x - unit // 2, track.y - 3 * unit, unit, 3 * unit), theme.ACCENT, 0.5 * unit
            )
        bottom = track.bottom
        if self._banded:
            self._draw_band(canvas, Rect(track.x, bottom + unit, track.width, 3 * unit))
            bottom += 5 * unit
        self._items = (
            canvas.rectangle(self._played(unit), Paint(theme.ACCENT, 0.9), 0.5 * unit),
            canvas.rectangle(self._knob(unit), Paint(theme.BRIGHT), 1.5 * unit),
        )
        baseline = baseline_of(canvas, "small", bottom + unit, rect.bottom - bottom - unit)
        text = values[self.key]
        self._label = canvas.label(
            text, "small", track.x, baseline, theme.QUIET, track.width, capacity=len(text) + 24
        )

    def _draw_band(self, canvas: Canvas, rect: Rect) -> None:
        """The modes' shares above one another, the first at the foot, and a row of dots below."""
        shares = self.shares
        assert shares is not None
        edges = rect.x + np.rint(np.linspace(0, rect.width, len(shares) + 1)).astype(int)
        tops = np.rint(rect.height * np.cumsum(np.nan_to_num(shares), axis=1)).astype(int)
        for mode in reversed(range(shares.shape[1])):
            for begin, end in _runs(tops[:, mode]):
                high = int(tops[begin, mode])
                lower = tops[begin:end, mode - 1] if mode else np.zeros(1, int)
                if high > lower.min():  # else all of it is below the next
                    at = Rect(int(edges[begin]), rect.bottom - high, 0, high)
                    at = at._replace(width=int(edges[end]) - at.x)
                    canvas.rectangle(at, mode_tone(mode))
        if self.episodes is not None and self.episodes.any():
            shade = np.rint(4 * self.episodes / self.episodes.max()).astype(int)
            shade = np.maximum(shade, self.episodes > 0.0)
            for begin, end in _runs(shade):
                if shade[begin]:
                    width = int(edges[end] - edges[begin])
                    at = Rect(int(edges[begin]), rect.bottom + 1, width, canvas.metrics.unit - 1)
                    canvas.rectangle(at, Paint(theme.BRIGHT, 0.4 + 0.15 * float(shade[begin])))

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


def _runs(values: NDArray[np.integer]) -> list[tuple[int, int]]:
    """From where to where neighbouring values are the same."""
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    return list(pairwise(edges))
