"""Simulations of shipped agents, and recorders that take them down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from calf_viz.agent import checkpoint
from calf_viz.agent.calf import CALFAgent
from calf_viz.heightfield import Heightfield
from calf_viz.recording.recorder import Recorder
from calf_viz.sources.simulation import Simulation

FLAT = Heightfield(np.zeros((2, 2)), (-1.0, -1.0), (1.0, 1.0))


def shipped(system: str) -> CALFAgent:
    return CALFAgent.load(checkpoint.shipped(system))


def simulated(system: str, n: int, **settings: Any) -> Simulation:
    """One that gives all that is recorded."""
    simulation = Simulation(shipped(system), n, **settings)
    simulation.record()
    return simulation


def recorder_of(folder: Path, simulation: Simulation, **about: Any) -> Recorder:
    """With its agent and, on a flat surface, its networks. about: further entries of `meta.json`,
    or others in place of these."""
    recorder = Recorder(folder, simulation.view, {"agent": simulation.about(), **about})
    recorder.critic(FLAT, simulation.trained, simulation.weights())
    return recorder
