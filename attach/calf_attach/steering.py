"""What viewers choose of a plane: the agent that it goes through, or what the entries of an
observation are held at that it does not show.

They say so on the board; the loop heeds it whenever it evaluates the critic.
"""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from calf_attach.board import Board
from calf_attach.layout import SLIDERS, Word
from calf_attach.observation_plane import Axis, ObservationPlane
from calf_attach.plane import Pair, around

LONGEST = 40
"""Characters of a slider's label."""


class Steering:
    """Offers viewers sliders for a plane, and follows what they do.

    Attributes:
        sliders: entry, label, ends and first value of each, as on the board.
    """

    def __init__(self, plane: ObservationPlane, space: Any, names: Sequence[str]) -> None:
        """space: the observation space. names: of an observation's entries, as far as there are."""
        self._plane, self._names = plane, names
        self._low, self._high = getattr(space, "low", None), getattr(space, "high", None)
        self._ends: dict[int, Pair] = {}
        self.sliders: list[list[Any]] = []

    def offer(self, observations: np.ndarray) -> bool:
        """Take observations (n, d) in, since sliders reach as far as they do, or to the space's
        ends; returns whether the sliders changed. There are none if it follows an agent."""
        plane = self._plane
        if plane.follow or plane.through is None:
            return False
        there = observations[np.isfinite(observations).all(axis=1)]
        if not len(there):
            return False
        for entry in plane.hidden(observations.shape[1])[:SLIDERS]:
            self._ends[entry] = self._known(entry) or self._reach(entry, there[:, entry])
        found = [
            [entry, self._label(entry), *ends, float(plane.through[entry])]
            for entry, ends in self._ends.items()
        ]
        changed = [each[:4] for each in found] != [each[:4] for each in self.sliders]
        if changed:
            self.sliders = found
        return changed

    def _known(self, entry: int) -> Pair | None:
        low, high = self._low, self._high
        if not (isinstance(low, np.ndarray) and isinstance(high, np.ndarray) and low.ndim == 1):
            return None
        return Axis((entry,)).range(low, high) if entry < len(low) else None

    def _reach(self, entry: int, seen: np.ndarray) -> Pair:
        assert self._plane.through is not None
        held = float(self._plane.through[entry])
        low, high = min(float(seen.min()), held), max(float(seen.max()), held)
        before = self._ends.get(entry)
        if before is None:
            return around(low, high)
        if before[0] <= low and high <= before[1]:
            return before
        return around(min(low, before[0]), max(high, before[1]))

    def _label(self, entry: int) -> str:
        return self._names[entry][:LONGEST] if entry < len(self._names) else f"o{entry}"

    def follow(self, board: Board) -> None:
        """Move the plane to where viewers want it."""
        plane, chosen, moved = self._plane, board[Word.CHOSEN], board[Word.MOVED_SLIDERS]
        if chosen > 0 and plane.chosen != chosen - 1:
            plane.choose(chosen - 1)
        for number, (entry, *_) in enumerate(self.sliders):
            value = float(board.sliders[number])
            if moved >> number & 1 and np.isfinite(value):
                plane.hold(entry, value)
