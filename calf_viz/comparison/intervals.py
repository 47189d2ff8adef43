"""95 % intervals of shares and means, and of the differences between paired ones.

    share        Wilson's score interval
    difference   of shares: Newcombe's of paired ones (1998, method 10), from both Wilson intervals
    mean         bootstrap over episodes, percentiles; of a difference, over pairs of episodes

Paired, because both agents begin where the other does: what a start costs anyway cancels out.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.training.benchmark import MOST_VALUES, RESAMPLES

Z = 1.959963984540054
"""Of a standard normal distribution, 2.5 % are above."""


class Interval(NamedTuple):
    """A figure, and between which it is; NaN where there is none."""

    value: float
    low: float
    high: float


UNKNOWN = Interval(math.nan, math.nan, math.nan)


def share(happened: NDArray[np.bool_]) -> Interval:
    """The share of trials, (n,), in which something happened."""
    n = len(happened)
    if not n:
        return UNKNOWN
    p = float(np.count_nonzero(happened)) / n
    middle, z2 = p + Z * Z / (2 * n), Z * Z / n
    spread = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    low, high = (middle - spread) / (1 + z2), (middle + spread) / (1 + z2)
    # Of nothing and of everything the one end is exact; rounding would miss it.
    return Interval(p, 0.0 if p == 0.0 else low, 1.0 if p == 1.0 else high)


def share_difference(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Interval:
    """Share of a minus share of b, in the same trials, (n,) each."""
    n = len(a)
    if not n:
        return UNKNOWN
    one, other = share(a), share(b)
    both, only_a = int(np.count_nonzero(a & b)), int(np.count_nonzero(a & ~b))
    only_b, neither = int(np.count_nonzero(~a & b)), int(np.count_nonzero(~a & ~b))
    product = float(both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    agree = float(both * neither - only_a * only_b)
    if agree > 0.0:  # with a correction for continuity, of positive correlations alone
        agree = max(agree - n / 2, 0.0)
    phi = agree / math.sqrt(product) if product else 0.0

    def reach(x: float, y: float) -> float:
        return math.sqrt(max(x * x - 2 * phi * x * y + y * y, 0.0))

    difference = one.value - other.value
    below = reach(one.value - one.low, other.high - other.value)
    above = reach(one.high - one.value, other.value - other.low)
    return Interval(difference, difference - below, difference + above)


def mean(values: NDArray[np.floating], seed: int = 0) -> Interval:
    """Mean of values, (n,); of a difference, give that of each pair."""
    values = np.asarray(values, np.float64)
    n = len(values)
    if not n:
        return UNKNOWN
    rng, means = np.random.default_rng(seed), np.empty(RESAMPLES)
    rows = max(MOST_VALUES // n, 1)
    for start in range(0, RESAMPLES, rows):
        size = min(rows, RESAMPLES - start), n
        means[start : start + rows] = values[rng.integers(0, n, size)].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))
