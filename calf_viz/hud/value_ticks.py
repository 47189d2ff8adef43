"""Ticks of the surface's values: those of the colour bar, of which the value's axis shows some."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from calf_viz.round_numbers import power_of_ten
from calf_viz.value_scale import Scale, roundest

DIGITS = 6
"""Digits of a tick that are looked at; the rest is rounding."""


def value_ticks(scale: Scale, most: int, apart: float) -> list[float]:
    """At most about `most` round values, whose levels are `apart` at least, none of them with more
    digits than its neighbours, up to both ends of the scale; none if there are not two such."""
    for count in range(most, 1, -1):
        values = _evenly_round(scale, scale.ticks(count, apart), apart)
        values = _completed(scale, values, max(apart, 1.0 / most))
        if len(values) > 1 and _far_apart(scale, values, apart):
            return values
    return []


def fewer(scale: Scale, values: Sequence[float], apart: float) -> list[float]:
    """Of these values as many, at even distances among them, as are `apart`; none if not two."""
    for step in range(1, len(values)):
        chosen = [list(values[first::step]) for first in range(step)]
        # With zero if that is one of them, else the more the better.
        for some in sorted(chosen, key=lambda some: (0.0 not in some, -len(some))):
            if len(some) > 1 and _far_apart(scale, some, apart):
                return some
    return []


def _far_apart(scale: Scale, values: Sequence[float], apart: float) -> bool:
    return all(b - a >= apart for a, b in pairwise(scale.levels(list(values)).tolist()))


def _evenly_round(scale: Scale, values: Sequence[float], apart: float) -> list[float]:
    """A value with more digits than those beside it, and finer than all others, is made as round as
    these, or left out; evenly spaced ones are round already."""
    gaps = [b - a for a, b in pairwise(values)]
    if len(values) < 3 or math.isclose(min(gaps), max(gaps), rel_tol=1e-6):
        return list(values)
    ends = [_digits(value) for value in values]
    for i, end in enumerate(ends):
        least = min(other.last for k, other in enumerate(ends) if k != i and values[k])
        beside = [ends[k].length for k in (i - 1, i + 1) if 0 <= k < len(ends) and values[k]]
        if not values[i] or end.last >= least or end.length <= max(beside, default=1):
            continue
        rounder = float(f"{math.floor(values[i] * 10.0**-least + 0.5)}e{least}")
        near = [*values[max(i - 1, 0) : i], rounder, *values[i + 1 : i + 2]]
        within = scale.ends[0] <= rounder <= scale.ends[1]
        kept = [rounder] if within and _far_apart(scale, near, max(apart, 1e-9)) else []
        return [*values[:i], *kept, *values[i + 1 :]]
    return list(values)


def _completed(scale: Scale, values: Sequence[float], room: float) -> list[float]:
    """With more values beyond the first and the last, if the scale's ends leave `room`: steps that
    grow with the distance from where a scale is finest may lead past an end that a shorter one
    does not reach."""
    found = list(values)
    while len(found) > 1 and (value := _next(scale, found, room)) is not None:
        found.append(value)
    found.reverse()
    while len(found) > 1 and (value := _next(scale, found, room)) is not None:
        found.append(value)
    return sorted(found)


def _next(scale: Scale, values: Sequence[float], room: float) -> float | None:
    """A value beyond the last one, in the direction of these, no less round than they are: a step
    further if they are evenly spaced."""
    last, step = values[-1], values[-1] - values[-2]
    ahead = math.copysign(1.0, step)
    level = float(scale.levels(last)) + ahead * room
    if not 0.0 <= level <= 1.0:
        return None
    near, end = float(scale.values(level)), scale.ends[step > 0.0]
    gaps = [b - a for a, b in pairwise(values)]
    if all(math.isclose(gap, step, rel_tol=1e-6) for gap in gaps):
        found = last + step * max(math.ceil((near - last) / step - 1e-9), 1)
        return found if ahead * found <= ahead * end else None
    known = [_digits(value) for value in values if value]
    value = roundest(min(near, end), max(near, end), power_of_ten(min(one.last for one in known)))
    if value is None or _digits(value).length > max(one.length for one in known):
        return None
    return value


class Digits(NamedTuple):
    """Powers of ten of a number's first and last digits that are not zero: 3 and 2 of 1500."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """Number of digits from the first to the last."""
        return self.first - self.last + 1


def _digits(value: float) -> Digits:
    if not value:
        return Digits(0, 0)
    mantissa, _, exponent = f"{abs(value):.{DIGITS - 1}e}".partition("e")
    return Digits(int(exponent), int(exponent) + 1 - len(mantissa.replace(".", "").rstrip("0")))
