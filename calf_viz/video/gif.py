"""Animations: GIF, written a frame at a time, in constant memory.

    header, first colours | "endless" | frame, frame, … each with 256 colours of its own | ;

A frame holds the rectangle that changed. Every picture is a frame, even if nothing did.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.files import new_file, write_aside
from calf_viz.video.reel import Reel, left_of, part_of

ENDLESS = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
END = b";"


class Gif:
    """Writes an animated GIF that repeats. As `Output`."""

    def __init__(self, reel: Reel) -> None:
        """Raises UserError if it cannot be written."""
        self._reel, self._frames = reel, 0
        self.part = part_of(reel.path)
        self._file = new_file(self.part, reel.overwrite)
        self._last: NDArray[np.uint8] | None = None

    def write(self, picture: NDArray[np.uint8]) -> None:
        """As `Output`."""
        from PIL import GifImagePlugin, Image

        top, left, changed = self._changed(picture)
        image: Any = Image.fromarray(np.ascontiguousarray(changed)).quantize(256)
        if self._last is None:
            header, _ = GifImagePlugin.getheader(image)
            self._file.write(b"".join(header) + ENDLESS)
        fps, number = self._reel.fps, self._frames
        # In hundredths of a second, whose sum is right.
        pause = round((number + 1) * 100 / fps) - round(number * 100 / fps)
        data = GifImagePlugin.getdata(
            image, (left, top), duration=10 * pause, disposal=1, include_color_table=True
        )
        self._file.write(b"".join(data))
        self._last, self._frames = picture, number + 1

    def _changed(self, picture: NDArray[np.uint8]) -> tuple[int, int, NDArray[np.uint8]]:
        """The part that differs from the last picture: its top, its left side, and its pixels."""
        if self._last is None:
            return 0, 0, picture
        differs = (picture != self._last).any(axis=2)
        rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
        if not len(rows):
            return 0, 0, picture[:1, :1]
        top, left = int(rows[0]), int(columns[0])
        return top, left, picture[top : rows[-1] + 1, left : columns[-1] + 1]

    def _close(self) -> None:
        if not self._file.closed:
            with self._file:
                self._file.write(END)

    def finish(self) -> list[Path]:
        """As `Output`."""
        self._close()
        with write_aside(self._reel.path) as part:
            self.part.replace(part)
        return [self._reel.path]

    def give_up(self) -> Path | None:
        """As `Output`."""
        return left_of(self.part, self._frames, self._close)
