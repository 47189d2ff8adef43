"""What is written of two looks: which of them the picture shows, and by what names."""

from __future__ import annotations

from pathlib import Path

from calf_viz.hud import theme
from calf_viz.hud.hud import Hud
from calf_viz.hud.widgets import Notice

SHOWN = {"split": "AB", "a": "A", "b": "B", "difference": "AB"}
"""Letters of the looks, by `View.mode`."""
SHIPPED = Path("shipped")
"""How the look is called that replaces nothing."""


def name_looks(hud: Hud) -> None:
    """Add the line that tells them, of `texts`."""
    hud.add(Notice("view", "view", colour=theme.BRIGHT), first=True)


def names(a: Path | None, b: Path | None) -> tuple[str, str]:
    """What two looks are called: as short as tells them apart."""
    paths = a or SHIPPED, b or SHIPPED
    same = paths[0].name == paths[1].name
    one, other = (str(path) if same else path.name or str(path) for path in paths)
    return one, other


def texts(mode: str, looks: tuple[str, str], gain: float) -> dict[str, str]:
    """Of a `View.mode`, by key. looks: their names. gain: by which a difference is amplified."""
    a, b = looks
    words = {
        "split": f"A  {a}   |   B  {b}",
        "a": f"A  {a}",
        "b": f"B  {b}",
        "difference": f"A  {a}  −  B  {b},  × {gain:g}",
    }
    return {"view": words[mode], "looks": SHOWN[mode]}
