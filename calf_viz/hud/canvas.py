"""The canvas on which widgets draw: two batches and an atlas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calf_viz.hud import shape, text
from calf_viz.hud.atlas import EMPTY, Atlas, Face
from calf_viz.hud.batch import Batch
from calf_viz.hud.layout import Metrics, Rect
from calf_viz.hud.series import SAMPLES, Series
from calf_viz.hud.shape import Paint

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
    colour: int
    items: range


class Canvas:
    """Draws into a batch of rectangles and lines, and one of text, which is above all of them."""

    def __init__(self, metrics: Metrics, atlas: Atlas) -> None:
        self.metrics, self.atlas = metrics, atlas
        self.shapes, self.glyphs = Batch(shape.TEXELS), Batch(1)
        self.series = Series()

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

    def rectangle(self, rect: Rect, paint: Paint, radius: float = 0.0) -> None:
        self.shapes.append(shape.rectangle(rect, paint, radius))

    def line(
        self, a: tuple[float, float], b: tuple[float, float], width: float, paint: Paint
    ) -> None:
        """Draw a line. A horizontal or vertical one with integer ends covers the pixels [a, b)."""
        self.shapes.append(shape.segment(a, b, width, paint))

    def map_bar(self, rect: Rect, row: int = 0, lying: bool = False) -> None:
        """Draw a row of the palette, low values at the foot or, lying, at the left."""
        self.shapes.append(shape.map_bar(rect, row, lying))

    def curve(self, rect: Rect, series: str, width: float, paint: Paint) -> None:
        """Draw a series' curve, from the rectangle's foot to its head."""
        self.shapes.append(shape.curve(rect, self.series.row(series), SAMPLES, width, paint))

    def band(self, rect: Rect, series: str) -> None:
        """Draw a rectangle coloured by a series' samples."""
        self.shapes.append(shape.band(rect, self.series.row(series), SAMPLES))

    def label(
        self,
        words: str,
        style: str,
        x: int,
        baseline: int,
        colour: int,
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
        written = text.texels(face, shown, x, label.baseline, label.colour)
        if len(shown) == slots:
            return written
        drawn = np.full((slots, 4), EMPTY, np.float32)
        drawn[: len(shown)] = written
        return drawn
