"""The trained agents that come with the program, and what stands in where none does."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from calf_viz import systems
from calf_viz.agent import checkpoint
from calf_viz.agent.calf import CALFAgent
from calf_viz.errors import UserError, shown
from calf_viz.systems import System

log = logging.getLogger("calf_viz")


def trained() -> list[str]:
    """Names of the systems that an agent comes with."""
    return [name for name in systems.names() if checkpoint.shipped(name).is_file()]


def load(system: System, file: Path | None = None) -> CALFAgent:
    """The agent of a checkpoint, or else the one that comes with the system.

    Raises:
        UserError: none comes with it; or the file cannot be used.
    """
    said = shown(systems.said(system.name))
    if file is None and system.name not in trained():
        raise UserError(
            f"no agent comes with {system.name}: train one (calf-viz train --system {said} "
            f"--output {system.name}.safetensors) and give it as `checkpoint`, or look on with "
            "`train=True`, or without one with `policy=nominal`"
        )
    return CALFAgent.load(file or checkpoint.shipped(system.name), system)


def stand_in(system: System, seed: int) -> CALFAgent:
    """The agent that comes with the system; where none does one whose networks are fresh."""
    if system.name in trained():
        return load(system)
    log.info("no agent comes with %s: its surface is that of fresh networks", system.name)
    return CALFAgent.random(system, np.random.default_rng(seed))
