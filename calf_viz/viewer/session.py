"""An application's open resources: a source, the host that draws it, and what connects them."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from calf_viz import systems
from calf_viz.agent.system_view import view_of
from calf_viz.agent.threads import one_thread
from calf_viz.errors import UserError
from calf_viz.hosts import raster_threads
from calf_viz.hosts.context import Owned, unowned
from calf_viz.hud import numbers
from calf_viz.hud.hud import Hud
from calf_viz.hud.keys import help_line
from calf_viz.profiling.profiler import Description, PerformanceProfiler
from calf_viz.samples import Samples
from calf_viz.scene.viewpoint import Viewpoint
from calf_viz.sources.attached import Attached
from calf_viz.sources.base import Explained, Resizable, Source, capable
from calf_viz.sources.simulation import Simulation
from calf_viz.value_limits import Clim
from calf_viz.view import View
from calf_viz.viewer.app_config import AppConfig
from calf_viz.viewer.config import LIVE, VisualizationConfig
from calf_viz.viewer.description import describe, file_name
from calf_viz.viewer.director import Director, check_target
from calf_viz.viewer.display import Display
from calf_viz.viewer.feed import Feed, view_shown
from calf_viz.viewer.following import Following
from calf_viz.viewer.key_actions import Actions
from calf_viz.viewer.looks import Looks
from calf_viz.viewer.marks import Marks
from calf_viz.viewer.opening import (
    HostMaker,
    agent_text,
    grid_for,
    load_agent,
    open_host,
    setup,
    simulate,
    stats_cache,
    to_train,
)
from calf_viz.viewer.picking import Picker
from calf_viz.viewer.playback import Playback
from calf_viz.viewer.playhead import Playhead
from calf_viz.viewer.recorded import Recorded
from calf_viz.viewer.scrubbing import Scrubbing
from calf_viz.viewer.source_sliders import SourceSliders
from calf_viz.viewer.surface import ShownSurface

if TYPE_CHECKING:
    from calf_viz.agent.calf import CALFAgent
    from calf_viz.sources.training import Training

FRAMES_KEPT = 10_000
"""Newest frame times kept, as a window may stay open for weeks."""


class Session(Owned):
    """Opens what a configuration specifies; `close` releases it.

    Attributes:
        config: a copy of the configuration; only `frames`, `chosen`, `why`, `speed`, `theme`,
            `value_scale` and `clim` can still be assigned.
        source: the source shown.
        simulation: the simulated agents; None if another source was given.
        host: the host that draws; `host.scene` holds sizes.
        director: points the camera at agents.
        following: keeps it at the chosen one.
        picker: the agent that the mouse points at.
        looks: the looks in use.
        hud: the HUD; None if it is switched off.
        display: keeps the HUD up to date, if there is one.
        live_shaders: rebuilds shaders as their files are saved; None if nothing is watched.
        scrubbing: the timeline.
        sliders: of the source's numbers, if it has any.
        recorded: the recording that grows, if one is configured.
        playback: whether `run` is paused, and how fast it is; the window's keys change it.
        playhead: which of the source's steps the picture shows.
        marks: steps that the user marked.
        measuring: whether frames are being measured, which keys must not disturb.
        profiles: folder for profiles exported by a key.
        training: what `train` trains.
        live: the watched training, if any.
        profiler: measures the frames of `step`, simulation included; off unless given.
        frames: frames drawn by `step`.
        frame_times: seconds that each of the newest of them took, without the simulation.
    """

    KIND = "application"

    def __init__(
        self,
        config: VisualizationConfig | AppConfig | None = None,
        profiler: PerformanceProfiler | None = None,
        source: Source | None = None,
        host: HostMaker | None = None,
    ) -> None:
        """Open everything.

        Args:
            config: what to show; an `AppConfig` also says what to train.
            profiler: measures frames.
            source: shown in place of a simulation of the configured system, and closed at the end.
            host: a host class to use in place of this program's own; see `hosts/stub.py`.

        Raises:
            UserError: a checkpoint, shaders or a driver that cannot be used.
        """
        config, self.training = to_train(config or VisualizationConfig())
        if source is not None and config.train:
            raise UserError("`train`: a source that is given is shown as it is; leave it out")
        view = None if source is None else view_shown(source)
        live = view is not None and view.live
        if live and config.speed > 1:
            raise UserError(f"`speed`: {LIVE}; leave it out")
        self.config = config.in_force(live)
        self.live: Training | None = None
        self.recorded = Recorded(config)
        self.looks = Looks(config)
        self.closing.callback(self.looks.trials.close)
        self.looks.warm()  # while torch is imported
        self.closing.callback(self._untie)
        self.agent: CALFAgent | None = None
        if view is None:
            self.agent, view = load_agent(config), view_of(systems.get(config.system))
            # Batches for a few agents are too small to share; and a single thread always adds up
            # in the same order.
            self.closing.enter_context(one_thread())
        viewpoint = Viewpoint.read(config.camera)
        check_target(viewpoint, view)
        drawn = setup(config, self.looks.read(), view, self.looks.trials)
        self.host = host(drawn) if host is not None else open_host(drawn, config)
        self.closing.callback(self.host.close)
        self.closing.callback(self.recorded.close)
        self.closing.callback(self._close_source)
        self.host.check_samples(config.supersample)  # now, rather than when a picture is saved
        self._fitted_size = self.host.scene.size
        self.looks.apply(self.host)
        self.playback = Playback()
        self.measuring = self._still = False
        self.profiles = Path("profiles")
        self.stats = stats_cache(config)
        self.director = Director(self.host, view, viewpoint)
        self.following = Following(self.host)
        grid = grid_for(self.host, view, config)
        self.surface = ShownSurface(
            self.host, grid, config.critic_on_gpu, config.morph_frames, self.director
        )
        self.surface.scale(*self._scaling(view))
        self._begin(profiler or PerformanceProfiler(enabled=False))
        self._show(source)
        self.picker = Picker(self.host, self.config)
        self.actions = Actions(self)
        self._open_display()
        self.surface.show(self.feed)
        self.director.surface_changed(self.feed.view)
        self.live_shaders = self.looks.watch(self.host)
        if self.live_shaders is not None:
            self.closing.callback(self.live_shaders.close)
        if self.hud is not None:
            self.looks.add_to(self.hud, self.host)
        self.scrubbing = Scrubbing(self.hud, self.host.has_window)
        self.sliders = SourceSliders(self.feed, self.hud, self.host.has_window)

    def _show(self, source: Source | None) -> None:
        """Show this source, or else a simulation of the configuration, which is made after the
        host, as that knows how many agents fit."""
        self.simulation: Simulation | None = None
        if source is None:
            assert self.agent is not None
            grid = self.surface.grid
            source = self.simulation = simulate(self.agent, self.config, grid, self.profiler)
        self._use(source)

    def _use(self, source: Source) -> None:
        self.source = source
        self.feed = Feed(source, guarded=self.simulation is None)
        self.recorded.shown = self._decided_by()
        if self.recorded.watch(source, self.host):
            self.feed.tap = self.recorded
        trainee = self.feed.view.trainee
        self.host.scene.training_agent = -1 if trainee is None else trainee
        self.director.meet(self.feed)
        goes_on = self.feed.view.live or self.live is not None
        self.playhead = Playhead(self.host, self.feed, self.playback, self._push, goes_on)
        self.marks = Marks(self.playhead, self.recorded)
        self.surface.of_then = self.playhead.surface
        self._asked = self.config.chosen
        self.feed.choose(self._asked)
        if self.feed.view.live:
            raster_threads.release()  # what it shows occupies a core

    def _push(self, samples: list[Samples], fill: int | None = None) -> None:
        """Show steps. fill: as for `Playhead`."""
        if not samples:
            return
        if not self.surface.follow(self.feed):
            return
        with self.profiler.section("upload"), self.feed.blamed("step"):
            if fill:
                self.host.prepare(samples, fill)
            else:
                self.host.settles = fill is not None
                self.host.push(*samples)
        self.playhead.see(samples)
        self.surface.see(samples, self.feed)
        if fill:  # nobody sees them
            return
        self.director.see(samples)
        self._show_certificate()
        if self.display is not None:
            self.display.see(samples)

    def seek(self, row: int) -> None:
        """Show a row of a recording, or the nearest there is, with the trails that agents had then.

        Raises UserError if what is shown is no recording.
        """
        if self.playhead.seekable is None:
            raise UserError("seek: what is shown is no recording")
        self.playhead.go(row)
        if not self.host.drawn:
            self.surface.show(self.feed)  # later ones are morphed to

    def _open_display(self) -> None:
        self.display: Display | None = None
        bound = self.host.bind_keys(self.actions.by_name)
        if self.config.hud:
            self.display = Display(
                self.host, self.feed, self.stats, help_line(bound - self.actions.refused)
            )
            if isinstance(self.source, Attached):
                self.display.show_attached(self.source)
        self.hud: Hud | None = None if self.display is None else self.display.hud
        if self.hud is not None:
            self.hud.update(shown=self._decided_by())
        self._show_certificate()

    def _decided_by(self) -> str | None:
        """What decides for the agents, in a few words, if that is known."""
        if self.simulation is not None:
            return agent_text(self.config, self.config.train or self.live is not None)
        source = capable(self.source, Explained)
        return None if source is None else source.explain() or None

    def _begin(self, profiler: PerformanceProfiler) -> None:
        self.profiler = self.host.profiler = profiler
        profiler.describe = self._describe
        self.frames = 0
        self.frame_times: deque[float] = deque(maxlen=FRAMES_KEPT)
        self.stats.mark_dirty()

    def _untie(self) -> None:
        """Drop references back to the application, so that it is freed with its last user; what its
        profiler measured can still be saved."""
        if "actions" in self.__dict__:
            self.actions.by_name.clear()
            del self.actions.app
        if "playhead" in self.__dict__:
            self.playhead.untie()
        if "live_shaders" in self.__dict__:  # else it was never complete
            described = self._describe()
            self.profiler.describe = lambda: described

    @property
    def n_agents(self) -> int:
        """Number of agents; may be set while running, the ring grows automatically.

        Setting it raises UserError for a number that is invalid or does not fit the driver's
        textures, or if the source has a fixed number; the number is unchanged then.
        """
        found = self.feed.agents()
        return self.host.agents if found is None else found

    @n_agents.setter
    def n_agents(self, n_agents: int) -> None:
        source, config = capable(self.source, Resizable), self.config.changed(n_agents=n_agents)
        if source is None:
            raise UserError("`n_agents`: the source has agents of its own, whose number stays")
        try:
            self.host.make_room(n_agents + (self.live is not None))
            source.resize(n_agents)
        except MemoryError:
            raise UserError(f"not enough memory for {n_agents} agents: give fewer") from None
        if n_agents != self.config.n_agents:
            self.profiler.reset()  # a profile is for one number of agents
        self.config = config.in_force(self.feed.view.live)

    @property
    def camera(self) -> str:
        """The camera as it is now, as the setting `camera` takes it; may be set while running, to
        any text that is one: "top", "agents,azimuth=30".

        Setting it raises UserError for text that is none.
        """
        return self.director.text

    @camera.setter
    def camera(self, text: str) -> None:
        self.director.look(Viewpoint.read(self.config.changed(camera=text).camera))

    @property
    def name(self) -> str:
        """Name of what is shown, for files: the system's, or a given source's title made safe."""
        return self.config.system if self.simulation else file_name(self.feed.view.title)

    def profile_stem(self) -> str:
        """Name for a profile's file, without its suffix."""
        when = datetime.now().strftime("%Y%m%d_%H%M%S")
        return f"{self.name}_n{self.n_agents}_{self.host.design}_{when}"

    def restart(self, profiler: PerformanceProfiler | None = None) -> None:
        """Start over with the same seed and without samples; agent, host and camera stay.

        profiler: measures from now on; by default the current one continues.

        Raises:
            UserError: what is shown is not a simulation.
        """
        if self.simulation is None:
            raise UserError("restart: a source that was given cannot start again")
        self.host.restart()
        self.surface.restart()
        self._begin(profiler or self.profiler)
        self.recorded.restart()
        self.simulation.restart(self.profiler)
        self.playhead.restart()
        if self.display is not None:
            self.display.read(self.feed)

    def _describe(self) -> Description:
        simulated = self.simulation is not None
        return describe(self.config, self.host, self.name, self.n_agents, simulated)

    def fit_surface(self, still: bool = False) -> None:
        """Give the simulation's surface as many cells as the picture's size is worth, unless
        configured; those of a training are fixed, as its trainer evaluates them.

        still: for single pictures, which may take longer; from then on.
        """
        slow = self.config.critic_on_gpu and self.host.software
        self._still |= still and not slow
        if self.simulation is None or self.live is not None or self.config.grid is not None:
            return
        grid = grid_for(self.host, self.feed.view, self.config, self._still)
        if grid.shape == self.surface.grid.shape:
            return
        self.surface.grid = grid
        if self.simulation.grid is not None:
            self.simulation.grid = grid
        self.show_critic(restart=True)
        self.director.surface_changed(self.feed.view, keep=True)

    def show_critic(self, restart: bool = False) -> None:
        """Compute the surface of the critic as it is now, and draw it from now on.

        restart: at once, without a morph from the previous one.
        """
        if self.simulation is not None:
            self.simulation.critic_changed()
        self.surface.show(self.feed, restart)

    @property
    def scaling(self) -> tuple[str, Clim]:
        """The scale of values in force, and its limits: the configuration's, or the view's."""
        return self._scaling(self.feed.view)

    def _scaling(self, view: View) -> tuple[str, Clim]:
        config = self.config
        return config.value_scale or view.value_scale, config.clim or view.clim

    def _show_certificate(self) -> None:
        """Set what the chosen agent's certificate requires, for shaders that show it."""
        if self._asked != self.config.chosen:
            self._asked = self.config.chosen
            self.feed.choose(self._asked)
        certificate = self.feed.certificate(self._asked or 0)
        if certificate is not None:
            self.host.scene.certificate = certificate
        self._certified = certificate is not None

    def _highlight(self) -> str | None:
        """Draw a ring around the chosen agent, if the user chose one or a look is about it. Returns
        its number, for the HUD; None without a ring."""
        scene, chosen = self.host.scene, self.config.chosen
        if chosen != self._asked:  # while paused, too
            self._show_certificate()
        if (pointed := self.picker.hovered) is not None:
            scene.highlighted = pointed
            return None if chosen is None else numbers.count(chosen)
        if chosen is None and not self.looks.show_chosen:
            scene.highlighted = -1
            return None
        agent = scene.certificate.chosen if self._certified else chosen or 0
        scene.highlighted = min(agent, self.host.agents - 1)
        return numbers.count(scene.highlighted)

    @unowned
    def _close_source(self) -> None:
        if "feed" in self.__dict__:
            self.feed.close()

    def __enter__(self) -> Self:
        self.owner.check("with")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
