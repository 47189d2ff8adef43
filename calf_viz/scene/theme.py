"""Themes: every colour of a picture that does not come from a source or a look.

dark           for a screen: bright trails over a dark surface
light          for print: white ground, dark text, dark trails over a pale surface
high_contrast  black and white, thicker lines, nothing behind text
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from calf_viz.scene.colours import (
    COLOUR_MAP,
    DARK_CASING,
    LIGHT_PALETTES,
    LIGHT_RAMP,
    PALETTES,
    RAMP,
    ColourMap,
    Palette,
)
from calf_viz.scene.paint import Paint, contrast, mixed, packed
from calf_viz.view import Colour

LEGIBLE = 4.5
"""Least contrast of text and what is behind it: WCAG 2, level AA."""
THIN = 6.0
"""The same in full colour: strokes thinner than a pixel have less."""
PLATE_OPACITIES = (0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""Opacities of what is behind an axis' text, over the surface; the first that suffices is used."""
CASED = 3.0
"""Least contrast of a trail and its outline: WCAG 2, of graphics."""
BLACK, WHITE = 0x000000, 0xFFFFFF


@dataclass(frozen=True, eq=False)
class Theme:
    """Colours as 0xRRGGBB, unless otherwise stated.

    Attributes:
        name: its name.
        background: of the picture; a look may have its own.
        colour_map: of the surface; a look or the user may have another.
        diverging: the same for deviations from zero, which is in its middle.
        palettes: colours of the modes, by name.
        ramp: colours of trails by age and speed, from low to high.
        bright: titles and values.
        quiet: names of values, ticks.
        accent: what must not be missed, such as the pause.
        alarm: errors.
        ground: empty parts of a band.
        goal, chance: goals reached, and P_relax: different from all modes.
        backing: behind all text of the panels.
        faint: hairlines inside a panel.
        groove: of a slider.
        tick: of a colour bar.
        axis: opacity of the axes' lines.
        stroke: factor on the width of hairlines.
        dark_casing: luminance from which on a trail's outline is dark, else white: whichever suits
            the surface, as far as it stands out from the trail by `CASED` at least.
    """

    name: str
    background: Colour
    colour_map: ColourMap
    diverging: ColourMap
    palettes: Mapping[str, Palette]
    ramp: tuple[Colour, ...]
    bright: int
    quiet: int
    accent: int
    alarm: int
    ground: int
    goal: int
    chance: int
    backing: Paint
    faint: Paint
    groove: Paint
    tick: Paint
    axis: float = 0.75
    stroke: float = 1.0
    dark_casing: float = DARK_CASING


DARK = Theme(
    name="dark",
    background=(0.055, 0.065, 0.085),
    colour_map=COLOUR_MAP,
    diverging=("#8fd3c4", "#2f7f78", "#22262d", "#9a5a2a", "#f2bd7e"),
    palettes=PALETTES,
    ramp=RAMP,
    bright=0xE9EDF3,
    quiet=0xA6B1BF,
    accent=0xF2C14E,
    alarm=0xFF8A7A,
    ground=0x262B35,
    goal=0xA78BFA,
    chance=0xE9EDF3,
    # Quiet, so that the data are the brightest thing in the picture.
    backing=Paint(0x0B0E14, 0.88, border=1.0, border_colour=0x3A4352, border_opacity=0.85),
    faint=Paint(WHITE, 0.14),
    groove=Paint(WHITE, 0.16),
    tick=Paint(0xA6B1BF, 0.9),
)
LIGHT = Theme(
    name="light",
    background=(1.0, 1.0, 1.0),
    colour_map=("#a9bdd6", "#cfd9e2", "#ecebe4", "#fbf3dc"),
    diverging=("#6fb7ab", "#b7dcd5", "#f5f4f1", "#efcfac", "#d79a5b"),
    palettes=LIGHT_PALETTES,
    ramp=LIGHT_RAMP,
    bright=0x14181F,
    quiet=0x3F4752,
    accent=0x7A4B00,
    alarm=0xA11212,
    ground=0xE3E7EC,
    goal=0x6D3FD0,
    chance=0x14181F,
    backing=Paint(WHITE, 0.90, border=1.0, border_colour=0x9AA3AF, border_opacity=0.9),
    faint=Paint(BLACK, 0.18),
    groove=Paint(BLACK, 0.20),
    tick=Paint(0x3F4752, 0.9),
    axis=0.85,
    dark_casing=0.27,
)
HIGH_CONTRAST = Theme(
    name="high_contrast",
    background=(0.0, 0.0, 0.0),
    colour_map=("#05070b", "#2a3342", "#59636f"),
    diverging=("#3f8f86", "#1f4a47", "#05070b", "#57371d", "#a86f38"),
    palettes=PALETTES,
    ramp=RAMP,
    bright=WHITE,
    quiet=0xDCE2EA,
    accent=0xFFD84A,
    alarm=0xFFA79B,
    ground=0x303030,
    goal=0xC4AEFF,
    chance=WHITE,
    backing=Paint(BLACK, 1.0, border=2.0, border_colour=WHITE),
    faint=Paint(WHITE, 0.6),
    groove=Paint(WHITE, 0.45),
    tick=Paint(WHITE),
    axis=1.0,
    stroke=2.0,
)
THEMES = {theme.name: theme for theme in (DARK, LIGHT, HIGH_CONTRAST)}


@cache
def theme_for(name: str, deviations: bool = False) -> Theme:
    """One of `THEMES`, the same object each time. deviations: with the colours of those on the
    surface."""
    theme = THEMES[name]
    return replace(theme, colour_map=theme.diverging) if deviations else theme


@dataclass(frozen=True)
class OnGround:
    """Colours for axes and their texts, which are drawn on the picture itself.

    Attributes:
        line: lines and ticks.
        bright, quiet: texts.
        plate: behind a text: invisible on the background, and what makes it legible over anything
            else.
    """

    line: Paint
    bright: int
    quiet: int
    plate: Paint


@lru_cache(maxsize=32)
def on_ground(background: Colour, theme: Theme) -> OnGround:
    """Colours for a background, which may be a look's: those of the theme, or else of another one,
    that are legible there."""
    ground = packed(background)
    inks = [(t.bright, t.quiet) for t in (theme, DARK, LIGHT)]
    # On a medium grey only black or white is.
    inks.append(2 * (max(BLACK, WHITE, key=lambda ink: contrast(ink, ground)),))
    bright, quiet = next(ink for ink in inks if min(contrast(i, ground) for i in ink) >= LEGIBLE)
    for opacity in PLATE_OPACITIES:
        over = [mixed(behind, ground, opacity) for behind in (BLACK, WHITE)]
        if min(contrast(ink, each) for ink in (bright, quiet) for each in over) >= THIN:
            break
    else:
        opacity = 1.0
    return OnGround(Paint(quiet, theme.axis), bright, quiet, Paint(ground, opacity))
