"""What decided for the agents of a recording, as its `meta.json` says: of our own alone."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Protocol

from calf_viz import systems
from calf_viz.errors import FileDamaged, UserError, shown
from calf_viz.files import parsing
from calf_viz.recording.folder import ADVICE, META
from calf_viz.recording.rows import Columns
from calf_viz.recording.storage import Location
from calf_viz.systems import System
from calf_viz.view import View

LARGEST_HIDDEN = 4096
"""Most units of a layer, as in a checkpoint."""
POLICIES = ("calf", "nominal", "actor", "training")
"""What decides. `training`: by networks that change with each step, and with exploration."""


class Described(Protocol):
    """The part of a `Recording` that this reads."""

    folder: Location
    view: View
    meta: dict[str, Any]

    def shapes(self) -> list[Columns]: ...


class Rules(NamedTuple):
    """What the recording was made by."""

    system: System
    policy: str
    """One of `POLICIES`."""
    p_relax: float
    hidden: int
    """Units of the networks' layers."""
    nu_bar: float
    c_low: float
    c_up: float
    hidden_states: tuple[float, ...]
    """Values of the states that the plane does not show; those that it shows count as well, as 0.
    All are 0 where that is not recorded."""
    gamma: float | None
    """Discount per step, if that is recorded."""
    reward_scale: float | None
    """Factor on rewards with which the critic was trained, if that is recorded."""


def decided(recording: Described) -> bool:
    """Whether a recording says what decided."""
    return recording.meta.get("agent") is not None


def rules(recording: Described) -> Rules:
    """Those of a recording.

    Raises:
        UserError: it is not of our own agents, or its system is unknown here.
        FileDamaged: what it says is no agent's, or not that of its rows.
    """
    if not decided(recording):
        raise UserError(
            f"{shown(recording.folder)} has no certificate of ours, and what moves its "
            f"agents is not known: it shows {shown(recording.view.title)}"
        )
    with parsing(recording.folder / META, "a recording's meta.json", ADVICE):
        found = _read(recording.meta["agent"])
    system = found.system
    for columns in recording.shapes():
        for name, width in (("state", system.state_dim), ("action", system.action_dim)):
            has = columns.widths.get(name, 0)
            if name in columns.kinds and has != width:
                said = f"its column {name} has {has or 'no'} numbers of each agent, where {width} "
                said += f"of {system.name} are wanted"
                raise FileDamaged(recording.folder, said, ADVICE)
    return found


def _read(about: Any) -> Rules:
    """Raises whatever comes of something else."""
    hidden, p_relax, policy = int(about["hidden"]), float(about["p_relax"]), about["policy"]
    if not (1 <= hidden <= LARGEST_HIDDEN and 0.0 <= p_relax <= 1.0):
        raise ValueError(f"{hidden} units of a layer, P_relax {p_relax}")
    if policy not in POLICIES:
        raise ValueError(f"policy {shown(policy)}, where one of {', '.join(POLICIES)} is wanted")
    constants = about["constants"]
    nu_bar, c_low, c_up = (float(constants[name]) for name in ("nu_bar", "c_low", "c_up"))
    others = (about.get(name) for name in ("gamma", "reward_scale"))
    gamma, scale = (None if value is None else float(value) for value in others)
    numbers = nu_bar, c_low, c_up, gamma or 0.0, scale or 0.0
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"constants {numbers}")
    system = systems.get(about["system"])
    states = tuple(map(float, about.get("slice", (0.0,) * system.state_dim)))
    if len(states) != system.state_dim or not all(map(math.isfinite, states)):
        raise ValueError(f"a slice of {shown(states)}")
    return Rules(system, policy, p_relax, hidden, nu_bar, c_low, c_up, states, gamma, scale)
