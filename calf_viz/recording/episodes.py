"""Notes each agent's episodes as they end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.recording.events import Events
from calf_viz.samples import Samples

TERMINATED, TRUNCATED = 1, 2
"""In the column `ended`."""
HOW = ("ended", "terminated", "truncated")
"""How an episode ended, by the column `ended`; the first where there is no such column."""


def ended_text(how: int, steps: int) -> str:
    """Text of the event that an episode is. how: of the column `ended`."""
    return f"{HOW[how] if 0 <= how < len(HOW) else HOW[0]} after {steps} steps"


class Episodes:
    """Episodes under way. One has ended at the step before the next begins; its return is known
    where samples have a column `reward`."""

    def __init__(self) -> None:
        self._steps = np.zeros(0, np.int64)  # actions taken; -1 before the first sample
        self._returns = np.zeros(0)
        self._how = np.zeros(0, np.int64)
        self._before = 0, 0.0

    def see(self, step: int, time: float, samples: Samples) -> Events | None:
        """A step; returns the episodes that ended before it, if any."""
        n, first = len(samples), samples.first
        if n != len(self._steps):
            self._resize(n)
        over = np.flatnonzero(first & (self._steps >= 0)) if first.any() else ()
        found = self._events(np.asarray(over)) if len(over) else None
        if first.any():
            self._steps[first], self._returns[first] = -1, 0.0
        self._steps += 1
        reward, ended = (_single(samples, name) for name in ("reward", "ended"))
        # The sample that begins an episode came by no action.
        self._returns += np.nan if reward is None else np.where(first, 0.0, reward)
        if ended is not None:
            self._how = np.nan_to_num(ended).astype(np.int64)
        self._before = step, time
        return found

    def _resize(self, n: int) -> None:
        kept = min(n, len(self._steps))
        for name in ("_steps", "_returns", "_how"):
            old: NDArray[np.generic] = getattr(self, name)
            new = np.full(n, -1 if name == "_steps" else 0, old.dtype)
            new[:kept] = old[:kept]
            setattr(self, name, new)

    def _events(self, over: NDArray[np.intp]) -> Events:
        step, time = self._before
        texts = [
            ended_text(how, steps)
            for how, steps in zip(self._how[over], self._steps[over], strict=True)
        ]
        return Events(step, time, "episode", over, self._returns[over], texts)


def _single(samples: Samples, name: str) -> NDArray[Any] | None:
    """A column of one number of each agent; None if there is no such column."""
    found = samples.columns.get(name)
    return None if found is None or found.ndim > 1 else found
