"""The shipped agents, and a substitute for systems without one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calf_viz import systems
from calf_viz.agent import checkpoint
from calf_viz.agent.calf import CALFAgent
from calf_viz.errors import UserError, shown
from calf_viz.systems import System


def trained() -> list[str]:
    """Names of the systems with a shipped agent."""
    return [name for name in systems.names() if checkpoint.shipped(name).is_file()]


def load(system: System, file: Path | None = None) -> CALFAgent:
    """The agent from a checkpoint, by default the system's shipped one.

    Raises:
        UserError: there is no shipped one, or the file cannot be used.
    """
    said = shown(systems.said(system.name))
    if file is None and system.name not in trained():
        raise UserError(
            f"no agent comes with {system.name}: train one (calf-viz train --system {said} "
            f"--output {system.name}.safetensors) and give it as `checkpoint`, or watch one learn "
            "with `train=True`, or do without with `policy=nominal`"
        )
    return CALFAgent.load(file or checkpoint.shipped(system.name), system)


def stand_in(system: System, seed: int) -> CALFAgent:
    """The system's shipped agent, or an untrained one if there is none."""
    if system.name in trained():
        return load(system)
    return CALFAgent.random(system, np.random.default_rng(seed))
