"""What picking agents adds to a frame: under a mouse that moves, by a click in each frame, and with
the panel that says why.

    python tools/bench_picking.py [--rounds 40] [--agents 100] [--trail 600]

Blocks of frames of each case alternate in one run of one application, simulation included, each
frame waited for; ratios of the blocks' means, medians over all rounds. A mouse that moves asks for
another pixel in each frame; where the CPU draws, the program answers every eighth.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import click
import numpy as np
from rich.table import Table

from calf_viz.console import tables
from calf_viz.hosts.picking import HOVER_EVERY, Asked
from calf_viz.run_command import run_command
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.config import VisualizationConfig

CASES = ("off", "mouse moves", "click in each frame", "panel", "panel with why")
BLOCK = 2 * HOVER_EVERY
"""Frames of a block, so that each has as many pickings."""


@dataclass
class Measured:
    """Mean time of a frame [ms] in each block, by case."""

    renderer: str
    times: dict[str, list[float]]

    def median(self, case: str) -> float:
        return float(np.median(self.times[case]))

    def ratio(self, case: str) -> float:
        """To the blocks without, round by round."""
        pairs = zip(self.times[case], self.times["off"], strict=True)
        return float(np.median([one / off for one, off in pairs]))


def measure(rounds: int, agents: int, trail: int) -> Measured:
    """Alternate the cases."""
    config = VisualizationConfig(n_agents=agents, trail_length=trail, headless=True)
    times: dict[str, list[float]] = {case: [] for case in CASES}
    with CALFApplication(config) as app:
        for _ in range(trail + BLOCK):
            app.advance()
        app.step()
        width, height = app.host.scene.size
        for number in range(rounds + 1):  # the first compiles the shader of numbers
            for case in CASES:
                app.config.chosen = agents // 2 if case.startswith("panel") else None
                app.config.why = case == "panel with why"
                app.draw()
                start = time.perf_counter()
                for frame in range(BLOCK):
                    if case in ("mouse moves", "click in each frame"):
                        x, y = (37 * frame) % width, (23 * frame) % height
                        app.host.picks.ask(Asked(x, y, case == "click in each frame"))
                    app.step()
                if number:
                    times[case].append(1e3 * (time.perf_counter() - start) / BLOCK)
                app.picker.let_go()
                app.host.picks.leave()
        return Measured(app.host.renderer, times)


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--rounds", default=40, show_default=True, help="Blocks of each case.")
@click.option("--agents", default=100, show_default=True)
@click.option("--trail", default=600, show_default=True, help="Steps of a trail.")
def main(rounds: int, agents: int, trail: int) -> None:
    found = measure(rounds, agents, trail)
    table = Table(title=f"{agents} agents, trails of {trail}; {found.renderer}")
    for name in ("case", "frame", "of a frame without"):
        table.add_column(name, justify="left" if name == "case" else "right")
    for case in CASES:
        table.add_row(case, f"{found.median(case):.2f} ms", f"{found.ratio(case):.3f}")
    tables(80).print(table)


if __name__ == "__main__":
    run_command(main, "bench_picking", "bench_picking: ")
