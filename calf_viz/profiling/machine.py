"""The machine that a measurement ran on; profiles from different machines are not comparable."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "torch", "panda3d", "ursina", "psutil")
"""Packages whose versions may affect the cost of a frame."""


def describe(gl_renderer: str, gl_version: str) -> dict[str, Any]:
    """Processor, cores, operating system, OpenGL and packages, for a profile."""
    import psutil

    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "os": platform.platform(),
        "gl_renderer": gl_renderer,
        "gl_version": gl_version,
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name)) is not None},
    }


def _cpu() -> str:
    """The processor's model; `platform` knows only its architecture on most systems."""
    try:
        if platform.system() == "Darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(
                command, capture_output=True, text=True, check=True
            ).stdout.strip()
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration, subprocess.SubprocessError):
        return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
