"""How long a saved shader takes to the screen, and what the frames around it cost.

    python tools/bench_reload.py [--rounds 50] [--n-agents 20]

The program runs without a window while a hook is saved over and over, renamed over as editors do,
each time with another text. Measured from the rename to the end of the first frame in the new look,
waited for; beside it the part that is the driver's: compiling and linking, and what the first frame
takes longer than others, since drivers finish their work there.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.render.sources import shader_folder

HOOK = "surface_colour.glsl"
APART = 12
"""Frames between two saves."""


def measure(folder: Path, rounds: int, agents: int) -> dict[str, np.ndarray]:
    """Milliseconds of each round: saved to screen, rebuild, first frame; and of other frames."""
    text = (shader_folder() / HOOK).read_text(encoding="utf-8")
    config = VisualizationConfig(n_agents=agents, headless=True, watch=True, shaders=folder)
    app = CALFApplication(config)
    live = app.live_shaders
    assert live is not None
    times: dict[str, list[float]] = {"total": [], "rebuild": [], "first": [], "frame": []}

    def frame() -> float:
        start = time.perf_counter()
        app.step()  # without a window each frame is waited for
        return time.perf_counter() - start

    for _ in range(100):
        frame()
    for number in range(rounds):
        part = folder.parent / "part"
        # Another constant each time: no cache of the driver's has it.
        part.write_text(text.replace("0.35 + 0.65", f"{0.35 + 1e-4 * number:.5f} + 0.65"))
        before, start = live.rebuilds, time.perf_counter()
        os.replace(part, folder / HOOK)
        while live.rebuilds == before:
            last = frame()
        times["total"].append(time.perf_counter() - start)
        times["rebuild"].append(live.built)
        times["first"].append(last - live.built)
        times["frame"] += [frame() for _ in range(APART)][3:]
    app.close()
    return {name: 1e3 * np.array(values) for name, values in times.items()}


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--rounds", default=50, show_default=True, help="Saves.")
@click.option("--n-agents", default=20, show_default=True)
def main(rounds: int, n_agents: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "look").mkdir()
        times = measure(Path(folder) / "look", rounds, n_agents)
    usual = float(np.median(times["frame"]))
    driver = times["rebuild"] + np.maximum(times["first"] - usual, 0.0)
    beyond = times["total"] - driver
    for name, values in (
        ("saved to screen", times["total"]),
        ("of it compiling", driver),
        ("beyond compiling", beyond),
        ("a frame otherwise", times["frame"]),
    ):
        low, median, high = np.percentile(values, (5, 50, 95))
        print(f"{name:18} median {median:6.1f} ms, 5 % to 95 %: {low:.1f} to {high:.1f} ms")


if __name__ == "__main__":
    main()
