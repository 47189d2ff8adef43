"""Heights and slopes under agents, on the CPU: in one NumPy call, or one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import FloatArray, Heightfield
from calf_viz.scene.frame import Frame

Heights = Callable[[NDArray[np.floating]], FloatArray]
"""Points (m, 2) of the scene's ground -> (m, 3): height, and its slope along each axis."""
HeightMethod = Callable[[Heightfield], Heights]


def level(points: NDArray[np.floating]) -> FloatArray:
    """Heights before there is a critic."""
    return np.zeros((len(points), 3))


def vectorised(levels: Heightfield) -> Heights:
    """All points in one NumPy call."""
    return levels.tangent_planes


def beyond_edges(heights: Heights, frame: Frame) -> Heights:
    """The same heights, continued beyond the edges of periodic axes as at the edges, for lines that
    lead there."""
    if not any(frame.periodic):
        return heights
    half = np.where(frame.periodic, 0.5 * np.array(frame.periods), np.inf)

    def extended(points: NDArray[np.floating]) -> FloatArray:
        edge = np.clip(points, -half, half)
        planes = heights(edge)
        planes[:, 0] += (planes[:, 1:] * (points - edge)).sum(axis=1)
        return planes

    return extended


def loop(levels: Heightfield) -> Heights:
    """All points one by one, in plain Python."""
    rows = levels.values.astype(np.float64).tolist()
    (x_lo, y_lo), (x_hi, y_hi) = levels.lo, levels.hi
    width, height = x_hi - x_lo, y_hi - y_lo
    x_cells, y_cells = len(rows[0]) - 1, len(rows) - 1

    def heights(points: NDArray[np.floating]) -> FloatArray:
        planes = []
        for px, py in points.tolist():
            x = min(max((px - x_lo) / width, 0.0), 1.0) * x_cells
            y = min(max((py - y_lo) / height, 0.0), 1.0) * y_cells
            column, row = min(int(x), x_cells - 1), min(int(y), y_cells - 1)
            x -= column
            y -= row
            below, above = rows[row], rows[row + 1]
            right, over = below[column + 1], above[column]
            if x + y <= 1.0:
                corner = below[column]
                along_x, along_y = right - corner, over - corner
            else:
                corner = above[column + 1]
                along_x, along_y = corner - over, corner - right
                x -= 1.0
                y -= 1.0
            z = corner + x * along_x + y * along_y
            planes.append((z, along_x * x_cells / width, along_y * y_cells / height))
        return np.array(planes).reshape(-1, 3)

    return heights
