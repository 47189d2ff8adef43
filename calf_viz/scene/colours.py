"""Colours of the surface, from a colour map, and of the modes, from a palette."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import cmap
import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown
from calf_viz.glsl.contract import PALETTE_COLOURS
from calf_viz.glsl.variants import HIGHLIGHTED, RAMP_ROW
from calf_viz.scene.mode_bits import ModeBits
from calf_viz.scene.paint import LUMINANCE
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
        circle: of circles, around the goal and an agent.
        casing: on both sides of these: one of the two is seen on any ground.
    """

    modes: tuple[Colour, ...]
    other: Colour
    trainee: Colour
    refused: Colour
    circle: Colour = (1.0, 1.0, 1.0)
    casing: Colour = (0.05, 0.06, 0.09)


# The first is that of calf.md. The second gives the same roles colours that colour-blind users can
# tell apart, near those of Okabe and Ito (2008): the first four differ by 20 at least (CIEDE2000)
# with any deficiency, and all eight by 8.9; tests/test_colours.py.
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
            (1.00, 1.00, 0.57),
            (0.86, 0.38, 0.00),
            (0.41, 0.21, 0.05),
            (0.12, 0.20, 0.85),
            (0.66, 0.22, 0.40),
            (0.60, 0.30, 1.00),
            (0.80, 1.00, 0.95),
        ),
        other=(0.76, 0.76, 0.76),
        trainee=(0.76, 0.44, 0.65),
        refused=(0.92, 0.66, 0.00),
    ),
}
LIGHT_PALETTES = {
    "standard": Palette(
        modes=(
            (0.02, 0.34, 0.80),
            (0.00, 0.47, 0.13),
            (0.78, 0.06, 0.10),
            (0.80, 0.40, 0.00),
            (0.40, 0.15, 0.75),
            (0.00, 0.50, 0.55),
            (0.75, 0.20, 0.50),
            (0.38, 0.25, 0.05),
        ),
        other=(0.42, 0.42, 0.42),
        trainee=(0.95, 0.55, 0.00),
        refused=(0.72, 0.05, 0.52),
        circle=(0.05, 0.06, 0.09),
        casing=(1.0, 1.0, 1.0),
    ),
    "colour_blind": Palette(
        modes=(
            (0.00, 0.37, 0.71),
            (0.80, 0.85, 0.00),
            (0.82, 0.34, 0.00),
            (0.20, 0.10, 0.02),
            (0.10, 0.13, 0.83),
            (0.64, 0.22, 0.44),
            (0.60, 0.30, 1.00),
            (0.00, 0.47, 0.35),
        ),
        other=(0.42, 0.42, 0.42),
        trainee=(0.75, 0.46, 0.67),
        refused=(0.91, 0.55, 0.00),
        circle=(0.05, 0.06, 0.09),
        casing=(1.0, 1.0, 1.0),
    ),
}
"""The same roles, darker, for a pale surface and a white ground."""
HIGHLIGHT = 0.6
"""How much nearer to the circle's colour the trail of the agent with a ring is."""
USUAL = "standard"
"""The palette that a source's own colours replace."""
RAMP = ((0.20, 0.07, 0.42), (0.78, 0.18, 0.48), (1.00, 0.93, 0.60))
"""Colours of trails by age and speed, from low to high: dark violet, magenta, pale yellow, in even
steps of lightness."""
LIGHT_RAMP = ((0.98, 0.70, 0.38), (0.78, 0.18, 0.48), (0.14, 0.04, 0.32))
"""The same over a pale surface: orange, magenta, dark violet."""
DARK_CASING = 0.14
"""Luminance of a trail from which on its outline is dark, by default."""
CASINGS = (15, 255)
"""Greys of a dark and a white outline: either suits what is neither very dark nor very bright."""
BEYOND = 0.15
"""Part of a grey opposite to the ground in the colour of values beyond the scale."""
PALE, DARK_LINES = 0.5, 128
"""Mean luminance of a colour map from which on contours are darker than the surface, and the bit of
the palette's alpha that says so; see `shaders/lib/contours.glsl`."""


def mode_colours(
    palette: str = USUAL, view: View | None = None, palettes: Mapping[str, Palette] = PALETTES
) -> NDArray[np.float32]:
    """RGBA of the palette's second row, with the entries of `glsl.variants`, (4 * `MODES`, 4):
    for the modes, the same for the agent in training, for circles, for trails by certificate, and
    the modes' for the agent with a ring.

    The view's colours are used for the modes, unless another palette than the default is selected,
    possibly because the user cannot tell other colours apart. palettes: a theme's.
    """
    chosen = palettes[palette]
    modes = list(chosen.modes)
    if view is not None:
        own = view.mode_colours
        if own is not None and palette == USUAL:
            modes[: len(own)] = own[: len(modes)]
        known = ModeBits.of(len(view.modes), view.margins).known
        if len(view.modes) > known:
            modes[known - 1] = chosen.other
        if view.margins:  # a negative one changes no colour of the mode
            modes[known : 2 * known] = modes[:known]
    trainees = (chosen.trainee, *modes[1:])
    row = [*modes, *trainees, chosen.circle, chosen.casing, chosen.modes[0], chosen.refused]
    row += [chosen.other] * (HIGHLIGHTED - len(row))  # not used
    row += [_between(mode, chosen.circle, HIGHLIGHT) for mode in modes]
    return np.array([(*colour, 1.0) for colour in row], dtype=np.float32)


def _between(colour: Colour, other: Colour, part: float) -> Colour:
    red, green, blue = (a + part * (b - a) for a, b in zip(colour, other, strict=True))
    return red, green, blue


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
    colour_map: NDArray[np.uint8],
    mode_colours: NDArray[np.float32],
    ramp: Sequence[Colour] = RAMP,
    dark_casing: float = DARK_CASING,
) -> NDArray[np.uint8]:
    """Texels of `u_palette`, (4, PALETTE_COLOURS, 4): the surface's colours, `mode_colours`, the
    surface's again, which a second look's may replace, and the ramp. The alpha of the surface's
    colours tells of contours over them: whether they are dark and, by `mark_scale`, where they
    are. That of the others is the grey of an outline around a trail of that colour; dark_casing: as
    `Theme.dark_casing`.

    A single texture, so that each fragment reads one colour whatever it belongs to: reading the
    modes' colours from uniforms took a software renderer longer than shading the surface.
    """
    texels = np.zeros((4, *colour_map.shape), dtype=np.uint8)
    texels[0] = colour_map
    texels[0, :, 3] = DARK_LINES if _pale(colour_map) else 0
    texels[2] = texels[0]
    texels[1, : len(mode_colours), :3] = np.rint(255 * mode_colours[:, :3])
    at = np.linspace(0.0, len(ramp) - 1.0, len(texels[RAMP_ROW]))
    parts = [np.interp(at, range(len(ramp)), part) for part in np.array(ramp).T]
    texels[RAMP_ROW, :, :3] = np.rint(255 * np.column_stack(parts))
    for row in (1, RAMP_ROW):
        # Squares are near enough to linear light.
        luminance = (texels[row, :, :3] / 255.0) ** 2 @ LUMINANCE
        texels[row, :, 3] = np.where(luminance > dark_casing, *CASINGS)
    return texels


@dataclass(frozen=True)
class ScaleMarks:
    """What the surface's colours tell of its scale.

    Attributes:
        contours: where they are, from `value_scale.contour_marks`.
        beyond: whether there are values below and above the scale.
    """

    contours: NDArray[np.uint8]
    beyond: tuple[bool, bool] = (False, False)

    def same(self, other: ScaleMarks) -> bool:
        """Whether both look the same."""
        return self.beyond == other.beyond and np.array_equal(self.contours, other.contours)


def mark_scale(
    texels: NDArray[np.uint8], colour_map: NDArray[np.uint8], marks: ScaleMarks, ground: Colour
) -> None:
    """Set rows 0 and 2 of `u_palette`: a colour map with the marks of a scale. Values beyond it
    have a colour that recedes into the ground, as nothing is told of them."""
    row = texels[0]
    row[:, :3] = colour_map[:, :3]
    row[:, 3] = row[:, 3] & DARK_LINES | marks.contours
    grey = 1.0 - float(np.array(ground) @ LUMINANCE)
    for entry, beyond in zip((0, -1), marks.beyond, strict=True):
        if beyond:
            row[entry, :3] = np.rint(255 * ((1.0 - BEYOND) * np.array(ground) + BEYOND * grey))
    texels[2] = row


def _pale(colour_map: NDArray[np.uint8]) -> bool:
    """Whether lines over these colours are better dark."""
    linear = (colour_map[:, :3] / 255.0) ** 2.2
    return float((linear @ LUMINANCE).mean()) > PALE
