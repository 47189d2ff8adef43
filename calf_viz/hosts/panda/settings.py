"""Panda3D's settings, which are the process's: in force for a while, and then as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from panda3d.core import load_prc_file_data, unload_prc_file


@contextmanager
def settings(*lines: str) -> Iterator[None]:
    """Have lines as of Panda's Config.prc in force."""
    page = load_prc_file_data("calf_viz", "\n".join(lines))
    try:
        yield
    finally:
        unload_prc_file(page)
