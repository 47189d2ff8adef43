"""Ticks and names along the two edges of the plane nearest to the viewer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

from calf_viz.heightfield import Heightfield
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.edges import Edge, edges_of
from calf_viz.hud.layout import Rect
from calf_viz.hud.marks import CLEAR, TEXT_AWAY, Mark, free
from calf_viz.hud.shape import unit
from calf_viz.scene.scene import Scene

CLOSEST = 2.2
"""Least distance of ticks, in line heights."""
LEAST_ASIDE = 0.3
"""Least sine of the angle between an edge and its outward direction, in the picture."""


class Axes:
    """Axes of one plane; recomputed only when the camera or the surface moved."""

    def __init__(self, labels: tuple[str, str]) -> None:
        """labels: name and unit of each axis."""
        self.labels = labels

    def draw(
        self,
        canvas: Canvas,
        scene: Scene,
        levels: Heightfield,
        taken: Sequence[Rect],
    ) -> list[Rect]:
        """Draw what fits the picture, clear of `taken`; returns where the texts are."""
        closest = CLOSEST * canvas.face("small").height
        edges = edges_of(scene, levels, self.labels, closest)
        # A text that would lie along its edge is left out: the edge is seen end on.
        ticks = [_aside(edge, edge.ticks) for edge in edges]
        names = [_aside(edge, edge.names) for edge in edges]
        drawn: list[Rect] = []

        def is_free(rect: Rect) -> bool:
            return free(rect, canvas, scene.size, (*taken, *drawn))

        for mark in chain(*ticks):
            rect = mark.tick_rect(canvas)
            if is_free(rect):
                drawn.append(mark.draw_tick(canvas, scene, rect))
        for edge, legible in zip(edges, names, strict=True):
            places = [
                (mark, self._name_rect(canvas, mark, beyond=mark is edge.names[0]))
                for mark in legible
            ]
            found = next(((mark, rect) for mark, rect in places if is_free(rect)), None)
            if found is not None:
                drawn.append(found[0].draw_name(canvas, scene, found[1]))
        return drawn

    @staticmethod
    def depth(canvas: Canvas) -> int:
        """Pixels that an edge's ticks and texts take, including their clearance."""
        return math.ceil((TEXT_AWAY + CLEAR) * canvas.metrics.unit) + canvas.face("small").height

    def _name_rect(self, canvas: Canvas, mark: Mark, beyond: bool) -> Rect:
        """Rectangle of an axis' name, at the distance of the ticks' texts or beyond them."""
        step = canvas.metrics.unit
        away = TEXT_AWAY * step
        if beyond:
            away += canvas.face("small").height * 1.6 + 1.5 * step * abs(mark.out[0])
        return mark.rect(canvas, "body", away)


def _aside(edge: Edge, marks: Sequence[Mark | None]) -> list[Mark]:
    """The marks whose texts would be beside the edge, not along it."""
    there = [mark for mark in marks if mark is not None]
    ends = edge.ends
    if ends is None:
        return there
    x, y = unit(ends[1].x - ends[0].x, ends[1].y - ends[0].y)
    return [mark for mark in there if abs(x * mark.out[1] - y * mark.out[0]) > LEAST_ASIDE]
