"""The HUD's readings of a running application, computed rarely and from existing arrays.

Only one of them queries the critic, the mean value of all agents' states: at its own interval.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.hud import numbers
from calf_viz.hud.hud import Hud
from calf_viz.samples import Samples
from calf_viz.scene.mode_bits import shown_modes
from calf_viz.view import View
from calf_viz.viewer.stats_cache import StatsCache


class Readings:
    """Texts for a HUD such as `hud.overview`, updated at the cache's intervals for "texts", "value"
    (the agents' mean) and "fps".

    Attributes:
        trainee_apart: whether the agent in training is not counted, as it has a panel of its own.
        taken: returns the number of the step shown, if not every step is a sample.
        episodes_known: whether all steps up to this one were seen.
    """

    def __init__(
        self,
        hud: Hud,
        stats: StatsCache,
        view: View,
        mean_value: Callable[[Samples], float],
        timed: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """mean_value: computes the mean for a step's agents. timed: whether to show the frame rate,
        which differs from run to run."""
        self.hud, self.stats, self.timed, self.clock = hud, stats, timed, clock
        self.view, self.mean_value = view, mean_value
        self.trainee_apart = False
        self.taken: Callable[[], int] | None = None
        self.episodes_known = True
        self._step = self._episodes = 0
        self._shown: dict[str, int] = {}  # the step that a text shows
        self._samples: Samples | None = None
        self._since: tuple[float, int] | None = None

    def see(self, *samples: Samples) -> None:
        """Take note of steps of the source."""
        self._samples = samples[-1]
        self._step += len(samples)
        for each in samples:
            self._episodes += int(np.count_nonzero(each.first))
            if self.trainee_apart and self.view.trainee is not None:
                self._episodes -= int(each.first[self.view.trainee])

    @property
    def stale(self) -> bool:
        """Whether the HUD does not show the newest samples yet."""
        return any(self._shown.get(key, 0) < self._step for key in ("texts", "value"))

    def frame(self, heightfield: Heightfield) -> None:
        """Called before each frame: update the texts that are due."""
        if self.timed:
            self.hud.update(fps=self.stats.get("fps", self._frame_rate))
        self._show(heightfield)
        self.stats.next_frame()

    def refresh(self, heightfield: Heightfield) -> None:
        """Update all texts now, including the mean value."""
        for key in ("texts", "value"):
            self.stats.mark_dirty(key)
        self._show(heightfield)

    def _show(self, heightfield: Heightfield) -> None:
        if self._samples is not None and self.stale:
            samples = self._samples
            texts = self.stats.get("texts", lambda: self._counts(samples.modes))
            mean = self.stats.get("value", lambda: self._mean(samples, heightfield))
            self.hud.update(**texts, mean_value=mean)

    def _counts(self, modes: NDArray[np.integer]) -> dict[str, str]:
        self._shown["texts"] = self._step
        known = len(shown_modes(self.view.modes, self.view.margins))
        if self.trainee_apart and self.view.trainee is not None:
            modes = np.delete(modes, self.view.trainee)
        counts = np.bincount(np.minimum(modes, known - 1).astype(np.intp), minlength=known)
        texts = {f"mode_{i}": numbers.count(int(counts[i])) for i in range(known)}
        taken = self._step if self.taken is None else self.taken()
        texts |= {"step": numbers.count(taken), "agents": numbers.count(len(modes))}
        if self.view.dt is not None:
            seconds = numbers.value(taken * self.view.dt, 100.0 * self.view.dt)
            texts["time"] = f"{seconds} s"
        if self._episodes and self.episodes_known:  # else the source has none
            texts["episodes"] = numbers.count(self._episodes)
        return texts

    def _mean(self, samples: Samples, heightfield: Heightfield) -> str:
        self._shown["value"] = self._step
        low, high = heightfield.range
        return numbers.value(self.mean_value(samples), high - low)

    def _frame_rate(self) -> str:
        """Mean frame rate since the last call."""
        now, frame = self.clock(), self.stats.frame
        before, self._since = self._since, (now, frame)
        if before is None or frame == before[1]:
            return "–"
        return f"{(frame - before[1]) / max(now - before[0], 1e-9):.0f}"
