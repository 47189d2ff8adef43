"""Numbers on axes that wrap, as that of an angle does: all that are whole periods apart are one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pair = tuple[float, float]


def fold(values: NDArray[np.floating], lo: float, hi: float) -> NDArray[np.float64]:
    """Values modulo hi - lo, within [lo, hi); those that are not finite become NaN."""
    at = values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        at -= (hi - lo) * np.floor((at - lo) / (hi - lo))
    at[(at < lo) | (at >= hi)] = lo  # by rounding
    return at


def fold_axes(
    points: NDArray[np.floating], lo: Pair, hi: Pair, periodic: tuple[bool, bool]
) -> NDArray[np.floating]:
    """Points (n, 2) within one period of the axes that are periodic; themselves where all are."""
    for axis in (0, 1):
        if not periodic[axis]:
            continue
        at, least, limit = points[:, axis], lo[axis], hi[axis]
        if not ((at >= least) & (at < limit)).all():
            points = np.array(points, dtype=np.float64)
            points[:, axis] = fold(points[:, axis], least, limit)
    return points
