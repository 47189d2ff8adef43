"""Pins each of llvmpipe's threads to a core of its own.

llvmpipe shades pixels with one thread per core. All wake at once when a frame's vertices are done,
and on a machine with few cores Linux often wakes two of them on one core, where they take turns
while another core idles: one frame in three then took half as long again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger("calf_viz")

MOST_CORES = 4
"""With more cores the kernel finds idle ones, and other work may occupy a thread's own."""
TASKS = Path("/proc/self/task")


_users = 0


@contextmanager
def apart() -> Iterator[None]:
    """`spread`, until the last such block ends."""
    global _users
    _users += 1
    spread()
    try:
        yield
    finally:
        _users -= 1
        if _users == 0:
            release()


def spread(tasks: Path = TASKS) -> None:
    """Pin each of this process's llvmpipe threads to one core; does nothing on other systems than
    Linux, or unless there are as many threads as cores."""
    _place(tasks, apart=True)


def release(tasks: Path = TASKS) -> None:
    """Let them run on any core again, when something else occupies a core, such as a training."""
    _place(tasks, apart=False)


def _place(tasks: Path, apart: bool) -> None:
    try:
        cores = sorted(os.sched_getaffinity(0))  # type: ignore[attr-defined,unused-ignore]
        threads: dict[int, int] = {}
        for task in tasks.iterdir():
            kind, _, number = (task / "comm").read_text().strip().partition("-")
            if kind == "llvmpipe" and number.isdigit():
                threads[int(task.name)] = int(number)
        if len(cores) > MOST_CORES or sorted(threads.values()) != list(range(len(cores))):
            return
        for thread, index in threads.items():
            mine = {cores[index]} if apart else set(cores)
            os.sched_setaffinity(thread, mine)  # type: ignore[attr-defined,unused-ignore]
    except (AttributeError, OSError) as error:
        log.debug("llvmpipe's threads stay where they are: %s", error)
