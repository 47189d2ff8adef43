"""Memory that is left to this process, asked before much of it is taken.

A driver that draws on the CPU has its textures there, and where it gets none it draws something
wrong, or ends the process.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

from calf_viz.errors import UserError

SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader")
GROUPS = Path("/sys/fs/cgroup")
SPARE = 64 * 2**20
"""Bytes that are not given to textures: frames need some, too."""


def drawn_by_cpu(renderer: str) -> bool:
    """Whether a renderer of OpenGL's, by its name, is the CPU."""
    return any(word in renderer.lower() for word in SOFTWARE)


def left() -> int:
    """Bytes that the process may still take: of the machine's, of its control group's, and of
    its own address space."""
    least = int(psutil.virtual_memory().available)
    with suppress(OSError, ValueError):  # where nothing of the kind is, or no limit
        most = int((GROUPS / "memory.max").read_text())
        least = min(least, most - int((GROUPS / "memory.current").read_text()))
    with suppress(ImportError):  # where there are no such limits
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            least = min(least, most - int(psutil.Process().memory_info().vms))
    return max(least - SPARE, 0)


def check(needed: int, what: str, less: str) -> None:
    """Raises UserError where so many bytes are not left. what: takes them. less: what to give
    instead."""
    there = left()
    if needed > there:
        needs = f"{needed / 2**20:,.0f} MiB, and {there / 2**20:,.0f} are left"
        raise UserError(f"{what} takes {needs}: give {less}")
