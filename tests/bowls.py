"""Sources of agents in a bowl, for tests of sources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from calf_viz import CALFApplication, Samples, View, VisualizationConfig
from calf_viz.heightfield import Heightfield

VIEW = View("bowl", lo=(-2.0, -1.0), hi=(2.0, 1.0), labels=("a", "b"), modes=("left", "right"))
BOWL = Heightfield(np.add.outer(np.arange(-4, 5) ** 2.0, np.arange(-4, 5) ** 2.0), VIEW.lo, VIEW.hi)


class Bowl:
    """Three agents that go round in a bowl."""

    view = VIEW

    def __init__(self) -> None:
        self.asked = self.closed = 0
        self.new: Heightfield | None = BOWL

    def step(self) -> Samples | None:
        self.asked += 1
        turn = 0.1 * self.asked + np.arange(3)
        return Samples.of(np.stack([np.cos(turn), 0.8 * np.sin(turn)], axis=1), [0, 1, 0])

    def surface(self) -> Heightfield | None:
        new, self.new = self.new, None
        return new

    def close(self) -> None:
        self.closed += 1


class Paused(Bowl):
    """Records how it was paused."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bool | str] = []

    def pause(self, paused: bool) -> None:
        self.told.append(paused)

    def single_step(self) -> None:
        self.told.append("single")


class Crowd(Bowl):
    """Another number of agents in each step."""

    def step(self) -> Samples:
        self.asked += 1
        n = 1 + 7 * self.asked % 40
        return Samples.of(np.random.default_rng(n).uniform(-1, 1, (n, 2)))


class Live(Bowl):
    """Delivers several steps at a time."""

    view = replace(VIEW, live=True)

    def __init__(self) -> None:
        super().__init__()
        self.ready = 0

    def step(self) -> Samples | None:
        if not self.ready:
            return None
        self.ready -= 1
        return super().step()


@contextmanager
def showing(source: Any, **changes: Any) -> Iterator[CALFApplication]:
    small = {"size": (320, 180), "trail_length": 40, "headless": True, "hud": False}
    with CALFApplication(VisualizationConfig(**{**small, **changes}), source=source) as app:
        yield app
