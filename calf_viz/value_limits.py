"""Which values the ends of a scale have: `clim`."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from calf_viz.errors import UserError, quoted
from calf_viz.heightfield import Heightfield
from calf_viz.value_scale import ValueScale

Pair = tuple[float, float]
Clim = str | Pair
"""One of `LIMITS`, or the values themselves."""

LIMITS = ("auto", "robust", "agents")
"""All of the surface's values; without the highest `OUTLIERS`, but with the lowest, where agents
gather; where agents are."""
OUTLIERS = 0.02
LARGEST = 3.0e38
"""Largest absolute value that shaders, in float32, can tell from infinity."""
FORMS = f"{', '.join(LIMITS)}, or two numbers, the lower first, such as 0,500"


def read_clim(given: Any, name: str = "clim") -> Clim:
    """A `clim` from what a user wrote: a word, `lo,hi`, or two numbers.

    Raises UserError, in one line, for anything else.
    """
    if isinstance(given, str):
        word = given.strip()
        if word in LIMITS:
            return word
        parts: Any = word.split(",")
    else:
        parts = given
    with suppress(TypeError, ValueError, OverflowError):
        low, high = (_number(part) for part in parts)
        if not all(map(math.isfinite, (low, high))) or max(abs(low), abs(high)) > LARGEST:
            raise UserError(f"{name} {quoted(given)} is not finite: give {FORMS}")
        if not low < high:
            raise UserError(f"{name} {quoted(given)} has no extent upwards: give {FORMS}")
        if not np.float32(low) < np.float32(high):
            raise UserError(f"{name} {quoted(given)} is too narrow for float32: give {FORMS}")
        return low, high
    raise UserError(f"unknown {name} {quoted(given)}: give {FORMS}")


def _number(part: Any) -> float:
    if isinstance(part, bool) or not isinstance(part, Real | str):
        raise ValueError
    return float(part)


def clim_text(clim: Clim) -> str:
    """As it is written on the command line."""
    return clim if isinstance(clim, str) else f"{clim[0]:g},{clim[1]:g}"


def robust_limits(field: Heightfield, whole: Pair) -> Pair:
    """Of a surface, without its highest values; all of them if the others are one."""
    if not field.good.size:
        return whole
    low, high = whole[0], float(np.quantile(field.good.astype(np.float64), 1.0 - OUTLIERS))
    return (low, high) if np.float32(low) < np.float32(high) else whole


@dataclass(frozen=True)
class Scaling:
    """How the scale of each surface is made.

    Attributes:
        value_scale: one of `SCALES`.
        clim: its ends.
        agents: the values where agents are on a surface, for `clim` agents; None if none are known.
    """

    value_scale: str = "linear"
    clim: Clim = "auto"
    agents: Callable[[Heightfield], Pair | None] | None = None

    def of(self, field: Heightfield, whole: Pair | None = None) -> ValueScale:
        """The scale of a surface. whole: its range, if `field` has some of its nodes only."""
        whole = whole or field.range
        low, high = ends = self._ends(field, whole)
        beyond = whole[0] < low, whole[1] > high
        return ValueScale.of(self.value_scale, ends, field.good, beyond)

    def _ends(self, field: Heightfield, whole: Pair) -> Pair:
        if not isinstance(self.clim, str):
            return self.clim
        if self.clim == "robust":
            return robust_limits(field, whole)
        found = self.agents(field) if self.clim == "agents" and self.agents is not None else None
        return whole if found is None else found
