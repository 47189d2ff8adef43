"""Vertices of trails: a pair for each sample, which the vertex shader moves apart on screen.

      1-----3-----5      Indices join a pair to the older one before it: 0 1 2, 1 2 3. Where a
older |\\    |\\    | newer run begins they are left out, so that nothing leads there.
      | \\   | \\   |
      0-----2-----4
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calf_viz.hosts.panda.older.mesh import QUAD

VERTEX = np.dtype(
    [
        ("a_here", "f4", 3),
        ("a_gradient", "f4", 2),
        ("a_newer", "f4", 2),
        ("a_older", "f4", 3),
        ("a_id", "i4", 3),
    ]
)
"""As shaders/mesh_trail.vert takes them."""


def segments(first: NDArray[np.integer], linked: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Triangles that join pairs to the ones behind them, (n, 6), from the older pairs' first
    vertices (n,); without area where the two are not linked."""
    indices = first.astype(np.uint32)[:, None] + QUAD
    indices[~linked] = 0
    return indices
