"""The values where agents are and were: what `clim` agents shows.

    positions of some agents, now and then ──▶ values on the surface ──▶ quantiles ──▶ limits

The limits stay while they fit: a range that follows every step is as hard to read as one that
does not follow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.value_limits import Pair
from calf_viz.view import View

AGENTS, TIMES = 32, 64
"""Most agents, and times, whose positions are kept."""
TRAILS = 2
"""How far back these reach, in lengths of a trail."""
RARE = 0.01
"""Share of positions that may be beyond either end."""
MARGIN = 0.08
"""Room beyond the agents' values, as a share of their range."""
NEAR = 0.2
"""An end of the surface's own range that is this near is taken instead."""
LEAST = 0.02
"""Least share of the surface's range: what agents at rest differ by does not fill the picture."""
LOOSE, TIGHT = 0.4, 0.04
"""The limits stay while the agents' values take more than the first share of them, and exceed
neither end by more than the second."""


class AgentValues:
    """Positions of a source's agents, and the limits of their values.

    Attributes:
        steps: number of steps seen.
    """

    def __init__(self, trail: int) -> None:
        """trail: its length in steps."""
        self._every = max(1, TRAILS * trail // TIMES)
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self.steps = 0
        self._places = np.full((TIMES, AGENTS, 2), np.nan)
        self._kept: Pair | None = None

    def see(self, samples: Sequence[Samples], view: View) -> None:
        """Take note of steps."""
        for one in samples:
            if self.steps % self._every == 0 and len(one):
                some = one.positions[:: -(-len(one) // AGENTS)]
                slot = self._places[self.steps // self._every % TIMES]
                slot[:] = np.nan
                slot[: len(some)] = view.wrapped(some)
            self.steps += 1

    def limits(self, field: Heightfield) -> Pair | None:
        """The limits on a surface from now on; None if no agent is on its plane."""
        wanted = self._wanted(field)
        if wanted is None:
            return self._kept
        if self._kept is None or not _fits(self._kept, wanted):
            self._kept = wanted
        return self._kept

    def _wanted(self, field: Heightfield) -> Pair | None:
        points = self._places.reshape(-1, 2)
        inside = ((points >= field.lo) & (points <= field.hi)).all(axis=1)
        if not inside.any():
            return None
        values = field.heights(points[inside])
        low, high = np.quantile(values, (RARE, 1.0 - RARE)).tolist()
        lowest, highest = field.range
        least = LEAST * (highest - lowest)
        missing = max(0.0, least - (high - low))
        low, high = low - 0.5 * missing, high + 0.5 * missing
        span = high - low
        low = lowest if low - lowest < NEAR * span else low - MARGIN * span
        high = highest if highest - high < NEAR * span else high + MARGIN * span
        if not np.float32(low) < np.float32(high):
            return None
        return low, high


def _fits(kept: Pair, wanted: Pair) -> bool:
    """Whether limits may stay."""
    span = kept[1] - kept[0]
    outside = max(kept[0] - wanted[0], wanted[1] - kept[1])
    return outside <= TIGHT * span and wanted[1] - wanted[0] >= LOOSE * span
