"""One agent's trail as a mesh of its own, made anew now and then."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from panda3d.core import NodePath

from calf_viz.hosts.panda.older import ribbon
from calf_viz.hosts.panda.older.heights import Heights
from calf_viz.hosts.panda.older.mesh import Mesh
from calf_viz.scene.frame import Move
from calf_viz.scene.scene import Scene

REBUILD = 8
"""Points that are added before a trail's mesh is made anew."""

POINT = np.dtype(
    [("here", "f4", 3), ("gradient", "f4", 2), ("step", "i4"), ("modes", "i4"), ("linked", "?")]
)


class TrailMesh:
    """Points of one agent, oldest first, and the mesh of those that were there when it was made.

    So the line ends up to REBUILD - 1 points behind its agent. The agents' meshes are made in turn
    (`agent` decides when), not all in the same frame.
    """

    def __init__(self, parent: NodePath, agent: int, scene: Scene) -> None:
        self.parent, self.agent, self.trail, self.stride = parent, agent, scene.trail, scene.stride
        self._bits = scene.mode_bits
        self.mesh: Mesh | None = None
        # Twice as many as are kept, so that they seldom need to be moved to the front.
        self._points = np.zeros(2 * (self.trail + REBUILD + 1), POINT)
        self._begin = self._end = 0
        self._added = agent % REBUILD
        self._modes, self._linked = 0, True

    @property
    def points(self) -> NDArray[np.void]:
        """The points, oldest first, a view."""
        return self._points[self._begin : self._end]

    @property
    def due(self) -> bool:
        """Whether enough points were added since the mesh was made."""
        return self._added >= REBUILD

    def add(
        self,
        step: int,
        position: tuple[float, float],
        plane: tuple[float, float, float],
        mode: int,
        begins: bool,
        drawn: bool,
    ) -> None:
        """Takes a sample; every `stride`th becomes a point, and the first of a run."""
        self._modes = (self._modes << self._bits.each | mode) & self._bits.in_segment
        self._linked = self._linked and drawn and not begins
        if not begins and step % self.stride != 0:
            return
        if self._end == len(self._points):
            kept = self._points[max(self._begin, self._end - len(self._points) // 2) :].copy()
            self._points[: len(kept)] = kept
            self._begin, self._end = 0, len(kept)
        here = (*position, plane[0])
        self._points[self._end] = (here, plane[1:], step, self._modes, self._linked)
        self._end += 1
        self._added += 1
        self._linked = True

    def rebuild(self) -> None:
        """Makes the mesh of all points that are not too old."""
        self._added %= REBUILD  # late ones keep their turn
        points = self.points
        if not len(points):
            return
        oldest = int(points["step"][-1]) - self.trail
        self._begin += int(np.searchsorted(points["step"], oldest))
        points = self.points
        count = len(points)
        if self.mesh is None or self.mesh.size < 2 * count:
            if self.mesh is not None:
                self.mesh.remove()
            room = max(count, min(2 * count, self.trail // self.stride + REBUILD + 1))
            self.mesh = Mesh(self.parent, ribbon.VERTEX, 2 * room, 6 * room, self.agent)
        here, linked = points["here"], points["linked"][1:]
        begins = 1 + np.flatnonzero(~linked)
        rows = np.empty(count, ribbon.VERTEX)
        rows["a_here"] = rows["a_older"] = here
        rows["a_gradient"] = points["gradient"]
        rows["a_newer"] = here[:, :2]
        rows["a_newer"][:-1] = here[1:, :2]
        rows["a_newer"][begins - 1] = here[begins - 1, :2]
        rows["a_older"][1:] = here[:-1]
        rows["a_older"][begins] = here[begins]
        rows["a_id"][:, 0] = self.agent
        rows["a_id"][:, 1] = points["step"]
        rows["a_id"][:, 2] = points["modes"]
        self.mesh.vertices().reshape(-1, 2)[:count] = rows[:, None]
        indices = self.mesh.indices().reshape(-1, 6)
        indices[: count - 1] = ribbon.segments(2 * np.arange(count - 1), linked)
        indices[count - 1 :] = 0

    def move(self, by: Move) -> None:
        """Has all points lie elsewhere in the scene; `lift` is to follow."""
        here = self.points["here"]
        here[:, :2] = by(here[:, :2])

    def lift(self, heights: Heights) -> None:
        """Puts all points onto another surface, and makes the mesh anew."""
        points = self.points
        planes = heights(points["here"][:, :2])
        points["here"][:, 2] = planes[:, 0]
        points["gradient"] = planes[:, 1:]
        self.rebuild()

    def clear(self) -> None:
        """Forgets all points."""
        self._begin = self._end = 0
        if self.mesh is not None:
            self.mesh.indices()[:] = 0

    def remove(self) -> None:
        """Takes it out of the scene."""
        if self.mesh is not None:
            self.mesh.remove()
