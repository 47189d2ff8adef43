"""What a recording has already that is appended to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from calf_viz.errors import UserError, shown
from calf_viz.recording.recording import Recording
from calf_viz.view import View

SAME = ("title", "labels", "modes", "periodic")
"""What is shown must stay the same in these."""
REPEATED = ("episode", "agents")
"""Kinds of events that follow from the steps."""


class Earlier(NamedTuple):
    """What there is, by step numbers; -1 where there is nothing.

    Attributes:
        step: the newest row's.
        time: seconds from the recording's beginning to that.
        agents: its number of agents.
        critic: the newest critic's.
        noted: the last of each kind of event that steps are repeated with: episodes, changes of the
            number of agents.
        critics: the first step on each critic, and training steps behind it.
    """

    step: int = -1
    time: float = 0.0
    agents: int = -1
    critic: int = -1
    noted: Mapping[str, int] = MappingProxyType({})
    critics: tuple[tuple[int, int], ...] = ()


def earlier(folder: Path, view: View) -> Earlier:
    """What a recording has. Raises UserError if it is damaged, or shows something else."""
    recording = Recording(folder)
    try:
        for name in SAME:
            old, new = getattr(recording.view, name), getattr(view, name)
            if old != new:
                raise UserError(
                    f"{shown(folder)} has {name} {shown(old)}, not {shown(new)}: "
                    "move it away, or record elsewhere"
                )
        rows = len(recording)
        # One after another: of a long training they are many, with all their weights.
        critics = map(recording.critic, range(recording.critics))
        begun = tuple((critic.step, critic.trained) for critic in critics)
        noted = {event.kind: event.step for event in recording.events() if event.kind in REPEATED}
        return Earlier(
            recording.step(rows - 1) if rows else -1,
            recording.time(rows - 1) if rows else 0.0,
            len(recording.samples(rows - 1)) if rows else -1,
            recording.critic_steps[-1] if begun else -1,
            noted,
            begun,
        )
    finally:
        recording.close()
