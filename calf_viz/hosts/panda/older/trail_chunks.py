"""All agents' trails in as few meshes as is efficient: a ring of samples; each step writes one.

    chunk 0                     chunk 1                     A slot holds a sample of each agent.
    | 0 | 1 | 2 | ... | L |     | 0 | 1 | 2 | ... | L |     The head moves on by a slot; behind it
      ^                   |       ^                   |     lies the oldest, and the segment from
      |                   +-------+                   |     there to the head's is taken out.
      +-----------------------------------------------+     A chunk begins with the sample that
                                                            the one before it ended with.

Panda uploads a whole mesh if any of its vertices was written. For a small mesh that is cheap
compared with a draw, so trails that fit are one mesh, and one draw; otherwise the ring is cut into
chunks, of which only the one with the head is uploaded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from panda3d.core import NodePath

from calf_viz.errors import UserError
from calf_viz.heightfield import FloatArray
from calf_viz.hosts.panda.older import ribbon
from calf_viz.hosts.panda.older.edge_mesh import EdgeMesh
from calf_viz.hosts.panda.older.heights import Heights, level
from calf_viz.hosts.panda.older.mesh import Mesh, Vertices
from calf_viz.scene.frame import Move
from calf_viz.scene.ring import Row
from calf_viz.scene.scene import Scene

CHUNK_BYTES = 8 * 2**20
"""Largest mesh: all trails of 100 agents x 600 steps. Writing it costs 0.3 ms a frame on llvmpipe,
one of 64 MiB 6 ms, and one more draw 0.02 ms."""
SHORTEST = 8
"""Fewest slots in a chunk, however many agents there are: each chunk costs a draw."""
MOST_BYTES = 2 * 2**30

SAMPLE_BYTES = 2 * ribbon.VERTEX.itemsize + 4 * 6


class TrailChunks:
    """Trails of up to `agents` agents.

    Raises UserError if their meshes would take more than MOST_BYTES.
    """

    def __init__(self, parent: NodePath, agents: int, scene: Scene) -> None:
        """Every `scene.stride`th sample is kept, and the newest."""
        self.parent, self.trail, self.stride = parent, scene.trail, scene.stride
        self._bits = scene.mode_bits
        self.edges = EdgeMesh(parent, scene) if any(scene.frame.periodic) else None
        self._heights: Heights = level
        self._allocate(agents)

    def _allocate(self, agents: int) -> None:
        needed = self.trail // self.stride + 2
        total = agents * needed * SAMPLE_BYTES
        if total > MOST_BYTES:
            raise UserError(
                f"{agents} agents with trails of {self.trail} steps take {total / 2**30:.1f} GiB "
                f"of meshes, at most {MOST_BYTES / 2**30:.0f}: give fewer, or `renderer=gpu`"
            )
        longest = max(CHUNK_BYTES // (agents * SAMPLE_BYTES), SHORTEST)
        count = math.ceil(needed / longest)
        self.agents, self.length = agents, math.ceil(needed / count)
        self.chunks: list[Mesh | None] = [None] * count
        self._first = 2 * (self.length + 1) * np.arange(agents, dtype=np.uint32)
        # For each agent: the sample in the head's slot and the one before it, whether a line joins
        # them, over how many edges of the plane, and the modes of the last steps.
        self._head = np.zeros(agents, ribbon.VERTEX)
        self._last = np.zeros(agents, ribbon.VERTEX)
        self._joined = np.zeros(agents, bool)
        self._turns = np.zeros((agents, 2), np.int32)
        self._modes = np.zeros(agents, np.int32)
        self._began = np.zeros(agents, np.int64)  # slot of their episode's first sample
        self._clear()

    def _clear(self) -> None:
        self.slot, self.step, self.there = -1, -1, 0
        self._began[:] = 0
        for chunk in self.meshes():
            chunk.indices()[:] = 0

    @property
    def slots(self) -> int:
        """Capacity in samples of each agent."""
        return self.length * len(self.chunks)

    def meshes(self) -> Iterator[Mesh]:
        """The meshes of the samples."""
        return (chunk for chunk in self.chunks if chunk is not None)

    def append(self, samples: Row, planes: FloatArray) -> None:
        """Extends the trails to one step's samples; planes (n, 3): heights and slopes there."""
        if samples.step <= self.step:
            self._clear()
            if self.edges is not None:
                self.edges.clear()
        n = len(samples.positions)
        if n < self.there:
            self._forget(n)
        if self.slot < 0 or self.step % self.stride == 0:
            self.slot += 1
            self._head, self._last = self._last, self._head
            self._joined[:] = True
            self._turns[:] = 0
            if self.edges is not None:
                self.edges.go_on()
        self.step, self.there = samples.step, n
        self._end_episodes(np.flatnonzero(samples.episode_begins))

        joined, modes, head = self._joined[:n], self._modes[:n], self._head[:n]
        joined &= (~samples.begins | samples.over_edge) & samples.drawn
        if samples.turns is not None:
            self._turns[:n] += samples.turns
        modes <<= self._bits.each
        modes |= samples.modes
        modes &= self._bits.in_segment
        head["a_here"][:, :2] = samples.positions
        head["a_here"][:, 2] = planes[:, 0]
        head["a_gradient"] = planes[:, 1:]
        head["a_newer"] = samples.positions
        linked, last = self._linked(), self._last[:n]
        head["a_older"] = np.where(linked[:, None], last["a_here"], head["a_here"])
        last["a_newer"] = np.where(linked[:, None], head["a_here"], last["a_here"])[:, :2]
        head["a_id"][:, 0] = np.arange(n)
        head["a_id"][:, 1] = samples.step
        head["a_id"][:, 2] = modes
        head["a_id"][:, 3] = ribbon.GOES_ON
        if self.edges is not None:
            over = np.flatnonzero(joined & ~linked)
            self.edges.draw(head, last, over, self._turns[over], self._heights)
        self._write(linked)

    def _end_episodes(self, agents: NDArray[np.intp]) -> None:
        """New episodes of these agents begin in the head's slot: from now on, the last ones' trails
        fade. Rewrites their vertices, and so uploads all meshes that have any."""
        if len(agents) == 0:
            return
        oldest = max(int(self._began[agents].min()), self.slot - self.slots + 1)
        self._began[agents] = self.slot
        for index in {slot % self.slots // self.length for slot in range(oldest, self.slot)}:
            _end(self._vertices(index), agents, self.step)
        _end(self._last, agents, self.step)
        if self.edges is not None:
            self.edges.end(agents, self.step)

    def _linked(self) -> NDArray[np.bool_]:
        """Which agents' samples in the head's slot are joined to the previous ones on the plane."""
        n = self.there
        linked: NDArray[np.bool_] = self._joined[:n] & ~self._turns[:n].any(axis=1)
        return linked

    def _write(self, linked: NDArray[np.bool_]) -> None:
        """Writes the head to its slot; linked: (agents present,)."""
        n = self.there
        head, last = self._head[:n], self._last[:n]
        index, slot = divmod(self.slot % self.slots, self.length)
        newer = last["a_newer"][:, None]
        vertices = self._vertices(index)
        if slot == 0:
            vertices[:n, 0] = last[:, None]
            if self.slot > 0:
                self._vertices(index - 1)["a_newer"][:n, self.length] = newer
        vertices["a_newer"][:n, slot] = newer
        vertices[:n, slot + 1] = head[:, None]
        indices = self._chunk(index).indices().reshape(self.agents, self.length, 6)
        indices[:n, slot] = ribbon.segments(self._first[:n] + 2 * slot, linked)
        if slot + 1 < self.length:
            indices[:, slot + 1] = 0

    def _chunk(self, index: int) -> Mesh:
        chunk = self.chunks[index]
        if chunk is None:
            vertices = 2 * self.agents * (self.length + 1)
            indices = 6 * self.agents * self.length
            chunk = self.chunks[index] = Mesh(self.parent, ribbon.VERTEX, vertices, indices)
        return chunk

    def _vertices(self, index: int) -> Vertices:
        """A chunk's vertices, (agents, length + 1, 2)."""
        return self._chunk(index).vertices().reshape(self.agents, self.length + 1, 2)

    def _forget(self, agents: int) -> None:
        """Removes the trails of all but the first agents."""
        for chunk in self.meshes():
            chunk.indices().reshape(self.agents, -1)[agents:] = 0
        if self.edges is not None:
            self.edges.forget(agents)

    def lift(self, heights: Heights) -> None:
        """Moves all samples onto another surface."""
        self._heights = heights
        self._change(partial(ribbon.lift, heights=heights))
        if self.edges is not None:
            self.edges.lift(heights)

    def move(self, by: Move) -> None:
        """Moves all samples in the scene; call `lift` afterwards."""
        self._change(partial(ribbon.move, by=by))
        if self.edges is not None:
            self.edges.move(by)

    def _change(self, change: Callable[[Vertices], None]) -> None:
        """Changes all vertices in place."""
        for index, chunk in enumerate(self.chunks):
            if chunk is not None:
                vertices = self._vertices(index)
                rows = vertices[..., 0].copy()  # a pair's two are alike
                change(rows)
                vertices[...] = rows[..., None]
        change(self._head)
        change(self._last)

    def grow(self, agents: int) -> None:
        """Makes room for more agents; rewrites the samples into chunks of a suitable length."""
        head = self.slot
        slots = range(max(head - self.slots + 1, 0), head + 1)
        kept = [self._read(slot) for slot in slots]
        step, there, modes, joined, turns = (
            self.step, self.there, self._modes, self._joined, self._turns
        )  # fmt: skip
        began = np.maximum(self._began - slots.start, 0)
        for chunk in self.meshes():
            chunk.remove()
        self._allocate(agents)
        self.step, self.there = step, there
        for rows, linked in kept:
            self.slot += 1
            self._head, self._last = self._last, self._head
            self._head[:there] = rows[:there]
            self._write(linked[:there])
        n = len(modes)
        self._modes[:n], self._joined[:n], self._turns[:n] = modes, joined, turns
        self._began[:n] = began

    def _read(self, slot: int) -> tuple[Vertices, NDArray[np.bool_]]:
        """A slot's samples and whether they are linked to the previous ones, (agents,) each."""
        index, slot = divmod(slot % self.slots, self.length)
        indices = self._chunk(index).indices().reshape(self.agents, self.length, 6)
        return self._vertices(index)[:, slot + 1, 0].copy(), np.any(indices[:, slot], axis=1)


def _end(rows: Vertices, agents: NDArray[np.intp], step: int) -> None:
    """Sets in rows (agents, ...) that the next episode of some agents began at a step, where it is
    not known yet."""
    ends = rows["a_id"][..., 3]
    known = ends[agents]
    ends[agents] = np.where(known == ribbon.GOES_ON, step, known)
