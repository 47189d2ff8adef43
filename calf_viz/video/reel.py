"""Where pictures go: a file whose suffix says what it is.

.mp4, .webm     a video: `encoded.py`
.gif            an animation: `gif.py`
.png            a picture; NAME-000001.png and so on for several: `stills.py`
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown
from calf_viz.files import remove

SUFFIXES = (".mp4", ".webm", ".gif", ".png")
USUAL_FPS = Fraction(60)
GIF_FPS, MOST_GIF_FPS = Fraction(25), Fraction(50)
"""Frames per second of a GIF by default, and at most: viewers slow down shorter pauses."""


@dataclass(frozen=True)
class Reel:
    """What is written.

    Attributes:
        path: the file.
        size: width and height [px].
        frames: how many pictures will come.
        fps: pictures per second.
        lossless: whether each pixel of a video is kept as it is.
        overwrite: whether files that are there may be replaced.
    """

    path: Path
    size: tuple[int, int]
    frames: int
    fps: Fraction = USUAL_FPS
    lossless: bool = False
    overwrite: bool = False

    @property
    def suffix(self) -> str:
        """Of the file, in lower case."""
        return self.path.suffix.lower()

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return float(self.frames / self.fps)


class Output(Protocol):
    """Takes pictures, (height, width, 3) uint8, one after another."""

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Take the next one. Raises UserError, OSError."""

    def finish(self) -> list[Path]:
        """All were taken; returns the files. Raises UserError, OSError."""

    def give_up(self) -> Path | None:
        """No more will come; returns what holds those that did, if anything does."""


def check_suffix(path: Path) -> str:
    """A file's suffix, in lower case. Raises UserError for one that cannot be written."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"`output` {shown(path)}: give a name that ends in {_listed()}")
    return suffix


def _listed() -> str:
    return f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"


def usual_fps(path: Path) -> Fraction:
    """Frames per second where none are given."""
    return GIF_FPS if path.suffix.lower() == ".gif" else USUAL_FPS


def part_of(path: Path) -> Path:
    """Where a video is until it is complete: it can be played, whatever happens to its writer."""
    return path.with_name(f"{path.stem}.part{path.suffix}")


def left_of(part: Path, frames: int, close: Callable[[], None]) -> Path | None:
    """Close the part of a video that is given up, and return it; one without frames is removed."""
    with suppress(OSError):  # there may be no room for the end
        close()
    if frames:
        return part
    remove(part)
    return None
