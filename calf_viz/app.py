"""The application: a simulation, the critic's surface, and a host that draws them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calf_viz import systems
from calf_viz.config import VisualizationConfig
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.hosts import display_found
from calf_viz.render.colours import colour_map, mode_colours
from calf_viz.render.scene import Scene
from calf_viz.render.sources import ShaderLibrary
from calf_viz.renderers.toggles import overridden
from calf_viz.simulation import Simulation

if TYPE_CHECKING:
    from calf_viz.agent.calf import CALFAgent
    from calf_viz.hosts.geometry import GeometryMaker
    from calf_viz.hosts.panda import PandaHost

log = logging.getLogger("calf_viz")

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
        frame_times: seconds that each frame drawn by `step` took, simulation apart.
    """

    def __init__(self, config: VisualizationConfig | None = None) -> None:
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
        self.host.set_heightfield(self._surface(self.agent))
        # After the host, which knows how many agents fit.
        self.simulation = Simulation(
            self.agent, config.n_agents, config.seed, config.policy, config.p_relax
        )
        self.frame_times: list[float] = []

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
        samples = self.simulation.step()
        start = time.perf_counter()
        self.host.push(*samples)
        self.host.draw()
        self.frame_times.append(time.perf_counter() - start)

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
    geometry = _geometry(config)
    if not config.headless and display_found():
        from calf_viz.hosts.window import WindowHost

        return WindowHost(scene, None, colours, config.n_agents, library, slots, geometry)
    from calf_viz.hosts.offscreen import OffscreenHost

    try:
        return OffscreenHost(scene, None, colours, config.n_agents, library, slots, geometry)
    except MemoryError:
        raise UserError(f"not enough memory for {config.n_agents} agents: give fewer") from None


def _geometry(config: VisualizationConfig) -> GeometryMaker:
    from calf_viz.renderers.choice import geometry

    told = overridden(config.toggles)
    if told:
        log.warning(told)
    assert config.renderer is not None  # the toggles decided
    return geometry(config.renderer, config.use_vectorized_heights)
