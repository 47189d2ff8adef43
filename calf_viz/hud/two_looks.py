"""Texts about two looks: their names, and which of them the picture shows."""

from __future__ import annotations

from pathlib import Path

from calf_viz.hud import theme
from calf_viz.hud.hud import Hud
from calf_viz.hud.widgets import Notice

SHOWN = {"split": "AB", "a": "A", "b": "B", "difference": "AB"}
"""Letters of the looks, by `View.mode`."""
SHIPPED = Path("shipped")
"""Name of the look that replaces nothing."""


def name_looks(hud: Hud) -> None:
    """Add the line that shows `texts`."""
    hud.add(Notice("view", "view", colour=theme.BRIGHT), first=True)


def names(a: Path | None, b: Path | None) -> tuple[str, str]:
    """Names of two looks, just long enough to tell them apart."""
    paths = a or SHIPPED, b or SHIPPED
    same = paths[0].name == paths[1].name
    one, other = (str(path) if same else path.name or str(path) for path in paths)
    return one, other


def texts(mode: str, looks: tuple[str, str], gain: float) -> dict[str, str]:
    """Texts for a `Compared.mode`, by key. looks: their names. gain: amplification of the
    difference."""
    a, b = looks
    words = {
        "split": f"A  {a}   |   B  {b}",
        "a": f"A  {a}",
        "b": f"B  {b}",
        "difference": f"A  {a}  −  B  {b},  × {gain:g}",
    }
    return {"view": words[mode], "looks": SHOWN[mode]}
