"""Learning curves of trainings, from their `FILE.metrics.csv`, as a PNG.

    python tools/plot_learning.py a.safetensors.metrics.csv b.safetensors.metrics.csv --output a.png

A column for each file; below each other the return of each episode with its moving average, the
success rate, the share of each mode, and P_relax. Averages are over the last `--window` episodes,
fewer at the start.
"""

import csv
import sys
from pathlib import Path

import click
import matplotlib
import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.modes import NAMES
from calf_viz.errors import UserError
from calf_viz.files import write_aside

matplotlib.use("Agg")  # a file is all that is wanted, on machines without a display too
from matplotlib import pyplot as plt

# The scene's colours of the modes (docs/calf.md), darkened towards legibility on white.
COLOURS = {"certified": "#4aa8e8", "relax": "#4fc36a", "nominal": "#dd5a55"}
INK, QUIET = "#222222", "#9aa3ad"
NEEDED = ("episode", "steps", "return", "goal", *NAMES, "p_relax")

Column = NDArray[np.float64]


def read(path: Path) -> dict[str, Column]:
    """The columns of a metrics file, each (episodes,).

    Raises:
        UserError: the file cannot be read, lacks a column, or holds no whole episode.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            raise UserError(f"{path} holds no episode yet: train for longer")
        return {name: np.array([float(row[name]) for row in rows]) for name in NEEDED}
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; give a metrics file") from error
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise UserError(
            f"{path} is no metrics file of calf-viz train ({error}): give FILE.metrics.csv"
        ) from error


def moving_average(values: Column, window: int) -> Column:
    """Mean of each value and up to `window` - 1 before it, (n,)."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def mode_shares(columns: dict[str, Column], window: int) -> Column:
    """Share of each mode among the steps of the last `window` episodes, (modes, n)."""
    counts = np.stack([moving_average(columns[name], window) for name in NAMES])
    return counts / np.maximum(counts.sum(axis=0), 1e-12)


def title(path: Path) -> str:
    """`point_mass` of `point_mass.safetensors.metrics.csv`."""
    return path.name.removesuffix(".metrics.csv").removesuffix(".safetensors")


def plot(paths: list[Path], output: Path, window: int) -> None:
    """Write the picture of all `paths` to `output`.

    Raises:
        UserError: see `read`; or the picture cannot be written.
    """
    runs = [read(path) for path in paths]
    plt.rcParams.update(
        {
            "font.size": 10,
            "axes.edgecolor": QUIET,
            "axes.labelcolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "xtick.color": INK,
            "ytick.color": INK,
        }
    )
    figure, axes = plt.subplots(
        4,
        len(runs),
        figsize=(6.4 * len(runs), 8.6),
        sharex="col",
        squeeze=False,
        layout="constrained",
        height_ratios=(3, 1.6, 2.2, 1.2),
    )
    for column, (path, run) in enumerate(zip(paths, runs, strict=True)):
        ret, goal, modes, relax = axes[:, column]
        episodes = run["episode"] + 1
        averaged = f"mean of {window}"

        ret.set_title(title(path), color=INK, fontsize=12, loc="left")
        ret.plot(episodes, run["return"], ".", color=QUIET, markersize=3, label="an episode")
        ret.plot(episodes, moving_average(run["return"], window), color=INK, lw=1.8, label=averaged)
        ret.legend(frameon=False, loc="lower right", markerscale=2)

        goal.plot(episodes, 100 * moving_average(run["goal"], window), color=INK, lw=1.8)
        goal.set_ylim(-3, 103)

        shares = 100 * mode_shares(run, window)
        colours = [COLOURS[name] for name in NAMES]
        modes.stackplot(episodes, shares, labels=NAMES, colors=colours, lw=0)
        modes.set_ylim(0, 100)
        modes.legend(
            frameon=False, ncols=len(NAMES), loc="lower center", bbox_to_anchor=(0.5, 0.98)
        )

        relax.plot(episodes, run["p_relax"], color=INK, lw=1.8)
        relax.set_ylim(-0.03, 1.03)
        relax.set_xlabel("episode")
        relax.set_xlim(episodes[0] - 0.5, episodes[-1] + 0.5)
        for axis in (ret, goal, relax):
            axis.grid(axis="y", color="#e6e9ec", lw=0.8)
            axis.set_axisbelow(True)
        if column == 0:
            ret.set_ylabel("return")
            goal.set_ylabel("goal reached [%]")
            modes.set_ylabel("steps by mode [%]")
            relax.set_ylabel("P_relax")
    figure.align_ylabels(axes[:, 0])
    with write_aside(output) as part:
        # The format is named: the part's name ends in .part. No date or version in the file, so
        # that the same metrics give the same bytes.
        figure.savefig(part, dpi=110, format="png", metadata={"Software": None})
    plt.close(figure)


@click.command(help=(__doc__ or "").splitlines()[0])
@click.argument("metrics", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--output", default="learning.png", show_default=True, type=click.Path(path_type=Path)
)
@click.option("--window", default=20, show_default=True, type=click.IntRange(1), help="Episodes.")
def main(metrics: tuple[Path, ...], output: Path, window: int) -> None:
    try:
        plot(list(metrics), output, window)
    except UserError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    click.echo(f"wrote {output}")


if __name__ == "__main__":
    main()
