"""What the recordings of a training have in common."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.system_view import surface_of
from calf_viz.heightfield import Grid
from calf_viz.recording.agents import Shape
from calf_viz.recording.recorder import Recorder
from calf_viz.systems import System
from calf_viz.training.trainer import Trainer

NODES = 65
"""Per side of the grid that critics are evaluated on."""


def about(trainer: Trainer, policy: str) -> dict[str, Any]:
    """What `meta.json` says. policy: what decided, `training` or `calf`."""
    p_relax = 0.0 if policy == "calf" else trainer.config.lambda_relax
    agent = trainer.agent.about(policy, p_relax, np.zeros(trainer.system.state_dim))
    return {"source": "Training", "agent": agent, "configuration": asdict(trainer.config)}


def shape_of(system: System, agents: int) -> Shape:
    """Of their rows: the columns that a simulation has, too, but for `value`."""
    single, double, byte = (np.dtype(kind) for kind in (np.float32, np.float64, np.uint8))
    columns: dict[str, tuple[np.dtype[Any], int]] = {
        "x": (single, 0), "y": (single, 0), "mode": (byte, 0), "first": (byte, 0),
    }  # fmt: skip
    if system.heading_axis is not None:
        columns["heading"] = single, 0
    columns |= {
        "state": (single, system.state_dim), "action": (single, system.action_dim),
        "reward": (single, 0), "ended": (byte, 0),
        "q": (double, 0), "q_plus": (double, 0), "margin": (double, 0),
    }  # fmt: skip
    return Shape(agents, columns)


def placed(system: System, states: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """The columns that follow from states, (rows, agents, state_dim)."""
    x, y = system.plane.axes
    columns = {"x": states[:, :, x], "y": states[:, :, y], "state": states}
    if system.heading_axis is not None:
        columns["heading"] = states[:, :, system.heading_axis]
    return columns


def take_critic(recorder: Recorder, trainer: Trainer, step: int) -> None:
    """Take down the critic as it is now, which is shown from a step on."""
    agent, plane = trainer.agent, trainer.system.plane
    field = surface_of(agent, Grid((NODES, NODES), plane.lo, plane.hi))
    recorder.critic(field, trainer.steps, agent.flat_weights(), step)
