"""Where the CPU draws: each of llvmpipe's threads on a core of its own.

llvmpipe shades pixels with a thread for each core. All wake at once when a frame's vertices are
done, and on a machine of few cores Linux often wakes two of them on one core, where they take
turns while another core idles: one frame in three then took half as long again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger("calf_viz")

MOST_CORES = 4
"""With more, the kernel finds idle ones, and others' work may well be on a thread's own."""
TASKS = Path("/proc/self/task")


_users = 0


@contextmanager
def apart() -> Iterator[None]:
    """`spread`, until the last who asks for it is done."""
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
    """Gives each of this process's llvmpipe threads one core; elsewhere than on Linux, or where
    there are not as many threads as cores, nothing changes."""
    _place(tasks, apart=True)


def release(tasks: Path = TASKS) -> None:
    """Lets them run on any core again: where something else keeps a core busy, a training say."""
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
