"""Which differences between two profiles their samples show, and which they do not.

    python tools/compare_profiles.py A.json B.json [--output report.md] [--fail-if frame_p95:10%]

A is the profile before a change, B the one after; both as written by `calf-viz --profile`. With
--output the table is also written to a Markdown file, with a plot of both frame times beside it.
"""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from calf_viz import compare_results
from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.console import plain, say, tables
from calf_viz.errors import UserError, visible
from calf_viz.profiling.comparison import Comparison
from calf_viz.profiling.report import HEADS, cells
from calf_viz.run_command import run_command

STYLES = {"better": "green", "worse": "red"}
DEFAULT = ("frame_p50:0%",)


class _Limit(click.ParamType):
    """`METRIC:PERCENT%` as (metric, share)."""

    name = "METRIC:N%"

    def convert(
        self, value: object, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        metric, _, text = str(value).rpartition(":")
        try:
            share = float(text.removesuffix("%")) / 100.0
        except ValueError:
            share = -1.0
        if not metric or not 0.0 <= share < float("inf"):
            self.fail(f"'{value}' is not a limit: give one such as frame_p95:10%", param, context)
        return metric, share


def show(comparison: Comparison) -> None:
    """Print the verdicts."""
    console = tables(110)
    if comparison.forced:
        forced = "; ".join(comparison.forced)
        console.print(plain(f"not comparable, forced: {forced}", "yellow"))
    if comparison.differences:
        differences = "; ".join(comparison.differences)
        console.print(plain(f"they differ in (A, B): {differences}"))
    table = Table()
    for i, head in enumerate(HEADS):
        table.add_column(head, justify="left" if i in (0, 5) else "right")
    for verdict in comparison.verdicts:
        table.add_row(*map(plain, cells(verdict)), style=STYLES.get(verdict.verdict))
    console.print(table)


@click.command()
@click.argument("a", type=GIVEN_PATH)
@click.argument("b", type=GIVEN_PATH)
@click.option("--output", type=GIVEN_PATH, help="Markdown file to write.")
@click.option("--no-plot", is_flag=True, help="Write no plot beside it.")
@click.option("--fail-if", "limits", multiple=True, type=_Limit(), default=DEFAULT,
              show_default=True,
              help="Exit with 1 if this metric is shown to be worse by more.")  # fmt: skip
@click.option("--force", is_flag=True, help="Compare profiles that are not comparable.")
def compare_profiles(
    a: Path,
    b: Path,
    output: Path | None,
    no_plot: bool,
    limits: tuple[tuple[str, float], ...],
    force: bool,
) -> int:
    """Report which metrics of profile B are better or worse than A's, and which do not differ.

    A difference counts as shown if its whole confidence interval lies on one side of 0, and a limit
    as exceeded if the whole interval lies beyond it.

    \b
    Exit codes:
      0  no limit is shown to be exceeded
      1  one is
      2  a file or an option cannot be used
      3  the profiles differ in machine, picture size, system or number of agents
    """
    comparison = compare_results(a, b, force=force)
    exceeded = [text for metric, share in limits if (text := _exceeded(comparison, metric, share))]
    if output is not None:
        from calf_viz.profiling.report import write_comparison

        write_comparison(comparison, output, plot=not no_plot)
    show(comparison)
    if output is not None:
        say(f"wrote {output}" if no_plot else f"wrote {output} and {output.with_suffix('.png')}")
    for text in exceeded:
        click.echo(visible(text), err=True)
    return 1 if exceeded else 0


def _exceeded(comparison: Comparison, metric: str, share: float) -> str | None:
    verdict = comparison[metric]
    if verdict.worsening is None:
        raise UserError(f"{metric} was not measured in both profiles: {verdict.verdict}")
    if not verdict.is_worse_by(share):
        return None
    _, a, b, change, interval, _ = cells(verdict)
    more = f" by more than {100 * share:g} %" if share else ""
    return f"{metric} is worse{more}: {a} to {b}, {change} ({interval})"


def main() -> None:
    """Run from the command line."""
    run_command(compare_profiles, "compare_profiles", "compare_profiles: ")


if __name__ == "__main__":
    main()
