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
from datetime import date
from pathlib import Path
from typing import Any

import click
import numpy as np
from performance_rows import OUTSIDE, TURN, Outside, Row, measure, outside_driver
from performance_tables import counts_table, lessons, outside_section, steps_table, times_table
from undrawn import undrawn

from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.console import say
from calf_viz.files import make_folder, write_aside
from calf_viz.run_command import run_command

AGENTS = (3, 5, 10, 20, 30, 100, 1000)
COLOURS = {"gpu": "#2f7fc1", "batched": "#4f9d69", "per_agent": "#c4554d"}


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
