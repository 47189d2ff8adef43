"""Numbers as people read them."""

from __future__ import annotations

import math

MINUS = "−"


def count(number: int) -> str:
    """1234567 as 1,234,567."""
    return f"{number:,}".replace("-", MINUS)


def value(number: float, span: float) -> str:
    """A number with the decimals that tell a hundredth of `span` apart, without needless ones.

    Far from 1, it has an exponent: 1.2e6.
    """
    if not math.isfinite(number):
        return "–"
    span = abs(span) if span and math.isfinite(span) else max(abs(number), 1.0)
    if not 1e-3 <= span < 1e6:
        mantissa, exponent = f"{number:.1e}".split("e")
        text = "0" if number == 0 else f"{mantissa}e{int(exponent)}"
    else:
        decimals = max(0, math.ceil(2.0 - math.log10(span)))
        text = f"{number:,.{decimals}f}"
        if not text.strip("-0."):
            text = text.lstrip("-")
    return text.replace("-", MINUS)


def nice_ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` round numbers, evenly spaced, strictly between low and high."""
    span = high - low
    if not (span > 0 and math.isfinite(span)) or most < 1:
        return []
    power = 10.0 ** math.floor(math.log10(span / most))
    ticks: list[float] = []
    for step in (power * factor for factor in (0.2, 0.5, 1, 2, 5, 10)):
        first, last = math.floor(low / step) + 1, math.ceil(high / step) - 1
        if last < first:
            break
        # A multiple may round to the end itself.
        ticks = [t for i in range(first, last + 1) if low < (t := i * step) < high]
        if len(ticks) <= most:
            return ticks
    # From too many to none in one step: some of the last, then.
    return ticks[:: max(1, math.ceil(len(ticks) / most))]


def plain(number: float) -> str:
    """A round number without zeros that say nothing: 0.5, 2, −4."""
    text = f"{number:.6g}"
    return ("0" if not text.strip("-0.") else text).replace("-", MINUS)
