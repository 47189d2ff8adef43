"""The HUD of the running program: a panel of counts, the legend, the colour bar, keys and axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calf_viz.hud.axes import Axes
from calf_viz.hud.hud import Hud
from calf_viz.hud.shape import packed
from calf_viz.hud.widgets import ColourBar, KeyLine, Notice, Panel, Row, Widget


def overview(
    title: str,
    modes: Sequence[str],
    mode_colours: NDArray[np.floating],
    axes: tuple[str, str] | None = None,
    keys: Sequence[tuple[str, str]] = (),
) -> Hud:
    """Its values, by key: step, agents, mean_value, fps, mode_0, mode_1, ..., state
    (that it is paused), and notice (what was done just now).

    modes, mode_colours: name and RGB(A) of each mode, (at least as many, >= 3).
    axes: name and unit of the plane's axes. keys: key and what it does.
    """
    rows = [
        Row("step", "step", rank=0),
        Row("agents", "agents", rank=2),
        Row("mean_value", "mean −Q", rank=3),
        Row("fps", "frames/s", rank=4),
    ]
    colours = [packed(tuple(colour[:3].tolist())) for colour in mode_colours]
    rows += [
        Row(f"mode_{i}", name, rank=1, swatch=colour, rule=i == 0)
        for i, (name, colour) in enumerate(zip(modes, colours, strict=False))
    ]
    widgets: list[Widget] = [
        Panel("overview", title, rows),
        ColourBar("critic", "critic −Q"),
        Notice("state", "state"),
        Notice("notice", "notice"),
    ]
    if keys:
        widgets.append(KeyLine("keys", keys))
    return Hud(widgets, Axes(axes) if axes is not None else None)
