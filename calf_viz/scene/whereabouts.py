"""Where agents are and will be, and the part of the plane that a picture of them shows."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.periods import Pair
from calf_viz.view import View

PARTS = 16
"""Intervals of a trail after which agents are looked at."""
WATCHED = 512
"""Most agents that are looked at."""
MANY, OUTSIDE = 50, 0.01
"""From so many agents on, this fraction of them may be outside, at each end of each axis: one that
is lost must not shrink the others to a point."""


MARGIN = 0.04
"""Margin on each side of agents, as a fraction of the width of their region."""
LEAST = 0.15
"""Least fraction of the plane that is shown: of an agent that stands still, not a point."""
AHEAD = 0.5
"""Margin where agents left what was shown: they may go on, and the camera shall be calm."""
RECENT = 16
"""Lengths of a trail over which a picture of a live source is judged."""
LARGER = 2.0
"""Multiple of the region that agents were lately in from which what is shown of it is too much."""
PLACES = 64
"""Agents whose paths are kept at each look."""

Points = NDArray[np.float64]


class Region(NamedTuple):
    """A rectangle of the plane, in the units of its axes."""

    lo: Pair
    hi: Pair

    def joined(self, other: Region | None) -> Region:
        """The smallest region that holds both."""
        if other is None:
            return self
        (a, b), (c, d) = self
        (e, f), (g, h) = other
        return Region((min(a, e), min(b, f)), (max(c, g), max(d, h)))

    def holds(self, other: Region) -> bool:
        """Whether another one is inside."""
        return self.joined(other) == self

    def dwarfs(self, other: Region) -> bool:
        """Whether it is so much larger than another one that this would be small in its picture."""
        (a, b), (c, d) = self
        (e, f), (g, h) = other
        return (c - a) * (d - b) > LARGER * (g - e) * (h - f)

    def within(self, view: View) -> Region:
        """The part that is on a view's plane; where it is nearest, if it is outside."""
        (a, b), (c, d) = np.clip(self, view.lo, view.hi).tolist()
        return Region((a, b), (c, d))

    def ahead(self, shown: Region, view: View) -> Region:
        """With a margin for what is to come on the sides where it is outside of what was shown."""
        (a, b), (c, d) = self.with_margin(view)
        across, upwards = AHEAD * (c - a), AHEAD * (d - b)
        return self.joined(
            Region(
                (a - across * (a < shown.lo[0]), b - upwards * (b < shown.lo[1])),
                (c + across * (c > shown.hi[0]), d + upwards * (d > shown.hi[1])),
            )
        ).within(view)

    def to_edges(self, view: View, nearly: float) -> Region:
        """Up to those edges of the plane that are within a fraction of its width."""
        los, his = [], []
        for lo, hi, first, last in zip(*self, view.lo, view.hi, strict=True):
            near = nearly * (last - first)
            los.append(first if lo - first < near else lo)
            his.append(last if last - hi < near else hi)
        return Region((los[0], los[1]), (his[0], his[1]))

    def with_margin(self, view: View, least: float = LEAST) -> Region:
        """With a margin, at least a fraction of the plane on each axis, and within it."""
        los, his = [], []
        for axis, (lo, hi) in enumerate(zip(*self.within(view), strict=True)):
            first, last = view.lo[axis], view.hi[axis]
            width = min(max((hi - lo) * (1.0 + 2.0 * MARGIN), least * (last - first)), last - first)
            lo = min(max(0.5 * (lo + hi) - 0.5 * width, first), last - width)
            los.append(lo)
            his.append(min(lo + width, last))
        return Region((los[0], los[1]), (his[0], his[1]))


class Whereabouts:
    """Notes from time to time where agents are, at a constant cost.

    Attributes:
        ever: where agents were, from the first step on, and were foreseen; None if nowhere.
        looks: number of times that agents were looked at.
    """

    def __init__(self, trail: int) -> None:
        """trail: steps that trails reach back."""
        self.spacing = max(1, trail // PARTS)
        self.ever: Region | None = None
        self.looks = 0
        self._foreseen: Region | None = None
        self._recent: deque[Region] = deque(maxlen=RECENT * PARTS)
        self._seen: deque[Region] = deque(maxlen=PARTS + 1)
        self._paths: deque[Points] = deque(maxlen=PARTS + 1)
        self._steps = 0

    def foresee(self, positions: NDArray[np.floating], view: View, steps: int) -> None:
        """Take note of where agents will be, (m, 2), in so many first steps."""
        self._foreseen = self.ever = _region(positions, view, steps)
        self._paths.append(_places(positions, view, PARTS * PLACES))

    def see(self, positions: NDArray[np.floating], view: View) -> None:
        """Take note of one step's positions, (n, 2)."""
        due = self._steps % self.spacing == 0
        self._steps += 1
        if not due:
            return
        self.looks += 1
        found = _region(positions[:: max(1, -(-len(positions) // WATCHED))], view)
        if found is not None:
            self._seen.append(found)
            self._recent.append(found)
            self._paths.append(_places(positions, view, PLACES))
            self.ever = found.joined(self.ever)

    @property
    def paths(self) -> Points:
        """Some of the places where they are, were and will be, (k, 2)."""
        return np.concatenate([np.empty((0, 2)), *self._paths])

    @property
    def here(self) -> Points:
        """Some of the places where they were at the last look, (k, 2)."""
        return self._paths[-1] if self._paths else np.empty((0, 2))

    def lately(self) -> Region | None:
        """Where they were in the last `RECENT` lengths of a trail, once for each so many."""
        if len(self._recent) < RECENT * PARTS:
            return None
        lo = np.min([region.lo for region in self._recent], axis=0).tolist()
        hi = np.max([region.hi for region in self._recent], axis=0).tolist()
        self._recent.clear()
        return Region((lo[0], lo[1]), (hi[0], hi[1]))

    @property
    def now(self) -> Region | None:
        """Where they are, were as far back as trails reach, and will be while trails grow."""
        growing = len(self._seen) < PARTS
        region = self._foreseen if growing else None
        for seen in self._seen:
            region = seen.joined(region)
        return region


def _places(positions: NDArray[np.floating], view: View, most: int) -> Points:
    """At most that many of the positions, (m, 2), that are finite, on the plane."""
    there = positions[np.isfinite(positions).all(axis=1)]
    some = there[:: max(1, -(-len(there) // max(most, 1)))]
    return view.wrapped(some).astype(np.float64)


def _region(positions: NDArray[np.floating], view: View, steps: int = 1) -> Region | None:
    """The region of most positions, (m, 2), of so many steps; None if none is finite."""
    there = _places(positions, view, len(positions))
    if not len(there):
        return None
    if len(there) < MANY * steps:
        lo, hi = there.min(axis=0), there.max(axis=0)
    else:
        lo, hi = np.quantile(there, (OUTSIDE, 1.0 - OUTSIDE), axis=0)
    return Region((float(lo[0]), float(lo[1])), (float(hi[0]), float(hi[1])))
