"""What is compared: the agent of a checkpoint, a run, a recording, or the one shipped for a system.

mine.safetensors      a checkpoint
runs/pendulum-0-…     a run: its best agent so far
swing.calf            a recording: its last critic and actor
swing.calf@120        those at a step
pendulum              a system: the agent that comes with it
"""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from calf_viz import systems
from calf_viz.agent import shipped_agents
from calf_viz.agent.calf import CALFAgent
from calf_viz.errors import FileTrouble, UserError, shown
from calf_viz.files import exists, is_file, is_folder
from calf_viz.recording.agent import recorded_agent
from calf_viz.recording.folder import META
from calf_viz.recording.recording import Recording
from calf_viz.recording.rules import rules
from calf_viz.training.run import AGENT

GIVE = "give a checkpoint, a run's folder, a recording *.calf[@STEP], or a system with an agent"
_AT_STEP = re.compile(r"(.+)@([0-9]{1,18})")


class Side(NamedTuple):
    """One of two that are compared."""

    name: str
    agent: CALFAgent


Given = str | PathLike[str] | CALFAgent | Side


def side(given: Given) -> Side:
    """What was given. Raises UserError if there is none, or it cannot be used."""
    if isinstance(given, Side):
        return given
    if isinstance(given, CALFAgent):
        return Side(f"agent after {given.info.steps:,} steps", given)
    text = str(given)
    path, step = Path(text), None
    if not exists(path) and (match := _AT_STEP.fullmatch(text)):
        path, step = Path(match[1]), int(match[2])
    if step is None and not exists(path) and text in systems.names():
        return Side(f"the {text} agent", shipped_agents.load(systems.get(text)))
    if is_folder(path) and is_file(path / META):
        return _recorded(path, step)
    if step is not None:
        raise UserError(f"{shown(text)}: only recordings have steps: {GIVE}")
    name = path.absolute().name
    if is_folder(path):
        if not is_file(path / AGENT):
            raise FileTrouble(path, f"no recording, and no run with an {AGENT} yet", GIVE)
        return Side(name, CALFAgent.load(path / AGENT))
    if not exists(path):
        raise FileTrouble(path, "no such file or folder", GIVE)
    return Side(name, CALFAgent.load(path))


def _recorded(folder: Path, step: int | None) -> Side:
    recording = Recording(folder)
    try:
        name = folder.absolute().name
        if step is not None:
            name += f"@{step}"
        if not len(recording) or not recording.critics:
            raise UserError(f"{shown(folder)} has no critic: {GIVE}")
        first, last = recording.step(0), recording.step(len(recording) - 1)
        if step is not None and not first <= step <= last:
            raise UserError(f"step {step}: {shown(folder)} has steps {first} to {last}")
        number = recording.critics - 1 if step is None else recording.critic_at(step)
        weights = None if number is None else recording.critic(number).weights
        if number is None or weights is None:
            raise UserError(f"{shown(folder)} has no networks there, only heights: {GIVE}")
        decided = rules(recording)
        view, plane = recording.view, decided.system.plane
        if (view.lo, view.hi, view.labels) != (plane.lo, plane.hi, plane.labels):
            raise UserError(
                f"{shown(folder)} has another plane than {decided.system.name} here, "
                f"{view.lo} to {view.hi} instead of {plane.lo} to {plane.hi}: give one of the "
                "same system"
            )
        return Side(name, recorded_agent(recording, decided, number))
    finally:
        recording.close()
