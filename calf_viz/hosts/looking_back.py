"""What pictures of the steps in the ring were drawn by, so that one of then can be drawn again.

Samples are in the ring; but how finely trails are drawn, and how wide, follows from what had been
measured when a step was the newest.
"""

from __future__ import annotations

from typing import NamedTuple

from calf_viz.scene.detail import Measured
from calf_viz.scene.trail_ink import InkThen


class Then(NamedTuple):
    """What was known when a step was the newest."""

    step: int
    agents: int
    measured: Measured | None
    ink: InkThen


class LookingBack:
    """The newest steps, as many as the ring has."""

    def __init__(self, slots: int) -> None:
        self._slots: list[Then | None] = [None] * slots

    def note(self, then: Then) -> None:
        """Keep it, in place of what was kept of that step, or of the one a lap before."""
        self._slots[then.step % len(self._slots)] = then

    def at(self, step: int) -> Then | None:
        """What was known then; None if that is forgotten."""
        found = self._slots[step % len(self._slots)]
        return found if found is not None and found.step == step else None

    def forget(self) -> None:
        """Forget all steps: what was measured does not hold any more."""
        self._slots = [None] * len(self._slots)
