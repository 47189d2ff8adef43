"""Forks a recording where it is shown, as a key asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from calf_viz.errors import UserError
from calf_viz.hud import numbers
from calf_viz.sources.base import Forkable

if TYPE_CHECKING:
    from calf_viz.viewer.config import VisualizationConfig
    from calf_viz.viewer.playhead import Playhead


class Shown(Protocol):
    """The part of an application that this uses."""

    config: VisualizationConfig
    playhead: Playhead


class Forking:
    """Goes through what a source may fork by, and back to what happened alone."""

    def __init__(self, app: Shown, source: Forkable) -> None:
        self._app, self._source = app, source
        self._next = 0

    def next(self) -> str:
        """Fork at the row shown, with the chosen agent or all, by the next policies; after the last
        by none. Returns what was done, or why it was not."""
        source, chosen = self._source, self._app.config.chosen
        ways = [*source.ways, ()]
        policies, self._next = ways[self._next], (self._next + 1) % len(ways)
        try:
            source.fork(policies, None if chosen is None else (chosen,))
        except UserError as error:
            return f"no fork: {error}"
        self._app.playhead.renew()
        if not policies:
            return "no fork"
        who = "all agents" if chosen is None else f"agent {numbers.count(chosen)}"
        return f"fork: {who} by {', '.join(policies)}"
