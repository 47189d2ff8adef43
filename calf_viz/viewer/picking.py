"""The agent that the user points at or chose: by the mouse, by keys, or by the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calf_viz.hosts.picking import Asked

if TYPE_CHECKING:
    from calf_viz.hosts.base import Host
    from calf_viz.scene.camera import Pose
    from calf_viz.viewer.config import VisualizationConfig

AGAIN_EVERY = 12
"""Frames between two pickings under a mouse that rests where an agent was found: each costs a
draw."""


class Picker:
    """Takes what a host finds under the mouse.

    Attributes:
        hovered: the agent under the mouse; None where there is none.
    """

    def __init__(self, host: Host, config: VisualizationConfig) -> None:
        self._host, self._config = host, config
        self.hovered: int | None = None
        self._at: Asked | None = None  # where it was found
        self._shown: tuple[int, Pose] | None = None
        self._stale, self._since = False, 0  # whether that changed; frames since it was asked about

    def frame(self) -> None:
        """Called before each frame: a click chooses, one beside all agents lets go."""
        for asked, agent in self._host.picked():
            if asked is not None and asked.click:
                self._config.chosen = agent
            self.hovered, self._at = agent, asked
        if self.hovered is not None and self.hovered >= self._host.agents:
            self.hovered = None
        self._look_again()

    def _look_again(self) -> None:
        """Now and then, ask what is under a resting mouse by now, if the picture has changed."""
        host = self._host
        shown = host.packer.step - host.scrub, host.scene.camera.pose
        self._stale |= shown != self._shown
        self._shown = shown
        self._since += 1
        if host.picks.hovering:
            return
        if self.hovered is None or self._at is None:
            self._stale = False
        elif self._stale and self._since >= AGAIN_EVERY:
            self._stale, self._since = False, 0
            host.picks.ask(Asked(self._at.x, self._at.y))

    def end_hover(self) -> None:
        """Forget the agent under the mouse until the mouse moves: keys name another one."""
        if self.hovered is not None or self._host.picks.hovering:
            self._host.picks.leave()
        self.hovered = None

    def let_go(self) -> bool:
        """Choose nobody; returns whether anybody was chosen."""
        self.end_hover()
        chosen, self._config.chosen = self._config.chosen, None
        return chosen is not None

    @property
    def agent(self) -> int | None:
        """The agent to tell about: the one under the mouse, else the one chosen."""
        if self.hovered is not None:
            return self.hovered
        chosen, agents = self._config.chosen, self._host.agents
        return None if chosen is None or not agents else min(chosen, agents - 1)
