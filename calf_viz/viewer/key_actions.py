"""The actions of a window's keys, and their notices."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from calf_viz.console import as_options
from calf_viz.errors import UserError
from calf_viz.hud.keys import by_action, event_name
from calf_viz.scene.theme import THEMES
from calf_viz.sources.base import Forkable, capable
from calf_viz.value_limits import LIMITS, Clim, clim_text
from calf_viz.value_scale import SCALES
from calf_viz.viewer.forking import Forking
from calf_viz.viewer.play_actions import PlayActions

if TYPE_CHECKING:
    from pathlib import Path

    from calf_viz.hosts.base import Host
    from calf_viz.hud.hud import Hud
    from calf_viz.profiling.profiler import PerformanceProfiler
    from calf_viz.sources.base import Source
    from calf_viz.viewer.config import VisualizationConfig
    from calf_viz.viewer.director import Director
    from calf_viz.viewer.following import Following
    from calf_viz.viewer.looks import Looks
    from calf_viz.viewer.marks import Marks
    from calf_viz.viewer.picking import Picker
    from calf_viz.viewer.playback import Playback
    from calf_viz.viewer.playhead import Playhead

log = logging.getLogger("calf_viz")

SAID_FOR = 4.0
"""Seconds that a notice stays."""


class Application(Protocol):
    """The part of an application that its keys use; see `CALFApplication`."""

    config: VisualizationConfig
    source: Source
    host: Host
    director: Director
    following: Following
    hud: Hud | None
    looks: Looks
    picker: Picker
    playback: Playback
    playhead: Playhead
    marks: Marks
    profiler: PerformanceProfiler
    profiles: Path
    measuring: bool

    @property
    def scaling(self) -> tuple[str, Clim]: ...

    @property
    def camera(self) -> str: ...

    def profile_stem(self) -> str: ...


class Actions:
    """The actions bound to keys, by their names in `hud.keys`.

    Attributes:
        by_name: the actions.
        refused: names of those that this source does not allow: they only say so.
    """

    def __init__(self, app: Application) -> None:
        self.app = app
        self._limits: list[Clim] = []  # numbers that were configured
        self._said = "", 0.0  # the last notice, and when it expires
        self.refused: set[str] = set()
        self.by_name = self._named()

    def _named(self) -> dict[str, Callable[[], Any]]:
        app = self.app
        actions: dict[str, Callable[[], Any]] = {
            "next_scale": self._unless_measuring(self._next_scale),
            "next_limits": self._unless_measuring(self._next_limits),
            "export_profile": self._unless_measuring(self._export_profile),
            "toggle_profiler": self._unless_measuring(self._toggle_profiler),
            "reset_profiler": self._unless_measuring(self._reset_profiler),
        }
        played = PlayActions(app, self.say).named()
        actions |= {name: self._unless_measuring(action) for name, action in played.items()}
        if (forkable := capable(app.source, Forkable)) is not None:
            forking = Forking(app, forkable)
            actions["fork"] = self._unless_measuring(lambda: self.say(forking.next()))
        else:
            self.refused.add("fork")
            actions["fork"] = lambda: self.say("fork: only of a recording, as `record` writes one")
        actions["next_agent"] = self._unless_measuring(lambda: self._choose(1))
        actions["previous_agent"] = self._unless_measuring(lambda: self._choose(-1))
        actions["let_go"] = self._let_go
        if app.config.hud:
            actions["why"] = self._why
        actions["next_theme"] = self._next_theme
        if app.host.has_window:
            actions["frame_agents"] = app.director.look_at_agents
            actions["reset_view"] = app.director.look_at_plane
            actions["top_view"] = app.director.look_from_above
            actions["show_camera"] = self._show_camera
            actions["follow_agent"] = self._follow
        if app.config.hud:
            actions["toggle_hud"] = self._toggle_hud
        if app.looks.first.path is not None or app.looks.second is not None:
            actions["save_look"] = self._save_look
        if app.host.compare is not None:
            actions["next_view"] = app.host.compare.view.next
        return actions

    @property
    def notice(self) -> str | None:
        """The last message, until it expires."""
        text, until = self._said
        return text if time.monotonic() < until else None

    def say(self, text: str) -> None:
        """Show a message on screen for a while, or log it if it could not be seen there."""
        hud = self.app.hud
        on_screen = hud is not None and hud.visible
        log.log(logging.INFO if on_screen else logging.WARNING, text)
        self._said = as_options(text), time.monotonic() + SAID_FOR

    def _unless_measuring(self, action: Callable[[], None]) -> Callable[[], None]:
        """An action that is refused while frames are being measured."""

        def act() -> None:
            if self.app.measuring:
                self.say("not while frames are measured")
            else:
                action()

        return act

    def _choose(self, step: int) -> None:
        """Choose the agent that is so many after the chosen one; without one, the first or last."""
        agents, chosen = max(self.app.host.agents, 1), self.app.config.chosen
        if chosen is None:
            chosen = -1 if step > 0 else 0
        self.app.config.chosen = (min(chosen, agents - 1) + step) % agents
        self.app.picker.end_hover()

    def _follow(self) -> None:
        following = self.app.following
        following.toggle()
        if following.on and self.app.config.chosen is None:
            self._choose(1)
        if following.on:
            self.app.picker.end_hover()
        self.say(f"following agent {self.app.config.chosen}" if following.on else "not following")

    def _let_go(self) -> bool:
        """Choose nobody; returns whether anybody was chosen."""
        let_go = self.app.picker.let_go()
        if let_go:
            self.app.following.on = False
        return let_go

    def _why(self) -> None:
        """Say why the agent took its last step, or no longer."""
        app = self.app
        if app.picker.agent is None:
            self.say("choose an agent first: click on it, or press ]")
            return
        app.config.why = not app.config.why

    def _next_theme(self) -> None:
        names = list(THEMES)
        config = self.app.config
        config.theme = names[(names.index(config.theme) + 1) % len(names)]
        self.say(f"theme: {config.theme.replace('_', ' ')}")

    def _next_scale(self) -> None:
        scale, _ = self.app.scaling
        chosen = SCALES[(SCALES.index(scale) + 1) % len(SCALES)]
        self.app.config.value_scale = chosen
        self.say(f"scale of values: {chosen}")

    def _next_limits(self) -> None:
        _, clim = self.app.scaling
        if not isinstance(clim, str):
            self._limits.append(clim)
        choices = list(dict.fromkeys([*LIMITS, *self._limits]))
        chosen = choices[(choices.index(clim) + 1) % len(choices)]
        self.app.config.clim = chosen
        self.say(f"range of values: {clim_text(chosen)}")

    def _toggle_hud(self) -> None:
        hud = self.app.hud
        if hud is not None:
            hud.visible = not hud.visible

    def _show_camera(self) -> None:
        self.say(f"`camera` {self.app.camera}")

    def _save_look(self) -> None:
        said = []
        for look in (self.app.looks.first, self.app.looks.second):
            if look is None or look.path is None:
                continue
            try:
                look.save()
            except UserError as error:
                said.append(str(error))
            else:
                said.append(f"values written: {look.path}")
        self.say("; ".join(said))

    def _toggle_profiler(self) -> None:
        profiler = self.app.profiler
        profiler.enabled = not profiler.enabled
        self.say("profiler on" if profiler.enabled else "profiler off")

    def _reset_profiler(self) -> None:
        profiler = self.app.profiler
        profiler.reset()
        self.say("profiler: measuring anew" if profiler.enabled else "profiler emptied")

    def _export_profile(self) -> None:
        """Write what was measured so far; a failure is reported, and the program goes on."""
        app = self.app
        if not app.profiler.enabled and not len(app.profiler.run()):
            key = event_name(by_action("toggle_profiler").events[0])
            self.say(f"the profiler is off: {key} switches it on")
            return
        path = app.profiles / f"{app.profile_stem()}.json"
        try:
            app.profiler.save_json(path)
        except UserError as error:
            self.say(str(error))
        else:
            self.say(f"profile written: {path}")
