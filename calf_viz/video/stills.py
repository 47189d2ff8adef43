"""Single pictures: PNG files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown
from calf_viz.files import make_folder, names_in, write_aside
from calf_viz.video.reel import Reel

DIGITS = 6
"""Of a picture's number."""


class Stills:
    """Writes each picture as it comes. As `Output`."""

    def __init__(self, reel: Reel) -> None:
        """Raises UserError: pictures of such names are there already, or cannot be written."""
        self._reel, self._paths = reel, list[Path]()
        if reel.frames > 1:
            self._check_numbers()
        make_folder(reel.path.parent)

    def _check_numbers(self) -> None:
        reel, path = self._reel, self._reel.path
        numbered = re.compile(rf"{re.escape(path.stem)}-(\d{{{DIGITS},}}){re.escape(path.suffix)}")
        matches = [match for name in names_in(path.parent) if (match := numbered.fullmatch(name))]
        # Those of an older, longer sequence would be taken for a part of the new one.
        left = [match for match in matches if int(match[1]) > reel.frames or not reel.overwrite]
        if left:
            instead = "remove it" if reel.overwrite else "or `overwrite` to replace it"
            there = shown(path.with_name(left[0][0]))
            raise UserError(f"{there} is there already: give another name, {instead}")

    def write(self, picture: NDArray[np.uint8]) -> None:
        """As `Output`."""
        from PIL import Image

        path = self._reel.path
        if self._reel.frames > 1:
            number = len(self._paths) + 1
            path = path.with_name(f"{path.stem}-{number:0{DIGITS}}{path.suffix}")
        with write_aside(path) as part:
            Image.fromarray(picture).save(part, format="PNG")
        self._paths.append(path)

    def finish(self) -> list[Path]:
        """As `Output`."""
        return self._paths

    def give_up(self) -> Path | None:
        """As `Output`."""
        return self._paths[-1] if self._paths else None
