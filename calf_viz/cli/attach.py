"""`calf-viz attach`: lists the loops that can be watched on this machine, and shows one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from calf_attach import search
from calf_attach.layout import Word

from calf_viz.cli.config_options import config_options
from calf_viz.cli.option_types import option_name, typed
from calf_viz.cli.showing import PRESET, config_of, picture_options, show_as_asked
from calf_viz.cli.signals import ended_as_by_ctrl_c
from calf_viz.console import plain, say, tables
from calf_viz.errors import UserError
from calf_viz.sources.attached import Controlled, find, give_way, watch
from calf_viz.sources.rate import steps_per_second
from calf_viz.value_scale import SCALES
from calf_viz.viewer.designs import RENDERERS

OF_A_SIMULATION = (
    "system", "n_agents", "speed", "checkpoint", "policy", "p_relax", "seed", "grid",
    "critic_on_gpu", "slice", "train", "train_rate", "resume", "runs", "detach",
)  # fmt: skip
"""Settings of what the program itself simulates or trains."""
OF_DESIGNS = (
    "use_vectorized_heights", "use_stats_cache", "use_batched_trails", "use_gpu_geometry",
)  # fmt: skip
"""Switches of older designs, kept for comparisons of simulations."""
TOLD = {
    "morph_frames": "Frames of the morph to a new critic.",
    "renderer": f"Design that draws: {', '.join(RENDERERS)}.  [default: gpu]",
    "value_scale": f"Scale of heights and colours: {', '.join(SCALES)}.  [default: linear]",
    "clim": "Lowest and highest value of that scale: auto (all of the surface's), robust (without "
    "the highest 2 %), agents (those where agents are), or two numbers: 0,500.  [default: auto]",
}
"""Help where a simulation's would mislead."""
MEASURED = 0.5
"""Seconds over which the speed of loops is measured for the list."""


def _config_options(command: Any) -> Any:
    return config_options(
        command, without=OF_A_SIMULATION + OF_DESIGNS, told=TOLD, of_preset=PRESET
    )


@click.command()
@click.argument("name", required=False)
@_config_options
@picture_options
@click.option("--rate", help="Steps per second of a loop that asks for control: max, realtime, or "
              "a number such as 200/s.")  # fmt: skip
@click.pass_context
def attach(
    context: click.Context,
    name: str | None,
    screenshot: bool,
    output: Path | None,
    rate: str | None,
    **changes: Any,
) -> None:
    """Show a training loop that runs on this machine: its NAME, or process id. Without one, list
    those that can be watched.

    Loops are made visible by `viz = calf_attach.attach(...)` and `viz.step(...)`: docs/attach.md.
    """
    given = typed(context)
    if name is None:
        if given:
            raise UserError(f"{option_name(given[0])} has no effect on the list: give a NAME")
        _list()
        return
    config = config_of(context, changes)
    source = watch(find(name))
    if rate is not None:
        if not isinstance(source, Controlled):
            raise UserError(
                "--rate: the loop does not ask for control: viz.step(..., control=True) does"
            )
        source.rate(steps_per_second(rate, source.view.dt or 1.0, "--rate"))
    give_way()
    from calf_viz.viewer.app import CALFApplication

    with ended_as_by_ctrl_c(), CALFApplication(config, source=source) as app:
        if app.host.has_window:
            source.announce()
        show_as_asked(app, screenshot, output)
        failure = app.failure
    if failure is not None:  # reported already
        context.exit(1)


def _list() -> None:
    """Print what runs here."""
    loops, troubles = search.loops()
    # One of this program's that was killed goes on from its run: nobody has to look at it.
    loops = [one for one in loops if one.board.alive or "trainer" not in one.meta]
    before = [one.board[Word.STEP] for one in loops]
    start = time.perf_counter()
    if loops:
        time.sleep(MEASURED)
    seconds = time.perf_counter() - start
    rows = [
        _row(one, (one.board[Word.STEP] - first) / seconds)
        for one, first in zip(loops, before, strict=True)
    ]
    if rows:
        _print(rows)
    else:
        say("no loops run here: docs/attach.md tells how to make one visible")
    for trouble in troubles:
        say(trouble)


def _print(rows: list[list[str]]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE)
    for title in ("name", "process", "since", "agents", "steps/s", "values"):
        table.add_column(title, justify="left" if title in ("name", "values") else "right")
    for row in rows:
        table.add_row(*map(plain, row))
    tables(100).print(table)


def _row(one: search.Found, speed: float) -> list[str]:
    board = one.board
    newest = board.row(board[Word.ROW] - 1)
    agents = "?" if newest is None else str(len(newest.positions))
    since = max(1e-9 * (time.perf_counter_ns() - board[Word.EPOCH]), 0.0)
    values = str(one.meta.get("value")) if board[Word.SURFACE] else "none"
    state = f"{speed:.0f}" if board.alive else "gone"
    return [one.name, str(board[Word.PID]), _ago(since), agents, state, values]


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
