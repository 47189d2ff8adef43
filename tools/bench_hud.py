"""What the HUD adds to a frame: unchanged, with a changing text, with a moving camera.

    python tools/bench_hud.py [--rounds 200] [--keys]

Frames with and without the HUD are interleaved in one run. Python's time is that of the program's
own frame in a separate process with GALLIUM_NOOP=1, where Mesa draws nothing; other drivers ignore
that, and there is no such figure. Drawing is timed under moderngl with the local renderer, each
frame waited for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import click
import numpy as np
from bench_frame import SIZE, surface
from undrawn import draws_nothing, undrawn

from calf_viz import systems
from calf_viz.agent.system_view import view_of
from calf_viz.hosts.moderngl.host import ModernglHost
from calf_viz.hosts.panda.offscreen import OffscreenHost
from calf_viz.hosts.setup import Setup
from calf_viz.hud.keys import KEYS, help_line
from calf_viz.hud.overview import overview
from calf_viz.run_command import run_command
from calf_viz.samples import Samples
from calf_viz.scene.colours import colour_map
from calf_viz.scene.scene import Scene
from calf_viz.viewer.opening import GRID_SOFTWARE

CASES = ("none", "at rest", "text changes", "camera moves")


def measure(kind: Callable[..., Any], rounds: int, with_keys: bool) -> dict[str, float] | None:
    """Median frame time [ms] for each case. Under Panda3D only if the driver draws nothing, else
    None: some frames would wait for it, and others not."""
    host = kind(
        Setup(Scene(size=SIZE, trail=60), colour_map("cividis"), 20, surface(GRID_SOFTWARE))
    )
    with closing(host):
        keys = help_line({key.action for key in KEYS}) if with_keys else ()
        hud = overview(view_of(systems.get("point_mass")), keys)
        texts = ("step", "agents", "mean_value", "fps", "mode_0", "mode_1", "mode_2")
        hud.update(**dict.fromkeys(texts, "123"))
        host.set_hud(hud)
        positions = np.random.default_rng(0).uniform(-2, 2, (20, 2)).astype(np.float32)
        sample = Samples.of(positions)

        def change(case: str, count: int) -> None:
            hud.visible = case != "none"
            if case == "text changes":
                hud.update(step=f"{count:,}", mode_0=f"{count % 20}")
            if case == "camera moves":
                host.scene.camera.orbit(1e-3, 0.0)

        host.draw()
        if kind is OffscreenHost and not draws_nothing(host):
            return None
        wait: Callable[[], None] = host.context.finish if kind is ModernglHost else lambda: None
        times: dict[str, list[float]] = {case: [] for case in CASES}
        for count in range(rounds + 20):
            for case in CASES:
                host.push(sample)
                change(case, count)
                host.draw()  # settle what the previous case left behind
                wait()
                change(case, count + 1)
                start = time.perf_counter()
                host.draw()
                wait()
                times[case].append(1e3 * (time.perf_counter() - start))
        return {case: float(np.median(values[20:])) for case, values in times.items()}


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--rounds", default=200, show_default=True, help="Frames of each case.")
@click.option("--keys", is_flag=True, help="With the line of keys that windows have.")
@click.option("--python-only", is_flag=True, hidden=True)
def main(rounds: int, keys: bool, python_only: bool) -> None:
    if python_only:
        print(json.dumps(measure(OffscreenHost, rounds, keys)))
        return
    python = undrawn(__file__, "--python-only", "--rounds", str(rounds), *["--keys"] * keys)
    for name, times in (("Python", python), ("frame", measure(ModernglHost, rounds, keys))):
        if times is None:
            print(f"{name}: unknown, as this driver cannot be told to draw nothing")
            continue
        added = ", ".join(f"{c}: +{times[c] - times['none']:.3f} ms" for c in CASES[1:])
        print(f"{name}: {times['none']:.3f} ms without; {added}")


if __name__ == "__main__":
    run_command(main, "bench_hud", "bench_hud: ")
