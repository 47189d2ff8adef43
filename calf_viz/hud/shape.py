"""Rectangles and lines as texels, which `shaders/lib/hud_shape.glsl` draws."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from calf_viz.glsl.contract import PALETTE_COLOURS
from calf_viz.hud.layout import Rect
from calf_viz.scene.paint import Paint

TEXELS = 3
"""Texels per shape."""
MAP_PIECES, SHORTEST_PIECE = 32, 2
"""Most pieces of a colour map's bar, and least pixels of each."""


def segment(
    a: tuple[float, float], b: tuple[float, float], width: float, paint: Paint, radius: float = 0.0
) -> NDArray[np.float32]:
    """A line from a to b [px], (3, 4). One thinner than a pixel is drawn fainter instead."""
    thin = min(width, 1.0)
    return np.array(
        [
            (*a, *b),
            (max(width, 1.0), radius, paint.border, 0.0),
            (
                paint.colour, thin * paint.opacity,
                paint.border_colour, thin * paint.border_opacity,
            ),
        ],
        dtype=np.float32,
    )  # fmt: skip


def rectangle(rect: Rect, paint: Paint, radius: float = 0.0) -> NDArray[np.float32]:
    """A rectangle with rounded corners, (3, 4)."""
    middle = rect.y + 0.5 * rect.height
    return segment((rect.x, middle), (rect.right, middle), rect.height, paint, radius)


def map_bar(rect: Rect, row: int = 0, lying: bool = False) -> NDArray[np.float32]:
    """A rectangle filled with a row of the palette, (3 * pieces, 4): from its foot to its head or,
    lying, from left to right.

    In pieces, as colours are interpolated between the ends of each; their edges are on whole
    pixels, or they would be visible.
    """
    length, width = (rect.width, rect.height) if lying else (rect.height, rect.width)
    pieces = max(1, min(MAP_PIECES, length // SHORTEST_PIECE))
    edges = np.rint(np.linspace(0, length, pieces + 1))
    low, high = edges[:-1], edges[1:]
    drawn = np.zeros((pieces, TEXELS, 4), np.float32)
    if lying:
        drawn[:, 0, 0], drawn[:, 0, 2] = rect.x + low, rect.x + high
        drawn[:, 0, 1] = drawn[:, 0, 3] = rect.y + 0.5 * rect.height
    else:
        drawn[:, 0, 0] = drawn[:, 0, 2] = rect.x + 0.5 * rect.width
        drawn[:, 0, 1], drawn[:, 0, 3] = rect.bottom - low, rect.bottom - high
    drawn[:, 1, 0] = width
    # A surface's first and last colours may be those of values beyond its scale.
    least = 0.0 if lying else 1.0 / (PALETTE_COLOURS - 1)
    drawn[:, 1, 1], drawn[:, 1, 2] = (
        least + at / length * (1.0 - 2.0 * least) for at in (low, high)
    )
    drawn[:, 1, 3] = drawn[:, 2, 1] = 1.0
    drawn[:, 2, 0] = row
    return drawn.reshape(-1, 4)


def map_tip(bar: Rect, row: int = 0, high: bool = True) -> NDArray[np.float32]:
    """A triangle beyond an upright bar's high or low end, in that end's colour, (3 * rows, 4)."""
    rows = max(1, bar.width // 2)
    drawn = np.zeros((rows, TEXELS, 4), np.float32)
    away = np.arange(rows) + 0.5
    drawn[:, 0, 1] = drawn[:, 0, 3] = bar.y - away if high else bar.bottom + away
    drawn[:, 0, 0], drawn[:, 0, 2] = bar.x + away, bar.right - away
    drawn[:, 1, 0] = drawn[:, 1, 3] = drawn[:, 2, 1] = 1.0
    drawn[:, 1, 1] = drawn[:, 1, 2] = float(high)
    drawn[:, 2, 0] = row
    return drawn.reshape(-1, 4)


def curve(rect: Rect, row: int, samples: int, width: float, paint: Paint) -> NDArray[np.float32]:
    """A series' curve through a rectangle, (3 * segments, 4); see `series.py`."""
    return _of_series(rect, row, samples, width, paint, kind=2.0)


def band(rect: Rect, row: int, samples: int, opacity: float = 1.0) -> NDArray[np.float32]:
    """A rectangle coloured from left to right by a series' samples, (3 * pieces, 4)."""
    return _of_series(rect, row, samples, rect.height, Paint(opacity=opacity), kind=3.0)


def _of_series(
    rect: Rect, row: int, samples: int, width: float, paint: Paint, kind: float
) -> NDArray[np.float32]:
    drawn = np.zeros((samples - 1, TEXELS, 4), np.float32)
    drawn[:, 0] = rect.x, rect.bottom, rect.right, rect.y
    drawn[:, 1] = width, row, 0.0, kind
    drawn[:, 1, 2] = np.arange(samples - 1)
    drawn[:, 2, :2] = paint.colour, paint.opacity
    return drawn.reshape(-1, 4)


def unit(x: float, y: float) -> tuple[float, float]:
    """The direction of a vector; (0, 0) for a null vector."""
    length = math.hypot(x, y)
    return (x / length, y / length) if length > 0 else (0.0, 0.0)
