"""How a host shows two looks: side by side with a line between them, one alone, or their
difference. Drawing is up to the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

MODES = ("split", "a", "b", "difference")
GRIP = 8.0
"""Distance [px] from the line within which the mouse grabs it."""


@dataclass
class Compared:
    """The current view of two looks.

    Attributes:
        mode: one of `MODES`.
        at: position of the line, as a fraction of the width.
        gain: factor by which their difference is amplified.
    """

    mode: str = "split"
    at: float = 0.5
    gain: float = 4.0

    def next(self) -> None:
        """Switch to the next of `MODES`."""
        self.mode = MODES[(MODES.index(self.mode) + 1) % len(MODES)]

    def near(self, x: float, width: int) -> bool:
        """Whether the mouse at a pixel's column grabs the line."""
        return self.mode == "split" and abs(x - self.at * width) <= GRIP

    def move(self, x: float, width: int) -> None:
        """Move the line to a pixel's column, within the picture."""
        self.at = min(max(x / width, 0.0), 1.0)


class Comparison(Protocol):
    """Arranges two looks in a host."""

    @property
    def view(self) -> Compared:
        """What is shown; may be changed at any time."""
