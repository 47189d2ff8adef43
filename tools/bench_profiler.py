"""What the profiler itself costs: frames with and without it, alternating in one run.

    python tools/bench_profiler.py [--agents 20] [--rounds 60] [--block 30]

The program's own frames, headless: blocks of frames with the profiler on and off take turns, and
the order changes each time, so that other load on the machine affects both. The extra is the median
difference of neighbouring blocks.

First with frames drawn, in wall time. Then in separate processes with GALLIUM_NOOP=1, where Mesa
draws nothing, in processor time of the one thread: there a frame is Python's part alone, and tens
of microseconds show. That extra relative to a drawn frame is the cost of the profiler. Other
drivers ignore GALLIUM_NOOP: there these rows are left out.
"""

from __future__ import annotations

import json
import time

import click
import numpy as np
from rich.table import Table
from undrawn import draws_nothing, undrawn

from calf_viz import CALFApplication, PerformanceProfiler, VisualizationConfig
from calf_viz.console import tables
from calf_viz.profiling.bootstrap import resampled
from calf_viz.run_command import run_command

SETTLING = 2
"""First frames of a block, not timed, as they still wait for the other kind's. With the default
block they add up to 32 frames, so that work done every 32 frames occurs in each block alike."""


def measure(
    agents: int, rounds: int, block: int, gpu: bool, drawn: bool = True
) -> dict[str, float] | None:
    """Medians over blocks, the median difference and its 95 % interval [us].

    gpu: also measure GPU times. drawn: wall time of drawn frames; else this thread's processor
    time, or None if the driver cannot be made to draw nothing.
    """
    clock = time.perf_counter if drawn else time.thread_time
    profiler = PerformanceProfiler(enabled=False)
    app = CALFApplication(VisualizationConfig(n_agents=agents, headless=True), profiler)
    if not gpu:
        app.host.time_next_frame = lambda token: None  # type: ignore[method-assign]
    for _ in range(200):
        app.step()
    if not drawn and not draws_nothing(app):
        app.close()
        return None
    times: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(rounds):
        for on in (True, False) if turn % 2 else (False, True):
            profiler.enabled = on
            for _ in range(SETTLING):
                app.step()
            start = clock()
            for _ in range(block):
                app.step()
            times[on].append(1e6 * (clock() - start) / block)
    app.close()
    with_it, without = np.array(times[True]), np.array(times[False])
    differences, rng = with_it - without, np.random.default_rng(0)
    extra = resampled([differences], lambda x: np.median(x, axis=-1), 2000, rng)
    low, high = np.quantile(extra, (0.025, 0.975)).tolist()
    medians = {"off": float(np.median(without)), "on": float(np.median(with_it))}
    return {**medians, "extra": float(np.median(differences)), "low": low, "high": high}


def calls(frames: int = 20_000) -> dict[str, float]:
    """Cost of the profiler's calls alone per frame [us], on and off."""
    costs = {}
    counts = dict.fromkeys(("draw_calls", "ring_draws", "upload_bytes", "vertices", "entities"), 1)
    for name, enabled in (("on", True), ("off", False)):
        profiler = PerformanceProfiler(enabled)
        start = time.thread_time()
        for _ in range(frames):
            with profiler.frame():
                for section in ("policy", "physics", "upload", "draw"):
                    with profiler.section(section):
                        pass
                profiler.count("policy_queries")
                profiler.count_all(counts)
        costs[name] = 1e6 * (time.thread_time() - start) / frames
    return costs


@click.command()
@click.option("--agents", default=20, show_default=True)
@click.option("--rounds", default=60, show_default=True, help="Blocks of each kind.")
@click.option("--block", default=30, show_default=True, help="Frames per block.")
@click.option("--only", type=click.Choice(["gpu", "no-gpu"]), hidden=True)
def main(agents: int, rounds: int, block: int, only: str | None) -> None:
    """Measure frames with the profiler on and off, alternating."""
    if only is not None:
        print(json.dumps(measure(agents, rounds, block, only == "gpu", drawn=False)))
        return
    alone = ("--agents", str(agents), "--rounds", str(10 * rounds), "--block", str(block))
    rows = {
        "drawn": measure(agents, rounds, block, gpu=True),
        "drawn, no GPU times": measure(agents, rounds, block, gpu=False),
        "not drawn": undrawn(__file__, "--only", "gpu", *alone),
        "not drawn, no GPU times": undrawn(__file__, "--only", "no-gpu", *alone),
    }
    had = {name: row for name, row in rows.items() if row is not None}
    drawn = had["drawn"]["off"]
    table = Table(title=f"{agents} agents, {rounds} blocks of {block} frames each; us a frame")
    for head in ("frame", "off", "on", "extra", "95 % interval", "of a frame drawn"):
        table.add_column(head, justify="left" if head == "frame" else "right")
    for name, row in had.items():
        interval = f"{row['low']:.1f} to {row['high']:.1f}"
        share = f"{100 * row['extra'] / drawn:+.2f} %"
        values = (f"{row[key]:.1f}" for key in ("off", "on", "extra"))
        table.add_row(name, *values, interval, share)
    tables(100).print(table)
    costs = calls()
    print(f"the calls of a frame alone: {costs['on']:.1f} us on, {costs['off']:.1f} us off")


if __name__ == "__main__":
    run_command(main, "bench_profiler", "bench_profiler: ")
