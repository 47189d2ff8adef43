"""The legend's colours: what a look makes of the palette's, as `shaders/swatch.vert` draws them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calf_viz.glsl.variants import TRAINEE_COLOURS
from calf_viz.scene.paint import packed
from calf_viz.view import Colour

CELL = 16
"""Width and height of a cell [px]."""
ENTRIES, RAMP = 4 * TRAINEE_COLOURS, 16
"""Colours of the palette's second row, and of the ramp from low to high."""
SIZE = CELL * (ENTRIES + RAMP), 2 * CELL
"""Width and height of all cells [px]."""
VERTICES = 6 * 2 * (ENTRIES + RAMP)
CORE = 0.5
"""Fraction of a trail's width, in its middle, that has its colour: edges may have another."""
SEEN = 0.02
"""Least mean opacity of what has a colour at all."""


@dataclass(frozen=True, eq=False)
class Swatches:
    """Colours as a look draws them.

    Attributes:
        trails: of trails and circles, in the order of the palette's second row, RGBA, (ENTRIES, 4).
        markers: the same, but those of modes as markers have them, where trails show another thing.
        ramp: of trails by age and speed, from low to high, 0xRRGGBB.
    """

    trails: NDArray[np.float32]
    markers: NDArray[np.float32]
    ramp: tuple[int, ...]

    @classmethod
    def of(
        cls, pixels: NDArray[np.uint8], plain: NDArray[np.float32], ramp: tuple[Colour, ...]
    ) -> Swatches:
        """The means of cells.

        pixels: (2 * CELL, SIZE[0], 4) from the foot up, multiplied by their opacity. plain, ramp:
        the palette's colours, for what the look does not draw.
        """
        cells = pixels.reshape(2, CELL, -1, CELL, 4).astype(np.float64) / 255.0
        aside = round(0.5 * (1.0 - CORE) * CELL)
        trails = _means(cells[0, aside : CELL - aside])
        markers = _means(cells[1])
        steps = np.linspace(0.0, len(ramp) - 1.0, RAMP)
        parts = [np.interp(steps, range(len(ramp)), part) for part in np.array(ramp).T]
        entries = _or(trails[:ENTRIES], plain[:, :3])
        modes = 2 * TRAINEE_COLOURS
        of_markers = np.concatenate([_or(markers[:modes], plain[:modes, :3]), entries[modes:]])
        between = _or(trails[ENTRIES:], np.column_stack(parts))
        return cls(
            _rgba(entries),
            _rgba(of_markers),
            tuple(packed(tuple(colour)) for colour in between.tolist()),
        )


def _means(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean colours, (columns, 3), of cells (rows, columns, CELL, 4); NaN of what is not seen."""
    mean = cells.mean(axis=(0, 2))
    opacity = np.where(mean[:, 3:] > SEEN, mean[:, 3:], np.nan)
    found: NDArray[np.float64] = np.minimum(mean[:, :3] / opacity, 1.0)
    return found


def _or(colours: NDArray[np.float64], plain: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.where(np.isnan(colours), plain, colours)


def _rgba(colours: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.column_stack([colours, np.ones(len(colours))]).astype(np.float32)
