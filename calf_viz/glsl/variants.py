"""The built-in variants of the picture: macros with few values, declared once.

`shaders/lib/variants.glsl` is generated from here (`python -m calf_viz.glsl.variants`), and a
test holds the two together. The surface without heights is no macro but `--height-scale 0`, since
axes and level of detail follow it as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from calf_viz.errors import UserError, shown
from calf_viz.glsl.shipped import shader_folder


@dataclass(frozen=True)
class Variant:
    """A macro: its values with what they mean, the default first."""

    name: str
    values: Mapping[str, str]

    @property
    def default(self) -> str:
        return next(iter(self.values))


VARIANTS = (
    Variant("TRAILS", {"1": "trails are drawn", "0": "markers alone"}),
    Variant("CONTOURS", {"1": "contours on the surface", "0": "none"}),
    Variant(
        "TRAIL_COLOUR",
        {
            "BY_MODE": "trails tell the rule that chose each step",
            "BY_AGE": "how long ago it was",
            "BY_SPEED": "how fast the agent moved",
            "BY_CERTIFICATE": "whether the critic would certify the chosen agent's actor there",
        },
    ),
)


CERTIFIED, REFUSED = 0, 4
"""Entries of the palette's second row that trails by certificate have."""
RAMP_ROW = 3
"""The palette's row that trails by age and speed have."""
FAST = 400.0
"""Steps over the plane of an agent of middling speed: its place in the ramp is 1 - 1 / e."""


def place_of_speed(speed: float) -> float:
    """Where in the ramp an agent is that passes so many widths of the plane in a step, 0 to 1."""
    return 1.0 - math.exp(-FAST * speed)


@lru_cache(maxsize=8)
def in_force(text: str) -> Mapping[str, str]:
    """The value of each variant in an expanded shader, whoever chose it."""
    found = {}
    for variant in VARIANTS:
        # The first definition holds: the shipped one is for where there is none.
        define = re.search(rf"^[ \t]*#[ \t]*define[ \t]+{variant.name}[ \t]+(\w+)", text, re.M)
        value = define[1] if define else variant.default
        values = list(variant.values)
        if value not in values:
            known = value.isdecimal() and int(value) < len(values)
            value = values[int(value)] if known else variant.default
        found[variant.name] = value
    return found


def check(defines: Mapping[str, str]) -> None:
    """Raise UserError for a variant with a value that it does not have."""
    for variant in VARIANTS:
        value = defines.get(variant.name, variant.default)
        if value not in variant.values:
            choices = ", ".join(variant.values)
            raise UserError(f"`define` {variant.name}={shown(value)}: choose one of {choices}")


def combinations() -> Iterator[dict[str, str]]:
    """Defines of every combination, those that differ from the defaults; the default one first."""
    for values in product(*(variant.values for variant in VARIANTS)):
        pairs = zip(VARIANTS, values, strict=True)
        yield {v.name: value for v, value in pairs if value != v.default}


def header() -> str:
    """The GLSL text of `shaders/lib/variants.glsl`."""
    lines = [
        "// The built-in variants, each a macro: `--define NAME=VALUE` chooses. Generated from",
        "// calf_viz/glsl/variants.py by `python -m calf_viz.glsl.variants`; do not edit.",
    ]
    for variant in VARIANTS:
        lines += ["", f"// {variant.name}"]
        for number, (value, meaning) in enumerate(variant.values.items()):
            if value.isdecimal():
                lines.append(f"//   {value}: {meaning}")
            else:
                lines.append(f"#define {value} {number}    // {meaning}")
        lines += [f"#ifndef {variant.name}", f"#define {variant.name} {variant.default}", "#endif"]
    lines += [
        "",
        "// What trails are coloured with: entries of the palette's second row, a row of it, and",
        "// steps over the plane of an agent of middling speed.",
        f"const int TRAIL_CERTIFIED = {CERTIFIED}, TRAIL_REFUSED = {REFUSED};",
        f"const int TRAIL_RAMP_ROW = {RAMP_ROW};",
        f"const float TRAIL_FAST = {FAST:.1f};",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (shader_folder() / "lib" / "variants.glsl").write_text(header(), encoding="utf-8")
