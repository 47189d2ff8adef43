"""The HUD of the running program: a panel of counts, the legend, the colour bar, keys and axes."""

from __future__ import annotations

from collections.abc import Sequence

from calf_viz.glsl.variants import CIRCLE
from calf_viz.hud.axes import Axes
from calf_viz.hud.hud import Hud
from calf_viz.hud.key_line import KeyLine
from calf_viz.hud.panel import Panel, Row
from calf_viz.hud.value_axis import ValueAxis
from calf_viz.hud.widgets import ColourBar, Notice, Widget
from calf_viz.scene.mode_bits import shown_modes
from calf_viz.scene.paint import mode_tone
from calf_viz.view import View

FEW_MODES = 4
"""Modes that fit in a panel of the default height."""
MANY_SHARE = 0.7
"""Fraction of the picture's height that a panel with more may take."""


def overview(view: View, keys: Sequence[tuple[str, str]] = ()) -> Hud:
    """The program's HUD. Its texts, by key: shown (policy and agent), step, time, episodes,
    steps_a_frame, agents, mean_value, fps, mode_0, mode_1, ..., coloured (what has the colours of
    modes), chosen (number of the agent in a ring), state (that it is paused), and notice (what was
    done just now).

    keys: each key and what it does.
    """
    rows = [
        Row("shown", "", rank=2, heading=True),
        Row("step", "step", rank=0),
        Row("time", "time", rank=3),
        Row("episodes", "episodes", rank=4),
        Row("steps_a_frame", "steps/frame", rank=5),
        Row("agents", "agents", rank=2),
        Row("mean_value", f"mean {view.symbol or view.value}", rank=5),
        Row("fps", "frames/s", rank=7),
    ]
    modes = shown_modes(view.modes, view.margins)
    if len(modes) > 1:
        rows.append(Row("coloured", "", rank=6, rule=True, heading=True))
    rows += [
        Row(f"mode_{i}", name, rank=1, swatch=mode_tone(i), rule=i == 0)
        for i, name in enumerate(modes)
    ]
    rows += [
        Row("goal", "goal", rank=4, swatch=mode_tone(CIRCLE), rings=1),
        Row("chosen", "chosen agent", rank=3, swatch=mode_tone(CIRCLE), rings=2),
    ]
    panel = Panel("overview", view.title, rows, collapses=True)
    if len(modes) > FEW_MODES:  # the meaning of colours deserves more room
        panel.share = panel.share[0], MANY_SHARE
    value = dict.fromkeys((view.value, view.symbol or view.value))
    widgets: list[Widget] = [
        panel,
        ColourBar("value", tuple(value)),
        Notice("state", "state"),
        Notice("notice", "notice"),
    ]
    if keys:
        widgets.append(KeyLine("keys", keys))
    hud = Hud(widgets, Axes(view.labels), ValueAxis(*value))
    hud.update(goal=None if view.goal is None else "")
    return hud
