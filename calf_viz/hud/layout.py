"""Layout: rectangles in pixels, and sizes that follow the picture's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

DESIGNED_FOR = (1280, 720)
SMALLEST_SCALE = 0.75
"""Below this text would be too small to read: what does not fit is left out instead."""
EMS = {"title": (15, 13), "body": (13, 12), "small": (12, 11)}
"""Pixels per em of each style, at scale 1 and at least."""


class Rect(NamedTuple):
    """A rectangle in whole pixels from the picture's top left corner."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    def holds(self, x: float, y: float) -> bool:
        """Whether a point is inside."""
        return self.x <= x < self.right and self.y <= y < self.bottom

    def overlaps(self, other: Rect, gap: int = 0) -> bool:
        """Whether the two share a pixel, or are closer than `gap`."""
        return (
            self.x < other.right + gap
            and other.x < self.right + gap
            and self.y < other.bottom + gap
            and other.y < self.bottom + gap
        )

    def grown(self, by: int) -> Rect:
        """With a margin on all sides."""
        return Rect(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def within(self, size: tuple[int, int], margin: int = 0) -> bool:
        """Whether all of it is in a picture of that size."""
        return (
            self.x >= margin
            and self.y >= margin
            and self.right <= size[0] - margin
            and self.bottom <= size[1] - margin
        )


@dataclass(frozen=True)
class Metrics:
    """Sizes in pixels for a picture. All spacing is in whole `unit`s, a grid of 4 px at scale 1.

    stroke: factor on the width of hairlines.
    """

    scale: float
    stroke: float = 1.0

    @classmethod
    def fit(cls, size: tuple[int, int], stroke: float = 1.0, factor: float = 1.0) -> Metrics:
        """Metrics for a size: they grow with it, and shrink only while text stays legible. factor:
        larger or smaller by choice."""
        ratio = min(size[0] / DESIGNED_FOR[0], size[1] / DESIGNED_FOR[1])
        # In eighths, so that resizing a window does not rasterise a font for each pixel.
        return cls(max(round(8 * ratio * factor) / 8, SMALLEST_SCALE), stroke)

    @property
    def unit(self) -> int:
        return round(4 * self.scale)

    @property
    def line(self) -> int:
        """Width of hairlines."""
        return max(1, round(self.stroke * self.scale))

    @property
    def sizes(self) -> tuple[tuple[str, int], ...]:
        """(style, pixels per em), for `atlas`."""
        return tuple((s, max(least, round(em * self.scale))) for s, (em, least) in EMS.items())


class Anchor(NamedTuple):
    """A place at the picture's top or bottom from which widgets are stacked inwards."""

    side: Literal["left", "centre", "right"]
    bottom: bool


TOP_LEFT, TOP, TOP_RIGHT = Anchor("left", False), Anchor("centre", False), Anchor("right", False)
BOTTOM_LEFT, BOTTOM_RIGHT = Anchor("left", True), Anchor("right", True)


def place(
    extent: tuple[int, int], anchor: Anchor, size: tuple[int, int], margin: int, stacked: int
) -> Rect:
    """A rectangle of an extent at an anchor, `stacked` px beyond the margin from top or bottom."""
    width, height = extent
    rest = size[0] - width
    x = {"left": margin, "centre": rest // 2, "right": rest - margin}[anchor.side]
    y = size[1] - margin - stacked - height if anchor.bottom else margin + stacked
    return Rect(x, y, width, height)
