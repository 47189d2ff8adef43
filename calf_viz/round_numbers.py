"""Round numbers within a range, for ticks and contours."""

from __future__ import annotations

import math
from functools import lru_cache


def nice_ticks(low: float, high: float, most: int, ends: bool = False) -> list[float]:
    """At most `most` round, evenly spaced numbers between low and high, which are themselves
    included only with `ends`."""
    return list(_nice_ticks(low, high, most, ends))


@lru_cache(maxsize=64)
def _nice_ticks(low: float, high: float, most: int, ends: bool) -> tuple[float, ...]:
    span = high - low
    if not (span > 0 and math.isfinite(span)) or most < 1:
        return ()
    exponent = magnitude(span / most)
    steps = [power_of_ten(exponent) * factor for factor in (0.2, 0.5, 1, 2, 5, 10)]
    finer = 0.0
    for step in steps:
        if span / step < most + 4:  # else too many: one per step, but for the ends and rounding
            ticks = _multiples(step, low, high, ends)
            if not ticks:
                break
            if len(ticks) <= most:
                return ticks
        finer = step
    # From too many to none in one step: use some of the last ones.
    ticks = _multiples(finer, low, high, ends) if finer else ()
    return ticks[:: max(1, math.ceil(len(ticks) / most))]


def _multiples(step: float, low: float, high: float, ends: bool) -> tuple[float, ...]:
    """Multiples of a step between low and high, with `ends` also those that equal one of them."""
    # A multiple may round to the end itself, or beyond it.
    first, last = math.floor(low / step), math.ceil(high / step)
    found = [i * step for i in range(first, last + 1)]
    while found and not (low < found[0] or (ends and low == found[0])):
        del found[0]
    while found and not (found[-1] < high or (ends and high == found[-1])):
        del found[-1]
    return tuple(found)


def magnitude(number: float) -> int:
    """Power of ten of the first nonzero digit."""
    return math.floor(math.log10(abs(number)))


def power_of_ten(exponent: int) -> float:
    """The float nearest to a power of ten; `**` is inexact for some negative ones."""
    return float(f"1e{exponent}")
