"""Waiting for a condition to become true, on machines of any speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 60.0  # s, for what takes a fraction of one
LONG = 600.0
"""Seconds after which something that takes one or two will never come, however busy the machine."""


def soon(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true, however slow the machine is."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def until(met: Callable[[], bool], each: Callable[[], Any] = lambda: None) -> None:
    """Wait for a condition."""
    end = time.monotonic() + LONG
    while not met():
        assert time.monotonic() < end, "it took too long"
        each()
        time.sleep(0.002)
