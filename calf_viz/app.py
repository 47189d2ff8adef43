"""The application: a simulation, the critic's surface, and a host that draws them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calf_viz import systems
from calf_viz.config import VisualizationConfig
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.hosts import display_found
from calf_viz.profiling.profiler import Description, PerformanceProfiler
from calf_viz.render.colours import colour_map, mode_colours
from calf_viz.render.scene import Scene
from calf_viz.render.sources import ShaderLibrary
from calf_viz.simulation import Simulation

if TYPE_CHECKING:
    from calf_viz.agent.calf import CALFAgent
    from calf_viz.hosts.panda import PandaHost

GRID_SOFTWARE, GRID_GPU = 64, 192
"""Cells of the surface a side: the CPU pays for every triangle, a GPU does not care."""
RING_PER_TRAIL = 4
"""Slots of the ring per step of the trail drawn, so that one can look back with whole trails."""
HEADLESS_FRAMES = 300
SCREENSHOT_FRAMES = (60, 240, 600)


class CALFApplication:
    """Agents that follow a trained policy on their critic's surface.

        app = CALFApplication(config=VisualizationConfig.from_preset("medium"))
        app.run()

    Attributes:
        config: what was asked for.
        simulation: the agents.
        host: what draws them; `host.scene` holds camera and sizes.
        profiler: measures the frames of `step`, simulation included; off unless given.
        frame_times: seconds that each frame drawn by `step` took, simulation apart.
    """

    def __init__(
        self,
        config: VisualizationConfig | None = None,
        profiler: PerformanceProfiler | None = None,
    ) -> None:
        """Raises UserError for a checkpoint, shaders or a driver that cannot be used."""
        import torch

        from calf_viz.agent import checkpoint
        from calf_viz.agent.calf import CALFAgent

        # Rows for a few agents are too small to share; and what one thread adds up, it always
        # adds up in the same order.
        torch.set_num_threads(1)
        self.config = config = config or VisualizationConfig()
        system = systems.get(config.system)
        file = config.checkpoint or checkpoint.shipped(system.name)
        self.agent = CALFAgent.load(file, system)
        self.host = _open_host(config, system.marker)
        # After the host, which knows how many agents fit.
        self._begin(profiler or PerformanceProfiler(enabled=False))
        self.show_critic()

    def _begin(self, profiler: PerformanceProfiler) -> None:
        config = self.config
        self.profiler = self.host.profiler = profiler
        profiler.describe = self._describe
        self.simulation = Simulation(
            self.agent, config.n_agents, config.seed, config.policy, config.p_relax, profiler
        )
        self.frame_times: list[float] = []

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

    def show_critic(self) -> None:
        """Compute the surface of the critic as it is now, and draw that from now on."""
        with self.profiler.section("heatmap"):
            self.profiler.count("critic_queries")
            self.host.set_heightfield(self._surface(self.agent))

    def _surface(self, agent: CALFAgent) -> Heightfield:
        """The Lyapunov candidate on the plane shown, from one batched pass of the networks."""
        plane, config = agent.system.plane, self.config
        cells = config.grid or (GRID_SOFTWARE if self.host.software else GRID_GPU)
        nodes = plane_nodes(plane.lo, plane.hi, cells + 1, cells + 1)
        values = agent.lyapunov(agent.system.plane_states(nodes, config.slice))
        return Heightfield(values.reshape(cells + 1, cells + 1), plane.lo, plane.hi)

    @property
    def n_agents(self) -> int:
        """Agents that take part; may be set while running, the ring grows by itself."""
        return len(self.simulation)

    @n_agents.setter
    def n_agents(self, n_agents: int) -> None:
        self.config = self.config.changed(n_agents=n_agents)
        self.simulation.resize(n_agents)

    def advance(self) -> None:
        """One step of the simulation, not drawn."""
        self.host.push(*self.simulation.step())

    def step(self) -> None:
        """One step of the simulation and one frame."""
        profiler, host = self.profiler, self.host
        with profiler.frame():
            samples = self.simulation.step()
            start = time.perf_counter()
            with profiler.section("upload"):
                host.push(*samples)
            if profiler.enabled:
                host.time_next_frame(profiler.frame_number)
            with profiler.section("draw"):
                host.draw()
            self.frame_times.append(time.perf_counter() - start)
            profiler.count_all(host.frame_counts())
        for number, seconds in host.gpu_times():
            profiler.set_gpu_time(number, seconds)

    def screenshot(self) -> NDArray[np.uint8]:
        """The last frame drawn, (height, width, 3) uint8, top row first."""
        return self.host.screenshot()

    def run(self, each_frame: Callable[[], Any] = lambda: None) -> None:
        """Step until the window is closed or the frames asked for are drawn.

        `each_frame` is called after each. Without a window and a number, it ends after 300.
        """
        frames = self.config.frames
        if frames is None and not self.host.has_window:
            frames = HEADLESS_FRAMES
        while not self.host.closed and (frames is None or len(self.frame_times) < frames):
            self.step()
            each_frame()

    def close(self) -> None:
        """Give window and driver back."""
        self.host.close()


def _open_host(config: VisualizationConfig, marker: str) -> PandaHost:
    scene = Scene(
        size=config.size,
        trail=config.trail_length,
        stride=config.stride,
        height_scale=config.height_scale,
        marker=marker,
        mode_colours=mode_colours(config.palette),
    )
    colours = colour_map(config.colour_map)
    library = ShaderLibrary(config.shaders)
    slots = RING_PER_TRAIL * config.trail_length
    if not config.headless and display_found():
        from calf_viz.hosts.window import WindowHost

        vsync = not config.no_vsync
        return WindowHost(scene, None, colours, config.n_agents, library, slots, vsync)
    from calf_viz.hosts.offscreen import OffscreenHost

    try:
        return OffscreenHost(scene, None, colours, config.n_agents, library, slots)
    except MemoryError:
        raise UserError(f"not enough memory for {config.n_agents} agents: give fewer") from None
