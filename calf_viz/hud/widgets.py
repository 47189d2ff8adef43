"""Widgets of the HUD: each measures itself for the available room, and draws itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from calf_viz.hud import numbers, theme
from calf_viz.hud.atlas import Face
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.layout import TOP, TOP_RIGHT, Anchor, Rect
from calf_viz.hud.text import shortened, width, wrapped
from calf_viz.hud.value_ticks import value_ticks
from calf_viz.scene.paint import Shade
from calf_viz.value_scale import Scale

Values = Mapping[str, str]
"""Texts by key. A row without one is not shown."""
VALUE_CAPACITY = 12
"""Most characters of a value."""
LEAST_VALUE = "−0.000"
"""A value for which there is always room, however long its name, or short its current text."""


class Widget(ABC):
    """A part of the HUD at an edge of the picture.

    Attributes:
        name: its name for `Hud.hit`.
        captures: whether it captures the mouse over it, instead of the camera.
        urgent: whether it must be visible: it goes wherever there is room, or displaces others.
        passing: whether it comes and goes, so that the camera makes no room for it.
        anyway: fraction of the picture that it may take even if others cover all that they may.
        share: largest fraction of the picture's width and height that it may take, so that the data
            stay visible.
    """

    name: str
    anchor: Anchor
    captures = True
    urgent = False
    passing = False
    anyway = 0.0
    share = (0.45, 0.4)

    @property
    def fitted(self) -> Sequence[str]:
        """Keys of texts that its size depends on: a change requires a new layout."""
        return ()

    @abstractmethod
    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        """Width and height [px] of the best form that fits the room; None if none does."""

    @abstractmethod
    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        """Draw the form measured last."""

    @abstractmethod
    def update(self, canvas: Canvas, values: Values) -> None:
        """Change its texts in place."""

    def rescale(self, canvas: Canvas, scale: Scale) -> bool:
        """The values at the surface's levels changed; returns whether its size should."""
        return False

    def draw_scale(self, canvas: Canvas) -> None:  # noqa: B027 (most show no scale)
        """Draw what follows the scale, over the form drawn last."""

    def press(self, x: float, y: float) -> None:  # noqa: B027 (most widgets only show something)
        """The mouse went down over it, at a pixel of the picture."""

    def drag(self, x: float, y: float) -> None:  # noqa: B027
        """The mouse, pressed over it, moved to a pixel anywhere."""

    def release(self) -> None:  # noqa: B027
        """The mouse was released."""


def backing(canvas: Canvas, rect: Rect) -> None:
    """Draw the background behind text."""
    canvas.rectangle(rect, theme.BACKING, radius=1.5 * canvas.metrics.unit)


def map_bar(canvas: Canvas, rect: Rect, row: int, lying: bool = False) -> None:
    """Draw a row of the palette with an outline, as its colours may be near those behind it."""
    line = canvas.metrics.line
    around = Rect(rect.x - line, rect.y - line, rect.width + 2 * line, rect.height + 2 * line)
    canvas.rectangle(around, theme.FAINT)
    canvas.map_bar(rect, row, lying)


def baseline_of(canvas: Canvas, style: str, top: int, height: int) -> int:
    """Baseline of a line whose capitals are centred in [top, top + height)."""
    return top + (height + canvas.face(style).cap_height + 1) // 2


@dataclass
class ColourBar(Widget):
    """The surface's colours with round values beside them.

    With two looks, those shown: the key `looks` has their letters, A, B or AB.

    Attributes:
        titles: names of the value, preferred first; the others are for less room.
    """

    name: str
    titles: Sequence[str]
    anchor: Anchor = TOP_RIGHT
    longest: int = 40
    shortest: int = 16
    """Height of the bar in units."""
    _scale: Scale | None = field(default=None, repr=False)
    _title: list[str] = field(default_factory=list, repr=False)
    _bars: list[tuple[Rect, int]] = field(default_factory=list, repr=False)
    _room: int = 0
    """Width for numbers [px]."""

    MOST = 7
    """Most ticks."""
    APART = 1.5
    """Least distance of ticks, in line heights."""
    TITLE = 30
    """Most width of a line of the title, in units."""
    ROWS: ClassVar[dict[str, int]] = {"A": 0, "B": 2}
    """Rows of the palette, by letter."""

    @property
    def fitted(self) -> Sequence[str]:
        return ("looks",)

    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        if self._scale is None:
            return None
        unit = canvas.metrics.unit
        # As wide as the title, or as numbers of a certain length, so that it does not change.
        bars = max(len(values.get("looks", "")), 1)
        ticks = 5 * bars * unit + max(
            width(canvas.face("small"), LEAST_VALUE), self._widest(canvas)
        )
        # A title makes the panel little wider than the bar, as the surface is behind it, and never
        # wider than half of the room, as the numbers matter more.
        body = canvas.face("body")
        most = max(ticks, min(self.TITLE * unit, room[0] // 2 - 6 * unit))
        self._title = self._fitted_title(body, most)
        extent = max(ticks, *(width(body, line) for line in self._title)) + 6 * unit
        around = self._title_height(canvas) * (len(self._title) + (bars > 1)) + 7 * unit
        length = min(self.longest * unit, room[1] - around)
        if length < self.shortest * unit or extent > room[0]:
            return None
        return extent, around + length

    def _fitted_title(self, face: Face, room: int) -> list[str]:
        """The first title that fits on one line or on two; else what fits of the last."""
        for title in self.titles:
            whole = all(width(face, word) <= room for word in title.split())
            if whole and len(lines := wrapped(face, title, room)) <= 2:
                return lines
        first, *rest = wrapped(face, self.titles[-1], room)
        return [first, shortened(face, " ".join(rest), room)] if rest else [first]

    def _title_height(self, canvas: Canvas) -> int:
        """Height of a line of the title."""
        return max(5 * canvas.metrics.unit, canvas.face("body").height)

    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        unit, title_height = canvas.metrics.unit, self._title_height(canvas)
        backing(canvas, rect)
        left, top = rect.x + 3 * unit, rect.y + 2 * unit
        for words in self._title:
            baseline = baseline_of(canvas, "body", top, title_height)
            canvas.label(words, "body", left, baseline, theme.BRIGHT, rect.width - 6 * unit)
            top += title_height
        top += 2 * unit
        looks = values.get("looks", "") or "A"
        if len(looks) > 1:
            baseline = baseline_of(canvas, "small", top - 2 * unit, title_height)
            for i, look in enumerate(looks):
                x = left + (5 * i + 1) * unit + unit // 2
                canvas.label(look, "small", x, baseline, theme.BRIGHT, 4 * unit, "centre")
            top += title_height
        bar = Rect(left, top, 3 * unit, rect.bottom - 3 * unit - top)
        self._bars = [
            (bar._replace(x=bar.x + 5 * i * unit), self.ROWS[look]) for i, look in enumerate(looks)
        ]
        for bar, row in self._bars:
            map_bar(canvas, bar, row)
        self._room = rect.right - 2 * unit - (bar.right + 2 * unit)

    def rescale(self, canvas: Canvas, scale: Scale) -> bool:
        first, self._scale = self._scale is None, scale
        return first or (bool(self._bars) and self._widest(canvas) > self._room)

    def _widest(self, canvas: Canvas) -> int:
        """Width of its longest number [px]."""
        ticks = self._ticks(canvas, self.longest * canvas.metrics.unit)
        return max(width(canvas.face("small"), text) for _, text in ticks)

    def _ticks(self, canvas: Canvas, length: int) -> list[tuple[float, str]]:
        """Levels of round values, and their texts, for a bar of this length [px]; the values at
        its ends if there are no round ones between them."""
        scale = self._scale
        assert scale is not None
        values = self._values(canvas, scale, length)
        if values:
            levels = scale.levels(values).tolist()
            return list(zip(levels, numbers.tick_texts(values), strict=True))
        ends = scale.ends if scale.span > 0.0 else scale.ends[:1]
        texts = [numbers.value(value, scale.span) for value in ends]
        return list(zip((0.0, 1.0), texts, strict=False))

    def _values(self, canvas: Canvas, scale: Scale, length: int) -> list[float]:
        return value_ticks(scale, self.MOST, self.APART * canvas.face("small").height / length)

    def values_of(self, canvas: Canvas, scale: Scale) -> list[float]:
        """The round values beside it, if it shows this scale."""
        return self._values(canvas, scale, self._bars[0][0].height) if self._bars else []

    def draw_scale(self, canvas: Canvas) -> None:
        if self._scale is None or not self._bars:
            return
        unit, line, face = canvas.metrics.unit, canvas.metrics.line, canvas.face("small")
        for bar, row in self._bars:
            for high, pointed in enumerate(self._scale.beyond):
                if pointed:  # there are values beyond it
                    canvas.map_tip(bar, row, bool(high))
        bar = self._bars[-1][0]
        for level, text in self._ticks(canvas, bar.height):
            y = round(bar.bottom - line - level * (bar.height - line))
            canvas.rectangle(Rect(bar.right, y, unit, line), theme.TICK)
            # Numbers are beside their tick, the outer ones within the bar's ends.
            capital = face.cap_height
            baseline = y + (line + capital + 1) // 2
            baseline = min(max(baseline, bar.y + capital), bar.bottom)
            x = bar.right + 2 * unit
            canvas.label(text, "small", x, baseline, theme.BRIGHT, self._room)

    def update(self, canvas: Canvas, values: Values) -> None:
        """Nothing to do: its numbers follow the scale."""


@dataclass
class Notice(Widget):
    """A message that must not be missed, shown while its key has a text."""

    name: str
    key: str
    anchor: Anchor = TOP
    colour: Shade = theme.ACCENT
    captures = False
    urgent = True
    share = (0.55, 0.8)
    _lines: list[str] = field(default_factory=list, repr=False)

    def measure(
        self, canvas: Canvas, values: Values, room: tuple[int, int]
    ) -> tuple[int, int] | None:
        if self.key not in values:
            return None
        unit, face = canvas.metrics.unit, canvas.face("body")
        inside, most = room[0] - 6 * unit, (room[1] - unit) // self._row(canvas)
        if inside < 12 * unit or most < 1:
            return None
        lines = wrapped(face, values[self.key], inside)
        if len(lines) > most:
            lines = [*lines[: most - 1], shortened(face, " ".join(lines[most - 1 :]), inside)]
        self._lines = lines
        widest = max(width(face, line) for line in self._lines)
        return widest + 6 * unit, len(self._lines) * self._row(canvas) + unit

    def _row(self, canvas: Canvas) -> int:
        return max(5 * canvas.metrics.unit, canvas.face("body").height)

    def draw(self, canvas: Canvas, values: Values, rect: Rect) -> None:
        backing(canvas, rect)
        unit, row = canvas.metrics.unit, self._row(canvas)
        x, room = rect.x + 3 * unit, rect.width - 6 * unit
        first = rect.height - (len(self._lines) - 1) * row  # with half of the margins on each side
        for number, line in enumerate(self._lines):
            baseline = baseline_of(canvas, "body", rect.y + number * row, first)
            canvas.label(line, "body", x, baseline, self.colour, room)

    def update(self, canvas: Canvas, values: Values) -> None:
        """Nothing to do: its text appears, changes and disappears with a new layout."""

    @property
    def fitted(self) -> Sequence[str]:
        return (self.key,)
