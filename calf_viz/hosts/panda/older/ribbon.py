"""Vertices of trails: a pair for each sample, which the vertex shader spreads on screen.

      1-----3-----5      Indices join a pair to the older one before it: 0 1 2, 1 2 3. Where a
older |\\    |\\    | newer run begins they are omitted, so that nothing leads there.
      | \\   | \\   |
      0-----2-----4
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calf_viz.hosts.panda.older.heights import Heights
from calf_viz.hosts.panda.older.mesh import QUAD, Vertices
from calf_viz.scene.frame import Move

VERTEX = np.dtype(
    [
        ("a_here", "f4", 3),
        ("a_gradient", "f4", 2),
        ("a_newer", "f4", 2),
        ("a_older", "f4", 3),
        ("a_id", "i4", 4),
    ]
)
"""A vertex, as shaders/mesh_trail.vert reads it. The bits above the agent's number count by how
many PARTS of a step a vertex is earlier than its step, where a trail meets an edge of the plane."""
AGENT_BITS, PARTS = 24, 128
AGENT = (1 << AGENT_BITS) - 1
GOES_ON = 2**30
"""In place of the step at which the agent's next episode began, later than any."""


def segments(first: NDArray[np.integer], linked: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Triangles that join pairs to the next ones, (n, 6), given the older pairs' first vertices
    (n,); without area if the two are not linked."""
    indices = first.astype(np.uint32)[:, None] + QUAD
    indices[~linked] = 0
    return indices


def lift(rows: Vertices, heights: Heights) -> None:
    """Moves samples, of any shape, onto another surface."""
    here = heights(rows["a_here"][..., :2].reshape(-1, 2))
    older = heights(rows["a_older"][..., :2].reshape(-1, 2))
    rows["a_here"][..., 2] = here[:, 0].reshape(rows.shape)
    rows["a_gradient"] = here[:, 1:].reshape(*rows.shape, 2)
    rows["a_older"][..., 2] = older[:, 0].reshape(rows.shape)


def move(rows: Vertices, by: Move) -> None:
    """Moves samples, of any shape, in the scene; call `lift` afterwards."""
    for name in ("a_here", "a_newer", "a_older"):
        rows[name][..., :2] = by(rows[name][..., :2])
