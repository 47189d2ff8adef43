"""What decided for the agents of a recording, as its `meta.json` says: of our own alone."""

from __future__ import annotations

import math
from typing import NamedTuple

from calf_viz import systems
from calf_viz.errors import UserError, shown
from calf_viz.files import parsing
from calf_viz.recording.folder import ADVICE, META
from calf_viz.recording.recording import Recording
from calf_viz.systems import System

LARGEST_HIDDEN = 4096
"""Most units of a layer, as in a checkpoint."""


class Rules(NamedTuple):
    """What the recording was made by."""

    system: System
    policy: str
    p_relax: float
    hidden: int
    """Units of the networks' layers."""
    nu_bar: float
    c_low: float
    c_up: float


def rules(recording: Recording) -> Rules:
    """Those of a recording. Raises UserError if it is not of our own agents, or its system is
    unknown here."""
    about = recording.meta.get("agent")
    if about is None:
        raise UserError(
            f"{shown(recording.folder)} has no certificate of ours: it shows "
            f"{shown(recording.view.title)}"
        )
    with parsing(recording.folder / META, "a recording's meta.json", ADVICE):
        hidden, p_relax = int(about["hidden"]), float(about["p_relax"])
        if not (1 <= hidden <= LARGEST_HIDDEN and 0.0 <= p_relax <= 1.0):
            raise ValueError(f"{hidden} units of a layer, P_relax {p_relax}")
        numbers = {name: float(value) for name, value in about["constants"].items()}
        if not all(map(math.isfinite, numbers.values())):
            raise ValueError(f"constants {numbers}")
        return Rules(
            systems.get(about["system"]),
            str(about["policy"]),
            p_relax,
            hidden,
            numbers["nu_bar"],
            numbers["c_low"],
            numbers["c_up"],
        )
