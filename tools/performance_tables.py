"""The performance report's figures, as tables and in words."""

from __future__ import annotations

import numpy as np
from performance_rows import COUNTS, OUTSIDE, Outside, Row

from calf_viz.viewer.designs import RENDERERS


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
