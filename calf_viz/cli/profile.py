"""`calf-viz --profile`: measures the same frames several times and reports the median run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.table import Table

from calf_viz.console import say, tables, tracked
from calf_viz.errors import UserError
from calf_viz.files import make_folder
from calf_viz.profiling.machine import describe
from calf_viz.profiling.profile import Profile
from calf_viz.profiling.profile_file import save_profile
from calf_viz.profiling.profiler import WARM_UP, PerformanceProfiler
from calf_viz.profiling.report import number

if TYPE_CHECKING:
    from calf_viz.viewer.app import CALFApplication

RUNS = 3
FRAMES = 300
DRAWS = {"draw_calls": "scene", "ring_draws": "samples into the ring", "hud_draws": "HUD"}
"""What each counter's draws are for."""


def profile(app: CALFApplication, folder: Path, trace: bool) -> None:
    """Profile the application, print the result, and write it to a file in `folder`.

    Each run starts from the first step with the same seed: 50 frames to warm up, then the number
    configured, 300 by default.

    Raises:
        UserError: the file cannot be written, or the window was closed.
    """
    make_folder(folder)
    host, frames = app.host, app.config.frames or FRAMES
    where = "window" if host.has_window else "no window (EGL)"
    say(f"{where}, OpenGL by {host.renderer}")
    app.measuring = True
    try:
        profilers = [_run(app, index, frames) for index in range(RUNS)]
    finally:
        app.measuring = False
    described = app.profiler.describe()
    machine = describe(described.gl_renderer, described.gl_version)
    result = Profile.of([p.run() for p in profilers], described.configuration, machine)
    path = folder / f"{app.profile_stem()}.json"
    save_profile(result, path)
    _show(result, host.software)
    say(path)
    if trace:
        path = path.with_suffix(".trace.json")
        profilers[result.reported].save_trace(path)
        say(path)


def _run(app: CALFApplication, index: int, frames: int) -> PerformanceProfiler:
    profiler = PerformanceProfiler(most_frames=frames)
    app.restart(profiler)
    for _ in tracked(range(WARM_UP + frames), f"run {index + 1} of {RUNS}"):
        app.step()
        if app.host.closed or app.host.unseen:
            what = "closed" if app.host.closed else "minimised"
            raise UserError(f"the window was {what} before the profile was complete: none written")
    return profiler


def _show(result: Profile, software: bool) -> None:
    stats, config = result.summary, result.configuration
    size = "x".join(map(str, config["size"]))
    table = Table(
        title=f"{config['system']}, {config['n_agents']} agents, renderer {config['renderer']}, "
        f"{size}: run {result.reported + 1} of {len(result.runs)}, {stats['n_frames']} frames"
    )
    for head in ("", "mean", "own", "p50", "p95", "p99", "share"):
        table.add_column(head, justify="right" if head else "left")
    times = (stats[f"frame_time_{name}_ms"] for name in ("avg", "p50", "p95", "p99"))
    mean, p50, p95, p99 = map(number, times)
    table.add_row("frame (ms)", mean, "", p50, p95, p99, "")
    for name, section in stats["sections"].items():
        mean, own, p95 = (number(section[key]) for key in ("mean_ms", "own_ms", "p95_ms"))
        table.add_row(f"  {name}", mean, own, "", p95, "", f"{100 * section['share']:.1f} %")
    table.add_row("  between them", *[""] * 5, f"{100 * stats['unaccounted_share']:.1f} %")
    if not math.isnan(stats["gpu_time_avg_ms"]):
        name = "GPU's work (by the CPU)" if software else "GPU's work"
        mean, p95 = number(stats["gpu_time_avg_ms"]), number(stats["gpu_time_p95_ms"])
        table.add_row(name, mean, "", "", p95, "", "")
    tables(100).print(table)
    for line in _lines(result):
        say(line)


def _lines(result: Profile) -> list[str]:
    s = result.summary
    medians = ", ".join(number(float(np.median(run.frame_ms))) for run in result.runs)
    growth = s["memory_growth_mb_per_minute"]
    memory = f"{number(s['memory_mb'])} MB"
    memory += "" if math.isnan(growth) else f", growing by {number(growth)} a minute"
    names = ("critic_queries", "mesh_updates", "upload_bytes")
    counts = ", ".join(f"{n.replace('_', ' ')} {number(s[f'{n}_per_frame'])}" for n in names)
    draws = {what: s[f"{name}_per_frame"] for name, what in DRAWS.items()}
    apart = ", ".join(f"{what} {number(n)}" for what, n in draws.items())
    cpu = s["cpu_percent"]
    return [
        f"frames a second: {number(s['fps_avg'])}, at least {number(s['fps_min'])}",
        f"median frame of each run: {medians} ms",
        f"draws a frame: {number(sum(draws.values()))} ({apart})",
        f"a frame: {counts}, vertices {number(s['vertices'])}, entities {number(s['entities'])}",
        f"CPU {'unknown' if math.isnan(cpu) else f'{number(cpu)} %'}, memory {memory}",
    ]
