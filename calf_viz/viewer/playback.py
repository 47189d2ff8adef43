"""Whether the simulation runs, is paused, or takes a single step."""

from __future__ import annotations


class Playback:
    """The playback state, initially running.

    Attributes:
        paused: whether it is paused.
    """

    def __init__(self) -> None:
        self.paused = False
        self._single_steps = 0

    def toggle(self) -> None:
        """Pause or resume."""
        self.paused = not self.paused
        self._single_steps = 0

    def single_step(self) -> None:
        """Pause, and take one more step."""
        self.paused = True
        self._single_steps += 1

    def take(self) -> bool:
        """Whether to step now; called once per frame."""
        if not self.paused:
            return True
        wanted = self._single_steps > 0
        self._single_steps -= wanted
        return wanted
