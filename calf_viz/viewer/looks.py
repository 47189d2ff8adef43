"""The looks of a picture, one or two side by side: read, applied to the host, kept up to date."""

from __future__ import annotations

from collections.abc import Callable

from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import MESHES
from calf_viz.hosts.base import Host
from calf_viz.hud import two_looks
from calf_viz.hud.control_panel import ControlPanel
from calf_viz.hud.hud import Hud
from calf_viz.hud.keys import by_action
from calf_viz.hud.trail_legend import by_mode
from calf_viz.scene.colours import colour_map, mode_colours
from calf_viz.scene.theme import theme_for
from calf_viz.shader_trial.examiner import Examiner
from calf_viz.shader_trial.trials import Trials
from calf_viz.shader_trial.trust import needs_trials
from calf_viz.view import View
from calf_viz.viewer.config import VisualizationConfig
from calf_viz.workbench import parts
from calf_viz.workbench.live import LiveShaders
from calf_viz.workbench.look import AppliedLook, set_controls
from calf_viz.workbench.rehearsal import rehearse


class Looks:
    """The looks of a configuration.

    Attributes:
        trials: where shaders are tried before this process compiles them.
        first, second: the applied looks, from `apply` on; no second without `ab`.
        live: rebuilds shaders as their files are saved; None if nothing is watched.
    """

    first: AppliedLook

    def __init__(self, config: VisualizationConfig) -> None:
        self.config = config
        self.trials = Trials(Examiner(config.renderer or "gpu"))
        self.second: AppliedLook | None = None
        self.live: LiveShaders | None = None
        self._second_library: ShaderLibrary | None = None

    def warm(self) -> None:
        """Start the child that tries shaders, if needed, as that takes a while."""
        if needs_trials(self.config.shaders, self.config.defines) or needs_trials(self.config.ab):
            self.trials.warm()

    def read(self) -> ShaderLibrary:
        """The shaders of the first look. Raises UserError for files that cannot be used."""
        config, waits = self.config, self.config.watch is True
        first = parts.library(config.shaders, "`shaders`", config.defines, waits)
        if config.ab is not None:
            self._second_library = parts.library(config.ab, "`ab`", config.defines, waits)
        drawn = ("field",) if config.renderer == "gpu" else MESHES
        rehearse(drawn, first, self._second_library, config.set, config.colour_map)
        if not waits:  # for files that may use them
            parts.check_defines(filter(None, (first, self._second_library)))
        return first

    def apply(self, host: Host) -> None:
        """Apply them to the host. Raises UserError if it cannot."""
        config = self.config
        theme = host.scene.theme
        self.first = AppliedLook(host, config.colour_map, theme)
        if self._second_library is not None:
            colours = colour_map(config.colour_map or theme.colour_map)
            library = host.setup.for_scene(self._second_library)
            target = host.set_second(library, colours)
            self.second = AppliedLook(target, config.colour_map, theme)
        set_controls(config.set, self.first, self.second)

    def use_theme(self, host: Host, view: View, name: str) -> None:
        """Draw in a theme from the next frame on. What a look says itself stays."""
        theme = theme_for(name, view.deviations)
        if theme is host.scene.theme:
            return
        host.scene.theme = theme
        host.scene.mode_colours = mode_colours(self.config.palette, view, theme.palettes)
        for look in (self.first, self.second):
            if look is not None:
                look.use_theme(theme)

    def watch(self, host: Host) -> LiveShaders | None:
        """Keep them up to date with their files, if configured; by default, in a window."""
        watched = host.has_window if self.config.watch is None else self.config.watch
        if watched:
            applied = [look for look in (self.first, self.second) if look is not None]
            self.live = LiveShaders(host, applied, self.trials)
        else:
            self.trials.close()
        return self.live

    def poll(self) -> None:
        """Called before each frame: adopt what was saved."""
        if self.live is not None:
            self.live.poll()

    def draw(self, draw: Callable[[], None]) -> None:
        """Draw a frame, with the last good shaders if it fails."""
        if self.live is not None:
            self.live.draw(draw)
        else:
            draw()

    @property
    def show_chosen(self) -> bool:
        """Whether any of them is about the chosen agent."""
        return self.first.shows_chosen or (self.second is not None and self.second.shows_chosen)

    def add_to(self, hud: Hud, host: Host) -> None:
        """Add the line that says which look is which and, in a window, panels of controls."""
        if self.second is not None:
            two_looks.name_looks(hud)
        if not host.has_window:
            return
        saves = f"{by_action('save_look').events[0]} saves"
        panels = [ControlPanel(host.controls, hint=saves)]
        if self.second is not None:
            panels[0].title, panels[0].look = "look A", "A"
            controls = self.second.target.controls
            panels.append(ControlPanel(controls, "controls_b", "look B", saves, "B"))
        for panel in panels:
            hud.add(panel, before="keys")  # takes precedence: keys are also in the docs

    def texts(self, host: Host) -> dict[str, str | None]:
        """HUD texts: what the trails' colours mean, and which of two looks is shown."""
        compare, config = host.compare, self.config
        texts = {"trails": host.programs.trail_colour}
        if compare is not None and self.second is not None:
            texts["trails_b"] = self.second.target.programs.trail_colour
            names = two_looks.names(config.shaders, config.ab)
            texts |= two_looks.texts(compare.view.mode, names, compare.view.gain)
        return texts | {"coloured": by_mode(texts)}
