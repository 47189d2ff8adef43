"""How long it takes to get a saved shader on screen, and to start with a custom look; both with a
trial in a child first, as the program does, and without.

    python tools/bench_reload.py [--rounds 50] [--n-agents 20] [--starts 5]

The program runs without a window while a hook is saved repeatedly, by a rename as editors do, each
time with a different text; every other save is used untried. Measured from the rename to the end of
the first frame in the new look, waited for; also separately, the trial's part, and the driver's in
this process: compiling and linking, and the extra time of the first frame, in which drivers finish
their work. A start is `python -c`, with one agent and one frame.
"""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.children import code_child
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.run_command import run_command

HOOK = "surface_colour.glsl"
APART = 12
"""Frames between two saves."""
WAYS = ("tried first", "untried")
STARTED = """\
import sys
from calf_viz import CALFApplication, VisualizationConfig, app
if sys.argv[2] == "untried":
    app.Trials.__call__ = lambda *_: None
    app.Trials.warm = lambda *_: None
config = VisualizationConfig(n_agents=1, headless=True, shaders=sys.argv[1])
CALFApplication(config).step()
"""
Times = dict[str, list[float]]
"""Seconds by part."""


def hook() -> str:
    """A text that is in none of the driver's caches."""
    text = (shader_folder() / HOOK).read_text(encoding="utf-8")
    return text.replace("0.35 + 0.65", f"{random.uniform(0.3, 0.4):.9f} + 0.65")


def saves(folder: Path, rounds: int, agents: int) -> dict[str, Times]:
    """For each way: time from saving to screen, its parts, and times of other frames."""
    config = VisualizationConfig(n_agents=agents, headless=True, watch=True, shaders=folder)
    app = CALFApplication(config)
    live = app.live_shaders
    assert live is not None and live.trials is not None
    parts = "saved to screen", "its trial", "compiling here", "a frame otherwise"
    times: dict[str, Times] = {way: {part: [] for part in parts} for way in WAYS}
    trials = live.trials

    def frame() -> float:
        start = time.perf_counter()
        app.step()  # without a window each frame is waited for
        return time.perf_counter() - start

    for _ in range(100):
        frame()
    usual = float(np.median([frame() for _ in range(50)]))
    for number in range(2 * rounds):
        way = WAYS[number % 2]
        live.trials = trials if way == "tried first" else None
        part = folder.parent / "part"
        part.write_text(hook(), encoding="utf-8")
        before, start = live.rebuilds, time.perf_counter()
        os.replace(part, folder / HOOK)
        while live.rebuilds == before:
            last = frame()
        found = times[way]
        found["saved to screen"].append(time.perf_counter() - start)
        found["its trial"].append(trials.seconds if live.trials else 0.0)
        found["compiling here"].append(live.built + max(last - live.built - usual, 0.0))
        found["a frame otherwise"] += [frame() for _ in range(APART)][3:]
    live.trials = trials
    app.close()
    return times


def starts(folder: Path, rounds: int) -> dict[str, Times]:
    """For each way: lifetime of the process, with a look that is in no cache."""
    times: dict[str, Times] = {way: {"a start": []} for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            (folder / HOOK).write_text(hook(), encoding="utf-8")
            start = time.perf_counter()
            command, environment = code_child(STARTED, str(folder), way)
            subprocess.run(command, env=environment, check=True)
            times[way]["a start"].append(time.perf_counter() - start)
    return times


def tell(times: Mapping[str, Times]) -> None:
    """Print both ways side by side."""
    for part in times[WAYS[0]]:
        said = []
        for way in WAYS:
            low, median, high = 1e3 * np.percentile(times[way][part], (5, 50, 95))
            said.append(f"{way} {median:6.1f} ms ({low:.1f} to {high:.1f})")
        print(f"{part:18} {', '.join(said)}")


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--rounds", default=50, show_default=True, help="Saves of each way.")
@click.option("--n-agents", default=20, show_default=True)
@click.option("--starts", "started", default=5, show_default=True, help="Starts of each way.")
def main(rounds: int, n_agents: int, started: int) -> None:
    print("medians, 5 % to 95 % in brackets")
    with tempfile.TemporaryDirectory() as folder:
        look = Path(folder) / "look"
        look.mkdir()
        (look / HOOK).write_text(hook(), encoding="utf-8")
        tell(saves(look, rounds, n_agents))
        if started:
            tell(starts(look, started))


if __name__ == "__main__":
    run_command(main, "bench_reload", "bench_reload: ")
