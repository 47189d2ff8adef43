"""Opens what a configuration specifies: agent, host, simulation, training."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from calf_viz import systems
from calf_viz.agent.torch_import import whole_imports
from calf_viz.errors import UserError, shown
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.heightfield import Grid
from calf_viz.hosts import display_found
from calf_viz.hosts.base import Host
from calf_viz.hosts.setup import Setup
from calf_viz.scene.colours import colour_map, mode_colours
from calf_viz.scene.frame import Frame
from calf_viz.scene.scene import Scene
from calf_viz.scene.theme import theme_for
from calf_viz.sources.rate import steps_per_second
from calf_viz.sources.simulation import Simulation
from calf_viz.systems.hidden_states import hidden_values
from calf_viz.training.config import TrainingConfig
from calf_viz.training.run_config import read_config
from calf_viz.view import View
from calf_viz.viewer.app_config import AppConfig
from calf_viz.viewer.config import VisualizationConfig
from calf_viz.viewer.designs import overridden
from calf_viz.viewer.stats_cache import StatsCache

if TYPE_CHECKING:
    from calf_viz.agent.calf import CALFAgent
    from calf_viz.glsl.programs import Trial
    from calf_viz.hosts.panda.geometry import GeometryMaker
    from calf_viz.profiling.profiler import PerformanceProfiler
    from calf_viz.sources.training import Training

log = logging.getLogger("calf_viz")

HostMaker = Callable[[Setup], Host]
"""A host's class, or a factory."""
GRID_SOFTWARE, GRID_GPU = 40, 192
"""Cells of the surface per side, in pictures up to 720 high: triangles are expensive in software,
not on a GPU."""
MOST_SOFTWARE, MOST_GPU = 120, 256
"""The same in large ones, where the same cells show as corners of contours; more would delay a
training, whose trainer evaluates its critic on this grid."""
GRID_STEP = 20
"""In software their number grows by so many, so that few sizes of a window need another surface."""


def grid_for(host: Host, view: View, config: VisualizationConfig, still: bool = False) -> Grid:
    """The nodes on which a critic is evaluated. still: for single pictures, which may take a while,
    so that a software renderer gets as many as a GPU."""
    cells = config.grid or _cells(host, still)
    return Grid((cells + 1, cells + 1), view.lo, view.hi)


def _cells(host: Host, still: bool) -> int:
    scale = host.scene.line_scale
    if host.software and not still:
        return min(GRID_STEP * round(GRID_SOFTWARE * scale / GRID_STEP), MOST_SOFTWARE)
    return min(round(GRID_GPU * scale), MOST_GPU)


def setup(config: VisualizationConfig, library: ShaderLibrary, view: View, trial: Trial) -> Setup:
    """The setup of a host, without the surface."""
    theme = theme_for(config.theme, view.deviations)
    scene = Scene(
        size=config.size,
        frame=Frame.of(view),
        trail=config.trail_length,
        stride=config.stride,
        height_scale=config.height_scale,
        marker=view.marker,
        goal=view.goal_ellipse,
        modes=len(view.modes),
        margins=view.margins,
        deviations=view.deviations,
        mode_colours=mode_colours(config.palette, view, theme.palettes),
        theme=theme,
        background=theme.background,
        hud_scale=config.hud_scale,
    )
    colours = colour_map(config.colour_map or theme.colour_map)
    return Setup(scene, colours, config.n_agents, library=library, trial=trial)


def open_host(setup: Setup, config: VisualizationConfig) -> Host:
    """A window if there is a display, unless headless. Raises UserError for a driver or shaders
    that cannot be used."""
    geometry = _geometry(config)
    if not config.headless:
        if display_found():
            from calf_viz.hosts.panda.window import WindowHost

            return WindowHost(setup, geometry, vsync=not config.no_vsync)
        log.warning("no display: drawing without a window (`headless=True` does so anywhere)")
    from calf_viz.hosts.panda.offscreen import OffscreenHost

    try:
        return OffscreenHost(setup, geometry)
    except MemoryError:
        raise UserError(f"not enough memory for {config.n_agents} agents: give fewer") from None


def _geometry(config: VisualizationConfig) -> GeometryMaker:
    from calf_viz.hosts.panda.older.choice import geometry

    warning = overridden(config.toggles)
    if warning:
        log.warning(warning)
    assert config.renderer is not None  # set by the toggles
    return geometry(config.renderer, config.use_vectorized_heights)


def load_agent(config: VisualizationConfig) -> CALFAgent:
    """The agent to show. Raises UserError for a checkpoint that cannot be used."""
    with whole_imports():
        from calf_viz.agent import shipped_agents as shipped

    system = systems.get(config.system)
    unasked = config.train or config.policy == "nominal"
    if unasked and config.checkpoint is None:
        if not config.train and system.name not in shipped.trained():
            log.info(
                "no agent comes with %s: its surface is that of untrained networks", system.name
            )
        return shipped.stand_in(system, config.seed)
    return shipped.load(system, config.checkpoint)


def agent_text(config: VisualizationConfig, training: bool) -> str:
    """Which agent is shown and what decides for it, in a few words: "calf, trained"."""
    with whole_imports():
        from calf_viz.agent import shipped_agents as shipped

    if training:
        agent = "in training"
    elif config.checkpoint is not None:
        agent = shown(config.checkpoint.name)
    else:
        agent = "trained" if config.system in shipped.trained() else "untrained"
    return f"{config.policy}, {agent}"


def to_train(config: VisualizationConfig | AppConfig) -> tuple[VisualizationConfig, TrainingConfig]:
    """What to show, and what `train` trains, as determined by the run to be resumed, if any."""
    if isinstance(config, AppConfig):
        return config.visualization, config.training
    if config.resume is not None:
        return config, read_config(config.resume)
    return config, TrainingConfig.from_preset(system=config.system, seed=config.seed)


def simulate(
    agent: CALFAgent, config: VisualizationConfig, grid: Grid, profiler: PerformanceProfiler
) -> Simulation:
    """The simulation of a configuration. grid: of the surface, unless the GPU evaluates it."""
    made = Simulation(agent, config.n_agents, config.seed, config.policy, config.p_relax, profiler)
    made.hidden = hidden_values(agent.system, config.slice)
    made.grid = None if config.critic_on_gpu else grid
    return made


def begin_training(
    training: TrainingConfig, simulation: Simulation, config: VisualizationConfig
) -> Training:
    """A watched training. Raises UserError as `sources.training.begin`."""
    from calf_viz.sources.training import begin

    rate = steps_per_second(config.train_rate, simulation.system.dt)
    return begin(training, simulation, config.runs, config.resume, rate, config.detach)


def stats_cache(config: VisualizationConfig) -> StatsCache:
    """The update intervals of texts."""
    texts = config.stats_text_update_freq
    return StatsCache(
        {
            "value": config.stats_q_value_update_freq,
            "texts": texts,
            "training": texts,
            "fps": config.stats_profiler_update_freq,
        },
        enabled=config.use_stats_cache,
    )
