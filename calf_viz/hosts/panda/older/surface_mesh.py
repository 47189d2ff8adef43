"""The critic's surface as a mesh, rebuilt for each critic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from panda3d.core import NodePath

from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.hosts.panda.older.mesh import QUAD, Mesh

VERTEX = np.dtype([("a_here", "f4", 3), ("a_gradient", "f4", 2), ("a_bad", "f4")])


class SurfaceMesh:
    """A mesh with a vertex for each node, and two triangles for each cell."""

    def __init__(self, parent: NodePath) -> None:
        self.parent = parent
        self.shape = (0, 0)
        self.mesh: Mesh | None = None

    def show(self, levels: Heightfield) -> None:
        """Builds the mesh from normalised heights."""
        rows, columns = levels.shape
        if self.mesh is None or levels.shape != self.shape:
            if self.mesh is not None:
                self.mesh.remove()
            self.shape = levels.shape
            self.mesh = Mesh(self.parent, VERTEX, rows * columns, 6 * (rows - 1) * (columns - 1))
            self.mesh.indices()[:] = cells(rows, columns).ravel()
        vertices = self.mesh.vertices().reshape(rows, columns)
        vertices["a_here"][..., :2] = plane_nodes(levels.lo, levels.hi, rows, columns).reshape(
            rows, columns, 2
        )
        vertices["a_here"][..., 2] = levels.values
        vertices["a_gradient"] = node_gradients(levels)
        vertices["a_bad"] = levels.bad


def cells(rows: int, columns: int) -> NDArray[np.uint32]:
    """Vertices of each cell's two triangles, cut along the anti-diagonal: (cells, 6)."""
    corners = np.array([0, columns, 1, columns + 1], dtype=np.uint32)
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1, 1)
    result: NDArray[np.uint32] = first.astype(np.uint32) + corners[QUAD]
    return result


def node_gradients(levels: Heightfield) -> NDArray[np.float64]:
    """Slope at each node, (rows, columns, 2): that of the triangle that begins there or, at the far
    edges, where none does, of the one that ends there."""
    rows, columns = levels.shape
    z = levels.values.astype(np.float64)
    corner = z[:-1, :-1]
    slopes = np.stack([z[:-1, 1:] - corner, z[1:, :-1] - corner], axis=2)
    slopes = np.pad(slopes, ((0, 1), (0, 1), (0, 0)), mode="edge")
    slopes[-1, -1] = z[-1, -1] - z[-1, -2], z[-1, -1] - z[-2, -1]
    size = np.array(levels.hi) - np.array(levels.lo)
    return slopes * (np.array([columns - 1, rows - 1]) / size)
