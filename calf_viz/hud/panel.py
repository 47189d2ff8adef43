"""A panel of names and values, in a small picture collapsed to its essentials.

title                       title         step 60
name          value         o mode  o mode  o mode
o mode        value
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from calf_viz.hud import theme
from calf_viz.hud.canvas import Canvas, Label
from calf_viz.hud.layout import TOP_LEFT, Anchor, Rect
from calf_viz.hud.text import shortened, width
from calf_viz.hud.widgets import (
    LEAST_VALUE,
    VALUE_CAPACITY,
    Values,
    Widget,
    backing,
    baseline_of,
)
from calf_viz.scene.paint import Paint, Shade

FEWEST = 8
"""Lines for which there must be room, or a panel that collapses does."""


@dataclass(frozen=True)
class Row:
    """A name and its value. If room is short, rows of the highest rank are left out first, the last
    of them first; those with swatches together, as a legend is whole or not at all."""

    key: str
    name: str
    rank: int = 0
    swatch: Shade | None = None
    """Colour of the dot before the name."""
    rings: int = 0
    """Number of rings in place of the dot, one in the other."""
    rule: bool = False
    """Whether a hairline is drawn above, unless a heading is there."""
    heading: bool = False
    """Whether it is about the rows below: then its value alone is shown."""


@dataclass
class Panel(Widget):
    """A title and rows of names and values."""

    name: str
    title: str
    rows: Sequence[Row]
    anchor: Anchor = TOP_LEFT
    columns: int = 44
    widest: int = 80
    """Width in units: by default, and if names need more."""
    collapses: bool = False
    """Whether, if room is short, it is the title with one value beside it, and the legend as
    swatches in a row."""
    _collapsed: bool = field(default=False, repr=False)
    _shown: list[Row] = field(default_factory=list, repr=False)
    _labels: dict[str, Label] = field(default_factory=dict, repr=False)

    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        rows = [row for row in self.rows if row.key in values]
        self._collapsed = self.collapses and room[1] < FEWEST * self._row(canvas)
        if self._collapsed:
            return self._measure_collapsed(canvas, rows, room)
        while rows and self._height(canvas, rows) > room[1]:
            worst = max(row.rank for row in rows)
            last = [row for row in rows if row.rank == worst][-1]
            legend = last.swatch is not None
            rows = [row for row in rows if row is not last and not (legend and row.rank == worst)]
        self._shown = rows
        unit = canvas.metrics.unit
        needed = max((self._needed(canvas, row) for row in rows), default=0)
        # At most two thirds of the room are for names: in a small picture data matter more.
        extent = max(self.columns * unit, min(needed, self.widest * unit, room[0] * 2 // 3))
        return (extent, self._height(canvas, rows)) if rows and extent <= room[0] else None

    def _measure_collapsed(
        self, canvas: Canvas, rows: list[Row], room: tuple[int, int]
    ) -> tuple[int, int] | None:
        unit, inside = canvas.metrics.unit, room[0] - 6 * canvas.metrics.unit
        plain = [row for row in rows if row.swatch is None and not row.heading]
        first = sorted(plain, key=lambda row: row.rank)[:1]
        rank = min((row.rank for row in rows if row.swatch is not None), default=0)
        legend = [row for row in rows if row.swatch is not None and row.rank == rank]
        line, most = self._row(canvas), room[1] - 4 * unit
        entries, places = legend, self._in_a_row(canvas, legend, inside)
        if places and (places[-1][1] + 2) * line > most:  # a legend is whole or not at all
            entries, places = [], []
        height = (places[-1][1] + 2 if places else 1) * line
        self._shown = [*first, *entries]
        title, body = canvas.face("title"), canvas.face("body")
        beside = (width(body, row.name) + width(body, LEAST_VALUE) for row in first)
        needed = width(title, self.title) + sum(beside) + 3 * unit
        ends = [x + self._entry(canvas, row) for (x, _), row in zip(places, entries, strict=True)]
        fits = self._shown and height <= most and max(ends, default=0) <= inside
        extent = min(max(needed, *ends, 0), inside) + 6 * unit
        return (extent, height + 4 * unit) if fits else None

    def _entry(self, canvas: Canvas, row: Row) -> int:
        """Width [px] of a swatch and its name."""
        return 3 * canvas.metrics.unit + width(canvas.face("body"), row.name)

    def _in_a_row(self, canvas: Canvas, rows: Sequence[Row], room: int) -> list[tuple[int, int]]:
        """Where each swatch is with its name: pixels from the left, and on which line."""
        found, x, line = [], 0, 0
        for row in rows:
            extent = self._entry(canvas, row)
            if x and x + extent > room:
                x, line = 0, line + 1
            found.append((x, line))
            x += extent + 3 * canvas.metrics.unit
        return found

    @staticmethod
    def _indent(canvas: Canvas, row: Row) -> int:
        """Pixels before a name."""
        return 0 if row.swatch is None else 4 * canvas.metrics.unit

    def _needed(self, canvas: Canvas, row: Row) -> int:
        """Width [px] at which a row's name fits."""
        unit, face = canvas.metrics.unit, canvas.face("body")
        return (
            7 * unit + self._indent(canvas, row) + width(face, row.name) + width(face, LEAST_VALUE)
        )

    def _row(self, canvas: Canvas) -> int:
        return max(5 * canvas.metrics.unit, canvas.face("body").height)

    def _height(self, canvas: Canvas, rows: list[Row]) -> int:
        unit = canvas.metrics.unit
        rules = len(_ruled(rows))
        return (len(rows) + 1) * self._row(canvas) + (5 + 3 * rules) * unit

    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        unit, row_height = canvas.metrics.unit, self._row(canvas)
        backing(canvas, rect)
        left, right = rect.x + 3 * unit, rect.right - 3 * unit
        y = rect.y + 2 * unit
        baseline = baseline_of(canvas, "title", y, row_height)
        room = right - left
        canvas.label(self.title, "title", left, baseline, theme.BRIGHT, room)
        self._labels = {}
        if self._collapsed:
            self._draw_collapsed(canvas, values, rect, baseline)
            return
        y += row_height + unit
        ruled = _ruled(self._shown)
        for row in self._shown:
            if row.key in ruled:
                line = canvas.metrics.line
                canvas.rectangle(Rect(left, y + 3 * unit // 2, room, line), theme.FAINT)
                y += 3 * unit
            self._draw_row(canvas, values, row, (left, right, y))
            y += row_height

    def _draw_row(
        self, canvas: Canvas, values: Values, row: Row, place: tuple[int, int, int]
    ) -> None:
        left, right, y = place
        unit = canvas.metrics.unit
        baseline = baseline_of(canvas, "body", y, self._row(canvas))
        if row.heading:
            self._labels[row.key] = canvas.label(
                values[row.key], "body", left, baseline, theme.QUIET, right - left,
                capacity=2 * VALUE_CAPACITY,
            )  # fmt: skip
            return
        indent = self._indent(canvas, row)
        self._draw_swatch(canvas, row, left, baseline)
        room, face = right - left - indent, canvas.face("body")
        # However long the name, the value is shown.
        name = shortened(face, row.name, max(room - width(face, LEAST_VALUE) - unit, 0))
        canvas.label(name, "body", left + indent, baseline, theme.QUIET, room)
        rest = room - width(face, name) - unit
        self._labels[row.key] = canvas.label(
            values[row.key], "body", right, baseline, theme.BRIGHT, max(rest, 0), "right",
            VALUE_CAPACITY,
        )  # fmt: skip

    def _draw_collapsed(self, canvas: Canvas, values: Values, rect: Rect, baseline: int) -> None:
        """Draw all but the title, which is on that baseline."""
        unit, line, face = canvas.metrics.unit, self._row(canvas), canvas.face("body")
        left, room = rect.x + 3 * unit, rect.width - 6 * unit
        right = left + room
        x = left + width(canvas.face("title"), self.title) + 2 * unit
        for row in self._shown:
            if row.swatch is None:
                name = shortened(
                    face, row.name, max(right - x - width(face, LEAST_VALUE) - unit, 0)
                )
                canvas.label(name, "body", x, baseline, theme.QUIET, room)
                x += width(face, name) + unit
                self._labels[row.key] = canvas.label(
                    values[row.key], "body", right, baseline, theme.BRIGHT, max(right - x, 0),
                    "right", VALUE_CAPACITY,
                )  # fmt: skip
        legend = [row for row in self._shown if row.swatch is not None]
        places = self._in_a_row(canvas, legend, room)
        for row, (along, number) in zip(legend, places, strict=True):
            under = baseline_of(canvas, "body", rect.y + 2 * unit + (number + 1) * line, line)
            self._draw_swatch(canvas, row, left + along, under)
            beside = left + along + 3 * unit
            canvas.label(row.name, "body", beside, under, theme.QUIET, right - beside)

    @staticmethod
    def _draw_swatch(canvas: Canvas, row: Row, left: int, baseline: int) -> None:
        """Draw the dot or the rings beside a name, if it has any."""
        if row.swatch is None:
            return
        unit = canvas.metrics.unit
        dot, paint, x = 2 * unit, Paint(row.swatch), left
        if row.rings:
            dot, paint = (4 + row.rings) * unit // 2, Paint(0, 0.0, 0.375 * unit, row.swatch)
            x -= (row.rings - 1) * unit // 4
        top, apart = baseline - (canvas.face("body").cap_height + dot) // 2, 3 * unit // 4
        for ring in range(max(row.rings, 1)):
            size = dot - 2 * ring * apart
            at = Rect(x + ring * apart, top + ring * apart, size, size)
            canvas.rectangle(at, paint, 0.5 * size)

    def update(self, canvas: Canvas, values: Values) -> None:
        for key, label in self._labels.items():
            canvas.change(label, values.get(key, ""))


def _ruled(rows: Sequence[Row]) -> set[str]:
    """Keys of the rows that have a hairline above."""
    before = (None, *rows)
    pairs = zip(before, rows, strict=False)
    return {row.key for last, row in pairs if row.rule and not (last and last.heading)}
