"""Plots the frame times of two profiles. Only this file imports matplotlib."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calf_viz.errors import UserError
from calf_viz.files import write_aside
from calf_viz.profiling.comparison import Comparison

COLOURS = {"A": "#7d8894", "B": "#2f7fc1"}
INK = "#222222"
BINS = 60


def plot_comparison(comparison: Comparison, path: Path) -> None:
    """Write a PNG: above, a histogram of frame times; below, frame times in order.

    Raises:
        UserError: matplotlib is missing, or the file cannot be written.
    """
    try:
        # Not pyplot, which would choose a backend for the whole process.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError(
            "a plot needs matplotlib: pip install matplotlib, or leave the plot out (`plot=False`)"
        ) from error
    figure = Figure(figsize=(9.0, 6.4), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, height_ratios=(3, 2))
    both = {
        "A": comparison.a.run.frame_ms,
        "B": comparison.b.run.frame_ms,
    }
    # A single slow frame must not squeeze the rest into one bin.
    everything = np.concatenate(list(both.values()))
    low, high = float(everything.min()), float(np.percentile(everything, 99.5))
    edges = np.linspace(low, max(high, low + 1e-3), BINS + 1)
    for (name, times), path_name in zip(both.items(), comparison.names, strict=True):
        colour = COLOURS[name]
        p50, p95 = np.percentile(times, (50, 95))
        label = f"{name}: {Path(path_name).name}, p50 {p50:.2f} ms, p95 {p95:.2f} ms"
        weights = np.full(len(times), 100.0 / len(times))
        shown = np.clip(times, edges[0], edges[-1])
        above.hist(shown, edges, weights=weights, color=colour, alpha=0.55, label=label)
        above.axvline(p50, color=colour, lw=1.8)
        above.axvline(p95, color=colour, lw=1.4, ls="--")
        below.plot(np.arange(1, len(times) + 1), times, color=colour, lw=0.9)
    above.set_xlabel("frame time [ms]; line: p50, dashed: p95; the last bin holds what is longer")
    above.set_ylabel("frames [%]")
    above.legend(frameon=False, loc="upper left", bbox_to_anchor=(0.0, 1.18), fontsize=9)
    below.set_xlabel("frame")
    below.set_ylabel("frame time [ms]")
    below.set_ylim(bottom=0)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e6e9ec", lw=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(colors=INK)
    with write_aside(path) as part:
        figure.savefig(part, dpi=110, format="png", metadata={"Software": None})
