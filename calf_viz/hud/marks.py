"""Marks beside the surface: a point on one of its edges, a tick there, and a text outside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from calf_viz.hud.canvas import Canvas
from calf_viz.hud.layout import Rect
from calf_viz.hud.text import width
from calf_viz.scene.paint import Paint
from calf_viz.scene.scene import Scene
from calf_viz.scene.theme import on_ground

TICK_LENGTH, TEXT_AWAY = 1.5, 2.5
"""Distance from the edge to the end of a tick, and to its text, in units."""
CLEAR = 2
"""Clearance around a text, in units."""


class Mark(NamedTuple):
    """A point on an edge in the picture, and the outward direction from the surface [px]."""

    x: float
    y: float
    out: tuple[float, float]
    text: str

    def rect(self, canvas: Canvas, style: str, away: float) -> Rect:
        """Rectangle of its text, whose nearest point is `away` px outside."""
        face = canvas.face(style)
        w, h = width(face, self.text), face.cap_height
        x = self.x + self.out[0] * (away + 0.5 * w)
        y = self.y + self.out[1] * (away + 0.5 * h)
        return Rect(round(x - 0.5 * w), round(y - 0.5 * h), w, h)

    def tick_rect(self, canvas: Canvas) -> Rect:
        """Rectangle of a tick's text."""
        return self.rect(canvas, "small", TEXT_AWAY * canvas.metrics.unit)

    def draw_tick(self, canvas: Canvas, scene: Scene, rect: Rect) -> Rect:
        """Draw the tick, and its text in its `tick_rect`; returns where that is."""
        tones = on_ground(scene.ground_at(self.x), canvas.theme)
        length = TICK_LENGTH * canvas.metrics.unit
        end = self.x + length * self.out[0], self.y + length * self.out[1]
        canvas.line((self.x, self.y), end, canvas.metrics.line, tones.line)
        return self.write(canvas, rect, "small", tones.quiet, tones.plate)

    def draw_name(self, canvas: Canvas, scene: Scene, rect: Rect) -> Rect:
        """Draw the text as an axis' name; returns where it is."""
        tones = on_ground(scene.ground_at(rect.x), canvas.theme)
        return self.write(canvas, rect, "body", tones.bright, tones.plate)

    def write(self, canvas: Canvas, rect: Rect, style: str, colour: int, plate: Paint) -> Rect:
        """Draw the text alone, on a plate; returns where the text is."""
        step = canvas.metrics.unit
        around = Rect(rect.x - step, rect.y - step, rect.width + 2 * step, rect.height + 2 * step)
        canvas.rectangle(around, plate, step)
        canvas.label(self.text, style, rect.x, rect.bottom, colour, rect.width)
        return rect


def free(
    rect: Rect,
    canvas: Canvas,
    size: tuple[int, int],
    others: Sequence[Rect],
    stays: bool = False,
) -> bool:
    """Whether a text fits there: within a picture of that size, and clear of others.

    stays: it was there before, and needs less clearance; without, texts would flicker.
    """
    step = canvas.metrics.unit
    if not rect.within(size, 0 if stays else step):
        return False
    # Spelt out, as it is asked hundreds of times in a frame in which the camera moves.
    gap = (CLEAR - 1 if stays else CLEAR) * step
    left, top = rect.x - gap, rect.y - gap
    right, bottom = rect.x + rect.width + gap, rect.y + rect.height + gap
    for x, y, wide, high in others:
        if x < right and left < x + wide and y < bottom and top < y + high:
            return False
    return True
