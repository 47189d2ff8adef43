"""Whether a viewer left open stays as it was: minutes of training, a shader saved each second.

    python tools/soak.py [--minutes 10] [--every 1]

Without a window, a small picture. Counted are resident memory, descriptors and threads of the
viewer and of the processes that it started, once a second; the first minute is left out, in which
caches fill. Exit code 1 where any of them grows beyond its bound.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
import psutil
from rich.table import Table

from calf_viz import AppConfig, CALFApplication
from calf_viz.console import tables
from calf_viz.profiling.resources import slope
from calf_viz.render.sources import shader_folder
from calf_viz.run_command import run_command

HOOK = "surface_colour.glsl"
WARM_UP = 60.0
"""Seconds."""
MOST = {"memory [MB]": 1.0, "descriptors": 0.1, "threads": 0.1}
"""What each may grow by in a minute, of one process; a descriptor lost a reload would be 60."""


@dataclass
class Watched:
    """What one process held at each look."""

    name: str
    seconds: list[float] = field(default_factory=list)
    held: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MOST})

    def look(self, process: psutil.Process, now: float) -> None:
        """One more look, unless it is gone."""
        try:
            with process.oneshot():
                memory = process.memory_info().rss / 1e6
                held = memory, float(process.num_fds()), float(process.num_threads())
        except psutil.Error:
            return
        self.seconds.append(now)
        for values, value in zip(self.held.values(), held, strict=True):
            values.append(value)

    def growth(self, name: str) -> float:
        """By how much it grows in a minute."""
        return 60.0 * (slope(np.array(self.seconds), np.array(self.held[name])) or 0.0)


def _name(process: psutil.Process) -> str:
    try:
        modules = [word for word in process.cmdline() if word.startswith("calf_viz.")]
    except psutil.Error:
        return "gone"
    return modules[0] if modules else "viewer"


def soak(minutes: float, every: float, agents: int) -> tuple[list[Watched], str]:
    """Watch for so many minutes after the first; each process that lived, and what was done."""
    text = (shader_folder() / HOOK).read_text(encoding="utf-8")
    watched: dict[int, Watched] = {}
    with tempfile.TemporaryDirectory() as folder:
        look = Path(folder) / "look"
        look.mkdir()
        (look / HOOK).write_text(text, encoding="utf-8")
        app = CALFApplication(
            AppConfig.from_preset(
                "medium", n_agents=agents, headless=True, size=(320, 180), watch=True, shaders=look,
                train=True, runs=Path(folder) / "runs", episodes=1_000_000,
                replay=10_000,  # full within the first minute: memory that is there, but untouched
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
            # Another constant each time, so that no cache knows it.
            part.write_text(text.replace("0.35 + 0.65", f"{0.2 + 1e-5 * saves:.6f} + 0.65"))
            os.replace(part, look / HOOK)
            if now >= WARM_UP:
                for process in (me, *me.children(recursive=True)):
                    if process.pid not in watched:
                        watched[process.pid] = Watched(_name(process))
                    watched[process.pid].look(process, now)
        done = f"{app.frames:,} frames, {saves:,} saves, {live.rebuilds:,} rebuilds"
        if live.problem is not None:
            done += f"; {live.problem}"
        app.close()
        failure = app.training_failure
    return list(watched.values()), f"{done}; the training {failure or 'ended in good order'}"


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--minutes", default=10.0, show_default=True, type=click.FloatRange(0.1))
@click.option("--every", default=1.0, show_default=True, type=click.FloatRange(0.05),
              help="Seconds between two saves.")  # fmt: skip
@click.option("--agents", default=20, show_default=True, type=click.IntRange(1))
def main(minutes: float, every: float, agents: int) -> None:
    watched, done = soak(minutes, every, agents)
    out = Table(title=f"{minutes:g} minutes after the first; {done}")
    for head in ("process", "", "first", "last", "growth a minute", "at most"):
        out.add_column(head, justify="left" if head in ("process", "") else "right")
    level = True
    for process in watched:
        for name, most in MOST.items():
            values, grows = process.held[name], process.growth(name)
            level &= grows <= most
            row = f"{values[0]:.1f}", f"{values[-1]:.1f}", f"{grows:+.3f}", f"{most:g}"
            out.add_row(process.name, name, *row)
    tables(110).print(out)
    sys.exit(not level)


if __name__ == "__main__":
    run_command(main, "soak", "soak: ")
