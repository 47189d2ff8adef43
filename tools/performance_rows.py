"""The performance report's rows: renderers that take turns, and what a frame of each costs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from undrawn import draws_nothing

from calf_viz import CALFApplication, PerformanceProfiler, VisualizationConfig
from calf_viz.cli.profile import DRAWS
from calf_viz.console import bar, on_terminal
from calf_viz.profiling.machine import describe
from calf_viz.viewer.designs import RENDERERS

OUTSIDE = 10_000
"""Number of agents with which `gpu` is also measured outside the driver."""
TURN = 10
"""Frames of one renderer before the next one's turn."""
WARM_UP = 5
SLOWEST = 1000.0
"""Frame time [ms] beyond which per_agent is not tried with more agents."""
COUNTS = {
    "draws": "draws",
    "upload_bytes": "upload [bytes]",
    "critic_queries": "critic queries",
    "mesh_updates": "meshes rebuilt",
    "vertices": "vertices",
    "entities": "entities",
}
Outside = dict[tuple[str, int], float]
"""Times outside the driver by (renderer, agents) [ms]; empty where that cannot be measured."""


@dataclass
class Row:
    """One renderer with one number of agents; times in ms."""

    renderer: str
    agents: int
    frames: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    counts: dict[str, float] = field(default_factory=dict)
    new_critic: float = 0.0
    """Time of a frame in which a new critic's surface arrives."""

    @property
    def median(self) -> float:
        return float(np.median(self.frames))


class Contestant:
    """One renderer's application, with full trails."""

    def __init__(self, renderer: str, agents: int, trail: int) -> None:
        config = VisualizationConfig(
            n_agents=agents, trail_length=trail, renderer=renderer, headless=True
        )
        self.profiler = PerformanceProfiler(warm_up=0)
        self.app = CALFApplication(config, self.profiler)
        self.row = Row(renderer, agents)
        for _ in range(trail):
            self.app.advance()
        self.app.host.draw()
        for _ in range(WARM_UP):
            self.frame()
        self.profiler.reset()

    def frame(self) -> tuple[float, float]:
        """Draws one frame, waited for (there is no window): wall time and processor time [ms]."""
        start, cpu = time.perf_counter(), time.process_time()
        self.app.step()
        return 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - cpu)

    def turn(self, frames: int) -> None:
        for _ in range(frames):
            taken, cpu = self.frame()
            self.row.frames.append(taken)
            self.row.cpu.append(cpu)

    def end(self) -> Row:
        """The row, after one more frame, in which a new critic arrives."""
        stats = self.profiler.get_stats()
        stats["draws"] = sum(stats[f"{name}_per_frame"] for name in DRAWS)
        self.row.counts = {
            name: float(np.nan_to_num(stats.get(f"{name}_per_frame", stats.get(name, 0.0))))
            for name in COUNTS
        }
        start = time.perf_counter()
        self.app.show_critic()
        self.app.step()
        self.row.new_critic = 1e3 * (time.perf_counter() - start)
        self.app.close()
        return self.row


def measure(agents: tuple[int, ...], frames: int, trail: int) -> tuple[list[Row], dict[str, Any]]:
    """All rows, and the machine."""
    rows: list[Row] = []
    machine: dict[str, Any] = {}
    left_out: set[str] = set()
    with bar(shown=on_terminal()) as progress:
        task = progress.add_task("agents", total=len(agents))
        for n in agents:
            names = [name for name in RENDERERS if name not in left_out]
            here = [Contestant(name, n, trail) for name in names]
            host = here[0].app.host
            machine = machine or describe(host.renderer, host.gl_version)
            for _ in range(-(-frames // TURN)):
                for contestant in here:
                    contestant.turn(TURN)
            rows += [contestant.end() for contestant in here]
            left_out |= {r.renderer for r in rows if r.median > SLOWEST}
            progress.advance(task)
    return rows, machine


def outside_driver(renderer: str, agents: int, frames: int, trail: int) -> float | None:
    """Median frame time without the simulation [ms] if the driver draws nothing; else None."""
    app = Contestant(renderer, agents, trail).app
    if not draws_nothing(app):
        return None
    app.frame_times.clear()
    for _ in range(frames):
        app.step()
    return 1e3 * float(np.median(app.frame_times))
