"""Plots of trainings, from the CSV files that they write.

Uses matplotlib without pyplot, so that no global state is touched.
"""

from __future__ import annotations

import csv
import io
import os
import re
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.modes import NAMES
from calf_viz.errors import FileDamaged, UserError
from calf_viz.files import not_over, opened, parsing, write_aside
from calf_viz.training.columns import CERTIFICATE, METRICS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The scene's colours of the modes (docs/calf.md), darkened to be legible on white.
COLOURS = {"certified": "#4aa8e8", "relax": "#4fc36a", "nominal": "#dd5a55"}
INK, QUIET = "#222222", "#9aa3ad"
STYLE: Any = {  # Any: matplotlib's types list each key
    "font.size": 10,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
}

Column = NDArray[np.float64]
LARGEST = 2**30
"""Bytes of a metrics file: some 20 million episodes."""
LONGEST_LINE = 4096
LARGEST_NUMBER = 1e100
MOST_COLUMNS = 50
"""Most files side by side in a plot."""


def read(path: Path, needed: Sequence[str] = METRICS) -> dict[str, Column]:
    """The needed columns of a CSV file, each (rows,); by default those of a metrics file.

    Raises:
        UserError: the file cannot be read, lacks a column, or holds no complete episode.
    """
    advice = "give FILE.metrics.csv"
    with (
        opened(path, LARGEST, advice) as (binary, _),
        parsing(path, "a metrics file of calf-viz train", advice),
        io.TextIOWrapper(binary, "utf-8-sig", newline="") as file,
    ):
        rows = csv.reader(_bounded(file))
        places = {name: index for index, name in enumerate(next(rows, needed))}
        wanted = [places[name] for name in needed]
        # As raw doubles, as there may be very many.
        values = array("d", (float(row[place]) for row in rows if row for place in wanted))
    if not values:
        raise FileDamaged(path, "it holds no episode yet", "train for longer")
    table = np.array(values).reshape(-1, len(needed))
    if not np.abs(table).max() <= LARGEST_NUMBER:
        raise FileDamaged(path, "a number in it is not finite, or too large to plot", "train anew")
    return {name: table[:, index].copy() for index, name in enumerate(needed)}


def _bounded(file: TextIO) -> Iterator[str]:
    """A file's lines. Raises ValueError for one longer than any line of metrics."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise ValueError("a line is too long")
        yield line


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
    """`point_mass` for `point_mass.safetensors.metrics.csv`; for a run's metrics, its name without
    the time, so that the same training gives the same picture."""
    if path.name == "metrics.csv":
        return re.sub(r"-\d{8}_\d{6}(-\d+)?$", "", Path(os.path.realpath(path)).parent.name)
    return path.name.removesuffix(".metrics.csv").removesuffix(".safetensors")


@contextmanager
def figure_file(output: str | Path, width: float, height: float) -> Iterator[Figure]:
    """A figure of this size in inches, written as a PNG if the block succeeds.

    Raises:
        UserError: the picture cannot be written.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        with write_aside(output) as part:
            # With the format, as the name ends in .part; without date and version, so that the
            # same figure gives the same bytes.
            figure.savefig(part, dpi=110, format="png", metadata={"Software": None})


def plot_learning(paths: Sequence[Path], output: str | Path, window: int) -> None:
    """Plot all metrics files to `output`, one column each.

    Raises:
        UserError: see `read`; or the picture cannot be written.
    """
    if len(paths) > MOST_COLUMNS:
        raise UserError(f"{len(paths)} files do not fit a picture: give at most {MOST_COLUMNS}")
    not_over(output, paths)
    runs = [read(path) for path in paths]
    with figure_file(output, 6.4 * len(runs), 8.6) as figure:
        axes = figure.subplots(
            4, len(runs), sharex="col", squeeze=False, height_ratios=(3, 1.6, 2.2, 1.2)
        )
        for column, (path, run) in enumerate(zip(paths, runs, strict=True)):
            ret, goal, modes, relax = axes[:, column]
            episodes = run["episode"] + 1
            averaged = f"mean of {window}"

            ret.set_title(title(path), color=INK, fontsize=12, loc="left")
            ret.plot(episodes, run["return"], ".", color=QUIET, markersize=3, label="an episode")
            ret.plot(
                episodes, moving_average(run["return"], window), color=INK, lw=1.8, label=averaged
            )
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


def plot_certificate(path: Path, output: str | Path) -> None:
    """Plot an episode's certificate, from its `certificate.csv`, to `output`.

    Raises:
        UserError: the file cannot be read or holds no step; or the picture cannot be written.
    """
    not_over(output, [path])
    columns = read(path, CERTIFICATE)
    steps, modes = columns["step"], columns["mode"].astype(int)
    with figure_file(output, 7.6, 4.2) as figure:
        value, band = figure.subplots(2, 1, sharex=True, height_ratios=(9, 1))
        value.fill_between(
            steps, columns["floor"], columns["ceiling"], color="#d9e1ea", lw=0, label="allowed"
        )
        value.plot(
            steps, columns["floor"], color=QUIET, lw=1.0, label="q⁺ of the first step, + ν̄ per step"
        )
        value.plot(steps, columns["ceiling"], color=QUIET, lw=1.0, ls="--", label="−C_low ‖s⁺‖²")
        value.plot(steps, columns["q_plus"], color=INK, lw=1.8, label="q⁺")
        value.set_ylabel("certified value q⁺")
        value.grid(axis="y", color="#e6e9ec", lw=0.8)
        value.set_axisbelow(True)
        for number, name in enumerate(NAMES):
            found = steps[modes == number]
            band.vlines(found, 0, 1, color=COLOURS[name], lw=1.2, label=name)
        band.set_ylim(0, 1)
        band.set_yticks([])
        band.set_xlabel("step of the episode")
        band.set_xlim(steps[0] - 0.5, steps[-1] + 0.5)
        # Above both plots: inside, the shaded area would hide its own legend entry.
        look: dict[str, Any] = {"frameon": False, "fontsize": 9, "ncols": 2}
        lines, modes_shown = value.get_legend_handles_labels(), band.get_legend_handles_labels()
        figure.legend(*lines, loc="outside upper left", **look)
        figure.legend(*modes_shown, loc="outside upper right", **look)
