"""What is written of two looks: which of them the picture shows, and by what names."""

from __future__ import annotations

from calf_viz.hud import theme
from calf_viz.hud.hud import Hud
from calf_viz.hud.widgets import Notice

SHOWN = {"split": "AB", "a": "A", "b": "B", "difference": "AB"}
"""Letters of the looks, by `View.mode`."""


def name_looks(hud: Hud) -> None:
    """Add the line that tells them, of `texts`."""
    hud.add(Notice("view", "view", colour=theme.BRIGHT), first=True)


def texts(mode: str, a: str, b: str, gain: float) -> dict[str, str]:
    """Of a `View.mode`, by key. a, b: the names. gain: by which a difference is amplified."""
    words = {
        "split": f"A  {a}   |   B  {b}",
        "a": f"A  {a}",
        "b": f"B  {b}",
        "difference": f"A  {a}  −  B  {b},  × {gain:g}",
    }
    return {"view": words[mode], "looks": SHOWN[mode]}
