"""A plane through observations of more than two numbers.

An axis of it shows an entry, or the angle of two that are its cosine and its sine:

    0,2                 the first and the third entry
    angle(0,1),2        the angle whose cosine and sine are the first two, and the third

What the plane does not show is held at numbers, for the critic.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown

LARGE = 1e6
"""Bounds of an observation space beyond this are none."""
_AXIS = re.compile(r"\s*(?:(\d{1,4})|angle\(\s*(\d{1,4})\s*,\s*(\d{1,4})\s*\))\s*(?:,|$)")


@dataclass(frozen=True)
class Axis:
    """An axis of the plane: one entry of an observation, or two, a cosine and a sine."""

    entries: tuple[int, ...]

    @property
    def periodic(self) -> bool:
        """Whether it is an angle."""
        return len(self.entries) == 2

    def of(self, observations: NDArray[Any]) -> NDArray[Any]:
        """Where observations (n, d) are on it, (n,)."""
        if self.periodic:
            cosine, sine = self.entries
            return np.arctan2(observations[:, sine], observations[:, cosine])
        return observations[:, self.entries[0]]

    def put(self, observations: NDArray[Any], places: NDArray[Any]) -> None:
        """Set the entries of observations (n, d) to places (n,) on it."""
        if self.periodic:
            observations[:, self.entries[0]] = np.cos(places)
            observations[:, self.entries[1]] = np.sin(places)
        else:
            observations[:, self.entries[0]] = places

    def label(self, names: Sequence[str]) -> str:
        """Its name, from those of the entries."""
        name = names[self.entries[0]]
        return f"{name.removeprefix('cos ')} [rad]" if self.periodic else name

    def range(self, low: NDArray[Any], high: NDArray[Any]) -> tuple[float, float] | None:
        """Its ends in an observation space; None where that has none."""
        if self.periodic:
            return -math.pi, math.pi
        lo, hi = float(low[self.entries[0]]), float(high[self.entries[0]])
        return (lo, hi) if max(abs(lo), abs(hi)) < LARGE and lo < hi else None


@dataclass(frozen=True)
class ObservationPlane:
    """Two axes through observations of `size` numbers.

    Attributes:
        names: of the entries.
        held: values of what it does not show, by entry; those that are missing are at the mean.
        follow: whether it goes through the chosen agent's observation instead.
    """

    axes: tuple[Axis, Axis]
    names: tuple[str, ...]
    held: Mapping[int, float]
    follow: bool = False

    @property
    def hidden(self) -> tuple[int, ...]:
        """Entries that it does not show."""
        seen = {entry for axis in self.axes for entry in axis.entries}
        return tuple(entry for entry in range(len(self.names)) if entry not in seen)

    @property
    def labels(self) -> tuple[str, str]:
        first, second = (axis.label(self.names) for axis in self.axes)
        return first, second

    def positions(self, observations: NDArray[Any]) -> NDArray[np.float64]:
        """Where observations (n, d) are on it, (n, 2)."""
        return np.stack([axis.of(observations) for axis in self.axes], axis=1).astype(np.float64)

    def observations(self, points: NDArray[Any], through: NDArray[Any]) -> NDArray[np.float32]:
        """Observations (m, d) at points (m, 2), with what is not shown as in `through`, (d,)."""
        found = np.tile(np.asarray(through, dtype=np.float32), (len(points), 1))
        for axis, places in zip(self.axes, points.T, strict=True):
            axis.put(found, places)
        return found


def read_axes(text: str, size: int) -> tuple[Axis, Axis]:
    """The axes of a plane from text. Raises UserError for other than two, or for entries that the
    observations, of `size` numbers, do not have."""
    found, at = [], 0
    while at < len(text) and (match := _AXIS.match(text, at)):
        found.append(Axis(tuple(int(entry) for entry in match.groups() if entry is not None)))
        at = match.end()
    if at < len(text) or len(found) != 2:
        raise UserError(f"axes {shown(text)}: give two, such as 0,2 or angle(0,1),2")
    entries = [entry for axis in found for entry in axis.entries]
    if max(entries) >= size or len(set(entries)) < len(entries):
        raise UserError(f"axes {shown(text)}: give different entries, from 0 to {size - 1}")
    return found[0], found[1]


def read_held(
    given: Sequence[str], axes: tuple[Axis, Axis], names: Sequence[str]
) -> ObservationPlane:
    """The plane, with what it does not show held as given: `mean`, `agent`, a number for all, or
    ENTRY=NUMBER, where later ones win. Raises UserError for anything else."""
    plane = ObservationPlane(axes, tuple(names), {})
    held: dict[int, float] = {}
    follow = False
    for part in (part.strip() for text in given for part in text.split(",")):
        name, named, text = (word.strip() for word in part.rpartition("="))
        if not named and text in ("mean", "agent"):
            follow, held = text == "agent", {}
            continue
        entries = [entry for entry in plane.hidden if not named or name == str(entry)]
        if named and not entries:
            choices = ", ".join(map(str, plane.hidden)) or "none: leave it out"
            raise UserError(f"slice: {shown(name)} is no entry that the plane hides: {choices}")
        held |= dict.fromkeys(entries, _number(text))
    return ObservationPlane(axes, tuple(names), held, follow)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= LARGE:
        raise UserError(f"slice {shown(text)}: give a number, 3=0.5 for one entry, mean or agent")
    return value
