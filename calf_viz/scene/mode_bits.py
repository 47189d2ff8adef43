"""The bits that tell a sample's mode, in a texel of the ring and in a trail's vertices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calf_viz.glsl.variants import MODE_BITS, MODES

TEXEL = 10
"""Bits of a texel that tell modes."""
SEGMENT = 30
"""Bits of an int that do so for the steps of a trail's segment; its sign stays out of it."""


@dataclass(frozen=True)
class ModeBits:
    """How modes are told. With more bits to each, fewer samples fit a texel, and fewer steps the
    longest segment; with two all is as cheap as it can be.

    Attributes:
        each: bits of a mode.
    """

    each: int = int(MODE_BITS.default)

    @classmethod
    def of(cls, modes: int) -> ModeBits:
        """Those that so many modes need. Of more than `MODES`, the last that is known stands for
        all others."""
        return cls() if modes <= 1 << cls().each else cls((MODES - 1).bit_length())

    @property
    def known(self) -> int:
        """Modes that are told apart."""
        return 1 << self.each

    @property
    def samples(self) -> int:
        """Of one agent, whose modes a texel tells."""
        return TEXEL // self.each

    @property
    def longest_stride(self) -> int:
        """Steps between drawn samples, at most."""
        return SEGMENT // self.each

    @property
    def in_texel(self) -> int:
        """Mask of the modes that a texel tells."""
        return (1 << self.each * self.samples) - 1

    @property
    def in_segment(self) -> int:
        """Mask of the modes that a segment tells."""
        return (1 << self.each * self.longest_stride) - 1

    @property
    def defines(self) -> dict[str, str]:
        """What shaders are told of it, where it is not the default."""
        return {} if self == ModeBits() else {MODE_BITS.name: str(self.each)}


def shown_modes(modes: Sequence[str]) -> tuple[str, ...]:
    """Names of what is told apart: the modes, or, of too many, the first and one for all others."""
    known = ModeBits.of(len(modes)).known
    if len(modes) <= known:
        return tuple(modes)
    first = tuple(modes[: known - 1])
    return (*first, "other" if "other" not in first else "all other")
