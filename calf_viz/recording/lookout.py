"""When to look for new files of a recording: readers at its end ask in every frame."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

from calf_viz.recording.storage import Location

REMOTE_EVERY, REMOTE_SELDOM = 5.0, 600.0
"""Seconds between looks at an address: at first, and at most where nothing is new."""
LIST_EVERY = 5.0
"""Seconds after which a folder is listed in any case."""
JUST_NOW = 2.0
"""Seconds within which a folder may change without another time of its last change."""


class Lookout:
    """Says when a look is worth it: at a folder if that changed, at an address, where it takes a
    while, the more seldom the longer nothing was new."""

    def __init__(self, folder: Location) -> None:
        self._folder = folder
        self._changed: int | None = None  # in nanoseconds; None if it may change unseen
        self._last, self._every = -math.inf, REMOTE_EVERY

    @property
    def due(self) -> bool:
        """Whether to look at all: in a folder always, for blocks that were appended."""
        if isinstance(self._folder, Path):
            return True
        return time.monotonic() - self._last >= self._every

    def look(self) -> bool:
        """Whether there may be new files. Called before one looks."""
        now, last = time.monotonic(), self._last
        if not isinstance(self._folder, Path):
            self._last = now
            return True
        try:
            changed: int | None = os.stat(self._folder).st_mtime_ns
        except OSError:  # who lists it says so
            changed = None
        if changed is not None and changed == self._changed and now - last < LIST_EVERY:
            return False
        self._last = now
        settled = changed is not None and abs(time.time() - changed * 1e-9) > JUST_NOW
        self._changed = changed if settled else None
        return True

    def found(self, new: bool) -> None:
        """What a look found, of a recording that is whole so far."""
        self._every = REMOTE_EVERY if new else min(2.0 * self._every, REMOTE_SELDOM)
