"""Colours of the surface, from a colour map, and of the modes, from a palette."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

import cmap
import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown
from calf_viz.glsl.contract import PALETTE_COLOURS
from calf_viz.glsl.variants import RAMP_ROW
from calf_viz.view import Colour, View


@dataclass(frozen=True)
class Palette:
    """Colours of modes, distinguishable on the surface and from one another.

    Attributes:
        modes: for modes without colours of their own; the first three are CALF's: certified, relax,
            nominal.
        other: for all modes beyond those that are distinguished.
        trainee: for the agent in training.
        refused: for trails by certificate where it would be refused; elsewhere they have the first
            of `modes`, whatever colours the view gives its own.
    """

    modes: tuple[Colour, ...]
    other: Colour
    trainee: Colour
    refused: Colour


# The first is that of calf.md. The second gives the same roles colours that colour-blind users can
# tell apart (Okabe and Ito, 2008, for CALF's; further ones that differ only in red and green also
# differ in lightness).
PALETTES = {
    "standard": Palette(
        modes=(
            (0.30, 0.70, 1.00),
            (0.20, 0.80, 0.30),
            (0.90, 0.20, 0.20),
            (1.00, 0.58, 0.15),
            (0.45, 0.35, 1.00),
            (0.45, 1.00, 0.95),
            (1.00, 0.80, 0.90),
            (0.50, 0.33, 0.08),
        ),
        other=(0.60, 0.60, 0.60),
        trainee=(1.00, 0.90, 0.00),
        refused=(0.95, 0.35, 0.80),
    ),
    "colour_blind": Palette(
        modes=(
            (0.34, 0.71, 0.91),
            (0.94, 0.89, 0.26),
            (0.84, 0.37, 0.00),
            (0.42, 0.22, 0.05),
            (0.12, 0.20, 0.85),
            (0.66, 0.22, 0.40),
            (0.60, 0.30, 1.00),
            (0.80, 1.00, 0.95),
        ),
        other=(0.76, 0.76, 0.76),
        trainee=(0.80, 0.47, 0.65),
        refused=(0.90, 0.62, 0.00),
    ),
}
USUAL = "standard"
"""The palette that a source's own colours replace."""
RAMP = ((0.20, 0.07, 0.42), (0.78, 0.18, 0.48), (1.00, 0.93, 0.60))
"""Colours of trails by age and speed, from low to high: dark violet, magenta, pale yellow, in even
steps of lightness."""


def mode_colours(palette: str = USUAL, view: View | None = None) -> NDArray[np.float32]:
    """RGBA of the palette's second row, with the entries of `glsl.variants`, (`REFUSED` + 1, 4):
    for the modes, the same for the agent in training, and for trails by certificate.

    The view's colours are used for the modes, unless another palette than the default is selected,
    possibly because the user cannot tell other colours apart.
    """
    chosen = PALETTES[palette]
    modes = list(chosen.modes)
    if view is not None:
        own = view.mode_colours
        if own is not None and palette == USUAL:
            modes[: len(own)] = own[: len(modes)]
        if len(view.modes) > len(modes):
            modes[-1] = chosen.other
    row = (*modes, chosen.trainee, *modes[1:], chosen.modes[0], chosen.refused)
    return np.array([(*colour, 1.0) for colour in row], dtype=np.float32)


ColourMap = str | tuple[str, ...]
"""A name that cmap knows, or colours from low to high."""
COLOUR_MAP = "cividis"
"""The default colour map."""


def colour_map(colours: ColourMap) -> NDArray[np.uint8]:
    """RGBA of a colour map from low to high, (PALETTE_COLOURS, 4).

    Raises UserError for a name or colours that cmap does not know.
    """
    name = colours if isinstance(colours, str) else list(colours)
    try:
        rgba = cmap.Colormap(name)(np.linspace(0.0, 1.0, PALETTE_COLOURS))
    except Exception as error:  # cmap may raise anything on arbitrary input
        near = get_close_matches(name[:100], cmap.Catalog(), 3) if isinstance(name, str) else []
        said = f"did you mean {' or '.join(near)}?" if near else "give one such as viridis or magma"
        raise UserError(f"unknown colour map '{shown(name)}': {said}") from error
    return np.rint(np.asarray(rgba) * 255).astype(np.uint8)


def palette_texels(
    colour_map: NDArray[np.uint8], mode_colours: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Texels of `u_palette`, (4, PALETTE_COLOURS, 4): the surface's colours, `mode_colours`, the
    surface's again, which a second look's may replace, and `RAMP`.

    A single texture, so that each fragment reads one colour whatever it belongs to: reading the
    modes' colours from uniforms took a software renderer longer than shading the surface.
    """
    texels = np.zeros((4, *colour_map.shape), dtype=np.uint8)
    texels[0] = texels[2] = colour_map
    texels[1, : len(mode_colours)] = np.rint(mode_colours * 255)
    at = np.linspace(0.0, len(RAMP) - 1.0, len(texels[RAMP_ROW]))
    ramp = [np.interp(at, range(len(RAMP)), part) for part in np.array(RAMP).T]
    texels[RAMP_ROW] = np.rint(255 * np.column_stack([*ramp, np.ones_like(at)]))
    return texels
