"""Palettes and colour maps by number: who can tell which colours apart."""

from __future__ import annotations

import numpy as np
import pytest
from colour_vision import DEFICIENCIES, ciede2000, least_apart, seen

from calf_viz.glsl.variants import RAMP_ROW
from calf_viz.scene.colours import DARK_LINES, colour_map, mode_colours, palette_texels
from calf_viz.scene.paint import contrast, packed
from calf_viz.scene.scene import Scene
from calf_viz.scene.theme import CASED, DARK, THEMES, Theme

SIGHTS = (None, *DEFICIENCIES)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    # Of the pairs that Sharma, Wu and Dalal publish to check implementations with.
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.0, 2.0), (50.0, 0.0, 0.0), 2.3669),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
        ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_measure_is_ciede2000(one: tuple, other: tuple, apart: float) -> None:
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(apart, abs=1e-4)
    assert ciede2000(np.array(other), np.array(one)) == pytest.approx(apart, abs=1e-4)


def test_the_simulated_deficiencies_keep_greys() -> None:
    greys = np.linspace(0.0, 1.0, 9)[:, None] * np.ones(3)
    for deficiency in DEFICIENCIES:
        assert ciede2000(seen(greys, deficiency), seen(greys)).max() < 0.1


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("sight", SIGHTS)
class TestColourBlindPalette:
    def test_four_modes_are_20_apart_for_everybody(self, theme: Theme, sight: str | None) -> None:
        palette = theme.palettes["colour_blind"]
        assert least_apart(palette.modes[:4], sight) >= 20.0
        assert least_apart(palette.modes, sight) >= 8.9

    def test_the_trainee_and_trails_by_certificate_are_apart_too(
        self, theme: Theme, sight: str | None
    ) -> None:
        palette = theme.palettes["colour_blind"]
        for mode in palette.modes[:3]:
            assert least_apart((mode, palette.trainee), sight) >= 12.5
        assert least_apart((palette.modes[0], palette.refused), sight) >= 20.0

    def test_modes_stand_out_from_the_surface(self, theme: Theme, sight: str | None) -> None:
        surface = seen(colour_map(theme.colour_map)[:, :3] / 255.0, sight)
        modes = seen(theme.palettes["colour_blind"].modes[:4], sight)
        assert ciede2000(modes[:, None], surface[None]).min() >= 8.5


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_modes_of_the_usual_palette_stand_out_from_the_surface(theme: Theme) -> None:
    modes, surface = theme.palettes["standard"].modes, colour_map(theme.colour_map)
    apart = ciede2000(seen(modes[:4])[:, None], seen(surface[:, :3] / 255.0)[None])
    assert apart.min() >= 20.0
    assert least_apart(modes[:4]) >= 20.0


def lightness(theme: Theme) -> np.ndarray:
    texels = palette_texels(colour_map("gray"), mode_colours(), theme.ramp)
    return seen(texels[RAMP_ROW, :, :3] / 255.0)[:, 0]


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_a_ramp_goes_from_one_lightness_to_another_without_turning(theme: Theme) -> None:
    """Towards what stands out more from the surface: what is now, and what is fast."""
    steps = np.diff(lightness(theme)) * (1 if theme.ramp is DARK.ramp else -1)
    assert steps.min() > -0.5 and steps.sum() > 50.0


@pytest.mark.parametrize("name", ["cividis", "viridis", "magma", "gray_r"])
def test_lines_over_the_surface_are_white_over_dark_colours(name: str) -> None:
    assert (palette_texels(colour_map(name), mode_colours())[0, :, 3] < DARK_LINES).all()


@pytest.mark.parametrize("colours", [THEMES["light"].colour_map, ("#f7f2e6", "#e6dac2")])
def test_lines_over_the_surface_are_dark_over_pale_colours(colours: tuple[str, ...]) -> None:
    texels = palette_texels(colour_map(colours), mode_colours())
    assert (texels[0, :, 3] >= DARK_LINES).all()


@pytest.mark.parametrize("palette", ["standard", "colour_blind"])
@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_outlines_stand_out_from_every_colour_of_a_trail(theme: Theme, palette: str) -> None:
    """Of rules, certificates, age and speed."""
    scene = Scene(theme=theme, mode_colours=mode_colours(palette, palettes=theme.palettes))
    texels = scene.palette(colour_map("gray"))
    cased = texels[1, : len(scene.mode_colours)], texels[RAMP_ROW]
    for colour in np.concatenate(cased).tolist():
        trail, outline = ([part / 255 for part in each] for each in (colour[:3], 3 * colour[3:]))
        assert contrast(packed(tuple(trail)), packed(tuple(outline))) >= CASED, colour
