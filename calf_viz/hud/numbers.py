"""Formatting numbers for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from calf_viz.round_numbers import magnitude, nice_ticks, power_of_ten

__all__ = ["count", "nice_ticks", "plain", "round_scale", "tick_texts", "value"]

MINUS = "−"
MOST_DIGITS = 15
"""Significant digits of a float, after the first."""


def count(number: int) -> str:
    """1234567 as 1,234,567."""
    return f"{number:,}".replace("-", MINUS)


def value(number: float, span: float) -> str:
    """A number with as many decimals as resolve a hundredth of `span`.

    If the span is far from 1, the number has an exponent, and resolves a tenth: 1.2e6.
    """
    if not math.isfinite(number):
        return "–"
    span = abs(span) if span and math.isfinite(span) else max(abs(number), 1.0)
    if not 1e-3 <= span < 1e6:
        digits = max(1, 1 + magnitude(number) - magnitude(span)) if number else 1
        mantissa, exponent = f"{number:.{min(digits, MOST_DIGITS)}e}".split("e")
        text = "0" if number == 0 else f"{mantissa}e{int(exponent)}"
    else:
        decimals = max(0, math.ceil(2.0 - math.log10(span)))
        text = f"{number:,.{decimals}f}"
        if not text.strip("-0."):
            text = text.lstrip("-")
    return text.replace("-", MINUS)


def round_scale(low: float, high: float) -> list[float]:
    """Round, evenly spaced numbers around a range: the first and last are the ends of its
    scale, beyond zero only if the range is. [-1, 0] for a range that is not finite."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return [-1.0, 0.0]
    # At least so wide that the two are told apart, also by float32, as the GPU draws the curves.
    span = max(high - low, 1e-3, 1e-5 * max(abs(low), abs(high)))
    rough = span / 3.0
    power = power_of_ten(magnitude(rough))
    factors = (factor for factor in (1.0, 2.0, 5.0) if power * factor <= rough)
    step = power * max(factors, default=1.0)  # rounding may put 0.1 above a rough step of 0.1
    first, last = math.floor(low / step), math.ceil(high / step)
    return [i * step for i in range(first - (first == last), last + 1)]


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """Round numbers, with just enough digits to tell them apart: as decimals if
    those are short, else with an exponent: 0.5, −40, 1000000.5, 2e−5."""
    return list(_tick_texts(tuple(ticks)))


@lru_cache(maxsize=64)
def _tick_texts(ticks: tuple[float, ...]) -> tuple[str, ...]:
    if not ticks:
        return ()
    largest = max(map(abs, ticks))
    step = min((b - a for a, b in pairwise(ticks)), default=largest) or 1.0
    digits = max(0, math.floor(math.log10(largest or 1.0)) - math.floor(math.log10(step) + 1e-9))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    fixed = [_trimmed(f"{tick:.{decimals}f}") for tick in ticks]
    short = [_trimmed(f"{tick:.{digits}e}") for tick in ticks]
    chosen = fixed
    if not 1e-4 < largest < 1e5 and max(map(len, short)) < max(map(len, fixed)):
        # If they are not evenly spaced, some may be short as decimals: 50, 2e5.
        chosen = [min(pair, key=len) for pair in zip(short, fixed, strict=True)]
    return tuple(text.replace("-", MINUS) for text in chosen)


def _trimmed(text: str) -> str:
    """Without trailing zeros."""
    mantissa, e, exponent = text.partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    if not mantissa.strip("-0"):
        return "0"
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def plain(number: float) -> str:
    """A round number without trailing zeros: 0.5, 2, −4."""
    text = f"{number:.6g}"
    return ("0" if not text.strip("-0.") else text).replace("-", MINUS)
