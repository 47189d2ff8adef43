"""Encoding of samples' modes in bits, in a texel of the ring and in a trail's vertices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calf_viz.glsl.variants import MARGINS, MODE_BITS, MODES

TEXEL = 10
"""Bits of a texel for modes."""
SEGMENT = 30
"""Bits of an int for the modes in a trail's segment, without its sign."""


@dataclass(frozen=True)
class ModeBits:
    """The encoding. With more bits per mode, fewer samples fit a texel, and fewer steps the longest
    segment; two bits are cheapest.

    Attributes:
        each: bits per mode.
        margins: whether the highest of them says that the step's margin was negative.
    """

    each: int = int(MODE_BITS.default)
    margins: bool = False

    @classmethod
    def of(cls, modes: int, margins: bool = False) -> ModeBits:
        """The encoding for a number of modes. If there are more than `MODES`, or half as many with
        margins, the last known one represents all others."""
        few = modes << margins <= 1 << cls().each
        return cls(cls().each if few else (MODES - 1).bit_length(), margins)

    @property
    def known(self) -> int:
        """Number of distinguished modes."""
        return 1 << self.each - self.margins

    @property
    def mask(self) -> int:
        """Mask of one mode, with its margin's bit."""
        return (1 << self.each) - 1

    @property
    def samples(self) -> int:
        """Number of samples of an agent whose modes fit a texel."""
        return TEXEL // self.each

    @property
    def longest_stride(self) -> int:
        """Most steps between drawn samples."""
        return SEGMENT // self.each

    @property
    def in_texel(self) -> int:
        """Mask of the modes in a texel."""
        return (1 << self.each * self.samples) - 1

    @property
    def in_segment(self) -> int:
        """Mask of the modes in a segment."""
        return (1 << self.each * self.longest_stride) - 1

    @property
    def defines(self) -> dict[str, str]:
        """Macros for shaders, if it is not the default."""
        found = {} if self.each == ModeBits().each else {MODE_BITS.name: str(self.each)}
        return found | ({MARGINS.name: "1"} if self.margins else {})


def shown_modes(modes: Sequence[str], margins: bool = False) -> tuple[str, ...]:
    """Names of what is distinguished: the modes or, if too many, the first and one for the rest.
    margins: whether they have margins."""
    known = ModeBits.of(len(modes), margins).known
    if len(modes) <= known:
        return tuple(modes)
    first = tuple(modes[: known - 1])
    taken = {name.strip() for name in first}
    names = ("other", "all other", *(f"all other ({n})" for n in range(2, known + 1)))
    return (*first, next(name for name in names if name not in taken))
