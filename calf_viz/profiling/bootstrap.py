"""How far a figure of a run may lie from what it tells of: the block bootstrap.

Frames are no independent draws: a slow one is followed by slow ones, collections come every so
many frames, and work is done every 8th or 10th. Drawing single frames would take them for more
evidence than they are, and give intervals too narrow. So stretches of consecutive frames are
drawn (Künsch 1989), from a circle, so that the ends count as much as the middle (Politis and
Romano 1992). Where there are several runs, runs are drawn first: the same program differs from
run to run by more than frames within a run tell.
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
    """Frames drawn together: the root of n, 17 of 300, which spans whatever is done every 10th."""
    return max(1, round(math.sqrt(n)))


def resampled(
    runs: Sequence[Column], statistic: Statistic, draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The statistic of so many resamples of the runs, (draws,)."""
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
            result[rows] = statistic(run[None, :])[0]  # nothing to draw: they are all the same
            continue
        n, length = len(run), block_length(len(run))
        at_once = max(1, MOST_VALUES // n)
        for part in range(0, len(rows), at_once):
            few = rows[part : part + at_once]
            begins = rng.integers(n, size=(len(few), -(-n // length), 1))
            frames = ((begins + np.arange(length)) % n).reshape(len(few), -1)[:, :n]
            result[few] = statistic(run[frames])
    return result
