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

TEXT_EVERY = 5
"""Frames between two changes of the texts: each costs an upload of the HUD's small textures."""
VALUE_EVERY = 10
"""Frames between two looks at the surface below all agents."""
FPS_EVERY = 30
"""Frames that a frame rate is the mean of."""


class Readings:
    """Texts for a HUD such as `hud.overview`, at their intervals of frames.

    Attributes:
        stale: whether something was sampled that the HUD does not show yet.
    """

    def __init__(
        self, hud: Hud, timed: bool = False, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """timed: whether to show the frame rate, which no two runs have in common."""
        self.hud, self.timed, self.clock = hud, timed, clock
        self.stale = False
        self._step = 0
        self._samples: Samples | None = None
        self._frame = 0
        self._since: tuple[float, int] | None = None

    def see(self, samples: Samples) -> None:
        """One step of the simulation."""
        self._samples, self.stale = samples, True
        self._step += 1

    def frame(self, heightfield: Heightfield) -> None:
        """Before each frame: new texts where they are due."""
        if self.timed:
            self._time()
        if self.stale and self._frame % TEXT_EVERY == 0:
            self.refresh(heightfield, self._frame % VALUE_EVERY == 0)
        self._frame += 1

    def refresh(self, heightfield: Heightfield, value: bool = True) -> None:
        """Bring the texts up to date now; `value`: the surface's mean too."""
        if self._samples is None:
            return
        positions, modes = self._samples.positions, self._samples.modes
        counts = np.bincount(modes, minlength=len(NAMES))
        texts = {f"mode_{i}": numbers.count(int(counts[i])) for i in range(len(NAMES))}
        texts |= {"step": numbers.count(self._step), "agents": numbers.count(len(modes))}
        if value:
            low, high = heightfield.range
            mean = float(np.mean(heightfield.heights(positions)))
            texts["mean_value"] = numbers.value(mean, high - low)
        self.hud.update(**texts)
        self.stale = False

    def _time(self) -> None:
        if self._since is None:
            self.hud.update(fps="–")
            self._since = self.clock(), self._frame
        start, first = self._since
        if self._frame - first >= FPS_EVERY:
            now = self.clock()
            self.hud.update(fps=f"{(self._frame - first) / max(now - start, 1e-9):.0f}")
            self._since = now, self._frame
