"""How fast a training goes: as fast as it can, in real time, or so many steps a second."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable

from calf_viz.errors import UserError

LEAST, MOST = 1e-3, 1e6


def steps_per_second(text: str, dt: float) -> float:
    """Steps a second of `max` (infinite), `realtime` (one each `dt` seconds) or `N/s`.

    Raises:
        UserError: it is none of these, or no training is as slow or as fast.
    """
    if text == "max":
        return math.inf
    if text == "realtime":
        return 1.0 / dt
    found = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*/\s*s", text)
    if found is None:
        raise UserError(f"unknown train_rate '{text}': give max, realtime, or such as 200/s")
    rate = float(found[1])
    if not LEAST <= rate <= MOST:
        raise UserError(
            f"train_rate {text} is out of range: give {LEAST:g}/s to {MOST:.0f}/s, or max"
        )
    return rate


class Pace:
    """Says how long to wait before the next step. What was lost while slower is not caught up."""

    PATIENCE = 0.1
    """Seconds that steps may lag behind and still be made up for."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self._due = -math.inf

    def wait(self, rate: float) -> float:
        """Seconds until the next step is due, at `rate` steps a second; 0 takes it."""
        if math.isinf(rate):
            return 0.0
        now = self.clock()
        self._due = max(self._due, now - self.PATIENCE)
        if now < self._due:
            return self._due - now
        self._due += 1.0 / rate
        return 0.0
