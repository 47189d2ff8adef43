"""Whether a viewer left open leaks: minutes of training, with a shader saved each second.

    python tools/soak.py [--minutes 10] [--every 1]

Without a window, with a small picture. Once a second it samples resident memory, descriptors and
threads of the viewer and of the processes that it started; the first minute, in which caches fill,
is left out. The exit code is 1 if any grows beyond its limit. For the child that tries shaders,
which is replaced after 100 of them, this needs several minutes.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
import psutil
from numpy.typing import NDArray
from rich.table import Table

from calf_viz import AppConfig, CALFApplication
from calf_viz.console import tables
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.run_command import run_command

HOOK = "surface_colour.glsl"
WARM_UP = 60.0
"""Seconds."""
MOST = {"memory [MB]": 1.0, "descriptors": 0.1, "threads": 0.1}
"""Most growth per minute; a descriptor leaked with each save would be 60."""
LOW = 0.02
"""Share of samples that may catch a process as it starts."""


@dataclass
class Watched:
    """Total resources of the processes of one kind at each sample."""

    seconds: list[float] = field(default_factory=list)
    held: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MOST})

    def look(self, processes: list[psutil.Process], now: float) -> None:
        """Add a sample; processes that are gone hold nothing."""
        total = np.zeros(len(MOST))
        for process in processes:
            with suppress(psutil.Error), process.oneshot():
                memory = process.memory_info().rss / 1e6
                total += memory, process.num_fds(), process.num_threads()
        self.seconds.append(now)
        for values, value in zip(self.held.values(), total.tolist(), strict=True):
            values.append(value)

    def growth(self, name: str) -> float:
        """Growth per minute; see `growth`."""
        return growth(np.array(self.seconds), np.array(self.held[name]))


def growth(seconds: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """Growth per minute of fluctuating values, from the first half to the second.

    Compares the minimum of each half, ignoring the lowest LOW of all samples: processes that are
    replaced make values rise and fall, and are incomplete or doubled for a moment; but leaks are
    never released, so that the minimum rises as well. Means and peaks would depend on how many
    replacements fell into each half.
    """
    half = len(seconds) // 2
    if not half:
        return 0.0
    first, second = (float(np.quantile(part, LOW)) for part in (values[:half], values[-half:]))
    minutes = float(seconds[-half:].mean() - seconds[:half].mean()) / 60.0
    return (second - first) / minutes


def _by_kind(viewer: psutil.Process) -> dict[str, list[psutil.Process]]:
    """The viewer, and the processes that it started, by the module that they run."""
    found = {"viewer": [viewer]}
    for child in viewer.children(recursive=True):
        with suppress(psutil.Error):
            for word in child.cmdline():
                if word.startswith("calf_viz."):
                    found.setdefault(word, []).append(child)
    return found


def soak(minutes: float, every: float, agents: int) -> tuple[dict[str, Watched], str]:
    """Watch for some minutes after the first; returns each kind of process, and what was done."""
    text = (shader_folder() / HOOK).read_text(encoding="utf-8")
    watched: dict[str, Watched] = {}
    with tempfile.TemporaryDirectory() as folder:
        look = Path(folder) / "look"
        look.mkdir()
        (look / HOOK).write_text(text, encoding="utf-8")
        app = CALFApplication(
            AppConfig.from_preset(
                "medium", n_agents=agents, headless=True, size=(320, 180), watch=True, shaders=look,
                train=True, runs=Path(folder) / "runs", episodes=1_000_000,
                replay=10_000,  # full within the first minute, so that it does not count as growth
            )
        )  # fmt: skip
        app.start_training()
        me, live = psutil.Process(), app.live_shaders
        assert live is not None
        start, saves, due = time.monotonic(), 0, 0.0
        while (now := time.monotonic() - start) < WARM_UP + 60.0 * minutes:
            app.step()
            if now < due:
                continue
            due, saves = now + every, saves + 1
            part = Path(folder) / "part"
            # A different constant each time, so that it is in no cache.
            part.write_text(text.replace("0.35 + 0.65", f"{0.2 + 1e-5 * saves:.6f} + 0.65"))
            os.replace(part, look / HOOK)
            if now >= WARM_UP:
                for kind, processes in _by_kind(me).items():
                    watched.setdefault(kind, Watched()).look(processes, now)
        done = f"{app.frames:,} frames, {saves:,} saves, {live.rebuilds:,} rebuilds"
        if live.problem is not None:
            done += f"; {live.problem}"
        app.close()
        failure = app.training_failure
    return watched, f"{done}; the training {failure or 'ended in good order'}"


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--minutes", default=10.0, show_default=True, type=click.FloatRange(0.1))
@click.option("--every", default=1.0, show_default=True, type=click.FloatRange(0.05),
              help="Seconds between two saves.")  # fmt: skip
@click.option("--agents", default=20, show_default=True, type=click.IntRange(1))
def main(minutes: float, every: float, agents: int) -> None:
    watched, done = soak(minutes, every, agents)
    out = Table(title=f"{minutes:g} minutes after the first; {done}")
    for head in ("process", "", "first", "most", "growth a minute", "at most"):
        out.add_column(head, justify="left" if head in ("process", "") else "right")
    level = True
    for kind, processes in watched.items():
        for name, most in MOST.items():
            values, grows = processes.held[name], processes.growth(name)
            level &= grows <= most
            row = f"{values[0]:.1f}", f"{max(values):.1f}", f"{grows:+.3f}", f"{most:g}"
            out.add_row(kind, name, *row)
    tables(110).print(out)
    sys.exit(not level)


if __name__ == "__main__":
    run_command(main, "soak", "soak: ")
