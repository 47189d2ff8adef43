"""Compare the three renderers over numbers of agents: docs/performance_report.md.

    python tools/performance_report.py [--agents 3 --agents 20 ...] [--frames 60]

For each number of agents the three applications are open at once, with full trails, and take
turns of a few frames, so that other load on the machine affects all of them alike. per_agent is
tried with more agents only while it draws more than one frame a second. Frames are waited for.

The time outside the OpenGL driver is measured in separate processes with GALLIUM_NOOP=1, where
Mesa draws nothing: from known positions until the draws are submitted, HUD included. Other drivers
ignore that: then the report is without these figures.
"""

from __future__ import annotations

import json
import shlex
import sys
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import click
import numpy as np
from undrawn import draws_nothing, undrawn

from calf_viz import CALFApplication, PerformanceProfiler, VisualizationConfig
from calf_viz.cli.profile import DRAWS
from calf_viz.console import bar, say
from calf_viz.files import make_folder, write_aside
from calf_viz.parameters import GIVEN_PATH
from calf_viz.profiling.machine import describe
from calf_viz.run_command import run_command
from calf_viz.viewer.designs import RENDERERS

AGENTS = (3, 5, 10, 20, 30, 100, 1000)
OUTSIDE = 10_000
"""Number of agents with which `gpu` is also measured outside the driver."""
TURN = 10
"""Frames of one renderer before the next one's turn."""
WARM_UP = 5
SLOWEST = 1000.0
"""Frame time [ms] beyond which per_agent is not tried with more agents."""
COLOURS = {"gpu": "#2f7fc1", "batched": "#4f9d69", "per_agent": "#c4554d"}
COUNTS = {
    "draws": "draws",
    "upload_bytes": "upload [bytes]",
    "critic_queries": "critic queries",
    "mesh_updates": "meshes rebuilt",
    "vertices": "vertices",
    "entities": "entities",
}


Outside = dict[tuple[str, int], float]
"""Times outside the driver by (renderer, agents) [ms]; empty where that cannot be measured."""


@dataclass
class Row:
    """One renderer with one number of agents; times in ms."""

    renderer: str
    agents: int
    frames: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    counts: dict[str, float] = field(default_factory=dict)
    new_critic: float = 0.0
    """Time of a frame in which a new critic's surface arrives."""

    @property
    def median(self) -> float:
        return float(np.median(self.frames))


class Contestant:
    """One renderer's application, with full trails."""

    def __init__(self, renderer: str, agents: int, trail: int) -> None:
        config = VisualizationConfig(
            n_agents=agents, trail_length=trail, renderer=renderer, headless=True
        )
        self.profiler = PerformanceProfiler(warm_up=0)
        self.app = CALFApplication(config, self.profiler)
        self.row = Row(renderer, agents)
        for _ in range(trail):
            self.app.advance()
        self.app.host.draw()
        for _ in range(WARM_UP):
            self.frame()
        self.profiler.reset()

    def frame(self) -> tuple[float, float]:
        """Draws one frame, waited for (there is no window): wall time and processor time [ms]."""
        start, cpu = time.perf_counter(), time.process_time()
        self.app.step()
        return 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - cpu)

    def turn(self, frames: int) -> None:
        for _ in range(frames):
            taken, cpu = self.frame()
            self.row.frames.append(taken)
            self.row.cpu.append(cpu)

    def end(self) -> Row:
        """The row, after one more frame, in which a new critic arrives."""
        stats = self.profiler.get_stats()
        stats["draws"] = sum(stats[f"{name}_per_frame"] for name in DRAWS)
        self.row.counts = {
            name: float(np.nan_to_num(stats.get(f"{name}_per_frame", stats.get(name, 0.0))))
            for name in COUNTS
        }
        start = time.perf_counter()
        self.app.show_critic()
        self.app.step()
        self.row.new_critic = 1e3 * (time.perf_counter() - start)
        self.app.close()
        return self.row


def measure(agents: tuple[int, ...], frames: int, trail: int) -> tuple[list[Row], dict[str, Any]]:
    """All rows, and the machine."""
    rows: list[Row] = []
    machine: dict[str, Any] = {}
    left_out: set[str] = set()
    with bar(shown=sys.stderr.isatty()) as progress:
        task = progress.add_task("agents", total=len(agents))
        for n in agents:
            names = [name for name in RENDERERS if name not in left_out]
            here = [Contestant(name, n, trail) for name in names]
            host = here[0].app.host
            machine = machine or describe(host.renderer, host.gl_version)
            for _ in range(-(-frames // TURN)):
                for contestant in here:
                    contestant.turn(TURN)
            rows += [contestant.end() for contestant in here]
            left_out |= {r.renderer for r in rows if r.median > SLOWEST}
            progress.advance(task)
    return rows, machine


def outside_driver(renderer: str, agents: int, frames: int, trail: int) -> float | None:
    """Median frame time without the simulation [ms] if the driver draws nothing; else None."""
    app = Contestant(renderer, agents, trail).app
    if not draws_nothing(app):
        return None
    app.frame_times.clear()
    for _ in range(frames):
        app.step()
    return 1e3 * float(np.median(app.frame_times))


def measure_outside(rows: list[Row], frames: int, trail: int) -> Outside:
    """`outside_driver` for every row, and for gpu with many agents, by (renderer, agents)."""
    wanted = [(r.renderer, r.agents) for r in rows]
    wanted.append(("gpu", OUTSIDE))
    found: Outside = {}
    for renderer, agents in wanted:
        length = trail if agents < OUTSIDE else min(trail, 100)  # a ring of 600 would need 4 GB
        taken = undrawn(
            __file__, "--outside", f"{renderer}:{agents}", "--trail", str(length),
            "--frames", str(frames),
        )  # fmt: skip
        if taken is None:
            return {}
        found[renderer, agents] = taken
    return found


def exponent(outside: Outside, renderer: str) -> float | None:
    """Exponent of the time outside the driver as a power of the agents, from 10 agents on."""
    points = [(n, t) for (name, n), t in outside.items() if name == renderer and n >= 10]
    if len(points) < 2:
        return None
    n, t = np.log(np.array(points)).T
    return float(np.polyfit(n, t, 1)[0])


def outside_section(outside: Outside) -> str:
    """The times as a table with its explanation, or why there are none."""
    if not outside:
        return "No figures: this driver cannot be told to draw nothing; only Mesa's can."
    agents = sorted({n for _, n in outside})
    lines = []
    for renderer in RENDERERS:
        cells = [f"{outside[renderer, n]:.2f}" if (renderer, n) in outside else "" for n in agents]
        grows = exponent(outside, renderer)
        lines.append([renderer, *cells, "" if grows is None else f"{grows:.2f}"])
    figures = table(["outside the driver [ms]", *map(str, agents), "exponent"], lines)
    return f"""{figures}

The time from known positions until the draws are submitted, HUD included, with Mesa drawing
nothing (`GALLIUM_NOOP=1`); the rest of a frame is left to a GPU. `exponent`: the time grows with
this power of the number of agents, from 10 agents on ({OUTSIDE} with trails of at most 100
steps)."""


def change(before: float, after: float) -> str:
    return "–" if before == 0 else f"{100 * (after / before - 1):+.0f} %"


def steps_table(rows: list[Row], outside: Outside, agents: int) -> str:
    """per_agent against gpu with this number of agents."""
    by = {(r.renderer, r.agents): r for r in rows}
    old, new = by["per_agent", agents], by["gpu", agents]
    lines = []
    for label, before, after in (
        ("frames a second", 1e3 / old.median, 1e3 / new.median),
        ("frame time [ms]", old.median, new.median),
        (
            "outside the driver [ms]",
            outside.get(("per_agent", agents)),
            outside.get(("gpu", agents)),
        ),
        ("critic queries", old.counts["critic_queries"], new.counts["critic_queries"]),
        ("draws, HUD included", old.counts["draws"], new.counts["draws"]),
        ("upload [bytes]", old.counts["upload_bytes"], new.counts["upload_bytes"]),
        ("frame with a new critic [ms]", old.new_critic, new.new_critic),
    ):
        if before is not None and after is not None:
            lines.append([label, f"{before:,.4g}", f"{after:,.4g}", change(before, after)])
    return table([f"a frame of {agents} agents", "per_agent", "gpu", "change"], lines)


def plots(rows: list[Row], folder: Path) -> list[tuple[str, Path]]:
    """Plots of what grows with the number of agents: (label, path)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    def value(row: Row, name: str) -> float:
        return {"frame": row.median, "cpu": float(np.median(row.cpu))}.get(
            name, row.counts.get(name, 0.0)
        )

    kinds = {
        "frame": "frame time, median [ms]",
        "cpu": "processor time a frame, all threads [ms]",
        "draws": "draws a frame, HUD included",
        "upload_bytes": "bytes uploaded a frame",
        "critic_queries": "critic queries a frame",
    }
    made = []
    for name, label in kinds.items():
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        for renderer, colour in COLOURS.items():
            line = [(r.agents, value(r, name)) for r in rows if r.renderer == renderer]
            if line:
                axes.plot(*zip(*line, strict=True), "o-", color=colour, label=renderer, lw=1.8)
        axes.set_xscale("log")
        if any(value(r, name) for r in rows):
            axes.set_yscale("log")
        else:
            axes.set_ylim(-0.1, 1.0)  # all zero is a result as well
        axes.set_xlabel("agents")
        axes.set_ylabel(label)
        axes.grid(color="#e6e9ec", lw=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        path = folder / f"{name}.png"
        with write_aside(path) as part:
            figure.savefig(part, dpi=110, format="png", metadata={"Software": None})
        made.append((label, path))
    return made


def table(heads: list[str], lines: list[list[str]]) -> str:
    ruler = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [heads, ruler, *lines])


def times_table(rows: list[Row], agents: list[int]) -> str:
    """Median and 95th percentile of the frame time, and the ratio to gpu."""
    by = {(r.renderer, r.agents): r for r in rows}
    lines = []
    for n in agents:
        cells = [str(n)]
        for renderer in RENDERERS:
            row = by.get((renderer, n))
            if row is None:
                cells += ["not tried", ""]
                continue
            times = row.frames
            cells.append(f"{row.median:.1f} ({np.percentile(times, 95):.1f})")
            cells.append(f"{row.median / by['gpu', n].median:.1f}")
        lines.append(cells)
    heads = ["agents"]
    for renderer in RENDERERS:
        heads += [f"{renderer} [ms]", "/ gpu"]
    return table(heads, lines)


def counts_table(rows: list[Row]) -> str:
    heads = ["renderer", "agents", *COUNTS.values(), "CPU [ms]", "new critic [ms]"]
    lines = []
    for row in rows:
        counts = [_figure(row.counts[name]) for name in COUNTS]
        cells = [*counts, f"{np.median(row.cpu):.1f}", f"{row.new_critic:.0f}"]
        lines.append([row.renderer, str(row.agents), *cells])
    return table(heads, lines)


def _figure(count: float) -> str:
    """A mean count, as an integer or with its first decimals."""
    return (
        f"{count:,.0f}".replace(",", " ") if count == round(count) or count > 99 else f"{count:.2g}"
    )


def growth(rows: list[Row], renderer: str) -> float | None:
    """Frame time per additional agent [µs]: slope of a line through all rows, if there are two."""
    points = np.array([(r.agents, r.median) for r in rows if r.renderer == renderer])
    return 1e3 * float(np.polyfit(points[:, 0], points[:, 1], 1)[0]) if len(points) > 1 else None


def lessons(rows: list[Row], outside: Outside, renderer_name: str) -> list[str]:
    """The figures in words."""
    by = {(r.renderer, r.agents): r for r in rows}
    said = []
    for renderer in RENDERERS:
        mine = [r for r in rows if r.renderer == renderer]
        fast = [r.agents for r in mine if r.median <= 1000 / 30]
        most = max(fast, default=0)
        text = f"`{renderer}` keeps 30 frames a second up to {most} agents of those tried"
        adds = growth(rows, renderer)
        said.append(
            f"{text}." if adds is None else f"{text}; an agent adds {adds:.0f} µs to its frame."
        )
    for renderer in ("batched", "per_agent"):
        mine = [r for r in rows if r.renderer == renderer]
        if not mine:
            continue
        last = mine[-1]
        gpu = by["gpu", last.agents]
        said.append(
            f"With {last.agents} agents `{renderer}` issues {last.counts['draws']:.0f} "
            f"draws and uploads {last.counts['upload_bytes']:,.0f} bytes a frame; `gpu` issues "
            f"{gpu.counts['draws']:.0f} and uploads {gpu.counts['upload_bytes']:,.0f}."
        )
        said.append(
            f"A frame with a new critic then takes `{renderer}` {last.new_critic:.0f} ms, "
            f"`gpu` {gpu.new_critic:.0f} ms"
            + (
                ": the first moves every vertex, the second uploads one texture."
                if gpu.new_critic < 0.9 * last.new_critic
                else "."
            )
        )
    n = max(r.agents for r in rows if r.renderer == "per_agent")
    if outside:
        said.append(
            f"Outside the driver {n} agents take `per_agent` {outside['per_agent', n]:.1f} ms, "
            f"`batched` {outside['batched', n]:.1f} ms and `gpu` {outside['gpu', n]:.2f} ms a "
            "frame: Python work for each agent, NumPy work for all of them, and the copy of one "
            "row."
        )
    if "llvmpipe" in renderer_name:
        said.append(
            "A software renderer runs the vertex shader on the same cores: they do what Python "
            "does not, and with few agents the designs are close together. With many, the uploads, "
            "and the vertices that the level of detail saves, make the difference."
        )
    small, largest = min(r.agents for r in rows), max(r.agents for r in rows)
    if small == largest:
        return said
    few = {name: by[name, small].median for name in RENDERERS if (name, small) in by}
    slowest, fastest = max(few, key=few.__getitem__), min(few, key=few.__getitem__)
    said.append(
        f"With {small} agents the designs differ least ({fastest} {few[fastest]:.1f} ms, "
        f"{slowest} {few[slowest]:.1f} ms): the surface's pixels are the same for all."
    )
    return said


def report(
    rows: list[Row], machine: dict[str, Any], pictures: list[tuple[str, Path]], command: str,
    frames: int, trail: int, folder: Path, outside: Outside,
) -> str:  # fmt: skip
    agents = sorted({r.agents for r in rows})
    packages = ", ".join(f"{name} {found}" for name, found in machine["packages"].items())
    # Outside docs/ the page that it refers to is not beside it.
    design = "docs/architecture.md"
    if (folder / "architecture.md").is_file():
        design = "[architecture](architecture.md)"
    shown = "\n\n".join(
        f"![{label} against agents]({path.relative_to(folder).as_posix()})"
        for label, path in pictures
    )
    both = {r.agents for r in rows if r.renderer == "per_agent"}
    step = steps_table(rows, outside, min(both, key=lambda n: abs(n - 20)))
    drawn = "\n".join(f"- {line}" for line in lessons(rows, outside, machine["gl_renderer"]))
    return f"""# Three designs compared

Measured {date.today().isoformat()} on {machine["cpu"]}, {machine["cores"]} cores, {machine["os"]},
Python {machine["python"]}, {packages}; OpenGL {machine["gl_version"]} by
**{machine["gl_renderer"]}**, 1280x720, {frames} frames each, trails of {trail} steps, by

    {command}

The renderers are `--renderer gpu`, `batched` and `per_agent`: they draw the same scene with the
same fragment shader, and differ in how its geometry is made
({design}). They took turns of {TURN} frames. Trails of the two older ones
pass through every sample, those of `gpu` through the samples that its level of detail selects.

## Frame time: median (95th percentile)

{times_table(rows, agents)}

{shown}

## From the oldest design to this one

{step}

## Outside the OpenGL driver

{outside_section(outside)}

## What a frame asks for

{counts_table(rows)}

`draws`: in the whole frame, including the HUD's and, with `gpu`, the one that puts a step's
samples into the ring, a row of pixels.
`critic queries`: made for the picture while the critic is unchanged; `new critic`: the frame in
which a new one arrives, including its evaluation on the grid.

## Lessons

{drawn}
"""


@click.command()
@click.option("--agents", multiple=True, type=click.IntRange(1, 100_000), help="Numbers of agents.",
              default=AGENTS)  # fmt: skip
@click.option("--frames", default=60, show_default=True, type=click.IntRange(10, 100_000))
@click.option("--trail", default=600, show_default=True, type=click.IntRange(2))
@click.option("--outside", hidden=True)
@click.option(
    "--output", default="docs/performance_report.md", show_default=True,
    type=GIVEN_PATH,
)  # fmt: skip
def performance_report(
    agents: tuple[int, ...], frames: int, trail: int, outside: str | None, output: Path
) -> None:
    """Measure the renderers against each other, and write the report with its plots."""
    if outside is not None:
        name, _, n = outside.partition(":")
        print(json.dumps(outside_driver(name, int(n), frames, trail)))
        return
    arguments = [a for a in sys.argv[1:] if a]
    command = shlex.join(["python", "tools/performance_report.py", *arguments])
    make_folder(output.parent / output.stem)  # now, rather than after minutes of measuring
    rows, machine = measure(tuple(sorted(set(agents))), frames, trail)
    beside = measure_outside(rows, frames, trail)
    pictures = plots(rows, output.parent / output.stem)
    text = report(rows, machine, pictures, command, frames, trail, output.parent, beside)
    with write_aside(output) as part:
        part.write_text(text, encoding="utf-8")
    say(output)


def main() -> None:
    """Run from the command line."""
    run_command(performance_report, "performance_report", "performance_report: ")


if __name__ == "__main__":
    main()
