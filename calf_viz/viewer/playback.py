"""Whether the simulation goes on, waits, or takes one step."""

from __future__ import annotations


class Playback:
    """Running at start.

    Attributes:
        paused: whether it waits.
    """

    def __init__(self) -> None:
        self.paused = False
        self._single_steps = 0

    def toggle(self) -> None:
        """Pause, or go on."""
        self.paused = not self.paused
        self._single_steps = 0

    def single_step(self) -> None:
        """Pause, and take one step more."""
        self.paused = True
        self._single_steps += 1

    def take(self) -> bool:
        """Whether to step now; asked once a frame."""
        if not self.paused:
            return True
        wanted = self._single_steps > 0
        self._single_steps -= wanted
        return wanted
