"""Captures what Panda3D would write to the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from panda3d.core import Notify, StringStream

from calf_viz.errors import shown


@contextmanager
def held_notices() -> Iterator[list[str]]:
    """Panda's messages during the block, available after it, and printed nowhere else."""
    notify, held = Notify.ptr(), StringStream()
    notices: list[str] = []
    terminal = notify.get_ostream_ptr()
    notify.set_ostream_ptr(held, False)
    try:
        yield notices
    finally:
        notify.set_ostream_ptr(terminal, False)
        notices += held.get_data().decode(errors="replace").splitlines()


def without_category(notice: str) -> str:
    """A message of Panda's without its category."""
    return shown(notice.partition("): ")[2] or notice)
