"""Where the CPU draws: each of llvmpipe's threads on a core of its own.

llvmpipe shades pixels with a thread for each core. All wake at once when a frame's vertices are
done, and on a machine of few cores Linux often wakes two of them on one core, where they take
turns while another core idles: one frame in three then took half as long again.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

log = logging.getLogger("calf_viz")

MOST_CORES = 4
"""With more, the kernel finds idle ones, and others' work may well be on a thread's own."""


def spread(tasks: Path = Path("/proc/self/task")) -> None:
    """Gives each of this process's llvmpipe threads one core; elsewhere than on Linux, or where
    there are not as many threads as cores, nothing changes."""
    try:
        cores = sorted(os.sched_getaffinity(0))  # type: ignore[attr-defined,unused-ignore]
        threads: dict[int, int] = {}
        for task in tasks.iterdir():
            kind, _, index = (task / "comm").read_text().strip().partition("-")
            if kind == "llvmpipe" and index.isdigit():
                threads[int(task.name)] = int(index)
        if len(cores) > MOST_CORES or sorted(threads.values()) != list(range(len(cores))):
            return
        for thread, number in threads.items():
            os.sched_setaffinity(thread, {cores[number]})  # type: ignore[attr-defined,unused-ignore]
    except (AttributeError, OSError) as error:
        log.debug("llvmpipe's threads stay where they are: %s", error)
