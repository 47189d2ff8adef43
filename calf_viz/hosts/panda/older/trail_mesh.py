"""One agent's trail as a mesh of its own, rebuilt from time to time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from panda3d.core import NodePath

from calf_viz.hosts.panda.older import ribbon
from calf_viz.hosts.panda.older.heights import Heights
from calf_viz.hosts.panda.older.mesh import Mesh, Vertices
from calf_viz.hosts.panda.older.over_edge import OverEdge
from calf_viz.scene.frame import Move
from calf_viz.scene.scene import Scene

REBUILD = 8
"""Points added before a trail's mesh is rebuilt."""

POINT = np.dtype(
    [
        ("here", "f4", 3),
        ("gradient", "f4", 2),
        ("step", "i4"),
        ("modes", "i4"),
        ("linked", "?"),
        ("turns", "i4", 2),
        ("first", "?"),
    ]
)


class TrailMesh:
    """Points of one agent, oldest first, and the mesh of those present when it was built.

    So the line ends up to REBUILD - 1 points behind its agent. The agents' meshes are rebuilt in
    turn (`agent` determines when), not all in the same frame.
    """

    def __init__(self, parent: NodePath, agent: int, scene: Scene, heights: Heights) -> None:
        self.parent, self.agent, self.trail, self.stride = parent, agent, scene.trail, scene.stride
        self._bits = scene.mode_bits
        self._heights, self._over_edge = heights, OverEdge(scene)
        self.mesh: Mesh | None = None
        # Twice as many as are kept, so that they rarely need to be moved to the front.
        self._points = np.zeros(2 * (self.trail + REBUILD + 1), POINT)
        self._begin = self._end = 0
        self._added = agent % REBUILD
        self._modes, self._linked, self._turns = 0, True, (0, 0)

    @property
    def points(self) -> NDArray[np.void]:
        """The points, oldest first, a view."""
        return self._points[self._begin : self._end]

    @property
    def due(self) -> bool:
        """Whether enough points were added since the mesh was built."""
        return self._added >= REBUILD

    def add(
        self,
        step: int,
        position: tuple[float, float],
        plane: tuple[float, float, float],
        mode: int,
        begins: bool,
        drawn: bool,
        turns: tuple[int, int],
        first: bool,
    ) -> None:
        """Adds a sample; every `stride`th becomes a point, and the first of a run. turns: as in a
        row; a line over an edge begins no run. first: whether it is the first of an episode."""
        if any(turns):
            begins = False
            self._turns = self._turns[0] + turns[0], self._turns[1] + turns[1]
        self._modes = (self._modes << self._bits.each | mode) & self._bits.in_segment
        self._linked = self._linked and drawn and not begins
        if not begins and step % self.stride != 0:
            return
        if self._end == len(self._points):
            kept = self._points[max(self._begin, self._end - len(self._points) // 2) :].copy()
            self._points[: len(kept)] = kept
            self._begin, self._end = 0, len(kept)
        here = (*position, plane[0])
        turned = self._turns if self._linked else (0, 0)
        self._points[self._end] = (here, plane[1:], step, self._modes, self._linked, turned, first)
        self._end += 1
        self._added += REBUILD if first else 1  # the last episode's fades from now on
        self._linked, self._turns = True, (0, 0)

    def rebuild(self) -> None:
        """Builds the mesh from all points that are not too old."""
        self._added %= REBUILD  # late ones keep their turn
        points = self.points
        if not len(points):
            return
        oldest = int(points["step"][-1]) - self.trail
        self._begin += int(np.searchsorted(points["step"], oldest))
        points = self.points
        rows, linked = self._rows(points)
        over = 1 + np.flatnonzero(points["turns"][1:].any(axis=1))
        pieces = self._pieces(rows, over, points["turns"][over])
        count, places = len(rows), len(rows) + 2 * len(pieces)
        if self.mesh is None or self.mesh.size < 2 * places:
            if self.mesh is not None:
                self.mesh.remove()
            room = max(places, min(2 * places, self.trail // self.stride + REBUILD + 1))
            self.mesh = Mesh(self.parent, ribbon.VERTEX, 2 * room, 6 * room, self.agent)
        vertices = self.mesh.vertices().reshape(-1, 2)
        vertices[:count] = rows[:, None]
        vertices[count:places] = pieces.reshape(-1, 1)
        indices = self.mesh.indices().reshape(-1, 6)
        indices[: count - 1] = ribbon.segments(2 * np.arange(count - 1), linked)
        first = np.arange(2 * count, 2 * places, 4)
        indices[count - 1 : count - 1 + len(pieces)] = ribbon.segments(first, first >= 0)
        indices[count - 1 + len(pieces) :] = 0

    def _rows(self, points: NDArray[np.void]) -> tuple[Vertices, NDArray[np.bool_]]:
        """A vertex for each point, and whether each but the first is joined to the previous one."""
        here, linked = points["here"], points["linked"][1:] & ~points["turns"][1:].any(axis=1)
        begins = 1 + np.flatnonzero(~linked)
        rows = np.empty(len(points), ribbon.VERTEX)
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
        episodes = points["step"][points["first"]]
        next_one = np.searchsorted(episodes, points["step"], side="right")
        rows["a_id"][:, 3] = np.append(episodes, ribbon.GOES_ON)[next_one]
        return rows, linked

    def _pieces(
        self, rows: Vertices, over: NDArray[np.intp], turns: NDArray[np.integer]
    ) -> Vertices:
        """Pieces, (pieces, 2), of the lines over an edge to these points; see `OverEdge`."""
        if len(over) == 0:
            return rows[:0, None].repeat(2, axis=1)
        newer, older = rows[over], rows[over - 1]
        self._over_edge.point(newer, older, turns)
        rows["a_older"][over], rows["a_newer"][over - 1] = newer["a_older"], older["a_newer"]
        return self._over_edge.pieces(rows[over], rows[over - 1], turns, self._heights)[0]

    def move(self, by: Move) -> None:
        """Moves all points in the scene; call `lift` afterwards."""
        here = self.points["here"]
        here[:, :2] = by(here[:, :2])

    def lift(self, heights: Heights) -> None:
        """Moves all points onto another surface, and rebuilds the mesh."""
        points = self.points
        planes = heights(points["here"][:, :2])
        points["here"][:, 2] = planes[:, 0]
        points["gradient"] = planes[:, 1:]
        self._heights = heights
        self.rebuild()

    def clear(self) -> None:
        """Forgets all points."""
        self._begin = self._end = 0
        if self.mesh is not None:
            self.mesh.indices()[:] = 0

    def remove(self) -> None:
        """Removes it from the scene."""
        if self.mesh is not None:
            self.mesh.remove()
