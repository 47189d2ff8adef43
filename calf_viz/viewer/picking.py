"""The agent that the user points at or chose: by the mouse, by keys, or by the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from calf_viz.hosts.base import Host
    from calf_viz.viewer.config import VisualizationConfig


class Picker:
    """Takes what a host finds under the mouse.

    Attributes:
        hovered: the agent under the mouse; None where there is none.
    """

    def __init__(self, host: Host, config: VisualizationConfig) -> None:
        self._host, self._config = host, config
        self.hovered: int | None = None

    def frame(self) -> None:
        """Called before each frame: a click chooses, one beside all agents lets go."""
        for asked, agent in self._host.picked():
            if asked is not None and asked.click:
                self._config.chosen = agent
            self.hovered = agent
        if self.hovered is not None and self.hovered >= self._host.agents:
            self.hovered = None

    def let_go(self) -> bool:
        """Choose nobody; returns whether anybody was chosen."""
        chosen, self._config.chosen = self._config.chosen, None
        return chosen is not None

    @property
    def agent(self) -> int | None:
        """The agent to tell about: the one under the mouse, else the one chosen."""
        if self.hovered is not None:
            return self.hovered
        chosen, agents = self._config.chosen, self._host.agents
        return None if chosen is None or not agents else min(chosen, agents - 1)
