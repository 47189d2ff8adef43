"""Circles on the surface as a mesh: the goal's, and one around an agent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from panda3d.core import NodePath

from calf_viz.heightfield import FloatArray, Heightfield
from calf_viz.hosts.panda.older.heights import Heights
from calf_viz.hosts.panda.older.markers import Newest
from calf_viz.hosts.panda.older.mesh import QUAD, Mesh
from calf_viz.periods import Pair
from calf_viz.scene import circle
from calf_viz.scene.scene import Scene

VERTEX = np.dtype([("a_here", "f4", 3), ("a_gradient", "f4", 2), ("a_number", "i4")])
"""A vertex, as shaders/mesh_circle.vert reads it."""


class CircleMesh:
    """Draws the scene's circles.

    Attributes:
        mesh: None while there are none.
    """

    def __init__(self, parent: NodePath, scene: Scene) -> None:
        self.parent, self.scene = parent, scene
        self.mesh: Mesh | None = None
        self._shown: tuple[object, ...] = ()
        self._corners: tuple[Pair, Pair] = ((0.0, 0.0), (0.0, 0.0))  # of the surface
        self._lifted = True

    def lift(self, levels: Heightfield) -> None:
        """The surface changed to this one."""
        self._corners, self._lifted = (levels.lo, levels.hi), True

    def prepare(self, heights: Heights, newest: Newest) -> None:
        """Updates the mesh for the next frame."""
        scene = self.scene
        (goal, count), ellipse = scene.circles, scene.goal
        shown = (ellipse, scene.frame, goal, count)
        if shown != self._shown:
            self._shown, self._lifted = shown, True
            self._make(count)
        if self.mesh is None:
            return
        rows = self.mesh.vertices().reshape(count, circle.VERTICES) if self._lifted else None
        if rows is not None and ellipse is not None:
            centre = np.clip(circle.shown(ellipse, scene.frame).ellipse[:2], *self._corners)
            _put(rows[:goal], np.broadcast_to(centre, (goal, circle.VERTICES, 2)), heights)
        self._lifted = False
        if goal < count:
            self._follow(heights, newest)

    def _make(self, count: int) -> None:
        if self.mesh is not None:
            self.mesh.remove()
        self.mesh = None
        if count == 0:
            return
        self.mesh = Mesh(self.parent, VERTEX, count * circle.VERTICES, 6 * count * circle.SPOKES)
        self.mesh.vertices()["a_number"] = np.arange(count * circle.VERTICES)
        first = circle.VERTICES * np.arange(count)[:, None] + 2 * np.arange(circle.SPOKES) + 1
        self.mesh.indices().reshape(-1, 6)[:] = first.reshape(-1, 1) + QUAD

    def _follow(self, heights: Heights, newest: Newest) -> None:
        """Moves the ring to its agent; hides it where that is not drawn."""
        assert self.mesh is not None
        at = newest.place_of(self.scene.highlighted)
        rows = self.mesh.vertices().reshape(-1, circle.VERTICES)[-circle.EACH :]
        if at is None:
            rows["a_here"] = np.nan
        else:
            _put(rows, np.broadcast_to(at, (*rows.shape, 2)), heights)


def _put(rows: NDArray[np.void], points: FloatArray, heights: Heights) -> None:
    """Puts vertices onto the surface at points (..., 2) of the scene."""
    planes = heights(points.reshape(-1, 2)).reshape(*rows.shape, 3)
    rows["a_here"][..., :2], rows["a_here"][..., 2] = points, planes[..., 0]
    rows["a_gradient"] = planes[..., 1:]
