"""Markers as meshes: four vertices per agent, which the vertex shader spreads on screen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from panda3d.core import NodePath

from calf_viz.heightfield import FloatArray
from calf_viz.hosts.panda.older.heights import Heights
from calf_viz.hosts.panda.older.mesh import QUAD, Mesh
from calf_viz.scene.frame import Move
from calf_viz.scene.ring import Row

VERTEX = np.dtype(
    [("a_here", "f4", 3), ("a_gradient", "f4", 2), ("a_heading", "f4"), ("a_id", "i4", 2)]
)
"""A vertex, as shaders/mesh_marker.vert reads it."""
HIDDEN = -1
"""The mode of a marker that must not be drawn."""


def marker_mesh(parent: NodePath, agents: int) -> Mesh:
    """A mesh for this number of markers, none of them drawn yet."""
    mesh = Mesh(parent, VERTEX, 4 * agents, 6 * agents)
    mesh.indices().reshape(agents, 6)[:] = 4 * np.arange(agents)[:, None] + QUAD
    mesh.vertices()["a_id"][:, 1] = HIDDEN
    return mesh


def marker_vertices(samples: Row, planes: FloatArray) -> NDArray[np.void]:
    """The four vertices of each marker, all alike: (n,)."""
    vertices = np.zeros(len(samples.positions), VERTEX)
    vertices["a_here"][:, :2] = samples.positions
    vertices["a_here"][:, 2] = planes[:, 0]
    vertices["a_gradient"] = planes[:, 1:]
    vertices["a_heading"] = samples.headings
    vertices["a_id"][:, 0] = np.arange(len(vertices))
    vertices["a_id"][:, 1] = np.where(samples.drawn, samples.modes, HIDDEN)
    return vertices


class Newest:
    """The newest samples on the surface, given once after each change."""

    def __init__(self) -> None:
        self._at: tuple[Row, FloatArray] | None = None
        self._changed = False

    def move(self, samples: Row, planes: FloatArray) -> None:
        """Replaces the samples by a step's; planes (n, 3): heights and slopes there."""
        self._at, self._changed = (samples, planes), True

    def place(self, by: Move) -> None:
        """Moves them in the scene; call `lift` afterwards."""
        if self._at is not None:
            samples, planes = self._at
            places = by(samples.positions).astype(np.float32)
            self.move(replace(samples, positions=places), planes)

    def lift(self, heights: Heights) -> None:
        """Moves them onto another surface."""
        if self._at is not None:
            samples, _ = self._at
            self.move(samples, heights(samples.positions))

    def place_of(self, agent: int) -> NDArray[np.float32] | None:
        """Place of an agent in the scene, (2,); None if it is not drawn."""
        samples = None if self._at is None else self._at[0]
        if samples is None or agent >= len(samples.positions) or not samples.drawn[agent]:
            return None
        place: NDArray[np.float32] = samples.positions[agent]
        return place

    def vertices(self) -> NDArray[np.void] | None:
        """`marker_vertices`, if anything changed since the last call."""
        changed, self._changed = self._changed, False
        return marker_vertices(*self._at) if changed and self._at is not None else None
