"""What the HUD says of a running application: gathered seldom, from arrays that there are anyway.

Nothing here asks the critic: the mean value is read off the surface, below the agents.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from calf_viz.agent.modes import NAMES
from calf_viz.heightfield import Heightfield
from calf_viz.hud import numbers
from calf_viz.hud.hud import Hud
from calf_viz.simulation import Samples
from calf_viz.stats_cache import StatsCache


class Readings:
    """Texts for a HUD such as `hud.overview`, at the intervals of frames that the cache has for
    "texts", "value" (the surface's mean) and "fps".

    Attributes:
        stale: whether something was sampled that the HUD does not show yet.
    """

    def __init__(
        self,
        hud: Hud,
        stats: StatsCache,
        timed: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """timed: whether to show the frame rate, which no two runs have in common."""
        self.hud, self.stats, self.timed, self.clock = hud, stats, timed, clock
        self.stale = False
        self._step = 0
        self._samples: Samples | None = None
        self._since: tuple[float, int] | None = None

    def see(self, samples: Samples) -> None:
        """One step of the simulation."""
        self._samples, self.stale = samples, True
        self._step += 1

    def frame(self, heightfield: Heightfield) -> None:
        """Before each frame: new texts where they are due."""
        if self.timed:
            self.hud.update(fps=self.stats.get("fps", self._frame_rate))
        if self.stale:
            self.stats.get("texts", lambda: self._write(heightfield))
        self.stats.next_frame()

    def refresh(self, heightfield: Heightfield) -> None:
        """Bring the texts up to date now, the surface's mean too."""
        for key in ("texts", "value"):
            self.stats.mark_dirty(key)
        if self._samples is not None:
            self.stats.get("texts", lambda: self._write(heightfield))

    def _write(self, heightfield: Heightfield) -> None:
        assert self._samples is not None
        modes = self._samples.modes
        counts = np.bincount(modes, minlength=len(NAMES))
        texts = {f"mode_{i}": numbers.count(int(counts[i])) for i in range(len(NAMES))}
        texts |= {"step": numbers.count(self._step), "agents": numbers.count(len(modes))}
        texts["mean_value"] = self.stats.get("value", lambda: self._mean(heightfield))
        self.hud.update(**texts)
        self.stale = False

    def _mean(self, heightfield: Heightfield) -> str:
        assert self._samples is not None
        low, high = heightfield.range
        return numbers.value(
            float(np.mean(heightfield.heights(self._samples.positions))), high - low
        )

    def _frame_rate(self) -> str:
        """Mean since it was asked for last."""
        now, frame = self.clock(), self.stats.frame
        before, self._since = self._since, (now, frame)
        if before is None or frame == before[1]:
            return "–"
        return f"{(frame - before[1]) / max(now - before[0], 1e-9):.0f}"
