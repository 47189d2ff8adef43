"""What a frame costs from 20 agents to a million, and where its time goes: Python or driver.

    python tools/bench_crowd.py [--output crowd.json] [--rounds 60] [--scene 20x600 ...]

Each scene is drawn by both hosts, with agents that follow the nominal policy on the shipped point
mass's surface. `push` packs a row of positions and hands it over, `draw` submits the draw, `whole`
is both plus the wait for the picture. Under moderngl a draw is not waited for, and every second
frame is timed by the driver's own clock instead (`gpu`). Panda3D waits for each draw, so that its
`draw` includes the time of the picture, and its `whole` also reads the picture back.

Eight steps are repeated, so that those of a million agents fit in memory, and at most 120 are
pushed before anything is timed. The vertices are those of full trails; a longer trail covers fewer
pixels than in bench_frame.py, whose agents keep moving.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from bench_frame import SIZE, machine, steps, surface
from rich.table import Table

from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.cli.option_types import SIZE as SIZE_PARAMETER
from calf_viz.console import tables
from calf_viz.files import write_aside
from calf_viz.hosts.moderngl.host import ModernglHost
from calf_viz.hosts.panda.offscreen import OffscreenHost
from calf_viz.hosts.setup import Setup
from calf_viz.run_command import run_command
from calf_viz.samples import Samples
from calf_viz.scene.colours import colour_map
from calf_viz.scene.scene import Scene
from calf_viz.viewer.opening import GRID_GPU, GRID_SOFTWARE

SCENES = ((20, 600), (1000, 600), (10_000, 100), (100_000, 20), (1_000_000, 5))
HOSTS = {"moderngl": ModernglHost, "panda": OffscreenHost}
STEPS = 8  # different steps, which are repeated
FILLED = 120  # steps pushed before the first frame, at most
WARM = 10  # frames that are not timed


def measure(kind: str, samples: list[Samples], trail: int, rounds: int) -> dict[str, Any]:
    """Medians of a host's frame times [ms], and counts of what is drawn."""
    agents = len(samples[0])
    start = time.perf_counter()
    scene, colours = Scene(size=SIZE, trail=trail), colour_map("cividis")
    host: Any = HOSTS[kind](Setup(scene, colours, agents))
    cells = GRID_SOFTWARE if host.software else GRID_GPU
    host.set_heightfield(surface(cells))
    finish: Callable[[], None] = host.context.finish if kind == "moderngl" else host.finish
    host.push(samples[0])
    host.draw()
    finish()
    opened = time.perf_counter() - start
    for count in range(1, min(trail + WARM, FILLED)):
        host.push(samples[count % len(samples)])
    host.draw()
    finish()
    times: dict[str, list[float]] = {name: [] for name in ("push", "draw", "whole", "gpu")}
    for count in range(WARM + 2 * rounds):
        start = time.perf_counter()
        host.push(samples[count % len(samples)])
        pushed = time.perf_counter()
        if kind == "moderngl" and count % 2:
            query = host.context.query(time=True)
            with query:
                host.draw()
            taken = {"gpu": 1e-9 * query.elapsed}
        else:
            host.draw()
            drawn = time.perf_counter()
            finish()
            whole = time.perf_counter() - start
            taken = {"push": pushed - start, "draw": drawn - pushed, "whole": whole}
        if count >= WARM:
            for name, value in taken.items():
                times[name].append(1e3 * value)
    values = host.uniforms()
    row = {
        "renderer": host.renderer,
        "cells": cells,
        "stride": values["u_stride"],
        "vertices": values["u_vertices"] * host.instances(values),
        "upload_bytes": host.layout.row_bytes,
        "opened_ms": 1e3 * opened,
        **{f"{name}_ms": float(np.median(taken)) for name, taken in times.items() if taken},
    }
    host.close()
    return row


@click.command()
@click.option("--output", type=GIVEN_PATH, help="JSON file to write.")
@click.option(
    "--rounds", default=30, show_default=True, type=click.IntRange(1), help="Frames of each kind."
)
@click.option("--scene", "scenes", multiple=True, type=SIZE_PARAMETER, metavar="AGENTSxTRAIL",
              help="May be repeated.")  # fmt: skip
def main(output: Path | None, rounds: int, scenes: tuple[tuple[int, int], ...]) -> None:
    """Measure what a frame costs from 20 agents to a million."""
    rows: list[dict[str, Any]] = []
    for agents, trail in scenes or SCENES:
        samples = steps(agents, STEPS, "nominal")
        hosts = {kind: measure(kind, samples, trail, rounds) for kind in HOSTS}
        rows.append({"agents": agents, "trail": trail, **hosts})
    heads = ("agents", "trail", "vertices", "push", "draw", "gpu", "whole", "Panda3D: push", "draw")
    table = Table(title=f"{rows[0]['moderngl']['renderer']}, {SIZE[0]}x{SIZE[1]}, medians [ms]")
    for head in heads:
        table.add_column(head, justify="right")
    for row in rows:
        ours, panda = row["moderngl"], row["panda"]
        figures = (*(ours[f"{name}_ms"] for name in ("push", "draw", "gpu", "whole")),
                   panda["push_ms"], panda["draw_ms"])  # fmt: skip
        counts = (row["agents"], row["trail"], ours["vertices"])
        table.add_row(*map(str, counts), *(f"{figure:.2f}" for figure in figures))
    tables(120).print(table)
    if output is not None:
        with write_aside(output) as part:
            part.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    run_command(main, "bench_crowd", "bench_crowd: ")
