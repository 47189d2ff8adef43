"""How values become levels, the heights and colours of the surface: 0 lowest, 1 highest.

    value ──levels()──▶ level in [0, 1] ──▶ height, colour
          ◀─values()───

    linear   in proportion
    sqrt     the root of the distance from the lowest value: a quadratic bowl becomes a cone
    symlog   in proportion near zero, logarithmic further away, on both sides
    rank     each level is that of an equal part of the surface

Values beyond the ends of a scale have the level of that end.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calf_viz.round_numbers import magnitude, nice_ticks, power_of_ten

FloatArray = NDArray[np.float64]

SCALES = ("linear", "sqrt", "symlog", "rank")
NEAR_ZERO = 0.01
"""Part of the largest absolute value below which symlog is about linear."""
RANKS = 32
"""Pieces of a rank scale."""
MOST_OPEN = 60.0
"""Extents of a scale beyond its ends within which values there are told apart."""
TABLED = 256
"""Pieces of a scale's table, from which round values are found."""
CONTOURS, MOST_CONTOURS = 20, 25
"""About this many lines of equal value; evenly spaced ones are half as many to so many."""
INDEX = 5
"""Every so-many-th of them is an index contour, which looks may draw stronger."""
CLOSEST, PREFERRED = 0.5, 0.7
"""Least distance of round values, and that for which their step is chosen, relative to the wanted
one."""
WINDOW = 0.7
"""Room to choose a round value in, on a rank scale, relative to the wanted distance."""
DIGITS = 5
"""Of a rank scale's extent, to which round values on it are looked for."""
PALETTE_STEPS = 31
"""Places below and above a contour that the palette tells apart."""
PALETTE_REACH = 0.5 * (PALETTE_STEPS / 9) ** 2
"""Distance of the furthest, in entries. Half an entry is a whole number of steps then, so that a
line between two entries has no kink."""


class Contours(NamedTuple):
    """Values of lines, ascending, and which of them are index contours."""

    values: FloatArray
    strong: NDArray[np.bool_]


class Scale(ABC):
    """A monotone map between values and levels."""

    @property
    @abstractmethod
    def ends(self) -> tuple[float, float]:
        """Values at the levels 0 and 1."""

    @abstractmethod
    def levels(self, values: ArrayLike) -> FloatArray:
        """Levels of values, of the same shape, in [0, 1]."""

    @abstractmethod
    def values(self, levels: ArrayLike) -> FloatArray:
        """Values at levels, of the same shape; the inverse of `levels`."""

    beyond: tuple[bool, bool]
    """Whether the surface has values below and above its ends."""

    @property
    def span(self) -> float:
        """Its extent in values."""
        low, high = self.ends
        return high - low

    @cached_property
    def table(self) -> list[float]:
        """Values at evenly spaced levels, `TABLED` + 1."""
        found: list[float] = self.values(np.linspace(0.0, 1.0, TABLED + 1)).tolist()
        return found

    def ticks(self, most: int, apart: float = 0.0) -> list[float]:
        """About `most` round values, ascending, whose levels are spread evenly, and so far apart
        at least; for a linear scale at most that many, however close."""
        low, high = self.ends
        if not (self.span > 0.0 and math.isfinite(self.span)) or most < 1:
            return []
        if low < 0.0 < high and self._anchored_at_zero:
            below = [-value for value in _walk(self._mirrored, 0.0, most, apart)]
            return [*below[:0:-1], *_walk(self.table, 0.0, most, apart)]
        if high <= 0.0 and self._anchored_at_zero:
            return [-value for value in _walk(self._mirrored, -high, most, apart)][::-1]
        return list(_walk(self.table, low, most, apart))

    @property
    def _mirrored(self) -> list[float]:
        return [-value for value in self.table[::-1]]

    @property
    def _anchored_at_zero(self) -> bool:
        """Whether it is finest around zero, rather than at its lowest value."""
        return False

    @cached_property
    def contours(self) -> Contours:
        """The lines to draw on a surface."""
        values = np.array(self.ticks(CONTOURS))
        index = np.zeros(len(values), dtype=bool)
        if len(values):
            coarse = self.levels(self.ticks(CONTOURS // INDEX))
            index[np.abs(self.levels(values)[:, None] - coarse).argmin(axis=0)] = True
        return Contours(values, index)


@dataclass(frozen=True)
class ValueScale(Scale):
    """One of `SCALES` from a lowest to a highest value; `of` makes it for a surface.

    Attributes:
        kind: one of `SCALES`.
        low, high: the values at its ends.
        knots: of a rank scale, the values between which it is linear, and their levels.
        beyond: whether the surface has values below and above its ends.
    """

    kind: str = "linear"
    low: float = 0.0
    high: float = 1.0
    knots: tuple[tuple[float, ...], tuple[float, ...]] = field(default=((), ()), repr=False)
    beyond: tuple[bool, bool] = (False, False)

    @classmethod
    def of(
        cls,
        kind: str,
        ends: tuple[float, float],
        surface: NDArray[np.floating],
        beyond: tuple[bool, bool] = (False, False),
    ) -> ValueScale:
        """A scale with these ends. surface: values by which a rank scale is spaced."""
        low, high = ends
        if kind != "rank":
            return cls(kind, low, high, beyond=beyond)
        within = surface[(surface > low) & (surface < high)].astype(np.float64)
        if not len(within):
            return cls("linear", low, high, beyond=beyond)
        parts = np.linspace(0.0, 1.0, RANKS + 1)
        inner = np.quantile(within, parts[1:-1])
        # Where a part of the surface is level, several ranks have one value: their middle.
        values, first, count = np.unique(inner, return_index=True, return_counts=True)
        levels = parts[1:-1][first] + 0.5 * (count - 1) / RANKS
        inside = (values > low) & (values < high)
        return cls(
            kind,
            low,
            high,
            ((low, *values[inside].tolist(), high), (0.0, *levels[inside].tolist(), 1.0)),
            beyond,
        )

    @property
    def ends(self) -> tuple[float, float]:
        """As `Scale`."""
        return self.low, self.high

    @property
    def threshold(self) -> float:
        """Absolute value below which symlog is about linear."""
        return NEAR_ZERO * max(abs(self.low), abs(self.high)) or 1.0

    @property
    def _anchored_at_zero(self) -> bool:
        return self.kind == "symlog"

    def warped(self, values: ArrayLike) -> FloatArray:
        """Values on the axis on which the scale is linear, or, for rank, linear in pieces. The same
        as in `shaders/critic_heights.frag`."""
        given: FloatArray = np.asarray(values, dtype=np.float64)
        if self.kind == "sqrt":
            return np.copysign(np.sqrt(np.abs(given - self.low)), given - self.low)
        if self.kind == "symlog":
            return np.copysign(np.log1p(np.abs(given) / self.threshold), given)
        return given - self.low

    def levels(self, values: ArrayLike) -> FloatArray:
        """As `Scale`."""
        if self.knots[0]:
            return np.interp(np.asarray(values, dtype=np.float64), *self.knots)
        (from_, to), warped = self.warped(self.ends), self.warped(values)
        if not to > from_:
            return (warped > to).astype(np.float64)
        return np.minimum(np.maximum((warped - from_) / (to - from_), 0.0), 1.0)

    def open_levels(self, values: ArrayLike) -> FloatArray:
        """As `levels`, but below 0 or above 1, by `MOST_OPEN` at most, for values beyond its ends:
        where a surface between two nodes leaves the scale."""
        (from_, to), warped = self.warped(self.ends), self.warped(values)
        beyond = warped - np.minimum(np.maximum(warped, from_), to)
        with np.errstate(over="ignore"):
            beyond = beyond / (to - from_) if to > from_ else np.zeros_like(beyond)
        return self.levels(values) + np.minimum(np.maximum(beyond, -MOST_OPEN), MOST_OPEN)

    def values(self, levels: ArrayLike) -> FloatArray:
        """As `Scale`."""
        part: FloatArray = np.asarray(levels, dtype=np.float64)
        if self.knots[0]:
            return np.interp(part, *self.knots[::-1])
        part = np.minimum(np.maximum(part, 0.0), 1.0)
        if self.kind == "sqrt":
            found = self.low + part * part * (self.high - self.low)
        elif self.kind == "symlog":
            from_, to = self.warped(self.ends)
            at = from_ + part * (to - from_)
            found = np.copysign(self.threshold * np.expm1(np.abs(at)), at)
        else:
            found = self.low + part * (self.high - self.low)
        return np.minimum(np.maximum(found, self.low), self.high)

    def ticks(self, most: int, apart: float = 0.0) -> list[float]:
        """As `Scale`."""
        if self.kind == "linear":
            return nice_ticks(self.low, self.high, most, ends=True)
        if self.kind == "rank":
            return list(_stride(self.table, most, apart))
        return super().ticks(most, apart)

    @cached_property
    def contours(self) -> Contours:
        """As `Scale`; for a linear one, index contours are multiples of `INDEX` steps."""
        if self.kind != "linear":
            return super().contours
        values = np.array(self.ticks(MOST_CONTOURS))
        if len(values) < 2:
            return Contours(values, np.zeros(len(values), dtype=bool))
        numbers = np.rint(values / (values[1] - values[0]))
        return Contours(values, numbers % INDEX == 0)


LINEAR = ValueScale()
"""Of values that are levels already."""


@dataclass(frozen=True)
class Mixed(Scale):
    """The scale in the course of a morph: at each level, the mean of two scales' values."""

    last: ValueScale
    current: ValueScale
    part: float
    """From 0, the last one, to 1."""

    @property
    def ends(self) -> tuple[float, float]:
        """As `Scale`."""
        low, high = (
            a + self.part * (b - a) for a, b in zip(self.last.ends, self.current.ends, strict=True)
        )
        return low, high

    @property
    def beyond(self) -> tuple[bool, bool]:  # type: ignore[override]
        """As `Scale`."""
        return self.current.beyond

    @property
    def _anchored_at_zero(self) -> bool:
        return self.current._anchored_at_zero

    def values(self, levels: ArrayLike) -> FloatArray:
        """As `Scale`."""
        last, current = self.last.values(levels), self.current.values(levels)
        return last + self.part * (current - last)

    def levels(self, values: ArrayLike) -> FloatArray:
        """As `Scale`, to the precision of the table."""
        return self.kept.levels(values)

    @cached_property
    def kept(self) -> ValueScale:
        """The same as a scale of its own, to the precision of the table."""
        levels = np.linspace(0.0, 1.0, TABLED + 1).tolist()
        return ValueScale(self.current.kind, *self.ends, (tuple(self.table), tuple(levels)))


def mixed(last: ValueScale, current: ValueScale, part: float) -> ValueScale | Mixed:
    """The scale in the course of a morph from one to another."""
    if part >= 1.0 or last == current:
        return current
    found = Mixed(last, current, part)
    if last.kind == current.kind == "linear":
        return ValueScale("linear", *found.ends)
    return found


def contour_marks(scale: Scale, contours: Contours) -> NDArray[np.uint8]:
    """For each entry of the palette, (`TABLED`,), its place beside the nearest contour, as
    `shaders/lib/contours.glsl` reads it: 32, or 96 beside an index contour, plus up to
    `PALETTE_STEPS` for the signed root of the distance."""
    low, high = scale.ends
    inside = (contours.values >= low) & (contours.values <= high)
    at = (TABLED - 1) * scale.levels(contours.values[inside])
    if not len(at) or not scale.span > 0.0:
        return np.zeros(TABLED, dtype=np.uint8)
    entries = np.arange(TABLED)
    after = np.clip(np.searchsorted(at, entries), 1, max(len(at) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(at) - 1)
    nearest = np.where(entries - at[before] < at[after] - entries, before, after)
    away = (entries - at[nearest]) / PALETTE_REACH
    steps = np.rint(PALETTE_STEPS * np.copysign(np.sqrt(np.minimum(np.abs(away), 1.0)), away))
    return (32 + steps + 64 * contours.strong[inside][nearest]).astype(np.uint8)


def _walk(table: list[float], start: float, most: int, apart: float) -> Iterator[float]:
    """Round values from `start` up to the last of the table: multiples of steps of 1, 2 or 5 times
    a power of ten, each of which takes about 1 / `most` of the levels, and `apart` at least."""
    wanted, high = max(1.0 / most, apart), table[-1]
    least = max(CLOSEST / most, apart)
    value, level, last = start, _level_in(table, start), -math.inf
    for _ in range(4 * most):
        ahead = _value_in(table, level + wanted) - value
        if not ahead > 0.0:
            break
        step = _round_step(PREFERRED * ahead)
        at = _multiple(value, step)
        if last < 0.0 and abs(at - value) <= 1e-9 * step:
            last = level
            yield at
        after = at + step
        while after < high and _level_in(table, after) - last < least:
            step = _round_step(1.5 * step)
            after = _multiple(after, step) + step
        if not value < after <= high or _level_in(table, after) - last < least:
            break
        value = after
        level = last = _level_in(table, after)
        yield value


def _stride(table: list[float], most: int, apart: float) -> Iterator[float]:
    """About `most` round values, each the roundest at a good distance from the one before.

    Where most of a surface is nearly level, steps that suit the levels below lead beyond its top:
    so each value is chosen by itself. Where values differ only in the digits after `DIGITS` there
    are none, since such numbers are not read as round ones.
    """
    if not table[-1] > table[0]:
        return
    finest = power_of_ten(magnitude(table[-1] - table[0]) - DIGITS + 1)
    nearest = max(PREFERRED / most, apart)
    first = 0.0
    while first <= 1.0:
        furthest = min(first + WINDOW / most, 1.0)
        value = roundest(_value_in(table, first), _value_in(table, furthest), finest)
        if value is None:
            first = furthest + 1e-9
        else:
            yield value
            first = _level_in(table, value) + nearest


def roundest(low: float, high: float, finest: float) -> float | None:
    """The multiple of the largest 1, 2 or 5 times a power of ten between two values, of several the
    one nearest to their middle; None where a step would be below `finest`."""
    if low <= 0.0 <= high:
        return 0.0
    exponent = magnitude(max(abs(low), abs(high)))
    middle = 0.5 * (low + high)
    while power_of_ten(exponent) >= 0.999999 * finest:
        for factor in (5, 2, 1):
            step = factor * power_of_ten(exponent)
            nearest = round(middle / step) * step
            if low <= nearest <= high:
                return nearest
        exponent -= 1
    return None


def _multiple(value: float, step: float) -> float:
    """The greatest multiple of a step up to a value."""
    return math.floor(value / step + 1e-9) * step


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is no less."""
    power = power_of_ten(magnitude(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * 0.999999)


def _value_in(table: list[float], level: float) -> float:
    at = min(max(level, 0.0), 1.0) * (len(table) - 1)
    before = min(int(at), len(table) - 2)
    return table[before] + (at - before) * (table[before + 1] - table[before])


def _level_in(table: list[float], value: float) -> float:
    before = min(max(bisect_right(table, value) - 1, 0), len(table) - 2)
    low, high = table[before], table[before + 1]
    part = (value - low) / (high - low) if high > low else 0.0
    return (before + min(max(part, 0.0), 1.0)) / (len(table) - 1)
