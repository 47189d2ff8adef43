"""Plots learning curves of trainings, from their `FILE.metrics.csv`, as a PNG.

    python tools/plot_learning.py a.safetensors.metrics.csv b.safetensors.metrics.csv --output a.png

One column per file; from top to bottom the return of each episode with its moving average, the
success rate, the share of each mode, and P_relax. Averages are over the last `--window` episodes,
fewer at the start.
"""

from pathlib import Path

import click

from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.console import say
from calf_viz.run_command import run_command
from calf_viz.training.plots import mode_shares, moving_average, plot_learning, read

__all__ = ["main", "mode_shares", "moving_average", "read"]


@click.command(help=(__doc__ or "").splitlines()[0])
@click.argument("metrics", nargs=-1, required=True, type=GIVEN_PATH)
@click.option("--output", default="learning.png", show_default=True, type=GIVEN_PATH)
@click.option("--window", default=20, show_default=True, type=click.IntRange(1, 10**9),
              help="Episodes.")  # fmt: skip
def main(metrics: tuple[Path, ...], output: Path, window: int) -> None:
    plot_learning(list(metrics), output, window)
    say(f"wrote {output}")


if __name__ == "__main__":
    run_command(main, "plot_learning", "plot_learning: ")
