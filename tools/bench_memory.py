"""Whether memory grows: draws headless for minutes and watches the resident memory.

    python tools/bench_memory.py [--renderer gpu --renderer batched ...] [--minutes 10]
    python tools/bench_memory.py --lives 100

The picture is small, so that a minute has as many frames as many minutes otherwise: leaks grow by
the frame. The first minute, in which caches fill, is left out. (Not with GALLIUM_NOOP=1: that
driver itself keeps some hundred bytes for every frame.)

With --lives, applications are created, drawn with and closed one after another instead, to measure
what each leaves behind, without Python's cycle collector, which would hide unreleased memory.
"""

from __future__ import annotations

import gc
import subprocess
import time

import click
import numpy as np
import psutil
from rich.table import Table

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.children import script_child
from calf_viz.console import tables
from calf_viz.profiling.resources import slope
from calf_viz.run_command import run_command
from calf_viz.viewer.designs import RENDERERS

EVERY = 2.0
"""Seconds between two samples of the memory."""
WARM_UP = 60.0
FRAMES = 20
"""Frames of each application with --lives."""


def measure(renderer: str, minutes: float, agents: int, width: int) -> tuple[int, float, float]:
    """Frames drawn after the warm-up, final memory [MB], and its growth [MB per minute]."""
    app = CALFApplication(
        VisualizationConfig(
            n_agents=agents, renderer=renderer, headless=True, size=(width, width * 9 // 16)
        )
    )
    process = psutil.Process()
    start = time.monotonic()
    warm = min(WARM_UP, 60 * minutes / 2)
    seconds: list[float] = []
    memory: list[float] = []
    first = 0
    while (now := time.monotonic() - start) < warm + 60 * minutes:
        app.step()
        if now < warm:
            first = app.frames
        elif now >= warm + EVERY * len(seconds):
            seconds.append(now)
            memory.append(float(process.memory_info().rss))
    grows = slope(np.array(seconds), np.array(memory))
    app.close()
    return app.frames - first, memory[-1] / 1e6, 60 * grows / 1e6


def lives(renderer: str, count: int, agents: int, width: int) -> tuple[float, float]:
    """Final memory [MB], and what each of the second half of `count` applications left behind
    [MB]."""
    config = VisualizationConfig(
        n_agents=agents, renderer=renderer, headless=True, size=(width, width * 9 // 16)
    )
    process, memory = psutil.Process(), []
    gc.disable()
    for _ in range(count):
        with CALFApplication(config) as app:
            for _ in range(FRAMES):
                app.step()
        del app
        memory.append(process.memory_info().rss / 1e6)
    last = memory[count // 2 :]
    return memory[-1], (last[-1] - last[0]) / max(len(last) - 1, 1)


def _lives_table(renderers: tuple[str, ...], count: int, agents: int, width: int) -> Table:
    out = Table(title=f"{count} applications, {agents} agents, {FRAMES} frames each")
    for head in ("renderer", "memory [MB]", "left by each of the last half [MB]"):
        out.add_column(head, justify="left" if head == "renderer" else "right")
    for renderer in renderers:
        done = _child("--one", renderer, "--lives", count, "--agents", agents, "--width", width)
        out.add_row(renderer, f"{done[0]:.1f}", f"{done[1]:.3f}")
    return out


def _child(*arguments: object) -> list[float]:
    """The output of this tool in a separate process, so that freed memory is not reused."""
    command, environment = script_child(__file__, *map(str, arguments))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return list(map(float, done.stdout.split("\n")[-2].split()))


@click.command()
@click.option("--renderer", "renderers", multiple=True, default=list(RENDERERS), show_default=True,
              type=click.Choice(list(RENDERERS)))  # fmt: skip
@click.option("--minutes", default=10.0, show_default=True, type=click.FloatRange(0.1))
@click.option("--agents", default=20, show_default=True, type=click.IntRange(1))
@click.option("--width", default=64, show_default=True, type=click.IntRange(16))
@click.option("--lives", "count", type=click.IntRange(4), help="Applications, one after another.")
@click.option("--one", hidden=True)
def main(
    renderers: tuple[str, ...],
    minutes: float,
    agents: int,
    width: int,
    count: int | None,
    one: str | None,
) -> None:
    """Measure how resident memory grows while each renderer draws, or with each application."""
    if one is not None:
        found = lives(one, count, agents, width) if count else measure(one, minutes, agents, width)
        print(*found)
        return
    console = tables(100)
    if count is not None:
        console.print(_lives_table(renderers, count, agents, width))
        return
    out = Table(title=f"{agents} agents, {minutes:g} minutes after the first")
    for head in ("renderer", "frames", "memory [MB]", "growth [MB a minute]", "bytes a frame"):
        out.add_column(head, justify="left" if head == "renderer" else "right")
    for renderer in renderers:
        frames, memory, grows = _child(
            "--one", renderer, "--minutes", minutes, "--agents", agents, "--width", width
        )
        per_frame = 1e6 * grows * minutes / frames
        out.add_row(renderer, f"{frames:,.0f}", f"{memory:.1f}", f"{grows:.3f}", f"{per_frame:.1f}")
    console.print(out)


if __name__ == "__main__":
    run_command(main, "bench_memory", "bench_memory: ")
