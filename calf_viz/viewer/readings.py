"""The HUD's readings of a running application, computed rarely and from existing arrays.

Only one of them queries the critic, the mean value of all agents' states: at its own interval.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np

from calf_viz.heightfield import Heightfield
from calf_viz.hud import numbers
from calf_viz.hud.hud import Hud
from calf_viz.samples import Samples
from calf_viz.scene.mode_bits import shown_modes
from calf_viz.view import View
from calf_viz.viewer.stats_cache import StatsCache

STEPS_KEPT = 16_384
"""Most steps before the newest of which it is known what was shown."""
UNKNOWN = "–"


class Readings:
    """Texts for a HUD such as `hud.overview`, updated at the cache's intervals for "texts", "value"
    (the agents' mean) and "fps".

    Attributes:
        trainee_apart: whether the agent in training is not counted, as it has a panel of its own.
        taken: the number of the newest step, given its samples, if not every step is a sample.
        all_seen: whether all steps up to this one were seen, each once, and the source knows its
            newest alone.
        rare: modes of which nothing is told while no agent has them.
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
        self.taken: Callable[[Samples], int] | None = None
        self.all_seen = True
        self.rare = range(0)
        self._step = self._episodes = self._news = 0
        self._shown: dict[str, int] = {}  # the news that a text shows
        self._samples: Samples | None = None
        self._earlier: Samples | None = None  # shown in place of the newest
        self._back = 0  # steps before the newest that it is
        self._begun: deque[int] = deque(maxlen=STEPS_KEPT)  # episodes, after each step
        self._means: deque[tuple[int, str]] = deque(maxlen=STEPS_KEPT)  # after some of them
        self._since: tuple[float, int] | None = None

    def see(self, *samples: Samples) -> None:
        """Take note of steps of the source."""
        self._samples = samples[-1]
        self._step += len(samples)
        self._news += 1
        for each in samples:
            self._episodes += int(np.count_nonzero(each.first))
            if self.trainee_apart and self.view.trainee is not None:
                self._episodes -= int(each.first[self.view.trainee])
            self._begun.append(self._episodes)

    def look_back(self, samples: Samples | None, back: int) -> None:
        """Show an earlier step from now on, so many steps before the newest; None: the newest."""
        self._back = back
        if samples is not self._earlier:
            self._earlier = samples
            self._news += 1

    @property
    def stale(self) -> bool:
        """Whether the HUD does not show the newest samples yet."""
        return any(self._shown.get(key, 0) < self._news for key in ("texts", "value"))

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
        samples = self._earlier or self._samples
        if samples is not None and self.stale:
            texts = self.stats.get("texts", lambda: self._counts(samples))
            mean = self.stats.get("value", lambda: self._mean(samples, heightfield))
            self.hud.update(**texts, mean_value=mean)

    def _counts(self, samples: Samples) -> dict[str, str | None]:
        self._shown["texts"] = self._news
        modes, known = samples.modes, len(shown_modes(self.view.modes, self.view.margins))
        if self.trainee_apart and self.view.trainee is not None:
            modes = np.delete(modes, self.view.trainee)
        counts = np.bincount(np.minimum(modes, known - 1).astype(np.intp), minlength=known)
        texts: dict[str, str | None] = {
            f"mode_{i}": numbers.count(int(counts[i])) for i in range(known)
        }
        texts |= {f"mode_{i}": None for i in self.rare if i < known and not counts[i]}
        taken = self._taken(samples)
        texts |= {"step": numbers.count(taken), "agents": numbers.count(len(modes))}
        if self.view.dt is not None:
            seconds = numbers.value(taken * self.view.dt, 100.0 * self.view.dt)
            texts["time"] = f"{seconds} s"
        back = self._back if self._earlier is not None else 0
        episodes = self._begun[-1 - back] if back < len(self._begun) else 0
        if episodes and self.all_seen:  # else the source has none
            texts["episodes"] = numbers.count(episodes)
        return texts

    def _taken(self, samples: Samples) -> int:
        """The number of the step shown."""
        newest = self._samples
        assert newest is not None
        taken = self._step if self.taken is None else self.taken(newest)
        if samples is newest:
            return taken
        numbered = newest.step is not None and samples.step is not None
        return taken - ((newest.step or 0) - (samples.step or 0) if numbered else self._back)

    def _mean(self, samples: Samples, heightfield: Heightfield) -> str:
        self._shown["value"] = self._news
        step = self._step - self._back
        if samples is self._earlier and self.all_seen:  # as it was shown then
            return next((text for at, text in reversed(self._means) if at <= step), UNKNOWN)
        low, high = heightfield.range
        text = numbers.value(self.mean_value(samples), high - low)
        self._means.append((step, text))
        return text

    def _frame_rate(self) -> str:
        """Mean frame rate since the last call."""
        now, frame = self.clock(), self.stats.frame
        before, self._since = self._since, (now, frame)
        if before is None or frame == before[1]:
            return UNKNOWN
        return f"{(frame - before[1]) / max(now - before[0], 1e-9):.0f}"
