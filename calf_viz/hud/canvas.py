"""The canvas on which widgets draw: two batches and an atlas."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from calf_viz.hud import shape, text
from calf_viz.hud.atlas import EMPTY, Atlas, Face
from calf_viz.hud.batch import Batch
from calf_viz.hud.layout import Metrics, Rect
from calf_viz.hud.series import SAMPLES, Series
from calf_viz.scene.colours import mode_colours
from calf_viz.scene.paint import Paint, Shade, Tone, packed
from calf_viz.scene.theme import DARK, Theme

Align = Literal["left", "centre", "right"]


@dataclass
class Label:
    """A text that was drawn and can be changed in place. `x` is its left, middle or right."""

    text: str
    style: str
    x: int
    baseline: int
    room: int
    align: Align
    colour: Shade
    items: range


class Canvas:
    """Draws into a batch of rectangles and lines, and one of text, which is above all of them.

    Attributes:
        theme: has the colours that are named by their meaning.
        modes: the palette's second row, as 0xRRGGBB.
        ramp: some colours of its ramp from low to high; () for those of the palette itself.
    """

    def __init__(self, metrics: Metrics, atlas: Atlas) -> None:
        self.metrics, self.atlas = metrics, atlas
        self.theme: Theme = DARK
        self._colours: NDArray[np.floating] | None = None
        self.ramp: tuple[int, ...] = ()
        self.dress(DARK, mode_colours())
        self.shapes, self.glyphs = Batch(shape.TEXELS), Batch(1)
        self.series = Series()

    def dress(
        self, theme: Theme, mode_colours: NDArray[np.floating], ramp: tuple[int, ...] = ()
    ) -> bool:
        """Draw in these colours from now on; returns whether they differ from those before.

        mode_colours: the palette's second row, RGB(A). ramp: as the attribute.
        """
        if theme is self.theme and mode_colours is self._colours and ramp is self.ramp:
            return False
        self.theme, self._colours, self.ramp = theme, mode_colours, ramp
        self.modes = [packed(tuple(colour[:3].tolist())) for colour in mode_colours]
        return True

    def colour(self, shade: Shade) -> int:
        """A colour as 0xRRGGBB."""
        return self._fill(shade) if isinstance(shade, Tone) else shade

    def paint(self, fill: Paint | Tone) -> Paint:
        """A fill with its colours as 0xRRGGBB."""
        if isinstance(fill, Tone):
            named = self._fill(fill)
            return named if isinstance(named, Paint) else Paint(named)
        if isinstance(fill.colour, Tone) or isinstance(fill.border_colour, Tone):
            colour, border = self.colour(fill.colour), self.colour(fill.border_colour)
            return replace(fill, colour=colour, border_colour=border)
        return fill

    def _fill(self, tone: Tone) -> Any:
        return self.modes[tone.entry] if tone.name == "mode" else getattr(self.theme, tone.name)

    @property
    def quads(self) -> int:
        """Number of items in both."""
        return self.shapes.count + self.glyphs.count

    def face(self, style: str) -> Face:
        """The glyphs of a style."""
        return self.atlas.faces[style]

    def begin(self, metrics: Metrics, atlas: Atlas) -> None:
        """Start drawing everything again. What does not change is not uploaded."""
        self.metrics, self.atlas = metrics, atlas
        self.back_to((0, 0))

    @property
    def mark(self) -> tuple[int, int]:
        """The current state, for `back_to`."""
        return self.shapes.count, self.glyphs.count

    def back_to(self, mark: tuple[int, int]) -> None:
        """Drop what was drawn after a mark."""
        self.shapes.truncate(mark[0])
        self.glyphs.truncate(mark[1])

    def rectangle(self, rect: Rect, paint: Paint | Tone, radius: float = 0.0) -> int:
        """Draw a rectangle; returns its item, for `move`."""
        return self.shapes.append(shape.rectangle(rect, self.paint(paint), radius)).start

    def move(self, item: int, rect: Rect, paint: Paint | Tone, radius: float = 0.0) -> None:
        """Replace a rectangle in place."""
        self.shapes.write(item, shape.rectangle(rect, self.paint(paint), radius))

    def line(
        self, a: tuple[float, float], b: tuple[float, float], width: float, paint: Paint | Tone
    ) -> None:
        """Draw a line. A horizontal or vertical one with integer ends covers the pixels [a, b)."""
        self.shapes.append(shape.segment(a, b, width, self.paint(paint)))

    def map_bar(self, rect: Rect, row: int = 0, lying: bool = False) -> None:
        """Draw a row of the palette, low values at the foot or, lying, at the left."""
        self.shapes.append(shape.map_bar(rect, row, lying))

    def map_tip(self, bar: Rect, row: int = 0, high: bool = True) -> None:
        """Draw a point beyond the high or low end of a bar as `map_bar` draws it."""
        self.shapes.append(shape.map_tip(bar, row, high))

    def curve(self, rect: Rect, series: str, width: float, paint: Paint | Tone) -> None:
        """Draw a series' curve, from the rectangle's foot to its head."""
        row = self.series.row(series)
        self.shapes.append(shape.curve(rect, row, SAMPLES, width, self.paint(paint)))

    def band(self, rect: Rect, series: str) -> None:
        """Draw a rectangle coloured by a series' samples."""
        self.shapes.append(shape.band(rect, self.series.row(series), SAMPLES))

    def label(
        self,
        words: str,
        style: str,
        x: int,
        baseline: int,
        colour: Shade,
        room: int,
        align: Align = "left",
        capacity: int = 0,
    ) -> Label:
        """Draw text at x, shortened to `room` px. `capacity`: characters that it may have later."""
        drawn = Label(words, style, x, baseline, room, align, colour, range(0))
        # Written only once, as slots cleared first would count as changed in a redraw.
        drawn.items = self.glyphs.append(self._texels(drawn, max(len(words), capacity)))
        return drawn

    def change(self, label: Label, words: str) -> None:
        """Replace a label's text in place; does nothing if it is the same."""
        if words != label.text:
            label.text = words
            self.glyphs.write(label.items.start, self._texels(label, len(label.items)))

    def _texels(self, label: Label, slots: int) -> NDArray[np.float32]:
        face = self.face(label.style)
        shown = text.shortened(face, label.text, label.room)
        if len(shown) > slots:
            shown = shown[: slots - 1] + text.ELLIPSIS
        width = text.width(face, shown)
        x = label.x - {"left": 0, "centre": width // 2, "right": width}[label.align]
        written = text.texels(face, shown, x, label.baseline, self.colour(label.colour))
        if len(shown) == slots:
            return written
        drawn = np.full((slots, 4), EMPTY, np.float32)
        drawn[: len(shown)] = written
        return drawn
