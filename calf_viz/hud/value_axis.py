"""The vertical axis: the surface's values, at an upright edge of its outline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from calf_viz.heightfield import Heightfield
from calf_viz.hud import numbers
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.cut import Sight
from calf_viz.hud.edges import MOST_TICKS
from calf_viz.hud.layout import Rect
from calf_viz.hud.marks import CLEAR, TEXT_AWAY, Mark, free
from calf_viz.hud.posts import posts_of
from calf_viz.hud.text import width
from calf_viz.hud.ticked_edges import STAYS, TickedEdges
from calf_viz.hud.uprights import Upright, uprights_of
from calf_viz.hud.value_ticks import fewer
from calf_viz.hud.widgets import ColourBar
from calf_viz.scene.paint import Paint
from calf_viz.scene.scene import Scene
from calf_viz.scene.theme import on_ground
from calf_viz.value_scale import Scale

WELL_APART, CLOSEST = 1.3, 0.85
"""Preferred and least vertical distance of ticks, in line heights."""
PIECES = 8
"""Rectangles that cover the line, which leans if the camera is high: one would be too wide."""
FEWEST = 2
"""Least number of ticks for a scale."""
STAFF, DOT = 3, 5
"""Width behind the line where it stands on the surface, in its own, and size of its end there [px].
"""
CLEARLY_MORE = 2
"""As many more legible ticks are worth another place: with fewer it would jump to and fro."""


class ValueAxis:
    """A line from the lowest value to the highest, with ticks and the value's name.

    It is placed before the plane's own axes are drawn, which keep clear of its line, and draws its
    texts after them, as these change with every step of a morph.

    Attributes:
        others: texts of the plane's ticks, of which it displaces as few as possible.
        edges: those with the plane's ticks: along them its own would be taken for theirs.
    """

    def __init__(self, *names: str) -> None:
        """names: names of the value, preferred first; the others are for less room."""
        self.names = names
        self._upright: Upright | None = None
        self._last: Upright | None = None  # where it was last, also if it is nowhere now
        self._found: tuple[Scale, list[Mark]] | None = None  # ticks, cached for a scale
        self._bar: ColourBar | None = None
        self.others: list[Rect] = []
        self.edges: TickedEdges | None = None

    def share(self, bar: ColourBar | None) -> None:
        """Have the ticks of this bar, or as many of them as there is room for."""
        self._bar, self._found = bar, None

    def stand(
        self,
        canvas: Canvas,
        scene: Scene,
        levels: Heightfield,
        scale: Scale,
        taken: Sequence[Rect],
    ) -> list[Rect]:
        """Choose its place, clear of `taken`, and not along an edge with ticks: the last one, or
        on its side, unless another has clearly more legible ticks; returns the rectangles that it
        takes."""
        last, self._upright = self._last, None
        found = uprights_of(scene, levels)
        uprights = self._apart(found)
        if last is not None:
            uprights.sort(key=lambda other: (other.place != last.place, other.side != last.side))
        self._choose(canvas, scene, scale, taken, uprights)
        out_of_sight = not any(_inside(each.foot, scene.size) for each in uprights)
        if self._upright is None and (out_of_sight or len(uprights) < len(found)):
            sight = Sight(scene.size, taken, self._post_room(canvas, scale))
            place = None if last is None else last.place
            posts = posts_of(scene, levels, sight, place, self.edges)
            self._choose(canvas, scene, scale, taken, posts)
        if self._upright is None or self._found is None:
            return []
        texts = [tick.tick_rect(canvas) for tick in self._found[1]]
        names = self._name_places(canvas, self._upright, texts)
        name = [rect for _, rect in names if free(rect, canvas, scene.size, taken)][:1]
        # Another axis' name in that place would be taken for it.
        return [*_line_rects(self._upright), *name]

    def _apart(self, uprights: list[Upright]) -> list[Upright]:
        """Those that do not lie along an edge with ticks."""
        if self.edges is None or not uprights:
            return uprights
        ends = np.array([(each.foot, each.head) for each in uprights]).swapaxes(0, 1)
        last = None if self._last is None else self._last.place
        lie = self.edges.along(ends, [STAYS if each.place == last else 1.0 for each in uprights])
        return [each for each, along in zip(uprights, lie, strict=True) if not along]

    def _choose(
        self,
        canvas: Canvas,
        scene: Scene,
        scale: Scale,
        taken: Sequence[Rect],
        uprights: Sequence[Upright],
    ) -> None:
        """Choose the first of them, unless another has clearly more legible ticks."""
        keeps, most = self._last is not None, -math.inf
        for upright in uprights:
            ticks = self._ticks(canvas, upright, scale)
            readable = len(self._free(canvas, scene, ticks, taken))
            if readable < FEWEST or self._crosses(canvas, upright, taken):
                continue
            worth = readable - self._displaced(canvas, upright, ticks)
            if worth > most:
                self._upright = self._last = upright
                self._found = scale, ticks
                most = worth + CLEARLY_MORE - 1 if keeps else worth
            if self._upright is upright and worth == len(ticks):
                break

    @staticmethod
    def _post_room(canvas: Canvas, scale: Scale) -> tuple[float, float]:
        """Width and height to leave for a text beside a post."""
        face = canvas.face("small")
        texts = numbers.tick_texts(scale.ticks(MOST_TICKS))
        away = (TEXT_AWAY + CLEAR) * canvas.metrics.unit
        return away + max((width(face, text) for text in texts), default=0), 2 * face.height

    def draw(self, canvas: Canvas, scene: Scene, scale: Scale, taken: Sequence[Rect]) -> list[Rect]:
        """Draw it in its place, its texts clear of `taken`; returns where those are."""
        upright = self._upright
        if upright is None:
            return []
        if self._found is None or self._found[0] != scale:
            self._found = scale, self._ticks(canvas, upright, scale)
        ticks = self._free(canvas, scene, self._found[1], taken)
        if len(ticks) < FEWEST:
            return []
        tones, line = on_ground(scene.ground_at(upright.foot[0]), canvas.theme), canvas.metrics.line
        canvas.line(upright.foot, upright.head, line, tones.line)
        if upright.ground > 0.0:  # among contours and grid lines: a staff that stands out
            emerges = upright.at(upright.ground)
            canvas.line(emerges, upright.head, STAFF * line, tones.plate)
            canvas.line(emerges, upright.head, line, Paint(tones.bright))
            dot = round(DOT * canvas.metrics.scale)
            rect = Rect(round(emerges[0]) - dot // 2, round(emerges[1]) - dot // 2, dot, dot)
            canvas.rectangle(rect, Paint(tones.bright), 0.5 * dot)
        drawn = [tick.draw_tick(canvas, scene, rect) for tick, rect in ticks]
        for mark, rect in self._name_places(canvas, upright, drawn):
            if free(rect, canvas, scene.size, (*taken, *drawn)):
                drawn.append(mark.draw_name(canvas, scene, rect))
                break
        return drawn

    @staticmethod
    def _crosses(canvas: Canvas, upright: Upright, taken: Sequence[Rect]) -> bool:
        """Whether the line would cross a panel."""
        step = canvas.metrics.unit
        return any(piece.overlaps(other, step) for piece in _line_rects(upright) for other in taken)

    def _displaced(self, canvas: Canvas, upright: Upright, ticks: Sequence[Mark]) -> int:
        """Number of the plane's ticks for which there would be no room."""
        own = [*_line_rects(upright), *(tick.tick_rect(canvas) for tick in ticks)]
        gap = CLEAR * canvas.metrics.unit
        return sum(any(other.overlaps(rect, gap) for rect in own) for other in self.others)

    @staticmethod
    def _free(
        canvas: Canvas, scene: Scene, ticks: Sequence[Mark], taken: Sequence[Rect]
    ) -> list[tuple[Mark, Rect]]:
        """The marks whose texts fit, and where those are."""
        placed = [(tick, tick.tick_rect(canvas)) for tick in ticks]
        return [(tick, rect) for tick, rect in placed if free(rect, canvas, scene.size, taken)]

    def _ticks(self, canvas: Canvas, upright: Upright, scale: Scale) -> list[Mark]:
        """As many ticks as are well apart; if too few, as many as can be distinguished."""
        line = canvas.face("small").height
        length = upright.foot[1] - upright.head[1]
        shared = [] if self._bar is None else self._bar.values_of(canvas, scale)
        for apart in (WELL_APART * line, CLOSEST * line):
            values = fewer(scale, shared, 1.1 * apart / max(length, apart))
            if len(values) >= FEWEST:
                return self._marks(upright, scale, values)
        for apart in (WELL_APART * line, CLOSEST * line):
            for most in range(min(MOST_TICKS, int(length / apart) + 1), FEWEST - 1, -1):
                values = scale.ticks(most, 1.1 * apart / max(length, apart))
                at = [upright.at(level) for level in scale.levels(values).tolist()]
                if len(values) >= FEWEST and all(a[1] - b[1] > apart for a, b in pairwise(at)):
                    return self._marks(upright, scale, values)
        return []

    @staticmethod
    def _marks(upright: Upright, scale: Scale, values: Sequence[float]) -> list[Mark]:
        at = [upright.at(level) for level in scale.levels(list(values)).tolist()]
        out, texts = (float(upright.side), 0.0), numbers.tick_texts(values)
        return [Mark(x, y, out, text) for (x, y), text in zip(at, texts, strict=True)]

    def _name_places(
        self, canvas: Canvas, upright: Upright, ticks: Sequence[Rect]
    ) -> Iterator[tuple[Mark, Rect]]:
        """Possible places of each name, best first: above the line's head, or beyond the ticks."""
        step, side = canvas.metrics.unit, upright.side
        above = min(round(upright.head[1]), *(rect.y for rect in ticks)) - CLEAR * step
        beyond = max(rect.width for rect in ticks) + 3 * CLEAR * step
        (foot_x, foot_y), (head_x, head_y) = upright.foot, upright.head
        for name in self.names:
            mark = Mark(head_x, head_y, (float(side), 0.0), name)
            rect = mark.rect(canvas, "body", -step)
            yield mark, rect._replace(y=above - rect.height)
        for name in self.names:
            mark = Mark(0.5 * (foot_x + head_x), 0.5 * (foot_y + head_y), (float(side), 0.0), name)
            yield mark, mark.rect(canvas, "body", beyond)


def _inside(point: tuple[float, float], size: tuple[int, int]) -> bool:
    return 0.0 <= point[0] <= size[0] and 0.0 <= point[1] <= size[1]


def _line_rects(upright: Upright) -> list[Rect]:
    """Rectangles around the pieces of the line."""
    (x, y), (to_x, to_y) = upright.foot, upright.head
    ends = [
        (x + part / PIECES * (to_x - x), y + part / PIECES * (to_y - y))
        for part in range(PIECES + 1)
    ]
    found = []
    for (x, y), (to_x, to_y) in pairwise(ends):
        left, top = math.floor(min(x, to_x)), math.floor(min(y, to_y))
        right, bottom = math.ceil(max(x, to_x)), math.ceil(max(y, to_y))
        found.append(Rect(left, top, right + 1 - left, bottom + 1 - top))
    return found
