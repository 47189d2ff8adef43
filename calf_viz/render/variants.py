"""The built-in variants of the picture: macros with few values, declared once.

`shaders/lib/variants.glsl` is generated from here (`python -m calf_viz.render.variants`), and a
test holds the two together. The surface without heights is no macro but `--height-scale 0`, since
axes and level of detail follow it as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from calf_viz.errors import UserError, shown


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


def check(defines: Mapping[str, str]) -> None:
    """Raise UserError for a variant with a value that it does not have."""
    for variant in VARIANTS:
        value = defines.get(variant.name, variant.default)
        if value not in variant.values:
            choices = ", ".join(variant.values)
            raise UserError(f"--define {variant.name}={shown(value)}: choose one of {choices}")


def combinations() -> Iterator[dict[str, str]]:
    """Defines of every combination, those that differ from the defaults; the default one first."""
    for values in product(*(variant.values for variant in VARIANTS)):
        pairs = zip(VARIANTS, values, strict=True)
        yield {v.name: value for v, value in pairs if value != v.default}


def header() -> str:
    """The GLSL text of `shaders/lib/variants.glsl`."""
    lines = [
        "// The built-in variants, each a macro: `--define NAME=VALUE` chooses. Generated from",
        "// calf_viz/render/variants.py by `python -m calf_viz.render.variants`; do not edit.",
    ]
    for variant in VARIANTS:
        lines += ["", f"// {variant.name}"]
        for number, (value, meaning) in enumerate(variant.values.items()):
            if value.isdecimal():
                lines.append(f"//   {value}: {meaning}")
            else:
                lines.append(f"#define {value} {number}    // {meaning}")
        lines += [f"#ifndef {variant.name}", f"#define {variant.name} {variant.default}", "#endif"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from calf_viz.render.sources import shader_folder

    (shader_folder() / "lib" / "variants.glsl").write_text(header(), encoding="utf-8")
