"""Ticks and names along the two edges of the plane that are nearest to the viewer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

from calf_viz.heightfield import Heightfield
from calf_viz.hud import theme
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.edges import Mark, edges_of
from calf_viz.hud.layout import Rect
from calf_viz.hud.shape import unit
from calf_viz.hud.text import width
from calf_viz.scene.scene import Scene

TICK_LENGTH, TEXT_AWAY = 1.5, 2.5
"""From the edge to the end of a tick, and to its text, in units."""
CLEAR = 2
"""Units from a text to what else is written."""
CLOSEST = 2.2
"""Heights of a line that ticks must be apart: below, the edge is seen almost end on."""
LEAST_ASIDE = 0.3
"""Sine of the angle between an edge and the way out of the plane, in the picture."""


class Axes:
    """Marks of one plane; found anew only where the camera or the surface moved."""

    def __init__(self, labels: tuple[str, str]) -> None:
        """labels: name and unit of each axis."""
        self.labels = labels

    def draw(
        self,
        canvas: Canvas,
        scene: Scene,
        heightfield: Heightfield,
        value_range: tuple[float, float],
        taken: Sequence[Rect],
    ) -> list[Rect]:
        """Draw what fits the picture and keeps clear of `taken`; where the texts are."""
        edges = edges_of(scene, heightfield, value_range, self.labels)
        ticks = [self._legible(canvas, edge.ticks) for edge in edges]
        step = canvas.metrics.unit
        drawn: list[Rect] = []

        def free(rect: Rect) -> bool:
            others = (*taken, *drawn)
            return rect.within(scene.size, step) and not any(
                rect.overlaps(other, CLEAR * step) for other in others
            )

        for mark in chain(*ticks):
            rect = self._text_rect(canvas, mark, "small", TEXT_AWAY * step)
            if free(rect):
                tones = theme.on_ground(scene.ground_at(mark.x))
                length = TICK_LENGTH * step
                end = mark.x + length * mark.out[0], mark.y + length * mark.out[1]
                canvas.line((mark.x, mark.y), end, canvas.metrics.line, tones.line)
                self._write(canvas, mark, rect, "small", tones.quiet)
                drawn.append(rect)
        for edge, legible in zip(edges, ticks, strict=True):
            places = [
                (mark, self._name_rect(canvas, mark, beyond=place == 0))
                for place, mark in enumerate(edge.names)
                if mark is not None and legible
            ]
            found = next(((mark, rect) for mark, rect in places if free(rect)), None)
            if found is not None:
                tones = theme.on_ground(scene.ground_at(found[1].x))
                self._write(canvas, *found, "body", tones.bright)
                drawn.append(found[1])
        return drawn

    @staticmethod
    def depth(canvas: Canvas) -> int:
        """Pixels that an edge's ticks and their texts take, with what they keep clear of others."""
        return math.ceil((TEXT_AWAY + CLEAR) * canvas.metrics.unit) + canvas.face("small").height

    def _legible(self, canvas: Canvas, marks: list[Mark]) -> list[Mark]:
        """Those marks whose texts would not lie along the edge; none where it is seen end on."""
        if len(marks) < 2:
            return marks
        along = marks[-1].x - marks[0].x, marks[-1].y - marks[0].y
        if math.hypot(*along) / (len(marks) - 1) < CLOSEST * canvas.face("small").height:
            return []
        x, y = unit(*along)
        return [mark for mark in marks if abs(x * mark.out[1] - y * mark.out[0]) > LEAST_ASIDE]

    def _name_rect(self, canvas: Canvas, mark: Mark, beyond: bool) -> Rect:
        """Of an axis' name, at the distance of the ticks' texts or beyond those."""
        step = canvas.metrics.unit
        away = TEXT_AWAY * step
        if beyond:
            away += canvas.face("small").height * 1.6 + 1.5 * step * abs(mark.out[0])
        return self._text_rect(canvas, mark, "body", away)

    @staticmethod
    def _text_rect(canvas: Canvas, mark: Mark, style: str, away: float) -> Rect:
        """Of a text whose nearest point to the mark is `away` px out."""
        face = canvas.face(style)
        w, h = width(face, mark.text), face.cap_height
        x = mark.x + mark.out[0] * (away + 0.5 * w)
        y = mark.y + mark.out[1] * (away + 0.5 * h)
        return Rect(round(x - 0.5 * w), round(y - 0.5 * h), w, h)

    @staticmethod
    def _write(canvas: Canvas, mark: Mark, rect: Rect, style: str, colour: int) -> None:
        canvas.label(mark.text, style, rect.x, rect.bottom, colour, rect.width)
