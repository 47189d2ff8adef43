"""`calf-viz export`: a recording as a table of Parquet or CSV."""

from __future__ import annotations

from pathlib import Path

import click

from calf_viz.cli.moments import moment
from calf_viz.cli.option_types import GIVEN_PATH, GIVEN_RECORDING
from calf_viz.console import bar, on_terminal, say
from calf_viz.errors import UserError, shown, visible
from calf_viz.files import check_absent, not_over

SUFFIXES = {"parquet": ".parquet", "csv": ".csv"}
TABLES = ("agents", "critics", "events")


@click.command()
@click.argument("recording", type=GIVEN_RECORDING)
@click.option("--parquet", type=GIVEN_PATH, help="FILE.parquet to write.")
@click.option("--csv", type=GIVEN_PATH, help="FILE.csv to write.")
@click.option("--table", type=click.Choice(TABLES), default="agents", show_default=True,
              help="Agents: a row per step and agent; critics: one per node of each "
              "surface.")  # fmt: skip
@click.option("--from", "start", help="First step, or a time, of agents.  [default: the first]")
@click.option("--to", "stop", help="Last step, or a time, of agents.  [default: the last]")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def export(
    recording: Path, parquet: Path | None, csv: Path | None, table: str, start: str | None,
    stop: str | None, overwrite: bool,
) -> None:  # fmt: skip
    """Write a table of a RECORDING, a folder *.calf, for pandas, polars, DuckDB and others."""
    from calf_viz.recording.export import export as write
    from calf_viz.recording.recording import Recording

    path = _output(parquet, csv, overwrite)
    found = Recording(recording)
    if table != "agents" and (start, stop) != (None, None):
        raise UserError(f"--from and --to are of agents: leave them out for {table}")
    begins, ends = moment(found, "from", start), moment(found, "to", stop)
    first = 0 if begins is None else found.find(begins, "from")
    end = len(found) if ends is None else found.find(ends, "to") + 1
    if end < first:
        raise UserError(f"--to {stop} is before --from {start}")
    not_over(path, [recording])
    with bar(shown=on_terminal()) as progress:
        task = progress.add_task(visible(path.name), total=end - first)
        written = write(found, path, table, first, end, lambda rows: progress.advance(task, rows))
    say(f"{written.rows:,} rows of {', '.join(written.columns)} in {path}")


def _output(parquet: Path | None, csv: Path | None, overwrite: bool) -> Path:
    """The file to write. Raises UserError if there is none, or it is there already."""
    given = {kind: path for kind, path in (("parquet", parquet), ("csv", csv)) if path is not None}
    if len(given) != 1:
        raise UserError("give --parquet FILE or --csv FILE, one of them")
    ((kind, path),) = given.items()
    if path.suffix.lower() != SUFFIXES[kind]:
        raise UserError(f"--{kind} {shown(path)}: give a name that ends in {SUFFIXES[kind]}")
    check_absent(path, overwrite)
    return path
