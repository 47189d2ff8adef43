"""What samples and a surface mean: the plane, its axes, the modes and the value, by name.

A source says it once; the picture takes from it whatever it writes or measures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from calf_viz.errors import UserError, shown

MOST_MODES = 3
"""Modes that a sample has bits for."""


@dataclass(frozen=True)
class View:
    """What a source shows. Raises UserError for what makes no sense.

    Attributes:
        title: of the panel, and of the files that are written.
        lo, hi: corners of the plane, in the units of its axes.
        labels: name and unit of the plane's axes, such as `x [m]`.
        modes: name of each mode that samples have, by its number.
        value: name of what the surface is the height of.
        symbol: the same where there is little room; None: the name itself.
        marker: what an agent looks like; an arrow points along its heading.
        dt: seconds between two samples; None where steps have no duration.
        trainee: index of the agent that is being trained; None where none is.
        live: whether steps come by themselves, so that each frame takes all that there are.
    """

    title: str
    lo: tuple[float, float] = (-5.0, -5.0)
    hi: tuple[float, float] = (5.0, 5.0)
    labels: tuple[str, str] = ("x", "y")
    modes: tuple[str, ...] = ("agents",)
    value: str = "value"
    symbol: str | None = None
    marker: Literal["sphere", "arrow"] = "sphere"
    dt: float | None = None
    trainee: int | None = None
    live: bool = False

    def __post_init__(self) -> None:
        for axis, (lo, hi) in enumerate(zip(self.lo, self.hi, strict=True)):
            if not (math.isfinite(lo) and math.isfinite(hi) and lo < hi):
                raise UserError(
                    f"view {shown(self.title)}: axis {axis} goes from {lo} to {hi}: give two "
                    "finite numbers, the lower first"
                )
        if not 1 <= len(self.modes) <= MOST_MODES:
            raise UserError(
                f"view {shown(self.title)}: {len(self.modes)} modes, where 1 to {MOST_MODES} can "
                "be told apart"
            )
        if self.marker not in ("sphere", "arrow"):
            raise UserError(
                f"view {shown(self.title)}: marker {shown(self.marker)}: sphere or arrow"
            )
        if self.dt is not None and not (math.isfinite(self.dt) and self.dt > 0.0):
            raise UserError(f"view {shown(self.title)}: a step takes {self.dt} s: give more than 0")


@dataclass
class Certificate:
    """What the certificate would ask of one agent now, for shaders that show it."""

    chosen: int = 0
    """The agent."""
    q_plus: float | None = None
    """Its q+; None before its first certified step."""
    constants: tuple[float, float, float] = (0.01, 0.01, 1000.0)
    """nu_bar, C_low, C_up."""
    hidden_square: float = 0.0
    """Sum of the squares of the states that the plane does not show."""
