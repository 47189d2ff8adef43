"""Viewpoints as text, for a setting and for messages.

    home                                    a preset: which way to look, and at what
    top,distance=8                          with parts of one's own
    -60,40,16.5,0,0                         or all of it: azimuth, elevation, distance, x, y, z

Angles are in degrees: the azimuth is that of the eye as seen from the target, counterclockwise from
the first axis; the elevation is the eye's above the plane. `distance` and the target's height `z`
are in units of which the plane is 10 wide, its `x` and `y` in the units of the plane's axes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal, NamedTuple

from calf_viz.errors import UserError, shown
from calf_viz.scene.camera import CLOSEST, FARTHEST, LOWEST

Subject = Literal["home", "agents", "plane"]
"""What is in the picture: agents and enough of the surface around them, agents alone, or all of the
plane."""


class Preset(NamedTuple):
    """Angles in degrees, and what to show from there."""

    azimuth: float
    elevation: float
    subject: Subject


PRESETS = {
    "home": Preset(-60.0, 35.0, "home"),
    "agents": Preset(-60.0, 35.0, "agents"),
    "plane": Preset(-60.0, 40.0, "plane"),
    "top": Preset(-90.0, 90.0, "plane"),
    "front": Preset(-90.0, 25.0, "plane"),
    "side": Preset(0.0, 25.0, "plane"),
    "corner": Preset(-45.0, 30.0, "plane"),
}
LIMITS = {
    "azimuth": (-360.0, 360.0),
    "elevation": (math.degrees(LOWEST), 90.0),
    "distance": (CLOSEST, FARTHEST),
    "x": (-math.inf, math.inf),
    "y": (-math.inf, math.inf),
    "z": (-FARTHEST, FARTHEST),
}
"""Range of each number; the target's x and y must be on the plane, whatever that is."""
ADVICE = (
    f"give {', '.join(PRESETS)}, or azimuth,elevation,distance,x,y such as -60,40,16.5,0,0, or "
    "parts by name such as top,distance=8"
)


@dataclass(frozen=True)
class Viewpoint:
    """A preset, of which single numbers are replaced; None: as the preset has it.

    Attributes:
        azimuth, elevation: in degrees.
        distance, z: in units of which the plane is 10 wide.
        x, y: in the units of the plane's axes.
    """

    name: str = "home"
    azimuth: float | None = None
    elevation: float | None = None
    distance: float | None = None
    x: float | None = None
    y: float | None = None
    z: float | None = None

    @classmethod
    def read(cls, text: str) -> Viewpoint:
        """Raises UserError for text that is none, and for numbers out of range."""
        name, *rest = (part.strip() for part in text.split(","))
        if _is_number(name) or "=" in name:
            name, rest = "home", [name, *rest]
        elif name.lower() not in PRESETS:
            raise UserError(f"unknown `camera` '{shown(name)}': {ADVICE}")
        unnamed = sum("=" not in part for part in rest)
        if unnamed > len(LIMITS):
            raise UserError(
                f"`camera` has {unnamed} numbers, but at most {len(LIMITS)} are wanted, "
                f"{','.join(LIMITS)}: {ADVICE}"
            )
        numbers: dict[str, float] = {}
        named = False
        for place, part in enumerate(rest):
            key, equals, value = (side.strip() for side in part.partition("="))
            named |= bool(equals)
            if not named:
                key, value = tuple(LIMITS)[place], part
            if key not in LIMITS:
                raise UserError(f"`camera`: '{shown(part)}' is no part of one: {ADVICE}")
            if key in numbers:
                raise UserError(f"`camera`: {key} is given twice: leave one out")
            numbers[key] = _number(key, value)
        return cls(name.lower(), **numbers)

    @property
    def preset(self) -> Preset:
        """The preset that it starts from."""
        return PRESETS[self.name]

    @property
    def follows(self) -> bool:
        """Whether it depends on where agents are."""
        return self.preset.subject != "plane" and None in (self.distance, self.x, self.y)

    def __str__(self) -> str:
        """The text that `read` accepts."""
        numbers = ((f.name, getattr(self, f.name)) for f in fields(self) if f.name != "name")
        given = [f"{name}={_plain(value)}" for name, value in numbers if value is not None]
        named = [] if self.name == "home" and given else [self.name]
        return ",".join([*named, *given])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(key: str, text: str) -> float:
    if not _is_number(text):
        raise UserError(f"`camera`: {key} '{shown(text)}' is not a number: {ADVICE}")
    value, (low, high) = float(text), LIMITS[key]
    if not math.isfinite(value):
        raise UserError(f"`camera`: {key} {value} is not finite: give a number")
    # Degrees of radians may be off by some of the last digits.
    if not low - 1e-9 <= value <= high + 1e-9:
        raise UserError(f"`camera`: {key} {shown(value)} is out of range: give {low:g} to {high:g}")
    return value


def _plain(value: float) -> str:
    return repr(value + 0.0).removesuffix(".0")
