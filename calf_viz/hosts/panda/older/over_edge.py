"""Lines of trails that cross an edge of the plane, if an axis is periodic: cut there.

   +-------------+       The line from the newer sample, 2, to the older, 1, by the way that the
   |             |       agent took: 1' is where 1 is for who goes on beyond the edge. Each piece
1'-+--2      1---+       is a line of its own, with two pairs of vertices, as segments of trails
   |             |       are.
   +-------------+
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import FloatArray
from calf_viz.hosts.panda.older import ribbon
from calf_viz.hosts.panda.older.heights import Heights
from calf_viz.hosts.panda.older.mesh import Vertices
from calf_viz.scene.scene import Scene


class OverEdge:
    """Cuts lines between rows of vertices, (n,) of `ribbon.VERTEX`, newer and older.

    turns: (n, 2), distance to the older sample in periods of each axis.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene, self.mode_bits = scene, scene.mode_bits.each

    @property
    def periods(self) -> FloatArray:
        """Periods of the axes, in units of the scene; 0 if not periodic."""
        return np.array(self.scene.frame.periods)

    def point(self, newer: Vertices, older: Vertices, turns: NDArray[np.integer]) -> None:
        """Sets in the samples of lines over an edge which way these lead."""
        way = self._way(newer, older, turns)
        newer["a_older"][:, :2] = newer["a_here"][:, :2] + way
        slope = (newer["a_gradient"] * way).sum(axis=1)
        newer["a_older"][:, 2] = newer["a_here"][:, 2] + slope
        older["a_newer"] = older["a_here"][:, :2] - way

    def pieces(
        self, newer: Vertices, older: Vertices, turns: NDArray[np.integer], heights: Heights
    ) -> tuple[Vertices, NDArray[np.intp], NDArray[np.bool_]]:
        """Rows of each piece's older and newer end, (pieces, 2); the line of each, (pieces,), a
        line's pieces from its newer sample on; and whether the piece begins with that sample."""
        lines, (begins, ends), shifts = self._cut(newer, older, turns)
        way = self._way(newer, older, turns)[lines]
        newer, older = newer[lines], older[lines]
        rows = np.stack([newer, newer], axis=1)
        for column, parts in ((1, begins), (0, ends)):
            row = rows[:, column]
            at = newer["a_here"][:, :2].astype(np.float64) + parts[:, None] * way - shifts
            half = np.where(self.periods > 0.0, 0.5 * self.periods, np.inf)
            at = np.clip(at, -half, half)
            planes = heights(at)
            row["a_here"][:, :2], row["a_here"][:, 2] = at, planes[:, 0]
            row["a_gradient"] = planes[:, 1:]
            row["a_newer"] = at - way
            row["a_older"][:, :2] = at + way
            row["a_older"][:, 2] = planes[:, 0] + (planes[:, 1:] * way).sum(axis=1)
            steps = parts * (newer["a_id"][:, 1] - older["a_id"][:, 1])
            whole = np.floor(steps).astype(np.int32)
            part = ((steps - whole) * ribbon.PARTS).astype(np.int32)
            row["a_id"][:, 0] |= part << ribbon.AGENT_BITS
            row["a_id"][:, 1] -= whole
            row["a_id"][:, 2] >>= self.mode_bits * whole
        at_newer = (begins == 0.0) & (shifts == 0.0).all(axis=1)
        at_older = (ends == 1.0) & (shifts == turns[lines] * self.periods).all(axis=1)
        rows[at_newer, 1], rows[at_older, 0] = newer[at_newer], older[at_older]
        return rows, lines, at_newer

    def _way(self, newer: Vertices, older: Vertices, turns: NDArray[np.integer]) -> FloatArray:
        """Vectors from the newer samples to the older ones, (n, 2)."""
        way: FloatArray = older["a_here"][:, :2].astype(np.float64) + turns * self.periods
        return way - newer["a_here"][:, :2]

    def _cut(
        self, newer: Vertices, older: Vertices, turns: NDArray[np.integer]
    ) -> tuple[NDArray[np.intp], tuple[FloatArray, FloatArray], FloatArray]:
        """For each piece: its line, the fractions of the line at which it begins and ends,
        (pieces,) each, and the offset of the plane's copy that it is in, (pieces, 2)."""
        way, at = self._way(newer, older, turns), newer["a_here"][:, :2].astype(np.float64)
        parts, steps = [np.zeros(len(at))], [np.zeros((len(at), 2))]
        for axis in (0, 1):
            sign = np.sign(turns[:, axis])
            for turn in range(int(np.abs(turns[:, axis]).max(initial=0))):
                crosses = np.abs(turns[:, axis]) > turn
                edge = sign * (0.5 + turn) * self.periods[axis]
                along = np.where(way[:, axis] == 0.0, 1.0, way[:, axis])
                part = np.clip((edge - at[:, axis]) / along, 0.0, 1.0)
                parts.append(np.where(crosses, part, 1.0))
                step = np.zeros((len(at), 2))
                step[:, axis] = np.where(crosses, sign * self.periods[axis], 0.0)
                steps.append(step)
        order = np.argsort(np.stack(parts, axis=1), axis=1, kind="stable")
        begins = np.take_along_axis(np.stack(parts, axis=1), order, axis=1)
        shifts = np.take_along_axis(np.stack(steps, axis=1), order[..., None], axis=1)
        shifts = shifts.cumsum(axis=1)
        ends = np.concatenate([begins[:, 1:], np.ones((len(at), 1))], axis=1)
        lines, piece = np.nonzero(ends > begins)
        return lines, (begins[lines, piece], ends[lines, piece]), shifts[lines, piece]
