"""Keeps the camera at the chosen agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calf_viz.scene.glide import CATCHES_UP, Chase

if TYPE_CHECKING:
    from calf_viz.hosts.base import Host
    from calf_viz.samples import Samples


class Following:
    """Follows an agent, smoothly in a window, until the camera is moved elsewhere.

    Attributes:
        on: whether it does.
    """

    def __init__(self, host: Host) -> None:
        self.on, self._host = False, host
        self._chase = Chase(host.scene.camera, CATCHES_UP if host.has_window else 1.0)

    def toggle(self) -> None:
        """Follow from now on, or no longer."""
        self.on = not self.on
        self._chase.begin()

    def frame(self, samples: Samples | None, agent: int) -> None:
        """Called before each frame. samples: those shown."""
        if not self._chase.undisturbed:  # who pans wants to see something else
            self.on = False
        if not self.on or samples is None or not len(samples):
            return
        place = self._host.place(samples.positions[min(agent, len(samples) - 1)])
        if place is not None:
            self._chase.step(place)
