"""All agents' trails at the edges of the plane: pieces of lines, in a mesh of their own.

Pieces are in a ring that grows as needed, oldest first. Those of the head's slot still move, and
are rewritten with each step, like the head itself.
"""

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

FEWEST, MOST = 64, 2**20
"""Capacity in pieces. Of more, which would take over 240 MiB, the newest are drawn."""


class EdgeMesh:
    """Draws the lines of trails that cross an edge.

    Attributes:
        mesh: None before the first line.
    """

    def __init__(self, parent: NodePath, scene: Scene) -> None:
        self.parent = parent
        self.kept = scene.trail + scene.stride  # steps
        self.over_edge = OverEdge(scene)
        self.mesh: Mesh | None = None
        self.clear()

    def clear(self) -> None:
        """Forgets all pieces."""
        if self.mesh is not None:
            self.mesh.remove()
        self.mesh = None
        self._rows = np.zeros((0, 2), ribbon.VERTEX)  # as the mesh has them: older and newer end
        # Each has a number; its place is that modulo the capacity: the oldest, the first of the
        # head's slot, and the one after the newest.
        self._oldest = self._moving = self._end = 0
        # Pieces that begin with the samples before the head's, or with the head's, and their
        # agents: the next samples determine how lines bend there.
        self._joints = self._next_joints = np.zeros((0, 2), np.intp)

    def go_on(self) -> None:
        """The head leaves its slot: lines drawn to it stay."""
        self._moving = self._end
        self._joints, self._next_joints = self._next_joints, self._joints[:0]

    def draw(
        self,
        head: Vertices,
        last: Vertices,
        over: NDArray[np.intp],
        turns: NDArray[np.integer],
        heights: Heights,
    ) -> None:
        """Draws the lines that cross an edge, from the head's samples to the previous ones,
        (agents,) each, of the agents `over`; their turns as in `OverEdge`. Sets in the samples
        where their lines lead."""
        newer, older = head[over], last[over]
        self.over_edge.point(newer, older, turns)
        head[over], last[over] = newer, older
        self._bend(last)
        self._take_out(self._moving, self._end)
        self._end = self._moving
        if len(head):
            self._forget_old(int(head["a_id"][0, 1]) - self.kept)
        if len(over) == 0:
            self._next_joints = self._next_joints[:0]
            return
        rows, lines, begin = self.over_edge.pieces(newer, older, turns, heights)
        rows = rows[:MOST]
        self._make_room(len(rows))
        self._put(rows)
        joints = np.flatnonzero(begin[:MOST])
        self._next_joints = np.stack([self._end + joints, over[lines[joints]]], axis=1)
        self._end += len(rows)

    def forget(self, agents: int) -> None:
        """Removes the lines of all but the first agents."""
        self._joints = self._joints[self._joints[:, 1] < agents]
        self._next_joints = self._next_joints[self._next_joints[:, 1] < agents]
        whose = self._rows["a_id"][:, 0, 0] & ribbon.AGENT
        if self.mesh is not None:
            self.mesh.indices().reshape(-1, 6)[whose >= agents] = 0

    def end(self, agents: NDArray[np.intp], step: int) -> None:
        """The next episodes of these agents began at a step: their lines fade from then on."""
        ids = self._rows["a_id"]
        over = np.isin(ids[..., 0] & ribbon.AGENT, agents) & (ids[..., 3] == ribbon.GOES_ON)
        if over.any():
            ids[..., 3][over] = step
            self._rewrite()

    def lift(self, heights: Heights) -> None:
        """Moves all lines onto another surface."""
        ribbon.lift(self._rows, heights)
        self._rewrite()

    def move(self, by: Move) -> None:
        """Moves all lines in the scene; call `lift` afterwards."""
        ribbon.move(self._rows, by)
        self._rewrite()

    def _rewrite(self) -> None:
        if self.mesh is not None:
            self._vertices(self.mesh)[:] = self._rows[..., None]

    def _vertices(self, mesh: Mesh) -> Vertices:
        """(capacity, older and newer end, the two of a pair), writable."""
        return mesh.vertices().reshape(-1, 2, 2)

    def _bend(self, last: Vertices) -> None:
        """Bends lines that begin with the samples before the head's towards the head's."""
        if len(self._joints) == 0 or self.mesh is None:
            return
        numbers, agents = self._joints.T
        at = numbers % len(self._rows)
        self._rows["a_newer"][at, 1] = last["a_newer"][agents]
        self._vertices(self.mesh)["a_newer"][at, 1] = last["a_newer"][agents][:, None]

    def _put(self, rows: Vertices) -> None:
        """Writes pieces, (pieces, 2), after the newest."""
        assert self.mesh is not None
        at = np.arange(self._end, self._end + len(rows)) % len(self._rows)
        self._rows[at] = rows
        self._vertices(self.mesh)[at] = rows[..., None]
        indices = self.mesh.indices().reshape(-1, 6)
        indices[at] = ribbon.segments(4 * at, np.ones(len(rows), bool))

    def _take_out(self, begin: int, end: int) -> None:
        if self.mesh is not None and begin < end:
            self.mesh.indices().reshape(-1, 6)[np.arange(begin, end) % len(self._rows)] = 0

    def _forget_old(self, step: int) -> None:
        """Removes the lines to samples from before a step."""
        if self._oldest == self._moving:
            return
        at = np.arange(self._oldest, self._moving) % len(self._rows)
        old = self._rows["a_id"][at, 1, 1] < step
        count = len(old) if old.all() else int(np.argmin(old))
        self._take_out(self._oldest, self._oldest + count)
        self._oldest += count

    def _make_room(self, pieces: int) -> None:
        """Makes room for more pieces after the newest."""
        count = self._end - self._oldest
        room = len(self._rows)
        while room < min(count + pieces, MOST):
            room = max(2 * room, FEWEST)
        dropped = max(count + pieces - room, 0)
        self._take_out(self._oldest, self._oldest + dropped)
        self._oldest += dropped
        self._joints = self._joints[self._joints[:, 0] >= self._oldest]
        if room == len(self._rows):
            return
        linked = np.zeros(room, bool)
        rows = np.zeros((room, 2), ribbon.VERTEX)
        if self.mesh is not None:
            here = np.arange(self._oldest, self._end)
            rows[here % room] = self._rows[here % len(self._rows)]
            drawn = np.asarray(self.mesh.indices().reshape(-1, 6).any(axis=1))
            linked[here % room] = drawn[here % len(self._rows)]
            self.mesh.remove()
        self._rows, self.mesh = rows, Mesh(self.parent, ribbon.VERTEX, 4 * room, 6 * room)
        self._vertices(self.mesh)[:] = rows[..., None]
        self.mesh.indices().reshape(-1, 6)[:] = ribbon.segments(4 * np.arange(room), linked)
