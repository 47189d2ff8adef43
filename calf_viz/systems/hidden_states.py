"""States that a system's plane does not show, and parsing their values, such as theta=0.5."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown
from calf_viz.systems.base import System

LARGEST = 1e6


def hidden_states(system: System) -> dict[str, int]:
    """Indices of the states that the plane does not show, by name."""
    names = system.state_names or tuple(f"s{i}" for i in range(system.state_dim))
    return {name: i for i, name in enumerate(names) if i not in system.plane.axes}


def hidden_values(system: System, given: float | Sequence[str]) -> NDArray[np.float64]:
    """A value for each state, (state_dim,); those of the plane's axes are not used.

    given: a number for all of them; or strings such as `theta=0.5`, `theta=0.5,omega=1` or `0.5`,
    where later ones win.

    Raises UserError for an invalid number, or a name that is not a hidden state.
    """
    values = np.zeros(system.state_dim)
    if not isinstance(given, int | float):
        hidden = hidden_states(system)
        for part in ",".join(given).split(","):
            name, named, text = (word.strip() for word in part.rpartition("="))
            if not named:
                values[:] = _number(text)
            elif name in hidden:
                values[hidden[name]] = _number(text)
            else:
                raise UserError(f"slice: unknown state '{shown(name)}' of {_choices(system)}")
        return values
    values[:] = _checked(float(given))
    return values


def _choices(system: System) -> str:
    if names := hidden_states(system):
        return f"{system.name}: choose one of {', '.join(names)}"
    return f"{system.name}, whose plane shows all of its states: leave it out"


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UserError(
            f"slice '{shown(text)}' is not a number: write 0.5, or name a state, theta=0.5"
        ) from None
    return _checked(value)


def _checked(value: float) -> float:
    if not (math.isfinite(value) and abs(value) <= LARGEST):
        raise UserError(f"slice {shown(value)} is out of range: give {-LARGEST} to {LARGEST}")
    return value
