"""What a frame costs: the scene, its lower bound and a bare clear, interleaved in one run.

    python tools/bench_frame.py [--output bench.json] [--rounds 30] [--scene 20x600 ...]
                                [--modes 3 --modes 8]

The scene is the program's own: the shipped point mass's critic, with agents that follow the nominal
policy, or another. The floor draws the same triangles from a static vertex buffer, through a
pass-through vertex shader, with the same fragment shader: no renderer of these triangles can be
faster. Its picture must match the scene's; a GPU may round some edges differently, and the table
says in how many pixels. All are drawn under moderngl, offscreen, each frame waited for. `submit` is
the scene's time until the draw is submitted, not yet waited for.

On llvmpipe the CPU times show which threads are busy: the calling thread shades vertices and sets
up triangles, then one thread per core shades pixels. Python time is the program's own, under
Panda3D, measured in a separate process with GALLIUM_NOOP=1, where Mesa draws nothing: from known
positions until the draw is submitted. Other drivers ignore that: there these columns stay empty,
and `submit` is what Python and the driver's own thread take together.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from contextlib import closing
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import moderngl
import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from undrawn import draws_nothing, undrawn

from calf_viz.agent.modes import NAMES
from calf_viz.agent.threads import one_thread
from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.cli.option_types import SIZE as SIZE_PARAMETER
from calf_viz.console import tables
from calf_viz.files import write_aside
from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.hosts.moderngl.host import ModernglHost
from calf_viz.hosts.panda.offscreen import OffscreenHost
from calf_viz.hosts.setup import Setup
from calf_viz.run_command import run_command
from calf_viz.samples import Samples
from calf_viz.scene.colours import colour_map
from calf_viz.scene.scene import Scene
from calf_viz.sources.simulation import POLICIES, Simulation
from calf_viz.viewer.opening import GRID_GPU, GRID_SOFTWARE

SCENES = ((20, 600), (30, 600), (100, 600), (1000, 100), (1000, 600), (10000, 100))
SIZE = (1280, 720)
APART = 0.01  # share of pixels by which a floor's picture may differ from the scene's

FLOOR_VERTEX = """#version 330
in vec4 a_position;
in vec4 a_data;
in ivec4 a_id;
in vec4 a_tone;
flat out ivec4 v_id;
flat out vec4 v_tone;
out vec4 v_data;
void main() {
    gl_Position = a_position;
    v_data = a_data;
    v_id = a_id;
    v_tone = a_tone;
}
"""


class Case(NamedTuple):
    """What is measured."""

    agents: int
    trail: int
    modes: int


def agent() -> Any:
    """The shipped point mass."""
    from calf_viz.agent import checkpoint
    from calf_viz.agent.calf import CALFAgent

    return CALFAgent.load(checkpoint.shipped("point_mass"))


def surface(cells: int) -> Heightfield:
    """The shipped critic's surface."""
    shown = agent()
    plane = shown.system.plane
    nodes = plane_nodes(plane.lo, plane.hi, cells + 1, cells + 1)
    values = shown.lyapunov(shown.system.plane_states(nodes))
    return Heightfield(values.reshape(cells + 1, cells + 1), plane.lo, plane.hi)


def steps(agents: int, count: int, policy: str) -> list[Samples]:
    """`count` steps of agents under a policy. They have no step numbers: when they are repeated,
    going back to the first would break every trail."""
    simulation = Simulation(agent(), agents, seed=0, policy=policy)
    return [replace(deepcopy(simulation.step()), step=None) for _ in range(count)]


def filled(
    kind: Callable[..., Any], case: Case, cells: int, policy: str = "nominal"
) -> tuple[Any, list[Samples]]:
    """A host with full trails, and steps to go on with."""
    agents, trail, modes = case
    scene = Scene(size=SIZE, trail=trail, modes=modes)
    host = kind(Setup(scene, colour_map("cividis"), agents, surface(cells)))
    samples = steps(agents, trail + 150, policy)
    if modes > len(NAMES):  # agents in all of them
        others = np.arange(agents) % modes
        samples = [replace(one, modes=(one.modes + others) % modes) for one in samples]
    for sample in samples[: trail + 50]:
        host.push(sample)
    return host, samples[trail + 50 :]


class Floor:
    """Draws the triangles of a host's current frame from a static vertex buffer."""

    def __init__(self, host: ModernglHost) -> None:
        context, library = host.context, host.programs.library
        varyings = ("gl_Position", "v_data", "v_id", "v_tone")
        text = library.load("field.vert").text
        capture = context.program(vertex_shader=text, varyings=varyings)
        values = host.bind(capture)
        instances, vertices = host.instances(values), values["u_vertices"]
        captured = context.buffer(reserve=64 * instances * vertices)
        empty = context.vertex_array(capture, [])
        empty.transform(captured, moderngl.POINTS, vertices, instances=instances)
        # One strip, its pieces joined by degenerate triangles.
        strips = np.frombuffer(captured.read(), np.float32).reshape(instances, vertices, 16)
        self.buffer = context.buffer(np.pad(strips, ((0, 0), (1, 1), (0, 0)), "edge").tobytes())
        self.program = context.program(
            vertex_shader=FLOOR_VERTEX, fragment_shader=library.load("field.frag").text
        )
        layout = {"a_position": "4f", "a_data": "4f", "a_id": "4i", "a_tone": "4f"}
        self.array = context.vertex_array(
            self.program, [(self.buffer, " ".join(layout.values()), *layout)]
        )
        self.triangles = instances * (vertices - 2)

    def draw(self, host: ModernglHost) -> None:
        host.begin()
        host.bind(self.program)
        self.array.render(moderngl.TRIANGLE_STRIP)


def measure(case: Case, rounds: int, policy: str) -> dict[str, Any]:
    """Medians of interleaved frames [ms]."""
    agents, trail, modes = case
    probe = ModernglHost(Setup(Scene(size=(16, 16), trail=2), colour_map("cividis"), 1))
    cells = GRID_SOFTWARE if probe.software else GRID_GPU
    host, rest = filled(ModernglHost, case, cells, policy)
    host.draw()
    floor = Floor(host)
    picture = host.screenshot()
    floor.draw(host)
    apart = pixels_apart(host.screenshot(), picture)
    if apart > APART:
        raise SystemExit(
            f"the floor's picture is not the scene's: {100 * apart:.2g} % of pixels differ, more "
            f"than {100 * APART:g} %; no floor to compare with"
        )
    submitted = []

    def scene() -> None:
        start = time.perf_counter()
        host.push(rest[len(times["scene"]) % len(rest)])
        host.draw()
        submitted.append(1e3 * (time.perf_counter() - start))

    def surface_alone() -> None:
        host.begin()
        values = host.bind(host.program)
        host.vertex_array.render(
            moderngl.TRIANGLE_STRIP, values["u_vertices"], instances=values["u_surface_instances"]
        )

    kinds = {
        "scene": scene,
        "floor": lambda: floor.draw(host),
        "surface": surface_alone,
        "clear": host.begin,
    }
    times: dict[str, list[float]] = {name: [] for name in kinds}
    vertices, pixels = [], []  # CPU times of the scene
    for _ in range(rounds + 3):
        for name, draw in kinds.items():
            mine, theirs, start = time.thread_time(), rasterisers(), time.perf_counter()
            draw()
            host.context.finish()
            times[name].append(1e3 * (time.perf_counter() - start))
            if name == "scene":
                vertices.append(1e3 * (time.thread_time() - mine))
                pixels.append(1e3 * (rasterisers() - theirs))
    medians = {name: float(np.median(values[3:])) for name, values in times.items()}
    values = host.uniforms()
    by_cpu = "llvmpipe" in host.renderer  # the threads can be distinguished
    return {
        "agents": agents,
        "trail": trail,
        "modes": modes,
        "renderer": host.renderer,
        "cells": cells,
        "stride": values["u_stride"],
        "triangles": floor.triangles,
        "upload_bytes": host.layout.row_bytes,
        **{f"{name}_ms": value for name, value in medians.items()},
        "submit_ms": float(np.median(submitted[3:])),
        "vertices_cpu_ms": float(np.median(vertices[3:])) if by_cpu else None,
        "pixels_cpu_ms": float(np.median(pixels[3:])) if by_cpu else None,
        "ratio_to_floor": medians["scene"] / medians["floor"],
        "floor_pixels_apart": apart,
    }


def pixels_apart(picture: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The share of pixels that differ at all."""
    return float((picture != other).any(axis=2).mean())


def rasterisers() -> float:
    """Total CPU time of llvmpipe's threads so far [s]; 0 if there are none."""
    total = 0
    for task in Path("/proc/self/task").glob("*"):
        if (task / "comm").read_text().startswith("llvmpipe"):
            total += int((task / "schedstat").read_text().split()[0])
    return total * 1e-9


def python_time(case: Case, rounds: int) -> float | None:
    """Python's own time a frame [ms], where the driver draws nothing; None where it does."""
    host, rest = filled(OffscreenHost, case, GRID_SOFTWARE)
    with closing(host):
        host.draw()
        if not draws_nothing(host):
            return None
        times = []
        for count in range(rounds + 20):
            start = time.perf_counter()
            host.push(rest[count % len(rest)])
            host.draw()
            times.append(1e3 * (time.perf_counter() - start))
    return float(np.median(times[20:]))


@click.command()
@click.option("--output", type=GIVEN_PATH, help="JSON file to write.")
@click.option(
    "--rounds", default=30, show_default=True, type=click.IntRange(1), help="Frames of each kind."
)
@click.option("--scene", "scenes", multiple=True, type=SIZE_PARAMETER, metavar="AGENTSxTRAIL",
              help="May be repeated.")  # fmt: skip
@click.option(
    "--modes",
    multiple=True,
    type=click.IntRange(1),
    default=(len(NAMES),),
    show_default=True,
    help="Of the agents; may be repeated, to compare.",
)
@click.option("--policy", default="nominal", show_default=True, help=", ".join(POLICIES) + ".")
@click.option("--python-only", is_flag=True, hidden=True)
@one_thread()  # the products are too small to share: a second thread would only wait
def main(
    output: Path | None,
    rounds: int,
    scenes: tuple[tuple[int, int], ...],
    modes: tuple[int, ...],
    policy: str,
    python_only: bool,
) -> None:
    """Measure what a frame costs, against its floor and a clear alone."""
    cases = [Case(*scene, count) for scene in scenes or SCENES for count in modes]
    if python_only:
        print(json.dumps(python_time(cases[0], rounds)))
        return
    rows = []
    for case in cases:
        arguments = ("--scene", f"{case.agents}x{case.trail}", "--modes", str(case.modes))
        alone = undrawn(__file__, "--python-only", *arguments, "--rounds", str(max(rounds, 100)))
        rows.append({**measure(case, rounds, policy), "python_ms": alone})
    heads = ("agents", "trail", "modes", "stride", "triangles", "scene_ms", "floor_ms",
             "ratio_to_floor", "floor_pixels_apart", "surface_ms", "clear_ms", "submit_ms",
             "vertices_cpu_ms", "pixels_cpu_ms", "python_ms", "upload_bytes")  # fmt: skip
    table = Table(
        title=f"{policy} policy, {rows[0]['renderer']}, "
        f"{SIZE[0]}x{SIZE[1]}, {rows[0]['cells']} cells"
    )
    for head in heads:
        table.add_column(head.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*(cell(head, row[head]) for head in heads))
    tables(170).print(table)
    if output is not None:
        with write_aside(output) as part:
            part.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


def cell(head: str, value: float | int | None) -> str:
    """A figure as a table cell; empty if unavailable."""
    if value is None:
        return ""
    if head == "floor_pixels_apart":
        return f"{100 * value:.2g} %"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def machine() -> dict[str, Any]:
    """The machine, for the file of figures."""
    return {"cpu": cpu(), "cores": os.cpu_count(), "python": platform.python_version()}


def cpu() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "unknown")


if __name__ == "__main__":
    run_command(main, "bench_frame", "bench_frame: ")
