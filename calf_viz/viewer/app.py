"""The application: a source, the host that draws it, and what is written over the picture."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from calf_viz import systems
from calf_viz.agent.threads import one_thread
from calf_viz.errors import UserError
from calf_viz.glsl import variants
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import MESHES
from calf_viz.hosts import raster_threads
from calf_viz.hosts.context import Owned, unowned
from calf_viz.hud import two_looks
from calf_viz.hud.control_panel import ControlPanel
from calf_viz.hud.hud import Hud
from calf_viz.hud.keys import by_action, help_line
from calf_viz.hud.overview import overview
from calf_viz.hud.shape import packed
from calf_viz.hud.trail_legend import TrailLegend, speed_unit
from calf_viz.profiling.profiler import Description, PerformanceProfiler
from calf_viz.samples import Samples
from calf_viz.scene.colours import COLOUR_MAP, colour_map
from calf_viz.sources.base import Certified, Pausable, Resizable, Source, Valued
from calf_viz.sources.rate import steps_per_second
from calf_viz.sources.simulation import Simulation, view_of
from calf_viz.systems.hidden import hidden_values
from calf_viz.training.config import TrainingConfig
from calf_viz.training.run_config import read_config
from calf_viz.trial.examiner import Examiner
from calf_viz.trial.trials import Trials
from calf_viz.trial.trust import needs_trials
from calf_viz.viewer.actions import Actions
from calf_viz.viewer.app_config import AppConfig
from calf_viz.viewer.config import VisualizationConfig, options
from calf_viz.viewer.feed import Feed
from calf_viz.viewer.opening import HostMaker, grid_for, libraries, load_agent, open_host, setup
from calf_viz.viewer.playback import Playback
from calf_viz.viewer.readings import Readings
from calf_viz.viewer.stats_cache import StatsCache
from calf_viz.viewer.surface import ShownSurface
from calf_viz.viewer.training_panel import TrainingPanel
from calf_viz.workbench.live import LiveShaders
from calf_viz.workbench.look import WornLook, set_controls
from calf_viz.workbench.rehearsal import rehearse

if TYPE_CHECKING:
    from calf_viz.agent.calf import CALFAgent
    from calf_viz.sources.training import Training

log = logging.getLogger("calf_viz")

HEADLESS_FRAMES = 300
FRAMES_KEPT = 10_000
"""Newest frames whose times are kept: a window may stay open for weeks."""
SCREENSHOT_FRAMES = (60, 240, 600)
ASKED_ANEW = ("frames", "chosen")
"""Settings that a running application looks at when it needs them; the others it was made with."""


class CALFApplication(Owned):
    """Agents that follow a trained policy on their critic's surface, or whatever a source gives.

        with CALFApplication(config=VisualizationConfig.from_preset("medium")) as app:
            app.run()

    The thread that made it uses it, until it is closed; UserError else.

    Attributes:
        config: what is in force, a copy of what was asked for; `frames` and `chosen` may be
            assigned, and the rest is what it was made with.
        source: what is shown.
        simulation: the agents that are simulated here; None where another source was given.
        host: what draws them; `host.scene` holds camera and sizes.
        hud: what is written over the scene; None where the configuration wants none.
        live_shaders: what rebuilds shaders as their files are saved; None where nothing is watched.
        playback: whether `run` goes on; the window's keys pause it.
        measuring: whether frames are being measured, which no key is to disturb.
        profiles: folder that a key's profile goes to.
        training: what `train` trains.
        live: the training that is watched, if any.
        profiler: measures the frames of `step`, simulation included; off unless given.
        frames: frames drawn by `step`.
        frame_times: seconds that each of the newest of them took, simulation apart.
    """

    KIND = "application"

    def __init__(
        self,
        config: VisualizationConfig | AppConfig | None = None,
        profiler: PerformanceProfiler | None = None,
        source: Source | None = None,
        host: HostMaker | None = None,
    ) -> None:
        """config: an `AppConfig` says what to train too. source: is shown in place of a simulation
        of the configuration's system, and closed in the end. host: the class of what draws, in
        place of this program's own; see `hosts/stub.py`.

        Raises UserError for a checkpoint, shaders or a driver that cannot be used.
        """
        if isinstance(config, AppConfig):
            self.training, config = config.training, config.visualization
        else:
            config = config or VisualizationConfig()
            self.training = (
                TrainingConfig.from_preset(system=config.system, seed=config.seed)
                if config.resume is None
                else read_config(config.resume)
            )
        if source is not None and config.train:
            raise UserError("`train`: a source that is given is shown as it is; leave it out")
        self.config = _in_force(config)
        self.live: Training | None = None
        self.training_panel: TrainingPanel | None = None
        # Shaders are tried in a child before this process compiles them; it starts while torch is
        # imported.
        self._trials = Trials(Examiner(config.renderer or "gpu"))
        self.closing.callback(self._trials.close)
        if needs_trials(config.shaders, config.defines) or needs_trials(config.ab):
            self._trials.warm()
        self.closing.callback(self._untie)
        self.agent: CALFAgent | None = None
        if source is not None:
            view = source.view
        else:
            self.agent, view = load_agent(config), view_of(systems.get(config.system))
            # Rows for a few agents are too small to share; and what one thread adds up, it always
            # adds up in the same order.
            self.closing.enter_context(one_thread())
        library, second = libraries(config)
        drawn = ("field",) if config.renderer == "gpu" else MESHES
        rehearse(drawn, library, second, config.set, config.colour_map)
        drawn_with = setup(config, library, view, self._trials)
        self.host = host(drawn_with) if host is not None else open_host(drawn_with, config)
        self.closing.callback(self.host.close)
        self.closing.callback(self._close_source)
        self.look = WornLook(self.host, config.colour_map)
        self.second = None if second is None else self._open_second(second)
        set_controls(config.set, self.look, self.second)
        self.playback = Playback()
        self.measuring = False
        self.profiles = Path("profiles")
        self.stats = StatsCache(
            {
                "value": config.stats_q_value_update_freq,
                "texts": config.stats_text_update_freq,
                "training": config.stats_text_update_freq,
                "fps": config.stats_profiler_update_freq,
            },
            enabled=config.use_stats_cache,
        )
        self.surface = ShownSurface(
            self.host, grid_for(self.host, view, config), config.critic_on_gpu, config.morph_frames
        )
        self._begin(profiler or PerformanceProfiler(enabled=False))
        # After the host, which knows how many agents fit.
        self.simulation: Simulation | None = None
        if source is None:
            source = self.simulation = self._simulate()
        self._show_source(source)
        self.hud: Hud | None = None
        self.readings: Readings | None = None
        self.actions = Actions(self)
        bound = self.host.bind_keys(self.actions.by_name)
        if config.hud:
            self.hud = self._open_hud(help_line(bound))
            self.readings = self._open_readings(self.hud)
        self._tell_certificate()
        self.surface.show(self.feed)
        self.host.frame_surface()
        watch = self.host.has_window if config.watch is None else config.watch
        looks = [look for look in (self.look, self.second) if look is not None]
        self.live_shaders = LiveShaders(self.host, looks, self._trials) if watch else None
        if self.live_shaders is not None:
            self.closing.callback(self.live_shaders.close)
        else:
            self._trials.close()
        if self.hud is not None:
            self._add_looks(self.hud)

    def _begin(self, profiler: PerformanceProfiler) -> None:
        self.profiler = self.host.profiler = profiler
        profiler.describe = self._describe
        self.frames = 0
        self.frame_times: deque[float] = deque(maxlen=FRAMES_KEPT)
        self.stats.mark_dirty()

    def _simulate(self) -> Simulation:
        assert self.agent is not None
        config = self.config
        simulation = Simulation(
            self.agent, config.n_agents, config.seed, config.policy, config.p_relax, self.profiler
        )
        simulation.hidden = hidden_values(self.agent.system, config.slice)
        simulation.grid = None if config.critic_on_gpu else self.surface.grid
        return simulation

    def _show_source(self, source: Source) -> None:
        self.source = source
        self.feed = Feed(source, guarded=self.simulation is None)
        trainee = source.view.trainee
        self.host.scene.training_agent = -1 if trainee is None else trainee

    def _open_readings(self, hud: Hud) -> Readings:
        return Readings(
            hud, self.stats, self.feed.view, self._mean_value, timed=self.host.has_window
        )

    def _mean_value(self, samples: Samples) -> float:
        source = self.source
        if isinstance(source, Valued):
            return source.mean_value()
        return float(np.nanmean(self.host.heightfield.heights(samples.positions)))

    def _untie(self) -> None:
        """What leads back to the application is let go, so that it goes with the last who holds it;
        what its profiler measured can still be saved."""
        if "actions" in self.__dict__:
            self.actions.by_name.clear()
            del self.actions.app
        self.readings = None
        if "live_shaders" in self.__dict__:  # else it never was whole
            described = self._describe()
            self.profiler.describe = lambda: described

    def _open_second(self, library: ShaderLibrary) -> WornLook:
        config = self.config
        colours = colour_map(config.colour_map or COLOUR_MAP)
        return WornLook(self.host.set_second(library, colours), config.colour_map)

    def _open_hud(self, keys: list[tuple[str, str]]) -> Hud:
        hud = overview(self.feed.view, self.host.scene.mode_colours, keys)
        hud.add(self._trail_legend(), before="critic")
        self.host.set_hud(hud)
        return hud

    def _trail_legend(self) -> TrailLegend:
        view, scene = self.feed.view, self.host.scene
        colours = [packed(tuple(colour[:3].tolist())) for colour in scene.mode_colours]
        dt = view.dt or 1.0
        return TrailLegend(
            colours[variants.CERTIFIED],
            colours[variants.REFUSED],
            duration=scene.trail * dt,
            crossing=(view.hi[0] - view.lo[0]) / dt,
            unit=speed_unit(view.units),
        )

    def _add_looks(self, hud: Hud) -> None:
        """What says which look is which, and panels of their controls."""
        if self.second is not None:
            two_looks.name_looks(hud)
        if not self.host.has_window:
            return
        saves = f"{by_action('save_look').events[0]} saves"
        panels = [ControlPanel(self.host.controls, hint=saves)]
        if self.second is not None:
            panels[0].title, panels[0].look = "look A", "A"
            controls = self.second.wearer.controls
            panels.append(ControlPanel(controls, "controls_b", "look B", saves, "B"))
        for panel in panels:
            hud.add(panel, before="keys")  # where both do not fit, keys are in the docs

    def profile_stem(self) -> str:
        """Name of a profile's file made now, without its ending."""
        when = datetime.now().strftime("%Y%m%d_%H%M%S")
        return f"{self.config.system}_n{self.n_agents}_{self.host.design}_{when}"

    def restart(self, profiler: PerformanceProfiler | None = None) -> None:
        """Begin anew, with the same seed and without samples; agent, host and camera stay.

        profiler: measures from now on; without one, the present one goes on.

        Raises:
            UserError: what is shown is no simulation.
        """
        if self.simulation is None:
            raise UserError("restart: a source that was given cannot begin anew")
        self.host.restart()
        self._begin(profiler or self.profiler)
        self.simulation.restart(self.profiler)
        if self.hud is not None:
            self.readings = self._open_readings(self.hud)

    def _describe(self) -> Description:
        host = self.host
        rows, columns = host.heightfield.shape
        asked = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in asdict(self.config).items()
        }
        found = {
            "renderer": host.design,
            "window": host.has_window,
            "size": list(host.scene.size),
            "grid": [columns - 1, rows - 1],
        }
        return Description({**asked, **found}, host.renderer, host.gl_version)

    def show_critic(self, restart: bool = False) -> None:
        """Compute the surface of the critic as it is now, and draw that from now on.

        restart: at once, without a morph from what was before.
        """
        if self.simulation is not None:
            self.simulation.critic_changed()
        self.surface.show(self.feed, restart)

    @property
    def n_agents(self) -> int:
        """Agents that take part; may be set while running, the ring grows by itself.

        Setting it raises UserError for a number that makes no sense or does not fit the driver's
        textures, and where a source has a number of its own; as many as before go on then.
        """
        return len(self.source) if isinstance(self.source, Resizable) else self.host.agents

    @n_agents.setter
    def n_agents(self, n_agents: int) -> None:
        source, config = self.source, self.config.changed(n_agents=n_agents)
        if not isinstance(source, Resizable):
            raise UserError("`n_agents`: the source has agents of its own, whose number stays")
        try:
            self.host.make_room(n_agents + (self.live is not None))
            source.resize(n_agents)
        except MemoryError:
            raise UserError(f"not enough memory for {n_agents} agents: give fewer") from None
        if n_agents != self.config.n_agents:
            self.profiler.reset()  # a profile is of one number of agents
        self.config = _in_force(config)

    def advance(self) -> None:
        """One step of the source, not drawn."""
        self._push(self.feed.steps())

    def step(self) -> None:
        """One step of the source, or what it has of late, and one frame."""
        profiler, host = self.profiler, self.host
        if self.playback.paused and isinstance(self.source, Pausable):
            self.source.single_step()
        with profiler.frame():
            samples = self.feed.steps()
            start = time.perf_counter()
            self._push(samples)
            if profiler.enabled:
                host.time_next_frame(profiler.frame_number)
            self.draw()
            self.frame_times.append(time.perf_counter() - start)
            self.frames += 1
            profiler.count_all(host.frame_counts())
        for number, seconds in host.gpu_times():
            profiler.set_gpu_time(number, seconds)

    def _push(self, samples: list[Samples]) -> None:
        if not samples:
            return
        with self.profiler.section("upload"):
            self.host.push(*samples)
        self._tell_certificate()
        if self.readings is not None:
            self.readings.see(*samples)

    def _tell_certificate(self) -> None:
        """What the chosen agent's certificate asks, for shaders that show it."""
        if isinstance(self.source, Certified):
            self.host.scene.certificate = self.source.certificate(self.config.chosen)

    def draw(self) -> None:
        """One frame of what there is."""
        self.feed.pause(self.playback.paused)
        self.surface.frame(self.feed)
        if self.training_panel is not None:
            self.training_panel.frame(self.feed.notice)
        if self.live_shaders is not None:
            self.live_shaders.poll()
        if self.hud is not None and self.readings is not None:
            with self.profiler.section("stats"):
                state = "paused" if self.playback.paused else None
                self.hud.update(state=state, notice=self._notice(), **self._view())
                self.readings.frame(self.host.heightfield)
        with self.profiler.section("draw"):
            if self.live_shaders is not None:
                self.live_shaders.draw(self.host.draw)
            else:
                self.host.draw()

    def _notice(self) -> str | None:
        """What was said last; else what the source has to say, where no panel does."""
        own = None if self.training_panel is not None else self.feed.notice
        return self.actions.notice or own

    def _view(self) -> dict[str, str | None]:
        """What the trails' colours mean, and which of two looks is shown, in words."""
        compare, config = self.host.compare, self.config
        trails = {"trails": self.host.programs.trail_colour}
        if compare is None or self.second is None:
            return trails
        trails["trails_b"] = self.second.wearer.programs.trail_colour
        names = two_looks.names(config.shaders, config.ab)
        return trails | two_looks.texts(compare.view.mode, names, compare.view.gain)

    def screenshot(self) -> NDArray[np.uint8]:
        """The last frame drawn, (height, width, 3) uint8, top row first.

        Texts change only now and then; in a picture they are those of its step. Where there is no
        frame yet, it is of the surface alone.
        """
        if not self.host.drawn:
            self.draw()
        if self.readings is not None and self.readings.stale:
            self.readings.refresh(self.host.heightfield)
            self.host.draw()
        return self.host.screenshot()

    def run(self, each_frame: Callable[[], Any] = lambda: None) -> None:
        """Step until the window is closed or the frames asked for are drawn.

        `each_frame` is called after each. Without a window and a number, it ends after 300; or with
        a source that failed. While paused, frames are drawn but do not count.
        """
        frames = self.config.frames
        if frames is None and not self.host.has_window:
            frames = HEADLESS_FRAMES
        while not self.host.closed and (frames is None or self.frames < frames):
            if self.playback.take():
                self.step()
            else:
                self.draw()
            each_frame()
            if self.feed.failure is not None and not self.host.has_window:
                break

    def start_training(self) -> Path:
        """Train in a process of its own from now on, and show what it learns; the run's folder.

        Raises UserError where a run cannot be written, or resumed, and for a second training.
        """
        if self.simulation is None:
            raise UserError("start_training: a source that was given is shown as it is")
        if self.live is not None:
            raise UserError(f"{self.live.run.folder} is trained here: make another application")
        from calf_viz.sources.training import begin

        config, simulation = self.config, self.simulation
        self.host.make_room(self.n_agents + 1)  # the one in training
        rate = steps_per_second(config.train_rate, simulation.system.dt)
        self.live = begin(
            self.training, simulation, config.runs, config.resume, rate, config.detach
        )
        raster_threads.release()  # the training keeps a core busy
        self.training = self.live.run.config
        simulation.memory.reset()
        self._show_source(self.live)
        self.show_critic(restart=True)
        self.host.frame_surface()
        if self.hud is not None:
            self.readings = self._open_readings(self.hud)
            board, colours = self.live.process.board, self.host.scene.mode_colours
            self.training_panel = TrainingPanel(self.hud, self.stats, board, colours, self.training)
        return self.live.run.folder

    def train(self, each_frame: Callable[[], Any] = lambda: None) -> None:
        """`start_training`, then `run`; the training ends with it, unless it is to be detached."""
        self.start_training()
        try:
            self.run(each_frame)
        finally:
            self.stop_training()

    @unowned
    def stop_training(self) -> None:
        """End a training with a checkpoint, or let it go on where the configuration says detach."""
        if self.live is not None:
            self.live.close()

    @unowned
    def _close_source(self) -> None:
        if "feed" in self.__dict__:
            self.feed.close()

    @property
    @unowned
    def failure(self) -> str | None:
        """Why nothing new is shown, in one line: the source failed, or the training died; None
        where neither did."""
        return self.training_failure or self.feed.failure

    @property
    @unowned
    def training_failure(self) -> str | None:
        """Why the training died, in one line; None where it did not."""
        return self.live.failure if self.live is not None else None

    def __enter__(self) -> Self:
        self.owner.check("with")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _in_force(config: VisualizationConfig) -> VisualizationConfig:
    """A copy: what is assigned to the original is for applications made later; and what would come
    too late here is refused."""
    late = "this application is made; close it, and make one of config.changed({name}=...)"
    reasons = {f.name: late.format(name=f.name) for f in options() if f.name not in ASKED_ANEW}
    return config.kept({**reasons, "n_agents": "set the application's own, app.n_agents"})
