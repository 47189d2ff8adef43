"""Memory available to this process, checked before large allocations.

A software driver keeps its textures there, and if it runs out it draws something wrong, or ends the
process.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

from calf_viz.errors import UserError

SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader")
GROUPS = Path("/sys/fs/cgroup")
SPARE = 64 * 2**20
"""Bytes reserved for frames, not available to textures."""


class NotEnough(UserError):
    """There is less memory than something needs."""


def drawn_by_cpu(renderer: str) -> bool:
    """Whether an OpenGL renderer, by its name, is a software renderer."""
    return any(word in renderer.lower() for word in SOFTWARE)


def left() -> int:
    """Bytes that the process may still allocate: the least of what the machine, its control group
    and its address space limit allow."""
    least = int(psutil.virtual_memory().available)
    with suppress(OSError, ValueError):  # no control group, or no limit
        most = int((GROUPS / "memory.max").read_text())
        least = min(least, most - int((GROUPS / "memory.current").read_text()))
    with suppress(ImportError):  # no such limits on this system
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            least = min(least, most - int(psutil.Process().memory_info().vms))
    return max(least - SPARE, 0)


def check(needed: int, what: str, less: str) -> None:
    """Raise NotEnough if fewer bytes are available. what: needs them. less: advice for less."""
    there = left()
    if needed > there:
        needs = f"{needed / 2**20:,.0f} MiB, and {there / 2**20:,.0f} are left"
        raise NotEnough(f"{what} takes {needs}: give {less}")
