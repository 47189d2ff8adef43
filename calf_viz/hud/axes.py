"""Ticks and names along the two edges of the plane that are nearest to the viewer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.hud import numbers, theme
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.layout import Rect
from calf_viz.hud.shape import unit
from calf_viz.hud.text import width
from calf_viz.render.scene import Scene

MOST_TICKS = 5
TICK_LENGTH, TEXT_AWAY = 1.5, 2.5
"""From the edge to the end of a tick, and to its text, in units."""
CLOSEST = 2.2
"""Heights of a line that ticks must be apart: below, the edge is seen almost end on."""
LEAST_ASIDE = 0.3
"""Sine of the angle between an edge and the way out of the plane, in the picture."""
OUTWARD = 0.02
"""How far beyond the edge a second point is projected, in parts of the plane: gives a direction."""


class Mark(NamedTuple):
    """A point of the plane's edge in the picture, and which way is out of the plane [px]."""

    x: float
    y: float
    out: tuple[float, float]
    text: str


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
        project = _Projection(scene, heightfield, value_range)
        step = canvas.metrics.unit
        drawn: list[Rect] = []
        ticks = [self._legible(canvas, project.ticks(axis)) for axis in (0, 1)]
        for marks in ticks:
            for mark in marks:
                rect = self._text_rect(canvas, mark, "small", TEXT_AWAY * step)
                if self._free(rect, scene.size, canvas, [*taken, *drawn]):
                    length = TICK_LENGTH * step
                    end = mark.x + length * mark.out[0], mark.y + length * mark.out[1]
                    canvas.line((mark.x, mark.y), end, canvas.metrics.line, theme.AXIS)
                    self._write(canvas, mark, rect, "small", theme.QUIET)
                    drawn.append(rect)
        for axis in (0, 1):
            for rect, mark in self._places_of_name(canvas, project, axis) if ticks[axis] else ():
                if self._free(rect, scene.size, canvas, [*taken, *drawn]):
                    self._write(canvas, mark, rect, "body", theme.BRIGHT)
                    drawn.append(rect)
                    break
        return drawn

    def _legible(self, canvas: Canvas, marks: list[Mark]) -> list[Mark]:
        """Those marks whose texts would not lie along the edge; none where it is seen end on."""
        if len(marks) < 2:
            return marks
        along = marks[-1].x - marks[0].x, marks[-1].y - marks[0].y
        if math.hypot(*along) / (len(marks) - 1) < CLOSEST * canvas.face("small").height:
            return []
        x, y = unit(*along)
        return [mark for mark in marks if abs(x * mark.out[1] - y * mark.out[0]) > LEAST_ASIDE]

    def _places_of_name(
        self, canvas: Canvas, project: _Projection, axis: int
    ) -> Iterator[tuple[Rect, Mark]]:
        """Half way along, beyond the ticks' texts; or, beside those, past either end."""
        step, name = canvas.metrics.unit, self.labels[axis]
        for part in (0.5, 1.07, -0.07):
            mark = project.at(axis, part, name)
            if mark is None:
                continue
            away = TEXT_AWAY * step
            if part == 0.5:
                away += canvas.face("small").height * 1.6 + 1.5 * step * abs(mark.out[0])
            yield self._text_rect(canvas, mark, "body", away), mark

    @staticmethod
    def _text_rect(canvas: Canvas, mark: Mark, style: str, away: float) -> Rect:
        """Of a text whose nearest point to the mark is `away` px out."""
        face = canvas.face(style)
        w, h = width(face, mark.text), face.cap_height
        x = mark.x + mark.out[0] * (away + 0.5 * w)
        y = mark.y + mark.out[1] * (away + 0.5 * h)
        return Rect(round(x - 0.5 * w), round(y - 0.5 * h), w, h)

    @staticmethod
    def _free(rect: Rect, size: tuple[int, int], canvas: Canvas, others: Iterable[Rect]) -> bool:
        gap = 2 * canvas.metrics.unit
        return rect.within(size, canvas.metrics.unit) and not any(
            rect.overlaps(other, gap) for other in others
        )

    @staticmethod
    def _write(canvas: Canvas, mark: Mark, rect: Rect, style: str, colour: int) -> None:
        canvas.label(mark.text, style, rect.x, rect.bottom, colour, rect.width)


class _Projection:
    """From points of the plane's edge to pixels, on the surface that the shaders draw."""

    def __init__(
        self, scene: Scene, heightfield: Heightfield, value_range: tuple[float, float]
    ) -> None:
        self.scene, self.heightfield, self.value_range = scene, heightfield, value_range
        width, height = scene.size
        self.matrix = scene.camera.view_projection(width / height).astype(np.float64)
        lo, hi = heightfield.lo, heightfield.hi
        # The edge along each axis lies at this end of the other one; seen from above, at the low.
        toward = math.cos(scene.camera.azimuth), math.sin(scene.camera.azimuth)
        self.edges = tuple(
            hi[1 - axis] if toward[1 - axis] > 1e-3 else lo[1 - axis] for axis in (0, 1)
        )

    def ticks(self, axis: int) -> list[Mark]:
        """Marks at round numbers along an axis."""
        lo, hi = self.heightfield.lo[axis], self.heightfield.hi[axis]
        values = numbers.nice_ticks(lo, hi, MOST_TICKS)
        return self._marks(axis, values, [numbers.plain(value) for value in values])

    def at(self, axis: int, part: float, text: str) -> Mark | None:
        """A mark at a part of an axis: 0 at its low end, 1 at its high one."""
        lo, hi = self.heightfield.lo[axis], self.heightfield.hi[axis]
        marks = self._marks(axis, [lo + part * (hi - lo)], [text])
        return marks[0] if marks else None

    def _marks(self, axis: int, values: Sequence[float], texts: Sequence[str]) -> list[Mark]:
        if not values:
            return []
        edge = self.edges[axis]
        lo, hi = self.heightfield.lo[1 - axis], self.heightfield.hi[1 - axis]
        beyond = edge + OUTWARD * (hi - lo) * (1.0 if edge == hi else -1.0)
        points = np.empty((2, len(values), 2))
        points[..., axis] = values
        points[0, :, 1 - axis], points[1, :, 1 - axis] = edge, beyond
        heights = np.tile(self._heights(points[0]), 2)
        pixels, seen = self._pixels(points.reshape(-1, 2), heights)
        at, out = pixels.reshape(2, -1, 2)
        before = seen[: len(values)] & seen[len(values) :]
        return [
            Mark(float(a[0]), float(a[1]), unit(*(b - a).tolist()), text)
            for a, b, shown, text in zip(at, out, before, texts, strict=True)
            if shown
        ]

    def _heights(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scaled heights, as `shaders/field.vert` finds them."""
        lo, hi = self.value_range
        values = self.heightfield.heights(points)
        levels = np.clip((values - lo) / (hi - lo if hi > lo else 1.0), -2.0, 3.0)
        return levels * self.scene.height_scale

    def _pixels(
        self, points: NDArray[np.float64], heights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Where points (m, 2) are in the picture, (m, 2), and which are before the camera."""
        clip = np.column_stack([points, heights, np.ones(len(points))]) @ self.matrix.T
        before = clip[:, 3] > 1e-6
        ndc = clip[:, :2] / np.where(before, clip[:, 3], 1.0)[:, None]
        return (0.5 + 0.5 * ndc * (1.0, -1.0)) * self.scene.size, before
