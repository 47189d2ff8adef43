"""Steps per second, as a text of the HUD."""

from __future__ import annotations

from collections.abc import Callable

from calf_viz.hud import numbers

AVERAGED = 1.0
"""Seconds over which they are averaged."""
UNKNOWN = "–"


class StepRate:
    """Steps per second of somebody who counts them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """clock: the time in seconds."""
        self._clock = clock
        self._since: tuple[float, int] | None = None
        self._text = UNKNOWN

    def text(self, steps: int, seconds: float = 0.0) -> str:
        """The newest text, given how many steps there were. seconds: that they took, if known, for
        a text before any time was measured."""
        now = self._clock()
        if self._since is None:
            self._since = now, steps
        since, first = self._since
        if now - since >= AVERAGED:
            self._since = now, steps
            self._text = _text(steps - first, now - since)
        elif self._text == UNKNOWN and seconds > 0.0:
            return _text(steps, seconds)
        return self._text


def _text(steps: int, seconds: float) -> str:
    return numbers.count(max(round(steps / seconds), 0))
