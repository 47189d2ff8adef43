"""A comparison as Markdown, with its plot beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from calf_viz.errors import UserError, shown, visible
from calf_viz.files import not_over, write_aside
from calf_viz.profiling.comparison import CONFIDENCE, Comparison, Verdict, short
from calf_viz.profiling.metrics import MEMORY, PROCESSOR, TIMES
from calf_viz.profiling.profile import Profile

BAR = r"\|"
"""An escaped bar within a table cell."""

HEADS = ("metric", "A", "B", "change", f"{100 * CONFIDENCE:.0f} % interval", "verdict")


def write_comparison(comparison: Comparison, path: Path, plot: bool = True) -> None:
    """Write the Markdown to `path`, and a PNG of the same name beside it.

    Raises:
        UserError: a file cannot be written, is one of those compared, or is named like a picture,
            or matplotlib is missing.
    """
    if not path.name or path.suffix.lower() == ".png":
        raise UserError(
            f"'{shown(path)}' would hold Markdown, with a plot beside it: give a name such as "
            "comparison.md"
        )
    picture = path.with_suffix(".png") if plot else None
    for output in (path, *([] if picture is None else [picture])):
        not_over(output, comparison.read)
    with write_aside(path) as part:
        if picture is not None:
            from calf_viz.profiling.plot import plot_comparison

            plot_comparison(comparison, picture)
        part.write_text(markdown(comparison, picture), encoding="utf-8")


def markdown(comparison: Comparison, picture: Path | None = None) -> str:
    """The text: what is compared, the table, the plot, and how to read them."""
    a, b = comparison.a, comparison.b
    lines = [
        "# Comparison of two profiles",
        "",
        f"- A: {_code(comparison.names[0])}, {_said(a)}",
        f"- B: {_code(comparison.names[1])}, {_said(b)}",
        f"- on: {_machine(a)}",
    ]
    if comparison.forced:
        lines.append(f"- **not comparable, forced**: {'; '.join(comparison.forced)}")
    if comparison.differences:
        lines.append(f"- they differ in (A, B): {'; '.join(comparison.differences)}")
    lines += ["", _row(HEADS), _row("---" if i in (0, 5) else "---:" for i in range(6))]
    lines += [_row(cells(verdict)) for verdict in comparison.verdicts]
    if picture is not None:
        lines += ["", f"![Frame times of A and B]({picture.name})"]
    return "\n".join(map(visible, [*lines, "", _HOW, ""]))


_HOW = (
    f"An interval contains the change with {100 * CONFIDENCE:.0f} % confidence: a moving block "
    "bootstrap over frames and, if there are several runs, over runs; widened by how much the same "
    f"program varies from start to start (times {100 * TIMES:.0f} %, memory "
    f"{100 * MEMORY:.0f} %, processor time {100 * PROCESSOR:.0f} %, counters 0). Better or "
    "worse: 0 lies outside. A and B are the figures of the run with the median frame time."
)


def cells(verdict: Verdict) -> tuple[str, ...]:
    """The table cells of a verdict, in the order of `HEADS`."""
    name = f"{verdict.metric} [{verdict.unit}]" if verdict.unit else verdict.metric
    low, high = verdict.interval or (None, None)
    interval = "" if low is None else f"{percent(low)} to {percent(high)}"
    return (
        name,
        number(verdict.a),
        number(verdict.b),
        percent(verdict.change),
        interval,
        verdict.verdict,
    )


def number(value: float | None) -> str:
    """With about four digits, in powers of ten only if it would be too long for a column."""
    if value is None or math.isnan(value):
        return ""
    if abs(value) >= 1e15:
        return f"{value:.3e}"
    digits = 0 if value == int(value) or abs(value) >= 1000 else 1 if abs(value) >= 100 else 3
    return f"{value:.{digits}f}"


def percent(change: float | None) -> str:
    """A change in percent, with its sign."""
    if change is None:
        return ""
    return "from 0" if math.isinf(change) else f"{100 * change:+.1f} %"


def _row(texts: Iterable[str]) -> str:
    return f"| {' | '.join(text.replace('|', BAR) for text in texts)} |"


def _code(name: str) -> str:
    """A name as inline code, its backquotes replaced."""
    return "`" + name.replace("`", "'") + "`"


def _said(profile: Profile) -> str:
    c = profile.configuration
    size = short(c.get("size"))
    runs = f"{len(profile.runs)} x {len(profile.run)} frames"
    system, n, renderer = (short(c.get(key)) for key in ("system", "n_agents", "renderer"))
    created = shown(profile.created)
    return ", ".join([system, f"{n} agents", f"renderer {renderer}", size, runs, created])


def _machine(profile: Profile) -> str:
    m = profile.machine
    cpu, cores, system, gl = (short(m.get(key)) for key in ("cpu", "cores", "os", "gl_renderer"))
    return f"{cpu}, {cores} cores, {system}, OpenGL by {gl}"
