"""Formatting numbers for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

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
        digits = max(1, 1 + _magnitude(number) - _magnitude(span)) if number else 1
        mantissa, exponent = f"{number:.{min(digits, MOST_DIGITS)}e}".split("e")
        text = "0" if number == 0 else f"{mantissa}e{int(exponent)}"
    else:
        decimals = max(0, math.ceil(2.0 - math.log10(span)))
        text = f"{number:,.{decimals}f}"
        if not text.strip("-0."):
            text = text.lstrip("-")
    return text.replace("-", MINUS)


def nice_ticks(low: float, high: float, most: int, ends: bool = False) -> list[float]:
    """At most `most` round, evenly spaced numbers between low and high, which are themselves
    included only with `ends`."""
    span = high - low
    if not (span > 0 and math.isfinite(span)) or most < 1:
        return []
    exponent = _magnitude(span / most)
    ticks: list[float] = []
    for step in (_power(exponent) * factor for factor in (0.2, 0.5, 1, 2, 5, 10)):
        # A multiple may round to the end itself, or beyond it.
        first, last = math.floor(low / step), math.ceil(high / step)
        multiples = (i * step for i in range(first, last + 1))
        found = [t for t in multiples if low < t < high or (ends and t in (low, high))]
        if not found:
            break
        ticks = found
        if len(ticks) <= most:
            return ticks
    # From too many to none in one step: use some of the last ones.
    return ticks[:: max(1, math.ceil(len(ticks) / most))]


def _magnitude(number: float) -> int:
    """Power of ten of the first nonzero digit."""
    return math.floor(math.log10(abs(number)))


def _power(exponent: int) -> float:
    """The float nearest to a power of ten; `**` is inexact for some negative ones."""
    return float(f"1e{exponent}")


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """Evenly spaced round numbers, with just enough digits to tell them apart: as decimals if
    those are short, else with an exponent: 0.5, −40, 1000000.5, 2e−5."""
    if not ticks:
        return []
    largest = max(map(abs, ticks))
    step = min((b - a for a, b in pairwise(ticks)), default=largest) or 1.0
    digits = max(0, math.floor(math.log10(largest or 1.0)) - math.floor(math.log10(step) + 1e-9))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    fixed = [_trimmed(f"{tick:.{decimals}f}") for tick in ticks]
    short = [_trimmed(f"{tick:.{digits}e}") for tick in ticks]
    chosen = fixed
    if not 1e-4 < largest < 1e5 and max(map(len, short)) < max(map(len, fixed)):
        chosen = short
    return [text.replace("-", MINUS) for text in chosen]


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
