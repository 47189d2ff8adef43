"""Steps per second, as a text of the HUD."""

from __future__ import annotations

from collections.abc import Callable

from calf_viz.hud import numbers

AVERAGED = 1.0
"""Seconds over which they are averaged."""


class StepRate:
    """Steps per second of somebody who counts them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """clock: the time in seconds."""
        self._clock = clock
        self._since: tuple[float, int] | None = None
        self._text = "–"

    def text(self, steps: int) -> str:
        """The newest text, given how many steps there were; at first none."""
        now = self._clock()
        if self._since is None:
            self._since = now, steps
        since, first = self._since
        if now - since >= AVERAGED:
            self._since = now, steps
            self._text = numbers.count(max(round((steps - first) / (now - since)), 0))
        return self._text
