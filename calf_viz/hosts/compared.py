"""What a host shows of two looks: side by side with a line between them, one alone, or how they
differ. What draws that is the host's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

MODES = ("split", "a", "b", "difference")
GRIP = 8.0
"""How near to the line the mouse takes hold of it [px]."""


@dataclass
class Compared:
    """What is shown of two looks. `at`: where the line is, as a part of the width. `gain`: by which
    their difference is amplified."""

    mode: str = "split"
    at: float = 0.5
    gain: float = 4.0

    def next(self) -> None:
        """The next of `MODES`."""
        self.mode = MODES[(MODES.index(self.mode) + 1) % len(MODES)]

    def near(self, x: float, width: int) -> bool:
        """Whether the mouse at a pixel's column takes hold of the line."""
        return self.mode == "split" and abs(x - self.at * width) <= GRIP

    def move(self, x: float, width: int) -> None:
        """The line to a pixel's column, within the picture."""
        self.at = min(max(x / width, 0.0), 1.0)


class Comparison(Protocol):
    """What a host arranges two looks with."""

    @property
    def view(self) -> Compared:
        """What is shown of them; may be changed at any time."""
