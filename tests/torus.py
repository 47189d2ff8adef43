"""Agents on planes whose axes wrap, and what their trails are to consist of, in float64."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

TORUS, TUBE, RING = (True, True), (True, False), (False, True)
FASTEST = 2.4  # units of a plane of 10 a step, along each axis


@dataclass
class History:
    """Everything pushed, newest last, and what is to be drawn of it, in float64."""

    axes: tuple[bool, bool]
    positions: list[np.ndarray] = field(default_factory=list)  # (agents, 2), NaN: not drawn
    first: list[np.ndarray] = field(default_factory=list)

    def at(self, agent: int, step: int) -> np.ndarray:
        return self.positions[step][agent].astype(np.float32).astype(np.float64)

    def valid(self, agent: int, step: int) -> bool:
        return bool(np.isfinite(self.at(agent, step)).all())

    def lines(self, agent: int, head: int, reach: int, stride: int) -> list[np.ndarray]:
        """What an agent's trail consists of, each (points, 2), oldest first throughout: of a run
        its oldest sample, those of the stride, its newest, and where it meets an edge."""
        runs: list[list] = [[]]  # of steps, and of points on an edge
        for step in range(max(head - reach, 0), head + 1):
            if not self.valid(agent, step):
                runs.append([])
                continue
            if runs[-1] and self.first[step][agent]:
                runs.append([])
            if runs[-1]:
                older, newer = self.at(agent, step - 1), self.at(agent, step)
                pieces = split(older, shorter_way(older, newer, self.axes), self.axes)
                for begin, end in pairwise(pieces):
                    runs[-1].append(begin[1])
                    runs.append([end[0]])
            runs[-1].append(step)
        lines = []
        for run in runs:
            steps = [item for item in run if isinstance(item, int)]
            kept = [
                self.at(agent, item) if isinstance(item, int) else item
                for item in run
                if not isinstance(item, int) or item in (steps[0], steps[-1]) or item % stride == 0
            ]
            if kept:
                lines.append(np.array(kept))
        return lines


def shorter_way(older: np.ndarray, newer: np.ndarray, axes: tuple[bool, bool]) -> np.ndarray:
    way = newer - older
    for axis in (0, 1):
        if axes[axis] and abs(way[axis]) > 5.0:
            way[axis] -= np.sign(way[axis]) * 10.0
    return way


def split(older: np.ndarray, way: np.ndarray, axes: tuple[bool, bool]) -> list[np.ndarray]:
    """A way on from a point of the plane, cut where it meets edges: pieces (begin, end), each where
    it lies on the plane."""
    cuts = {0.0, 1.0}
    for axis in (0, 1):
        for edge in (-25.0, -15.0, -5.0, 5.0, 15.0, 25.0):
            if axes[axis] and 0.0 < (edge - older[axis]) * np.sign(way[axis]) < abs(way[axis]):
                cuts.add((edge - older[axis]) / way[axis])
    pieces = []
    parts = sorted(cuts)
    for begin, end in pairwise(parts):
        middle = older + 0.5 * (begin + end) * way
        whole = np.floor((middle + 5.0) / 10.0) * 10.0 * axes
        pieces.append(np.array([older + begin * way - whole, older + end * way - whole]))
    return pieces


def travel(
    probe: Any,
    axes: tuple[bool, bool],
    steps: int,
    seed: int,
    agents: int = 3,
    resets: float = 0.06,
    bad: float = 0.04,
    gaps: float = 0.02,
) -> Iterator[History]:
    """Pushes agents that move on over the plane's edges into a probe, if any; yields the history
    after each step."""
    rng = np.random.default_rng(seed)
    history = History(axes)
    at, way = rng.uniform(-5, 5, (agents, 2)), np.zeros((agents, 2))
    number = -1
    for step in range(steps):
        turns = rng.uniform(size=(agents, 1)) < (0.1 if step else 1.0)
        way = np.where(turns, rng.uniform(-FASTEST, FASTEST, (agents, 2)), way)
        at = at + way
        at = np.where(axes, (at + 5.0) % 10.0 - 5.0, np.clip(at, -4.9, 4.9))
        positions = at.copy()
        positions[rng.uniform(size=agents) < bad, 0] = np.nan
        first = rng.uniform(size=agents) < resets
        gap = rng.uniform() < gaps
        number += 2 if gap else 1
        history.positions.append(positions)
        history.first.append(first | gap | (step == 0))
        if probe is not None:
            probe.push(positions, first=first, step=number)
        yield history
