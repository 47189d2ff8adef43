"""Hosts of the scene: Panda3D in a window or without one, moderngl for tests."""

from __future__ import annotations

import os
import sys


def display_found() -> bool:
    """Whether a window could be opened here."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True
