"""Compares two profiles, from their files to a report."""

from __future__ import annotations

from pathlib import Path

from calf_viz.profiling.comparison import (
    MUST_AGREE,
    Comparison,
    IncomparableError,
    difference,
    differences,
    judge,
)
from calf_viz.profiling.metrics import metrics_of
from calf_viz.profiling.profile import Profile
from calf_viz.profiling.profile_file import load_profile
from calf_viz.profiling.report import write_comparison


def compare_results(
    a: Profile | str | Path,
    b: Profile | str | Path,
    output: str | Path | None = None,
    *,
    force: bool = False,
    plot: bool = True,
) -> Comparison:
    """Judge each metric of B against A: better, worse, or no difference.

    There is a difference if 0 lies outside the interval of the change, from a seeded block
    bootstrap (see `bootstrap`): the same two profiles give the same verdicts.

    Args:
        a, b: profiles or their files; A is before the change, B after it.
        output: Markdown file to write, with the plot beside it as PNG.
        force: compare the profiles even if they are not comparable.
        plot: False leaves out the plot, which needs matplotlib.

    Raises:
        IncomparableError: machines, picture sizes, systems or numbers of agents differ.
        UserError: a file cannot be used or written, or matplotlib is missing.
    """
    names = tuple(x.created if isinstance(x, Profile) else str(x) for x in (a, b))
    read = tuple(Path(x) for x in (a, b) if not isinstance(x, Profile))
    first, second = (x if isinstance(x, Profile) else load_profile(x) for x in (a, b))
    forced = [text for key in MUST_AGREE if (text := difference(first, second, *key))]
    if forced and not force:
        raise IncomparableError(
            f"these profiles cannot be compared, they differ in {'; '.join(forced)} "
            "(`force=True` compares them all the same)"
        )
    metrics = metrics_of(first, second)
    comparison = Comparison(
        a=first,
        b=second,
        names=(names[0], names[1]),
        read=read,
        verdicts=[judge(metric, first, second) for metric in metrics],
        differences=differences(first, second),
        forced=forced,
    )
    if output is not None:
        write_comparison(comparison, Path(output), plot)
    return comparison
