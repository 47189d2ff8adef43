"""Values on periodic axes, such as angles: those that are whole periods apart are the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pair = tuple[float, float]


def fold(values: NDArray[np.floating], lo: float, hi: float) -> NDArray[np.float64]:
    """Values modulo hi - lo, within [lo, hi); non-finite ones become NaN."""
    at = values.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        at -= (hi - lo) * np.floor((at - lo) / (hi - lo))
    at[(at < lo) | (at >= hi)] = lo  # by rounding
    return at


def fold_axes(
    points: NDArray[np.floating], lo: Pair, hi: Pair, periodic: tuple[bool, bool]
) -> NDArray[np.floating]:
    """Points (n, 2) taken into one period on periodic axes; unchanged if all are there already."""
    for axis in (0, 1):
        if not periodic[axis]:
            continue
        at, least, limit = points[:, axis], lo[axis], hi[axis]
        if not ((at >= least) & (at < limit)).all():
            points = np.array(points, dtype=np.float64)
            points[:, axis] = fold(points[:, axis], least, limit)
    return points
