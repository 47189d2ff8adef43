"""A video's share of drawing, of reading pictures back, and of encoding; and what overlapping them
saves.

    python tools/bench_video.py [--size 1920x1080] [--seconds 10] [--supersample 1] [--suffix .mp4]

Writes a video of the shipped point mass with 20 agents twice: each part after the other, and as
`calf-viz render` does, which encodes pictures while the next are drawn.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from calf_viz import VisualizationConfig
from calf_viz.cli.option_types import SIZE
from calf_viz.console import say
from calf_viz.hosts.panda.offscreen import OffscreenHost
from calf_viz.run_command import run_command
from calf_viz.video.behind import Behind
from calf_viz.video.output import open_output
from calf_viz.video.reel import Output, Reel
from calf_viz.viewer.camera_moves import read_camera
from calf_viz.viewer.film import Asked
from calf_viz.viewer.rendering import Rendering

FPS = Fraction(60)


class Clock:
    """Seconds of each part."""

    def __init__(self) -> None:
        self.parts = {"drawing": 0.0, "read-back": 0.0, "encoding": 0.0}

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.parts[part] += time.perf_counter() - start


def write(rendering: Rendering, output: Output, clock: Clock, frames: int) -> float:
    """Write all frames; returns seconds."""
    host = rendering.app.host
    assert isinstance(host, OffscreenHost)
    pictures, read = rendering.pictures(), host.context.picture

    def timed_read(texture: Any) -> NDArray[np.uint8]:
        with clock.timed("read-back"):
            return read(texture)

    host.context.picture = timed_read  # type: ignore[method-assign]
    start = time.perf_counter()
    for _ in range(frames):
        with clock.timed("drawing"):
            picture = next(pictures)
        with clock.timed("encoding"):
            output.write(picture)
    with clock.timed("encoding"):
        output.finish()
    clock.parts["drawing"] -= clock.parts["read-back"]
    return time.perf_counter() - start


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--size", type=SIZE, default="1920x1080", show_default=True)
@click.option("--seconds", type=click.FloatRange(0.1, 600.0), default=10.0, show_default=True)
@click.option("--supersample", type=click.IntRange(1, 8), default=1, show_default=True)
@click.option("--suffix", type=click.Choice([".mp4", ".webm", ".gif"]), default=".mp4",
              show_default=True)  # fmt: skip
def main(size: tuple[int, int], seconds: float, supersample: int, suffix: str) -> None:
    frames = round(float(FPS) * seconds)
    fps = Fraction(50) if suffix == ".gif" else FPS
    config = VisualizationConfig(
        n_agents=20, size=size, headless=True, supersample=supersample, frames=frames
    )
    camera = read_camera("orbit")
    totals = []
    with tempfile.TemporaryDirectory() as folder:
        for number, behind in enumerate((False, True)):
            clock = Clock()
            output = open_output(Reel(Path(folder) / f"{number}{suffix}", size, frames, fps))
            asked = Asked(frames=frames, fps=fps)
            with Rendering(None, config, asked, camera) as rendering:
                one = Behind(output) if behind else output
                totals.append(write(rendering, one, clock, frames))
                renderer = rendering.app.host.renderer
            if not behind:
                parts, total = clock.parts, sum(clock.parts.values())
    say(
        f"{frames} frames of {size[0]} x {size[1]}, {supersample} x {supersample} samples, {suffix}"
    )
    say("| part | ms a frame | share |")
    say("| --- | ---: | ---: |")
    for part, spent in parts.items():
        say(f"| {part} | {1e3 * spent / frames:.1f} | {100.0 * spent / total:.0f} % |")
    say(f"\none after the other {totals[0]:.1f} s, encoding behind {totals[1]:.1f} s; {renderer}")


if __name__ == "__main__":
    run_command(main, "bench_video", "bench_video: ")
