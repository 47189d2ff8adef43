"""`calf-viz returns`: where a recorded critic promised more, or less, than what came."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calf_viz.cli.moments import moment
from calf_viz.cli.option_types import GIVEN_PATH, GIVEN_RECORDING, option_name, options_named, typed
from calf_viz.cli.pictures import check_picture, picture_of, write_now
from calf_viz.cli.recordings import replay_options
from calf_viz.cli.showing import config_of
from calf_viz.cli.system_option import own_system
from calf_viz.console import bar, plain, say, tables
from calf_viz.errors import UserError
from calf_viz.files import (
    check_absent,
    check_writable,
    make_folder,
    names_in,
    not_over,
    write_aside,
)
from calf_viz.hosts import display_found

if TYPE_CHECKING:
    from calf_viz.recording.recording import Recording
    from calf_viz.returns.errors import Errors
    from calf_viz.returns.meaning import Meaning
    from calf_viz.returns.regions import Region
    from calf_viz.viewer.config import VisualizationConfig

LISTED = 20
"""Regions that are printed."""
MOST_REGIONS = 512
COLUMNS = ("x_from", "x_to", "y_from", "y_to", "steps", "promised", "returned", "error", "std")
OF_RETURNS = (
    "folder", "regions", "leave_out", "every_step", "start", "stop", "gamma", "reward_scale",
    "csv_file", "overwrite", "show",
    "output",
)  # fmt: skip
"""Parameters that are no settings of a picture."""


@click.command()
@click.argument("folder", type=GIVEN_RECORDING)
@click.option("--regions", default=10, show_default=True, type=click.IntRange(1, MOST_REGIONS),
              help="Of the plane, along each axis.")  # fmt: skip
@click.option("--leave-out", is_flag=True,
              help="Leave episodes out that were cut off, in place of taking the critic's own "
              "value for what would have followed.")  # fmt: skip
@click.option(
    "--every-step",
    is_flag=True,
    help="Count steps of the nominal policy too, whose actions Q is not about.",
)
@click.option("--from", "start", help="First step, or a time, whose promise counts.")
@click.option("--to", "stop", help="Last step, or a time, whose promise counts.")
@click.option("--gamma", type=float, help="Discount per step.  [default: as recorded]")
@click.option("--reward-scale", type=float,
              help="Factor on rewards with which the critic was trained; -1 for a critic of costs."
              "  [default: as recorded, or 1]")  # fmt: skip
@click.option("--csv", "csv_file", type=GIVEN_PATH, help="Write the table of all regions there.")
@click.option("--overwrite", is_flag=True, help="Let --csv replace a file that is there.")
@click.option("--show", is_flag=True, help="Show the errors as a surface, in a window.")
@click.option("--output", type=GIVEN_PATH, help="FILE.png for a picture of that surface.")
@own_system
@replay_options
@click.pass_context
def returns(
    context: click.Context,
    folder: Path,
    regions: int,
    leave_out: bool,
    every_step: bool,
    start: str | None,
    stop: str | None,
    gamma: float | None,
    reward_scale: float | None,
    csv_file: Path | None,
    overwrite: bool,
    show: bool,
    output: Path | None,
    **changes: Any,
) -> None:
    """Compare what the critic in a recording FOLDER promised with the discounted return that
    really followed, by region of the plane, worst first."""
    from calf_viz.recording.recording import Recording
    from calf_viz.returns.errors import measure
    from calf_viz.returns.meaning import read

    config = _config(context, changes, show, output)
    recording = Recording(folder)
    _check_csv(csv_file, folder, overwrite)
    if output is not None:
        check_picture(output)
    with options_named(typed(context)):
        meaning = read(recording, gamma, reward_scale, not leave_out, every_step)
    steps = _steps(recording, start, stop)
    with bar() as progress:
        task = progress.add_task("returns", total=len(recording))
        found = measure(
            recording, meaning, regions, steps, lambda rows: progress.advance(task, rows)
        )
    _print(recording, meaning, found)
    if csv_file is not None:
        _write(csv_file, found.regions.table())
    if config is not None:
        _picture(recording, meaning, found, config, output)


def _check_csv(path: Path | None, folder: Path, overwrite: bool) -> None:
    """Raise UserError for a table that could not be written, before the work is done."""
    if path is None:
        if overwrite:
            raise UserError("--overwrite goes with --csv: leave it out")
        return
    not_over(path, (folder / name for name in names_in(folder)))
    check_writable(path)
    check_absent(path, overwrite)
    make_folder(path.parent)


def _config(
    context: click.Context, changes: dict[str, Any], show: bool, output: Path | None
) -> VisualizationConfig | None:
    """Of the picture; None if there is none."""
    if show and output is not None:
        raise UserError("--show and --output cannot be combined: give one of them")
    if show and (changes["headless"] or not display_found()):
        raise UserError("--show requires a window: give --output FILE.png for a picture")
    if output is not None and picture_of(output) is None:
        raise UserError(f"--output {output}: give the name of a picture, FILE.png")
    if show or output is not None:
        return config_of(context, changes)
    for name in typed(context):
        if name not in OF_RETURNS:
            raise UserError(
                f"{option_name(name)} has no effect without a picture: add --show or --output "
                f"FILE.png, or leave {option_name(name)} out"
            )
    return None


def _steps(recording: Recording, start: str | None, stop: str | None) -> tuple[int, int] | None:
    if start is None and stop is None:
        return None
    last = recording.step(len(recording) - 1)
    first, end = moment(recording, "from", start), moment(recording, "to", stop)
    found = (0 if first is None else first, last if end is None else end)
    for name, step in zip(("from", "to"), found, strict=True):
        if step < 0:
            raise UserError(f"--{name} {step}: give a step from 0 on")
    if found[0] > found[1]:
        raise UserError(f"--from {found[0]} is after step {found[1]}: give an earlier one")
    return found


def _print(recording: Recording, meaning: Meaning, found: Errors) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    regions, view = found.regions, recording.view
    table = Table(box=SIMPLE)
    for title in (*view.labels, "steps", "promised", "returned", "error", "± std"):
        table.add_column(plain(title), justify="right")
    known = [region for region in regions.table() if region.steps]
    for region in known[:LISTED]:
        (left, low), (right, high) = region.lo, region.hi
        sides = f"{left:.4g} to {right:.4g}", f"{low:.4g} to {high:.4g}"
        numbers = (region.promised, region.returned, region.error, region.std)
        cells = (*sides, f"{region.steps:,}", *(f"{number:.4g}" for number in numbers))
        table.add_row(*map(plain, cells))
    tables(120).print(table)
    empty = regions.count.size - len(known)
    more = f"{len(known) - LISTED} regions more (--csv has all), " if len(known) > LISTED else ""
    say(f"{more}{empty} without steps")
    cut = "bootstrapped with the critic's own value" if meaning.bootstrapped else "left out"
    say(
        f"{regions.steps:,} steps, mean error {regions.mean:.4g}; gamma {meaning.gamma:g}, rewards "
        f"times {meaning.reward_scale:g}; episodes that were cut off are {cut}"
    )


def _write(path: Path, table: list[Region]) -> None:
    with write_aside(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for one in table:
            (left, low), (right, high) = one.lo, one.hi
            numbers = (one.promised, one.returned, one.error, one.std)
            writer.writerow([left, right, low, high, one.steps, *numbers])
    say(path)


def _picture(
    recording: Recording, meaning: Meaning, found: Errors, config: VisualizationConfig,
    output: Path | None,
) -> None:  # fmt: skip
    """Show the errors in a window, or write a picture of them: with the last step's agents."""
    from calf_viz.sources.error_map import ErrorMap
    from calf_viz.viewer.app import CALFApplication

    with CALFApplication(config, source=ErrorMap(recording, meaning, found)) as app:
        app.seek(len(recording) - 1)
        if output is not None:
            write_now(app, output)
        else:
            app.run()
