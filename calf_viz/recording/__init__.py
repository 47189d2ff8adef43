"""Recordings: what agents did, and the critic of then, in a folder of Arrow streams."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calf_viz.recording.recording import Recording

__all__ = ["open"]


def open(folder: str | PathLike[str]) -> Recording:
    """A recording, to be read piece by piece. Raises UserError if it is none."""
    from calf_viz.recording.recording import Recording

    return Recording(folder)
