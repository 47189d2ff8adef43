"""What saving a picture takes: time and memory, by size and samples per pixel.

    python tools/bench_picture.py [--size 1280x720 ...] [--supersample 1 ...]

Each case has a process of its own, shows the shipped point mass with 20 agents, and saves five
pictures: the median of their times without the PNG's, and the most memory that the process used.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import time
from concurrent.futures import ProcessPoolExecutor

import click

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.cli.option_types import SIZE
from calf_viz.console import say
from calf_viz.run_command import run_command

SIZES = ((1280, 720), (1920, 1080), (3840, 2160))
STEPS, PICTURES = 60, 5


def measure(size: tuple[int, int], supersample: int) -> tuple[str, float, float]:
    """The renderer, seconds per picture, and most memory of this process [MiB]."""
    with CALFApplication(VisualizationConfig(n_agents=20, size=size, headless=True)) as app:
        for _ in range(STEPS):
            app.advance()
        app.step()
        times = []
        for _ in range(PICTURES):
            start = time.perf_counter()
            app.screenshot(supersample)
            times.append(time.perf_counter() - start)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return app.host.renderer, statistics.median(times), memory


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--size", "sizes", multiple=True, type=SIZE, help="May be repeated.")
@click.option("--supersample", "samples", multiple=True, type=click.IntRange(1, 8),
              default=(1, 2, 3), show_default=True, help="May be repeated.")  # fmt: skip
def main(sizes: tuple[tuple[int, int], ...], samples: tuple[int, ...]) -> None:
    say("| picture | samples per pixel | seconds | process, MiB |")
    say("| --- | ---: | ---: | ---: |")
    spawn = multiprocessing.get_context("spawn")
    for size in sizes or SIZES:
        for supersample in samples:
            with ProcessPoolExecutor(1, mp_context=spawn) as pool:
                renderer, seconds, memory = pool.submit(measure, size, supersample).result()
            per_pixel = f"{supersample} x {supersample}"
            say(f"| {size[0]} x {size[1]} | {per_pixel} | {seconds:.2f} | {memory:.0f} |")
    say(f"\n{renderer}")


if __name__ == "__main__":
    run_command(main, "bench_picture", "bench_picture: ")
