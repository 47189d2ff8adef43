"""Curves of the HUD with one point per few episodes, whose width is soon all that there were."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from calf_viz.hud import numbers, theme
from calf_viz.hud.canvas import Canvas
from calf_viz.hud.series import SAMPLES, Series
from calf_viz.scene.paint import mixed

AVERAGED = 20
"""Episodes in a moving average."""


class EpisodeCurves:
    """Adds a point to each of some series for every `each` episodes: at first one, until there are
    `SAMPLES`; then pairs are averaged, repeatedly.

    Attributes:
        each: episodes per point.
    """

    def __init__(
        self,
        series: Series,
        names: Sequence[str],
        colours: Mapping[str, Callable[[float], int]],
        total: int | None = None,
    ) -> None:
        """names: the series. colours: of the points of those that are bands. total: episodes there
        will be, if known."""
        self.series, self.names, self.colours, self.total = series, names, colours, total
        self.each = 1
        self._count = 0
        self._group: list[Sequence[float]] = []

    @property
    def span(self) -> int:
        """Points across a plot's width."""
        if self.total is None:
            return max(min(SAMPLES, math.ceil(self._count / self.each)), 2)
        return min(SAMPLES, math.ceil(self.total / self.each))

    def add(self, values: Sequence[float]) -> None:
        """An episode's values, in the order of the names."""
        self._count += 1
        if not self._group and len(self.series.values(self.names[0])) == SAMPLES:
            self._thin_out()
        self._group.append(values)
        if len(self._group) < self.each:
            return
        means = np.mean(self._group, axis=0)
        self._group = []
        for name, value in zip(self.names, means.tolist(), strict=True):
            self._push(name, value)

    def _thin_out(self) -> None:
        """Average pairs of points."""
        self.each *= 2
        for name in self.names:
            means = self.series.values(name).reshape(-1, 2).mean(axis=1)
            self.series.clear(name)
            for value in means.tolist():
                self._push(name, value)

    def _push(self, name: str, value: float) -> None:
        colour = self.colours.get(name)
        self.series.push(name, value, 0 if colour is None else colour(value))


def goal_colour(canvas: Canvas, rate: float) -> int:
    """Of a point of a band: brighter the more goals are reached; NaN is as none."""
    ground, goal = map(canvas.colour, (theme.GROUND, theme.GOAL))
    return mixed(ground, goal, rate if math.isfinite(rate) else 0.0)


def scale_texts(key: str, scale: list[float]) -> dict[str, str]:
    """Texts at the ends of a plot's scale."""
    texts = numbers.tick_texts(scale)
    return {f"{key}_foot": texts[0], f"{key}_head": texts[-1]}
