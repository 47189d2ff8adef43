"""A plane through observations of more than two numbers.

An axis of it shows an entry, or the angle of two that are its cosine and its sine:

    0,2                 the first and the third entry
    angle(0,1),2        the angle whose cosine and sine are the first two, and the third

What the plane does not show is held at numbers, for the critic: at given ones, at the mean of what
was seen first, or at what one agent observes, at each step.
"""

from __future__ import annotations

import math
import re
from typing import Any, Mapping, Sequence

import numpy as np

from calf_attach.plane import LARGE, Pair, shown

MEAN, AGENT = "mean", "agent"
_AXIS = re.compile(r"\s*(?:(\d{1,4})|angle\(\s*(\d{1,4})\s*,\s*(\d{1,4})\s*\))\s*(?:,|$)")


class Axis:
    """An axis of the plane: one entry of an observation, or two, a cosine and a sine."""

    def __init__(self, entries: tuple[int, ...]) -> None:
        self.entries = entries

    @property
    def periodic(self) -> bool:
        """Whether it is an angle."""
        return len(self.entries) == 2

    def of(self, observations: np.ndarray) -> np.ndarray:
        """Where observations (n, d) are on it, (n,)."""
        if self.periodic:
            cosine, sine = self.entries
            found: np.ndarray = np.arctan2(observations[:, sine], observations[:, cosine])
            return found
        return observations[:, self.entries[0]]

    def put(self, observations: np.ndarray, places: np.ndarray) -> None:
        """Set the entries of observations (n, d) to places (n,) on it."""
        if self.periodic:
            observations[:, self.entries[0]] = np.cos(places)
            observations[:, self.entries[1]] = np.sin(places)
        else:
            observations[:, self.entries[0]] = places

    def label(self, names: Sequence[str]) -> str:
        """Its name, from those of the entries; `o3` where there are none."""
        entry = self.entries[0]
        name = names[entry] if entry < len(names) else f"o{entry}"
        if not self.periodic:
            return name
        return f"{name[4:] if name.startswith('cos ') else name} [rad]"

    def range(self, low: np.ndarray, high: np.ndarray) -> tuple[float, float] | None:
        """Its ends in an observation space; None where that has none."""
        if self.periodic:
            return -math.pi, math.pi
        lo, hi = float(low[self.entries[0]]), float(high[self.entries[0]])
        return (lo, hi) if max(abs(lo), abs(hi)) < LARGE and lo < hi else None


class ObservationPlane:
    """Two axes through observations, and what the other entries are held at.

    Attributes:
        axes: the two.
        held: values of entries that it does not show.
        follow: whether it goes through what agent `chosen` observes.
        through: what the other entries are at, (d,); None before the first observations.
    """

    def __init__(
        self, axes: tuple[Axis, Axis], others: Mapping[int, float] | str = MEAN, chosen: int = 0
    ) -> None:
        """others: `mean`, `agent`, or values by entry, where those left out are at the mean.
        Raises ValueError for anything else."""
        if isinstance(others, str) and others not in (MEAN, AGENT):
            raise ValueError(f"others {_shown(others)}: give mean, agent, or values by entry")
        self.axes, self.chosen = axes, chosen
        self.follow = others == AGENT
        self.held = {} if isinstance(others, str) else {int(k): float(v) for k, v in others.items()}
        self.through: np.ndarray | None = None
        self._newest: np.ndarray | None = None  # observations, if it follows an agent

    @property
    def periodic(self) -> tuple[bool, bool]:
        """Which axes are angles."""
        return self.axes[0].periodic, self.axes[1].periodic

    def hidden(self, size: int) -> tuple[int, ...]:
        """Entries, of so many, that it does not show."""
        seen = {entry for axis in self.axes for entry in axis.entries}
        return tuple(entry for entry in range(size) if entry not in seen)

    def labels(self, names: Sequence[str]) -> tuple[str, str]:
        """Of its axes, from names of the entries."""
        return self.axes[0].label(names), self.axes[1].label(names)

    def project(self, observations: Any) -> np.ndarray:
        """Where observations (n, d) are on it, (n, 2) float64. Raises ValueError for too few
        entries."""
        given = np.asarray(observations)
        last = max(entry for axis in self.axes for entry in axis.entries)
        if given.ndim != 2 or given.shape[1] <= last:
            raise ValueError(f"observations of shape {given.shape}, where entry {last} is shown")
        if self.follow:
            self._newest = given
        if self.through is None:
            self.see(given)
        elif self.follow:
            self.choose(self.chosen)
        found = np.empty((len(given), 2))
        for column, axis in enumerate(self.axes):
            found[:, column] = axis.of(given)
        return found

    def see(self, observations: np.ndarray) -> None:
        """Take the mean of observations (n, d), of those that are finite, for what is not held
        otherwise; nothing changes if none is."""
        given = np.asarray(observations)
        there = given[np.isfinite(given).all(axis=1)]
        if not len(there):
            return
        self.through = there.mean(axis=0, dtype=np.float64)
        for entry, value in self.held.items():
            if entry < len(self.through):
                self.through[entry] = value

    def choose(self, agent: int) -> None:
        """Follow this agent from now on, or the last one if there are fewer, if it follows any."""
        self.chosen = agent
        if self._newest is not None and len(self._newest):
            self.through = self._newest[min(agent, len(self._newest) - 1)].astype(np.float64)

    def hold(self, entry: int, value: float) -> None:
        """Hold an entry that it does not show at a value from now on."""
        self.held[entry] = value
        if self.through is not None and entry < len(self.through):
            self.through[entry] = value

    def lift(self, points: np.ndarray) -> np.ndarray:
        """Observations (m, d) float32 at points (m, 2)."""
        if self.through is None:
            raise ValueError("no observations were seen yet")
        found = np.tile(self.through.astype(np.float32), (len(points), 1))
        for column, axis in enumerate(self.axes):
            axis.put(found, points[:, column])
        return found


def ends_of(space: Any, plane: ObservationPlane) -> tuple[Pair | None, Pair | None]:
    """Ends of a plane's axes in an observation space, of one environment; None where it has none.
    Raises ValueError for entries that it does not have."""
    low, high = getattr(space, "low", None), getattr(space, "high", None)
    if not (isinstance(low, np.ndarray) and isinstance(high, np.ndarray) and low.ndim == 1):
        found = [(-math.pi, math.pi) if axis.periodic else None for axis in plane.axes]
        return found[0], found[1]
    last = max(entry for axis in plane.axes for entry in axis.entries)
    if last >= len(low):
        raise ValueError(f"axes: entry {last} of observations of {len(low)} numbers")
    first, second = (axis.range(low, high) for axis in plane.axes)
    return first, second


def read_axes(given: str | Sequence[int], size: int | None = None) -> tuple[Axis, Axis]:
    """The axes of a plane, from text or as two entries. Raises ValueError for anything else, or for
    entries that observations of `size` numbers do not have."""
    if isinstance(given, str):
        found, at = [], 0
        while at < len(given):
            match = _AXIS.match(given, at)
            if match is None:
                break
            found.append(Axis(tuple(int(each) for each in match.groups() if each is not None)))
            at = match.end()
        complete = at == len(given) and not given.rstrip().endswith(",")
    else:
        found, complete = [Axis((int(entry),)) for entry in given], True
    if not complete or len(found) != 2:
        raise ValueError(f"axes {_shown(given)}: give two, such as 0,2 or angle(0,1),2")
    entries = [entry for axis in found for entry in axis.entries]
    if min(entries) < 0 or len(set(entries)) < len(entries):
        raise ValueError(f"axes {_shown(given)}: give different entries, counted from 0")
    if size is not None and max(entries) >= size:
        raise ValueError(f"axes {_shown(given)}: give entries from 0 to {size - 1}")
    return found[0], found[1]


def read_others(
    given: Sequence[str], axes: tuple[Axis, Axis], size: int
) -> Mapping[int, float] | str:
    """What the plane does not show, from texts: `mean`, `agent`, a number for all, or ENTRY=NUMBER,
    where later ones win. Raises ValueError for anything else."""
    hidden = ObservationPlane(axes).hidden(size)
    found: dict[int, float] = {}
    follow = False
    for part in (part.strip() for text in given for part in text.split(",")):
        name, named, text = (word.strip() for word in part.rpartition("="))
        if not named and text in (MEAN, AGENT):
            follow, found = text == AGENT, {}
            continue
        entries = [entry for entry in hidden if not named or name == str(entry)]
        if named and not entries:
            choices = ", ".join(map(str, hidden)) or "none: leave it out"
            raise ValueError(f"slice: {_shown(name)} is no entry that the plane hides: {choices}")
        found.update(dict.fromkeys(entries, _number(text)))
    return AGENT if follow else found


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= LARGE:
        raise ValueError(f"slice {_shown(text)}: give a number, 3=0.5 for one entry, mean or agent")
    return value


def _shown(value: Any) -> str:
    return value[:80] if isinstance(value, str) else shown(value)
