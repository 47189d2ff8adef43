"""The critic's surface as a mesh, rebuilt for each critic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from panda3d.core import NodePath

from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.hosts.panda.older.mesh import QUAD, Mesh
from calf_viz.scene.height_texels import LevelField

VERTEX = np.dtype(
    [
        ("a_here", "f4", 3),
        ("a_gradient", "f4", 2),
        ("a_beyond", "f4"),
        ("a_bad", "f4"),
        ("a_rim", "f4", 3),
    ]
)


class SurfaceMesh:
    """A mesh with a vertex for each node, and two triangles for each cell; then its rim."""

    def __init__(self, parent: NodePath) -> None:
        self.parent = parent
        self.shape = (0, 0)
        self.mesh: Mesh | None = None

    def show(self, levels: LevelField) -> None:
        """Builds the mesh from levels."""
        rows, columns = levels.shape
        if self.mesh is None or levels.shape != self.shape:
            if self.mesh is not None:
                self.mesh.remove()
            self.shape = levels.shape
            self._edge, outwards = edge_nodes(rows, columns)
            size = rows * columns
            indices = [cells(rows, columns).ravel(), size + strip(len(self._edge)).ravel()]
            self.mesh = Mesh(self.parent, VERTEX, size + len(outwards), sum(map(len, indices)))
            self.mesh.indices()[:] = np.concatenate(indices)
            self.mesh.vertices()["a_rim"][size:] = outwards
        everything = self.mesh.vertices()
        inside, rim = np.split(everything, [rows * columns])
        vertices = inside.reshape(rows, columns)
        vertices["a_here"][..., :2] = plane_nodes(levels.lo, levels.hi, rows, columns).reshape(
            rows, columns, 2
        )
        vertices["a_here"][..., 2] = levels.values
        vertices["a_gradient"] = node_gradients(levels)
        vertices["a_beyond"] = levels.open - levels.values
        vertices["a_bad"] = levels.bad
        for name in ("a_here", "a_gradient", "a_beyond", "a_bad"):
            rim[name] = np.repeat(inside[name][self._edge], 2, axis=0)


def cells(rows: int, columns: int) -> NDArray[np.uint32]:
    """Vertices of each cell's two triangles, cut along the anti-diagonal: (cells, 6)."""
    corners = np.array([0, columns, 1, columns + 1], dtype=np.uint32)
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1, 1)
    result: NDArray[np.uint32] = first.astype(np.uint32) + corners[QUAD]
    return result


def edge_nodes(rows: int, columns: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The nodes around the plane, as `shaders/field.vert` goes around it, (nodes,); and, for an
    inner and an outer vertex at each, what the shader takes for `a_rim`, (2 * nodes, 3)."""
    nodes = np.arange(rows * columns).reshape(rows, columns)
    sides = (
        (nodes[0], (0, -1)),
        (nodes[:, -1], (1, 0)),
        (nodes[-1, ::-1], (0, 1)),
        (nodes[::-1, 0], (-1, 0)),
        (nodes[0, :1], (0, -1)),
    )
    ways = np.concatenate([np.tile((*way, 1.0), (len(side), 1)) for side, way in sides])
    vertices = np.repeat(ways, 2, axis=0).astype(np.float32)
    vertices[::2, :2] = 0.0
    return np.concatenate([side for side, _ in sides]), vertices


def strip(pairs: int) -> NDArray[np.uint32]:
    """Triangles between consecutive pairs of vertices, (pairs - 1, 6)."""
    result: NDArray[np.uint32] = 2 * np.arange(pairs - 1, dtype=np.uint32)[:, None] + QUAD
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
