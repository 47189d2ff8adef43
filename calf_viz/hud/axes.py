"""Ticks and names along the two edges of the plane nearest to the viewer, or where the picture cuts
it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from calf_viz.heightfield import Heightfield
from calf_viz.hud import numbers
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.cut import LEAST_ASIDE, Line, Projection, Sight, cut_marks, in_sight
from calf_viz.hud.edges import (
    MOST_TICKS,
    NAME_AT,
    Edge,
    edges_of,
    near_ends,
    plane_of,
    surface_pixels,
)
from calf_viz.hud.layout import Rect
from calf_viz.hud.marks import CLEAR, TEXT_AWAY, Mark, free
from calf_viz.hud.shape import unit
from calf_viz.hud.text import width
from calf_viz.hud.ticked_edges import TickedEdges
from calf_viz.scene.scene import Scene

CLOSEST = 2.2
"""Least distance of ticks, in line heights."""
MOST_PLACES = 4
"""Places of an axis' name that are tried there."""
REACH = 8
"""Distance in units from an edge to the far side of its ticks' texts."""
LONGEST_SYMBOL = 3
"""Most characters of an axis' name that is written before the numbers of its ticks."""
TICK_ROOM = "v −0.0"
"""A text for which there is room beside the marks of a plane that the picture cuts."""
FEWEST, MOST = 1.8, 7.0
"""A plane that the picture cuts keeps the step of its ticks while this many steps are in sight."""


class NamePlace(NamedTuple):
    """A place for an axis' name.

    Attributes:
        at: where along the axis, in its units.
        mark: the name there.
        beyond: whether beyond the ticks' texts.
    """

    at: float
    mark: Mark
    beyond: bool = False


class Marks(NamedTuple):
    """The legible marks of one axis; places of its name best first."""

    ticks: list[Mark]
    names: list[NamePlace]


class Axes:
    """Axes of one plane; recomputed only when the camera or the surface moved.

    What was drawn last is kept while it is about as good: nothing flickers while the camera moves.
    """

    def __init__(self, labels: tuple[str, str]) -> None:
        """labels: name and unit of each axis."""
        self.labels = labels
        self._high: tuple[bool, bool] | None = None
        self._is_cut = False  # by the picture
        self._edges: list[Edge] = []
        self._steps: list[float] = [0.0, 0.0]
        self._ticks: set[tuple[int, str]] = set()  # drawn last: axis and text
        self._names: list[float] = [math.nan, math.nan]  # where each was

    def place(self, canvas: Canvas, scene: Scene, levels: Heightfield) -> list[Rect]:
        """Find the edges for `draw`; returns where their ticks' texts would be, unless the picture
        cuts the plane."""
        closest = CLOSEST * canvas.face("small").height
        self._high = near_ends(scene, self._high)
        self._edges = edges_of(scene, levels, self.labels, closest, self._high)
        self._is_cut = not all(_within(edge, scene.size) for edge in self._edges)
        if self._is_cut:
            return []
        return [mark.tick_rect(canvas) for edge in self._edges for mark in _aside(edge, edge.ticks)]

    def ticked(self, canvas: Canvas, scene: Scene, levels: Heightfield) -> TickedEdges:
        """Those edges that have ticks, and how far from them their texts reach."""
        ends = enumerate(self._high or near_ends(scene))
        high = {
            i: end
            for i, end in ends
            if self._is_cut or _aside(self._edges[i], self._edges[i].ticks)
        }
        return TickedEdges.of(scene, levels, high, REACH * canvas.metrics.unit)

    def draw(
        self,
        canvas: Canvas,
        scene: Scene,
        levels: Heightfield,
        taken: Sequence[Rect],
    ) -> list[Rect]:
        """Draw what fits the picture, clear of `taken`, where it was placed; returns where the
        texts are."""
        if not self._is_cut:
            # A text that would lie along its edge is left out: the edge is seen end on.
            lo, hi = plane_of(scene, levels)
            axes = [
                Marks(_aside(edge, edge.ticks), _names(edge, lo[axis], hi[axis]))
                for axis, edge in enumerate(self._edges)
            ]
        else:
            sight = self._sight(canvas, scene, taken)
            project = partial(surface_pixels, scene, levels)
            axes = self._cut(project, sight, plane_of(scene, levels))
        return self._draw(canvas, scene, axes, taken)

    def _draw(
        self, canvas: Canvas, scene: Scene, axes: Sequence[Marks], taken: Sequence[Rect]
    ) -> list[Rect]:
        drawn: list[Rect] = []
        before, self._ticks = self._ticks, set()

        def is_free(rect: Rect, stays: bool) -> bool:
            return free(rect, canvas, scene.size, (*taken, *drawn), stays)

        # Those that were there come first, as they would keep others from appearing.
        marks = [(axis, mark) for axis, each in enumerate(axes) for mark in each.ticks]
        for stays in (True, False):
            for axis, mark in marks:
                key = axis, mark.text
                if (key in before) is stays and is_free(rect := mark.tick_rect(canvas), stays):
                    self._ticks.add(key)
                    drawn.append(mark.draw_tick(canvas, scene, rect))
        for axis, each in enumerate(axes):
            last = self._names[axis]
            for place in sorted(each.names, key=lambda place: place.at != last):
                rect = self._name_rect(canvas, scene.size, place.mark, place.beyond)
                if is_free(rect, place.at == last):
                    self._names[axis] = place.at
                    drawn.append(place.mark.draw_name(canvas, scene, rect))
                    break
        return drawn

    @staticmethod
    def _sight(canvas: Canvas, scene: Scene, taken: Sequence[Rect]) -> Sight:
        face, step = canvas.face("small"), canvas.metrics.unit
        away = (TEXT_AWAY + 1) * step
        return Sight(scene.size, taken, (away + width(face, TICK_ROOM), away + face.cap_height))

    def _cut(
        self, project: Projection, sight: Sight, plane: tuple[tuple[float, float], ...]
    ) -> list[Marks]:
        """The marks of a plane whose near edges are not all in the picture."""
        lo, hi = plane
        part = in_sight(project, sight, (lo, hi))
        if part is None or self._high is None:
            return [Marks([], []), Marks([], [])]
        lines: list[list[Line]] = []
        for axis, label in enumerate(self.labels):
            other, high = 1 - axis, self._high[axis]
            # From the near edge, or from where it is certainly out of sight.
            ends = part[high][other], part[not high][other]
            ticks, between = self._values(axis, part[0][axis], part[1][axis])
            # Ticks of both axes share a border, so each says whose it is.
            symbol = label.partition("[")[0].strip()
            symbol = f"{symbol} " if len(symbol) <= LONGEST_SYMBOL else ""
            texts = [f"{symbol}{text}" for text in numbers.tick_texts(ticks)]
            lines.append([Line(axis, *at, ends) for at in zip(ticks, texts, strict=True)])
            lines.append([Line(axis, value, label, ends) for value in between[:MOST_PLACES]])
        found = iter(cut_marks(project, sight, [line for each in lines for line in each]))
        marks = [[(line.value, next(found)) for line in each] for each in lines]
        return [
            Marks(
                [mark for _, mark in ticks if mark is not None],
                [NamePlace(at, mark) for at, mark in names if mark is not None],
            )
            for ticks, names in (marks[:2], marks[2:])
        ]

    def _values(self, axis: int, low: float, high: float) -> tuple[list[float], list[float]]:
        """Round numbers for ticks, at the same distance as before if these are not too many or too
        few; and those half way between, where the axis' name may be, from the middle outwards."""
        step, middle = self._steps[axis], 0.5 * (low + high)
        if not (step > 0.0 and FEWEST <= (high - low) / step <= MOST):
            ticks = numbers.nice_ticks(low, high, MOST_TICKS, ends=True)
            if len(ticks) < 2:
                return ticks, [middle]
            step = self._steps[axis] = ticks[1] - ticks[0]
        first, last = math.ceil(low / step), math.floor(high / step)
        between = [(2 * i + 1) * (0.5 * step) for i in range(first - 1, last + 1)]
        between.sort(key=lambda value: abs(value - middle))
        return [i * step for i in range(first, last + 1)], between

    @staticmethod
    def depth(canvas: Canvas) -> int:
        """Pixels that an edge's ticks and texts take, including their clearance."""
        return math.ceil((TEXT_AWAY + CLEAR) * canvas.metrics.unit) + canvas.face("small").height

    def _name_rect(self, canvas: Canvas, size: tuple[int, int], mark: Mark, beyond: bool) -> Rect:
        """Rectangle of an axis' name, at the distance of the ticks' texts or beyond them."""
        step = canvas.metrics.unit
        away = TEXT_AWAY * step
        if beyond:
            away += canvas.face("small").height * 1.6 + 1.5 * step * abs(mark.out[0])
        rect = mark.rect(canvas, "body", away)
        if not self._is_cut:
            return rect
        # Longer than a tick's text, for which there is room: moved into the picture.
        x, y = (
            max(min(at, side - length - 2 * step), 2 * step)
            for at, length, side in zip(rect[:2], rect[2:], size, strict=True)
        )
        return rect._replace(x=x, y=y)


def _within(edge: Edge, size: tuple[int, int]) -> bool:
    """Whether all of an edge's ticks, or else its middle, are in the picture."""
    marks = edge.ticks or edge.names[:1]
    return all(mark and 0 <= mark.x <= size[0] and 0 <= mark.y <= size[1] for mark in marks)


def _names(edge: Edge, low: float, high: float) -> list[NamePlace]:
    """Where an edge's name may be, the middle beyond the ticks' texts."""
    legible = _aside(edge, edge.names)
    return [
        NamePlace(low + part * (high - low), mark, beyond=mark is edge.names[0])
        for part, mark in zip(NAME_AT, edge.names, strict=True)
        if mark in legible
    ]


def _aside(edge: Edge, marks: Sequence[Mark | None]) -> list[Mark]:
    """The marks whose texts would be beside the edge, not along it."""
    there = [mark for mark in marks if mark is not None]
    ends = edge.ends
    if ends is None:
        return there
    x, y = unit(ends[1].x - ends[0].x, ends[1].y - ends[0].y)
    return [mark for mark in there if abs(x * mark.out[1] - y * mark.out[0]) > LEAST_ASIDE]
