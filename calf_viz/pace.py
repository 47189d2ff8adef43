"""Steps in time: how long to wait before the next one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


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
