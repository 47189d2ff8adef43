"""Recordings with rewards: of random walks, and of a shipped agent's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from simulations import simulated

from calf_viz.heightfield import Heightfield
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.samples import Samples
from calf_viz.view import View

VIEW = View("walk", lo=(-1.0, -2.0), hi=(3.0, 4.0), modes=("one", "two"), periodic=(True, False))
LO, HI = VIEW.lo, VIEW.hi


def walk(rng: np.random.Generator, steps: int, agents: list[int], kind: str) -> list[Samples]:
    """Random steps with rewards, ends and promises. agents: their number, by parts of the walk."""
    found, before = [], np.zeros(0, np.int64)
    step = 0
    for number in range(steps):
        n = agents[number * len(agents) // steps]
        known = min(n, len(before))
        first = np.ones(n, bool)
        first[:known] = before[:known] > 0
        before = rng.choice([0, 1, 2], n, p=[0.8, 0.1, 0.1])
        columns: dict[str, Any] = {"reward": rng.normal(size=n), "ended": before.astype(np.uint8)}
        columns["reward"][rng.random(n) < 0.02] = np.nan
        if kind != "surface":
            columns[kind] = rng.normal(size=n)
            columns[kind][rng.random(n) < 0.05] = np.nan
        positions = rng.uniform((-3.0, -2.2), (5.0, 4.2), (n, 2))
        step += 1 + int(rng.random() < 0.05)  # some are lost
        found.append(Samples(positions, rng.integers(0, 2, n), first, None, step, columns))
    return found


def recorded(
    folder: Path, steps: list[Samples], critics: dict[int, Heightfield] | None = None, **about: Any
) -> Recording:
    recorder = Recorder(folder, VIEW, about)
    for number, samples in enumerate(steps):
        if critics and number in critics:
            recorder.critic(critics[number])
        recorder.see(samples)
    recorder.close()
    return Recording(folder)


def pendulums(folder: Path) -> Recording:
    """Of the shipped agent's."""
    simulation = simulated("pendulum", 12, seed=1)
    recorder = Recorder(folder, simulation.view, {"agent": simulation.about()})
    for _ in range(700):
        recorder.see(simulation.step())
    recorder.close()
    return Recording(folder)
