"""How a shape is filled, and colours named by what they mean instead of by their components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Weights of linear red, green and blue in the luminance."""


class Tone(NamedTuple):
    """A colour by its meaning: which one it is, the theme and the palette in use say when it is
    drawn.

    Attributes:
        name: of a colour of `Theme`; `mode`: an entry of the palette's second row.
        entry: which one.
    """

    name: str
    entry: int = 0


def mode_tone(entry: int) -> Tone:
    """The colour of an entry of the palette's second row; see `glsl.variants`."""
    return Tone("mode", entry)


Shade = int | Tone
"""A colour as 0xRRGGBB, or by its meaning."""


@dataclass(frozen=True)
class Paint:
    """Fill and border of a shape; border in pixels, inside the edge."""

    colour: Shade = 0
    opacity: float = 1.0
    border: float = 0.0
    border_colour: Shade = 0
    border_opacity: float = 1.0


def packed(colour: tuple[float, float, float]) -> int:
    """0xRRGGBB from components within [0, 1]."""
    red, green, blue = (round(255 * min(max(c, 0.0), 1.0)) for c in colour)
    return red << 16 | green << 8 | blue


def unpacked(colour: int) -> tuple[float, float, float]:
    """The components of 0xRRGGBB, within [0, 1]."""
    return (colour >> 16 & 255) / 255, (colour >> 8 & 255) / 255, (colour & 255) / 255


def mixed(one: int, other: int, part: float) -> int:
    """A mixture of two colours 0xRRGGBB, with a fraction within [0, 1] of the second."""
    part = min(max(part, 0.0), 1.0)
    shifts = ((one >> s & 255, other >> s & 255) for s in (16, 8, 0))
    red, green, blue = (round(a + part * (b - a)) for a, b in shifts)
    return red << 16 | green << 8 | blue


def luminance(colour: int) -> float:
    """Relative luminance of 0xRRGGBB, 0 to 1, as WCAG 2 defines it."""
    linear = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in unpacked(colour)
    )
    return sum(weight * part for weight, part in zip(LUMINANCE, linear, strict=True))


def contrast(one: int, other: int) -> float:
    """Contrast ratio of two colours 0xRRGGBB, 1 to 21, as WCAG 2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
