"""Pacing: how long to wait before the next step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Pace:
    """Computes how long to wait before the next step. A longer delay is not caught up."""

    PATIENCE = 0.1
    """Delay [s] that is still caught up."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self._due = -math.inf

    def wait(self, rate: float) -> float:
        """Seconds until the next step is due, at `rate` steps a second; 0 if it is due now."""
        if math.isinf(rate):
            return 0.0
        now = self.clock()
        self._due = max(self._due, now - self.PATIENCE)
        if now < self._due:
            return self._due - now
        self._due += 1.0 / rate
        return 0.0
