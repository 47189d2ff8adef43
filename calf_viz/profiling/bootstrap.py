"""The uncertainty of a run's figures, by the block bootstrap.

Frames are not independent: a slow one is followed by slow ones, garbage collections recur, and some
work is done every 8th or 10th frame. Resampling single frames would take them for more evidence
than they are, and give intervals that are too narrow. So blocks of consecutive frames are drawn
(Künsch 1989), circularly, so that the ends count as much as the middle (Politis and Romano 1992).
If there are several runs, runs are drawn first: the same program varies more between runs than
frames within a run show.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from calf_viz.profiling.run import Column

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""(draws, frames) -> (draws,)."""

MOST_VALUES = 2**20  # held at once


def block_length(n: int) -> int:
    """Frames per block: the square root of n, 17 for 300, which spans work done every 10th."""
    return max(1, round(math.sqrt(n)))


def resampled(
    runs: Sequence[Column], statistic: Statistic, draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The statistic over `draws` resamples of the runs, (draws,)."""
    chosen = rng.integers(len(runs), size=(draws, len(runs)))
    return np.median(
        [_of_one(runs, chosen[:, i], statistic, rng) for i in range(len(runs))], axis=0
    )


def _of_one(
    runs: Sequence[Column],
    chosen: NDArray[np.int64],
    statistic: Statistic,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    result = np.empty(len(chosen))
    for index, run in enumerate(runs):
        rows = np.flatnonzero(chosen == index)
        if np.ptp(run) == 0.0:
            result[rows] = statistic(run[None, :])[0]  # all values are equal
            continue
        n, length = len(run), block_length(len(run))
        at_once = max(1, MOST_VALUES // n)
        for part in range(0, len(rows), at_once):
            few = rows[part : part + at_once]
            begins = rng.integers(n, size=(len(few), -(-n // length), 1))
            frames = ((begins + np.arange(length)) % n).reshape(len(few), -1)[:, :n]
            result[few] = statistic(run[frames])
    return result
