"""The application: a simulation, the critic's surface, and a host that draws them."""

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
from calf_viz.agent.config import TrainingConfig
from calf_viz.agent.modes import NAMES
from calf_viz.agent.run_config import read_config
from calf_viz.agent.threads import one_thread
from calf_viz.agent.whole_imports import whole_imports
from calf_viz.app_config import AppConfig
from calf_viz.config import VisualizationConfig, options
from calf_viz.console import as_options
from calf_viz.errors import UserError
from calf_viz.heightfield import Grid, Heightfield, plane_nodes
from calf_viz.hosts import display_found, raster_threads
from calf_viz.hosts.context import Owned, unowned
from calf_viz.hosts.programs import MESHES
from calf_viz.hud import two_looks
from calf_viz.hud.control_panel import ControlPanel
from calf_viz.hud.hud import Hud
from calf_viz.hud.keys import by_action, event_name, help_line
from calf_viz.hud.overview import overview
from calf_viz.hud.shape import packed
from calf_viz.hud.trail_legend import TrailLegend, speed_unit
from calf_viz.live.rate import steps_per_second
from calf_viz.playback import Playback
from calf_viz.profiling.profiler import Description, PerformanceProfiler
from calf_viz.readings import Readings
from calf_viz.render import variants
from calf_viz.render.colours import COLOUR_MAP, colour_map, mode_colours
from calf_viz.render.scene import Certificate, Scene
from calf_viz.render.sources import ShaderLibrary
from calf_viz.renderers.toggles import overridden
from calf_viz.samples import Samples
from calf_viz.simulation import Simulation
from calf_viz.stats_cache import StatsCache
from calf_viz.trial.examiner import Examiner
from calf_viz.trial.trials import Trials
from calf_viz.trial.trust import needs_trials
from calf_viz.workbench import parts
from calf_viz.workbench.live import LiveShaders
from calf_viz.workbench.look import WornLook, set_controls
from calf_viz.workbench.rehearsal import rehearse

if TYPE_CHECKING:
    from calf_viz.agent.calf import CALFAgent
    from calf_viz.hosts.geometry import GeometryMaker
    from calf_viz.hosts.panda import PandaHost
    from calf_viz.hosts.programs import Trial
    from calf_viz.live.follower import Follower

log = logging.getLogger("calf_viz")

GRID_SOFTWARE, GRID_GPU = 40, 192
"""Cells of the surface a side: the CPU pays for every triangle, a GPU does not care."""
RING_PER_TRAIL = 4
"""Slots of the ring per step of the trail drawn, so that one can look back with whole trails."""
HEADLESS_FRAMES = 300
FRAMES_KEPT = 10_000
"""Newest frames whose times are kept: a window may stay open for weeks."""
SAID_FOR = 4.0
"""Seconds that a notice stays."""
SCREENSHOT_FRAMES = (60, 240, 600)
ASKED_ANEW = ("frames", "chosen")
"""Settings that a running application looks at when it needs them; the others it was made with."""


class CALFApplication(Owned):
    """Agents that follow a trained policy on their critic's surface.

        with CALFApplication(config=VisualizationConfig.from_preset("medium")) as app:
            app.run()

    The thread that made it uses it, until it is closed; UserError else.

    Attributes:
        config: what is in force, a copy of what was asked for; `frames` and `chosen` may be
            assigned, and the rest is what it was made with.
        simulation: the agents.
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
    ) -> None:
        """config: an `AppConfig` says what to train too.

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
        self.config = _in_force(config)
        # Shaders are tried in a child before this process compiles them; it starts while torch is
        # imported.
        self._trials = Trials(Examiner(config.renderer or "gpu"))
        self.closing.callback(self._trials.close)
        if needs_trials(config.shaders, config.defines) or needs_trials(config.ab):
            self._trials.warm()
        with whole_imports():
            from calf_viz.agent import shipped

        # Rows for a few agents are too small to share; and what one thread adds up, it always
        # adds up in the same order.
        self.closing.enter_context(one_thread())
        self.closing.callback(self._untie)
        system = systems.get(config.system)
        unasked = config.train or config.policy == "nominal"
        self.agent = (
            shipped.stand_in(system, config.seed)
            if unasked and config.checkpoint is None
            else shipped.load(system, config.checkpoint)
        )
        self.live: Follower | None = None
        library, second = _libraries(config)
        drawn = ("field",) if config.renderer == "gpu" else MESHES
        rehearse(drawn, library, second, config.set, config.colour_map)
        self.host = _open_host(config, library, system.marker, self._trials)
        self.closing.callback(self.host.close)
        self.closing.callback(self.stop_training)
        self.look = WornLook(self.host, config.colour_map)
        self.second = None if second is None else self._open_second(second)
        set_controls(config.set, self.look, self.second)
        self.host.scene.certificate = _certificate(self.agent, config.slice)
        self._said = "", 0.0  # the last notice, and until when it stays
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
        actions = self._bind_keys()
        self.hud = self._open_hud(help_line(actions)) if config.hud else None
        # After the host, which knows how many agents fit.
        self._begin(profiler or PerformanceProfiler(enabled=False))
        self.show_critic()
        self.host.frame_surface()
        watch = self.host.has_window if config.watch is None else config.watch
        looks = [look for look in (self.look, self.second) if look is not None]
        self.live_shaders = LiveShaders(self.host, looks, self._trials) if watch else None
        if self.live_shaders is not None:
            self.closing.callback(self.live_shaders.close)
        else:
            self._trials.close()
        if self.hud is not None and self.second is not None:
            two_looks.name_looks(self.hud)
        if self.hud is not None and self.host.has_window:
            saves = f"{by_action('save_look').events[0]} saves"
            panels = [ControlPanel(self.host.controls, hint=saves)]
            if self.second is not None:
                panels[0].title, panels[0].look = "look A", "A"
                controls = self.second.wearer.controls
                panels.append(ControlPanel(controls, "controls_b", "look B", saves, "B"))
            for panel in panels:
                self.hud.add(panel, before="keys")  # where both do not fit, keys are in the docs

    def _begin(self, profiler: PerformanceProfiler) -> None:
        config = self.config
        self.profiler = self.host.profiler = profiler
        profiler.describe = self._describe
        self.simulation = Simulation(
            self.agent, config.n_agents, config.seed, config.policy, config.p_relax, profiler
        )
        self.frames = 0
        self.frame_times: deque[float] = deque(maxlen=FRAMES_KEPT)
        self.stats.mark_dirty()
        self.readings = None
        if self.hud is not None:
            timed = self.host.has_window
            self.readings = Readings(self.hud, self.stats, self._mean_value, timed)

    def _untie(self) -> None:
        """What leads back to the application is let go, so that it goes with the last who holds it;
        what its profiler measured can still be saved."""
        self.__dict__.get("_actions", {}).clear()
        self.readings = None
        if "live_shaders" in self.__dict__:  # else it never was whole
            described = self._describe()
            self.profiler.describe = lambda: described

    def _open_second(self, library: ShaderLibrary) -> WornLook:
        config = self.config
        colours = colour_map(config.colour_map or COLOUR_MAP)
        return WornLook(self.host.set_second(library, colours), config.colour_map)

    def _bind_keys(self) -> set[str]:
        """Give the host what its keys do; the actions that it has keys for."""
        actions: dict[str, Callable[[], None]] = {
            "pause": self._unless_measuring(self.playback.toggle),
            "single_step": self._unless_measuring(self.playback.single_step),
            "export_profile": self._unless_measuring(self._export_profile),
            "toggle_profiler": self._unless_measuring(self._toggle_profiler),
            "reset_profiler": self._unless_measuring(self._reset_profiler),
        }
        self._actions = actions
        if self.config.hud:
            actions["toggle_hud"] = self._toggle_hud
        if self.look.path is not None or self.second is not None:
            actions["save_look"] = self._save_look
        if self.host.compare is not None:
            actions["next_view"] = self.host.compare.view.next
        return self.host.bind_keys(actions)

    def _open_hud(self, keys: list[tuple[str, str]]) -> Hud:
        system = self.agent.system
        hud = overview(
            system.name.replace("_", " "),
            NAMES,
            self.host.scene.mode_colours,
            system.plane.labels,
            keys,
        )
        hud.add(self._trail_legend(), before="critic")
        self.host.set_hud(hud)
        return hud

    def _trail_legend(self) -> TrailLegend:
        system, scene = self.agent.system, self.host.scene
        colours = [packed(tuple(colour[:3].tolist())) for colour in scene.mode_colours]
        return TrailLegend(
            colours[variants.CERTIFIED],
            colours[variants.REFUSED],
            duration=scene.trail * system.dt,
            crossing=(system.plane.hi[0] - system.plane.lo[0]) / system.dt,
            unit=speed_unit(system.plane.labels),
        )

    def _toggle_hud(self) -> None:
        if self.hud is not None:
            self.hud.visible = not self.hud.visible

    def _save_look(self) -> None:
        said = []
        for look in (self.look, self.second):
            if look is None or look.path is None:
                continue
            try:
                look.save()
            except UserError as error:
                said.append(str(error))
            else:
                said.append(f"values written: {look.path}")
        self._say("; ".join(said))

    def _unless_measuring(self, action: Callable[[], None]) -> Callable[[], None]:
        """What a key does, while it would spoil nothing."""

        def act() -> None:
            if self.measuring:
                self._say("not while frames are measured")
            else:
                action()

        return act

    def _toggle_profiler(self) -> None:
        self.profiler.enabled = not self.profiler.enabled
        self._say("profiler on" if self.profiler.enabled else "profiler off")

    def _reset_profiler(self) -> None:
        self.profiler.reset()
        self._say("profiler: measuring anew" if self.profiler.enabled else "profiler emptied")

    def _export_profile(self) -> None:
        """Write what was measured so far; a key that cannot is no reason to stop the program."""
        if not self.profiler.enabled and not len(self.profiler.run()):
            key = event_name(by_action("toggle_profiler").events[0])
            self._say(f"the profiler is off: {key} switches it on")
            return
        path = self.profiles / f"{self.profile_stem()}.json"
        try:
            self.profiler.save_json(path)
        except UserError as error:
            self._say(str(error))
        else:
            self._say(f"profile written: {path}")

    def profile_stem(self) -> str:
        """Name of a profile's file made now, without its ending."""
        when = datetime.now().strftime("%Y%m%d_%H%M%S")
        return f"{self.config.system}_n{self.n_agents}_{self.host.design}_{when}"

    def _say(self, text: str) -> None:
        on_screen = self.hud is not None and self.hud.visible
        log.log(logging.INFO if on_screen else logging.WARNING, text)
        self._said = as_options(text), time.monotonic() + SAID_FOR

    def restart(self, profiler: PerformanceProfiler | None = None) -> None:
        """Begin anew, with the same seed and without samples; agent, host and camera stay.

        profiler: measures from now on; without one, the present one goes on.
        """
        self.host.restart()
        self._begin(profiler or self.profiler)

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
        plane, config = self.agent.system.plane, self.config
        cells = config.grid or (GRID_SOFTWARE if self.host.software else GRID_GPU)
        with self.profiler.section("heatmap"):
            if not config.critic_on_gpu:
                self.profiler.count("critic_queries")
                self.host.set_heightfield(self._surface(self.agent, cells), restart=restart)
                return
            from calf_viz.live.networks import critic_networks

            networks = critic_networks(self.agent, config.slice)
            self.host.evaluate_critic(networks, Grid((cells + 1, cells + 1), plane.lo, plane.hi))
            while not self.host.continue_critic(restart=restart):
                pass

    def _mean_value(self) -> float:
        self.profiler.count("critic_queries")
        return float(np.mean(self.agent.lyapunov(self.simulation.states)))

    def _surface(self, agent: CALFAgent, cells: int) -> Heightfield:
        """The Lyapunov candidate on the plane shown, from one batched pass of the networks."""
        plane, config = agent.system.plane, self.config
        nodes = plane_nodes(plane.lo, plane.hi, cells + 1, cells + 1)
        values = agent.lyapunov(agent.system.plane_states(nodes, config.slice))
        return Heightfield(values.reshape(cells + 1, cells + 1), plane.lo, plane.hi)

    @property
    def n_agents(self) -> int:
        """Agents that take part; may be set while running, the ring grows by itself.

        Setting it raises UserError for a number that makes no sense or does not fit the driver's
        textures; as many as before go on then.
        """
        return len(self.simulation)

    @n_agents.setter
    def n_agents(self, n_agents: int) -> None:
        config = self.config.changed(n_agents=n_agents)
        try:
            self.host.make_room(n_agents + (self.live is not None))
            self.simulation.resize(n_agents)
        except MemoryError:
            raise UserError(f"not enough memory for {n_agents} agents: give fewer") from None
        if n_agents != self.config.n_agents:
            self.profiler.reset()  # a profile is of one number of agents
        self.config = _in_force(config)

    def advance(self) -> None:
        """One step of the simulation, not drawn."""
        self._push(self.simulation.step())

    def step(self) -> None:
        """One step of the simulation and one frame."""
        profiler, host = self.profiler, self.host
        if self.live is not None and self.playback.paused:
            self.live.process.single_step()  # it is taken on both sides
        with profiler.frame():
            samples = self.simulation.step()
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

    def _push(self, samples: Samples) -> None:
        with self.profiler.section("upload"):
            self.host.push(samples if self.live is None else self.live.join(samples))
        self._tell_certificate()
        if self.readings is not None:
            self.readings.see(samples)

    def _tell_certificate(self) -> None:
        """What the chosen agent's certificate asks, for shaders that show it."""
        memory, asked = self.simulation.memory, self.host.scene.certificate
        asked.chosen = chosen = min(self.config.chosen, len(memory) - 1)
        asked.q_plus = float(memory.q_plus[chosen]) if memory.has_triple[chosen] else None

    def draw(self) -> None:
        """One frame of what there is."""
        if self.live is not None:
            self.live.frame(self.playback.paused)
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
        text, until = self._said
        return text if time.monotonic() < until else None

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

        `each_frame` is called after each. Without a window and a number, it ends after 300. While
        paused, frames are drawn but do not count.
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

    def start_training(self) -> Path:
        """Train in a process of its own from now on, and show what it learns; the run's folder.

        Raises UserError where a run cannot be written, or resumed, and for a second training.
        """
        from calf_viz.live.session import begin

        if self.live is not None:
            raise UserError(f"{self.live.run.folder} is trained here: make another application")
        config = self.config
        self.host.make_room(self.n_agents + 1)  # the one in training
        rate = steps_per_second(config.train_rate, self.agent.system.dt)
        self.live = begin(
            self.training, self.agent, self.host, config.runs, config.resume, rate, config.slice,
            config.morph_frames, config.critic_on_gpu, config.detach,
        )  # fmt: skip
        raster_threads.release()  # the training keeps a core busy
        self.training = self.live.run.config
        self.simulation.memory.reset()
        self.show_critic(restart=True)
        self.host.frame_surface()
        if self.hud is not None:
            self.live.add_panel(self.hud, self.stats)
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


def _certificate(agent: CALFAgent, slice_value: float) -> Certificate:
    constants, system = agent.info.constants, agent.system
    origin = system.plane_states(np.zeros((1, 2)), slice_value)
    return Certificate(
        constants=(constants.nu_bar, constants.c_low, constants.c_up),
        hidden_square=float(system.norm(origin)[0]) ** 2,
    )


def _libraries(config: VisualizationConfig) -> tuple[ShaderLibrary, ShaderLibrary | None]:
    """The shaders of the look, and of the one beside it, if any."""
    waits = config.watch is True
    first = parts.library(config.shaders, "`shaders`", config.defines, waits)
    if config.ab is None:
        return first, None
    return first, parts.library(config.ab, "`ab`", config.defines, waits)


def _open_host(
    config: VisualizationConfig, library: ShaderLibrary, marker: str, trial: Trial
) -> PandaHost:
    scene = Scene(
        size=config.size,
        trail=config.trail_length,
        stride=config.stride,
        height_scale=config.height_scale,
        marker=marker,
        mode_colours=mode_colours(config.palette),
    )
    colours = colour_map(config.colour_map or COLOUR_MAP)
    slots = RING_PER_TRAIL * config.trail_length
    geometry = _geometry(config)
    if not config.headless and display_found():
        from calf_viz.hosts.window import WindowHost

        vsync = not config.no_vsync
        return WindowHost(
            scene, None, colours, config.n_agents, library, slots, geometry, vsync, trial
        )
    from calf_viz.hosts.offscreen import OffscreenHost

    try:
        return OffscreenHost(scene, None, colours, config.n_agents, library, slots, geometry, trial)
    except MemoryError:
        raise UserError(f"not enough memory for {config.n_agents} agents: give fewer") from None


def _geometry(config: VisualizationConfig) -> GeometryMaker:
    from calf_viz.renderers.choice import geometry

    told = overridden(config.toggles)
    if told:
        log.warning(told)
    assert config.renderer is not None  # the toggles decided
    return geometry(config.renderer, config.use_vectorized_heights)
