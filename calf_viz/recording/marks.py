"""Marks that were set in a recording afterwards: a file beside its streams, which do not change.

marks.json    {"format": 1, "steps": [120, 4711]}
"""

from __future__ import annotations

import json
from bisect import bisect_left, insort

from calf_viz.errors import FileDamaged
from calf_viz.files import parsing
from calf_viz.recording.storage import Location, exists, read_text, write_text

NAME = "marks.json"
FORMAT = 1
MOST_BYTES = 1 << 20
MOST_MARKS = 10_000
ADVICE = "move that file away: the recording is read without it"


class Marks:
    """Steps, in order.

    Attributes:
        steps: all of them, those set while recording included.
        version: grows with each change of them.
    """

    def __init__(self, folder: Location) -> None:
        """Reads those of a recording's folder. Raises FileTrouble, FileDamaged."""
        self._file = folder / NAME
        self._own = _read(self._file)
        self.steps, self.version = list(self._own), 0

    def add_recorded(self, step: int) -> None:
        """One that is in the recording itself, and stays."""
        at = bisect_left(self.steps, step)
        if self.steps[at : at + 1] != [step]:
            self.steps.insert(at, step)
            self.version += 1

    def toggle(self, step: int) -> bool | None:
        """Set a mark, or take it away; returns whether it is there now, None if nothing changed, as
        it is in the recording itself. Raises UserError if the file cannot be written; it holds
        until the program ends."""
        if step in self._own:
            self._own.remove(step)
            self.steps.remove(step)
        elif step in self.steps or len(self.steps) >= MOST_MARKS:
            return None
        else:
            insort(self._own, step)
            insort(self.steps, step)
        self.version += 1
        there = step in self._own
        write_text(self._file, json.dumps({"format": FORMAT, "steps": self._own}) + "\n")
        return there


def _read(file: Location) -> list[int]:
    if not exists(file):
        return []
    with parsing(file, "a recording's marks", ADVICE):
        found = json.loads(read_text(file, MOST_BYTES, ADVICE))
        steps = found["steps"]
        if found["format"] != FORMAT:
            raise FileDamaged(file, f"format {found['format']!r}", ADVICE)
        if not isinstance(steps, list) or len(steps) > MOST_MARKS:
            raise FileDamaged(file, "its steps are no list", ADVICE)
        if not all(type(step) is int and 0 <= step < 1 << 62 for step in steps):
            raise FileDamaged(file, "steps that are no whole numbers", ADVICE)
        return sorted(set(steps))
