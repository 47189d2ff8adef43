"""The actions of keys that move through time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from calf_viz.hud.keys import by_action, event_name
from calf_viz.sources.base import Pausable, capable
from calf_viz.viewer.marks import beyond

if TYPE_CHECKING:
    from calf_viz.hosts.base import Host
    from calf_viz.sources.base import Source
    from calf_viz.viewer.config import VisualizationConfig
    from calf_viz.viewer.marks import Marks
    from calf_viz.viewer.playback import Playback
    from calf_viz.viewer.playhead import Playhead


class Player(Protocol):
    """The part of an application that these keys use; see `CALFApplication`."""

    source: Source
    host: Host
    playback: Playback
    playhead: Playhead
    marks: Marks
    config: VisualizationConfig


class PlayActions:
    """The actions, by their names in `hud.keys`."""

    def __init__(self, app: Player, say: Callable[[str], None]) -> None:
        self._app, self._say = app, say

    def named(self) -> dict[str, Callable[[], None]]:
        """Those that the source allows."""
        app = self._app
        playable = {"pause": self._pause, "single_step": self._step}
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
            "mark": lambda: self._say(app.marks.toggle()),
            "loop": self._loop,
            "next_mark": lambda: self._jump(app.marks.rows, True, "mark"),
            "previous_mark": lambda: self._jump(app.marks.rows, False, "mark"),
            "next_critic": lambda: self._jump(app.playhead.beginnings(), True, "critic"),
            "previous_critic": lambda: self._jump(app.playhead.beginnings(), False, "critic"),
            "next_episode": lambda: self._next_episode(True),
            "previous_episode": lambda: self._next_episode(False),
            "todays_critic": self._change_critic,
        }

    def _pause(self) -> None:
        """Pause or resume; at the end of a recording begin again, or say that there is no more."""
        head, playback = self._app.playhead, self._app.playback
        source, backwards = head.seekable, playback.backwards
        ended = head.at <= head.first if backwards else head.at >= head.last
        if source is None or not ended or playback.looping or (source.grows and not backwards):
            head.resume()
        elif head.first == head.last:
            self._say("there is no other step")
        else:
            head.go(head.last if backwards else head.first)
            if playback.paused:
                head.resume()
            self._say("back from the end" if backwards else "from the beginning")

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

    def _jump(self, rows: Sequence[int], forwards: bool, what: str) -> None:
        """Go to the nearest of some rows."""
        row = beyond(rows, self._app.playhead.at, forwards)
        self._go_if_any(row, f"no {what} {'after' if forwards else 'before'} this step")

    def _next_episode(self, forwards: bool) -> None:
        agent = self._app.config.chosen or 0
        row = self._app.playhead.episode(agent, forwards)
        way = "after" if forwards else "before"
        self._go_if_any(row, f"no episode of agent {agent} begins soon {way} this step")

    def _go_if_any(self, row: int | None, said: str) -> None:
        if row is None:
            self._say(said)
        else:
            self._go(row)

    def _loop(self) -> None:
        """Stay between the marks around the step shown, or go on beyond them again."""
        head, playback = self._app.playhead, self._app.playback
        if playback.looping:
            playback.looping = False
            return
        head.loop = self._app.marks.around()
        playback.looping = head.loop is not None
        if head.loop is None:
            key = event_name(by_action("mark").events[0])
            self._say(f"loops are between two marks: {key} sets one")

    def _change_critic(self) -> None:
        head = self._app.playhead
        head.of_today = not head.of_today
        self._say("every step on the newest critic" if head.of_today else "the critic of then")

    def _change_rate(self, by: int) -> None:
        self._app.playback.change_rate(by)

    def _turn(self) -> None:
        playback = self._app.playback
        playback.backwards = not playback.backwards
        if playback.paused or self._app.playhead.held:
            self._app.playhead.resume()
