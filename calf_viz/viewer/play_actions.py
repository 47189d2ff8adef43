"""The actions of keys that move through time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from calf_viz.sources.base import Pausable, capable

if TYPE_CHECKING:
    from calf_viz.hosts.base import Host
    from calf_viz.sources.base import Source
    from calf_viz.viewer.playback import Playback
    from calf_viz.viewer.playhead import Playhead


class Player(Protocol):
    """The part of an application that these keys use; see `CALFApplication`."""

    source: Source
    host: Host
    playback: Playback
    playhead: Playhead


class PlayActions:
    """The actions, by their names in `hud.keys`."""

    def __init__(self, app: Player, say: Callable[[str], None]) -> None:
        self._app, self._say = app, say

    def named(self) -> dict[str, Callable[[], None]]:
        """Those that the source allows."""
        app = self._app
        playable = {"pause": lambda: app.playhead.resume(), "single_step": self._step}
        if app.playhead.seekable is None and not app.host.looks_back:
            return playable if capable(app.source, Pausable) is not None else {}
        return {
            **playable,
            "step_back": lambda: self._go(app.playhead.at - 1),
            "first_step": lambda: self._go(app.playhead.first),
            "last_step": lambda: app.playhead.to_the_end(),
            "faster": lambda: self._change_rate(1),
            "slower": lambda: self._change_rate(-1),
            "backwards": self._turn,
        }

    def _go(self, row: int) -> None:
        """Stay at a row."""
        self._app.playhead.hold()
        self._app.playhead.go(row)

    def _step(self) -> None:
        """Take a step forwards: one that is there already, or a new one."""
        head = self._app.playhead
        if head.at < head.newest:
            self._go(head.at + 1)
        elif head.pausable:
            head.held = False
            self._app.playback.single_step()

    def _change_rate(self, by: int) -> None:
        self._app.playback.change_rate(by)

    def _turn(self) -> None:
        playback = self._app.playback
        playback.backwards = not playback.backwards
        if playback.paused or self._app.playhead.held:
            self._app.playhead.resume()
