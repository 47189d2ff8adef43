"""The built-in variants of the picture: macros with few values, declared once.

`shaders/lib/variants.glsl` is generated from here (`python -m calf_viz.glsl.variants`), and a test
checks that the two agree. The surface without heights is not a macro but `--height-scale 0`, since
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
from calf_viz.glsl.shipped_shaders import shader_folder


@dataclass(frozen=True)
class Variant:
    """A macro: its values with their meanings, the default first."""

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
            "BY_MODE": "trails show the rule that chose each step",
            "BY_AGE": "how long ago it was",
            "BY_SPEED": "how fast the agent moved",
            "BY_CERTIFICATE": "whether the critic would certify the chosen agent's actor there; "
            "of a loop that gives margins: whether the step's was negative",
        },
    ),
)


MODE_BITS = Variant("MODE_BITS", {"2": "bits of a mode, for up to 4 modes", "3": "for up to 8"})
PERIODIC = Variant("PERIODIC", {"0": "no axis of the plane wraps", "1": "one does, or both"})
MARGINS = Variant(
    "MARGINS",
    {"0": "steps have no margins", "1": "the highest bit of a mode: its step's was negative"},
)
DEVIATIONS = Variant(
    "DEVIATIONS",
    {
        "0": "a value that is not finite is marked",
        "1": "values are deviations from zero; where there is none, it is grey",
    },
)
PICKING = Variant(
    "PICKING",
    {"0": "colours are drawn", "1": "numbers of agents, in what the mouse reads"},
)
"""Neither the user's nor the view's: `picking` turns a program of colours into one of numbers."""
_PICKS = re.compile(rf"^[ \t]*#[ \t]*if[ \t]+{PICKING.name}\b", re.M)
GIVEN = (MODE_BITS, PERIODIC, MARGINS, DEVIATIONS)
"""Not for the user to choose: determined by the view. (A uniform would cost every view's vertices a
tenth of their time under llvmpipe, which executes both sides of each branch.)"""
MODES = 8
"""Modes distinguished at most: the first entries of the palette's second row. After them come as
many for the agent in training, the colours of circles, those of trails by certificate, and from
`HIGHLIGHTED` on as many for the agent with a ring."""
TRAINEE_COLOURS = MODES
CIRCLE, CASING = 2 * MODES, 2 * MODES + 1
CERTIFIED, REFUSED = 2 * MODES + 2, 2 * MODES + 3
HIGHLIGHTED = 3 * MODES
RAMP_ROW = 3
"""The palette's row for trails by age and speed."""
FAST = 400.0
"""Steps that an agent of medium speed takes over the plane: its place in the ramp is 1 - 1 / e."""


def place_of_speed(speed: float) -> float:
    """Place in the ramp, 0 to 1, of an agent with this speed [widths of the plane per step]."""
    return 1.0 - math.exp(-FAST * speed)


BY_MARGIN = "BY_MARGIN"
"""What BY_CERTIFICATE shows if steps have margins of their own."""


def has_margins(text: str) -> bool:
    """Whether steps have margins in an expanded shader."""
    found = re.search(rf"^[ \t]*#[ \t]*define[ \t]+{MARGINS.name}[ \t]+(\w+)", text, re.M)
    return found is not None and found[1] == "1"


@lru_cache(maxsize=8)
def in_force(text: str) -> Mapping[str, str]:
    """The value of each variant in an expanded shader, wherever it was chosen."""
    found = {}
    for variant in VARIANTS:
        # The first definition counts: the shipped one is the fallback.
        define = re.search(rf"^[ \t]*#[ \t]*define[ \t]+{variant.name}[ \t]+(\w+)", text, re.M)
        value = define[1] if define else variant.default
        values = list(variant.values)
        if value not in values:
            known = value.isdecimal() and int(value) < len(values)
            value = values[int(value)] if known else variant.default
        found[variant.name] = value
    return found


def picking(text: str) -> str | None:
    """An expanded shader that draws numbers of agents instead; None for a shader of the user's own
    that does not know how."""
    default = f"#define {PICKING.name} {PICKING.default}\n"
    if _PICKS.search(text) is None or default not in text:
        return None
    return text.replace(default, f"#define {PICKING.name} 1\n")  # as many lines


def check(defines: Mapping[str, str]) -> None:
    """Raise UserError for a value that a variant does not have."""
    for given in (*GIVEN, PICKING):
        if given.name in defines:
            whose = "program" if given is PICKING else "view"
            raise UserError(f"`define` {given.name}: determined by the {whose}: leave it out")
    for variant in VARIANTS:
        value = defines.get(variant.name, variant.default)
        if value not in variant.values:
            choices = ", ".join(variant.values)
            raise UserError(f"`define` {variant.name}={shown(value)}: choose one of {choices}")


def combinations() -> Iterator[dict[str, str]]:
    """Defines that differ from the defaults for every combination; the default one first, then the
    same for a view of many modes whose axes wrap, which looks ignore."""
    for values in product(*(variant.values for variant in VARIANTS)):
        pairs = zip(VARIANTS, values, strict=True)
        yield (found := {v.name: value for v, value in pairs if value != v.default})
        if not found:
            yield {given.name: list(given.values)[-1] for given in GIVEN}


def header() -> str:
    """The GLSL text of `shaders/lib/variants.glsl`."""
    lines = [
        "// The built-in variants, each a macro: `--define NAME=VALUE` chooses. Generated from",
        "// calf_viz/glsl/variants.py by `python -m calf_viz.glsl.variants`; do not edit.",
    ]
    for variant in (*VARIANTS, *GIVEN, PICKING):
        note = "" if variant in VARIANTS else ": determined by the view"
        note = ": determined by the program" if variant is PICKING else note
        lines += ["", f"// {variant.name}{note}"]
        for number, (value, meaning) in enumerate(variant.values.items()):
            if value.isdecimal():
                lines.append(f"//   {value}: {meaning}")
            else:
                lines.append(f"#define {value} {number}    // {meaning}")
        lines += [f"#ifndef {variant.name}", f"#define {variant.name} {variant.default}", "#endif"]
    lines += [
        "",
        "// Steps between drawn samples, so that the modes of a segment fit an int; samples whose",
        "// modes a texel tells.",
        "const int LONGEST_STRIDE = 30 / MODE_BITS, MODES_EACH = 10 / MODE_BITS;",
        "const int MODE_MASK = (1 << MODE_BITS) - 1;",
        "",
        "// Entries of the palette's second row, after those of the modes: the first of the",
        "// same for the agent in training (twice as far on, those of circles, and thrice, the",
        "// same for the agent with a ring), and those of trails by certificate; a row of it; and",
        "// steps over the plane of an agent of medium speed.",
        f"const int TRAINEE_COLOURS = {TRAINEE_COLOURS};",
        f"const int TRAIL_CERTIFIED = {CERTIFIED}, TRAIL_REFUSED = {REFUSED};",
        f"const int TRAIL_RAMP_ROW = {RAMP_ROW};",
        f"const float TRAIL_FAST = {FAST:.1f};",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (shader_folder() / "lib" / "variants.glsl").write_text(header(), encoding="utf-8")
