"""Where a surface leaves its scale, by pixels: its colour changes there, between nodes as well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from opened_hosts import opened
from scene_folder import HOSTS, OLDER, SceneFolder, Surface
from written_looks import surface, write

from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.scene.colours import (
    ScaleMarks,
    colour_map,
    mark_scale,
    mode_colours,
    palette_texels,
)
from calf_viz.scene.height_texels import height_texels, level_field, shown_heights
from calf_viz.scene.paint import contrast, packed
from calf_viz.scene.theme import THEMES
from calf_viz.value_limits import Scaling

pytestmark = pytest.mark.rendering

SCENE = SceneFolder("beyond", size=(320, 200), trail=4, steps=0, surface=Surface("flat"),
                    height_scale=0.0)  # fmt: skip
LO, HI = (-5.0, -5.0), (5.0, 5.0)
FIELD = Heightfield(np.random.default_rng(5).normal(0.0, 10.0, (6, 8)), LO, HI)
LIMITS = -4.0, 6.0
AT_ENDS = surface("level >= 1.0 ? vec3(1.0) : level <= 0.0 ? vec3(0.0) : vec3(0.5)")


@pytest.mark.parametrize("kind", [*HOSTS, *OLDER])
@pytest.mark.parametrize("scale", ["linear", "sqrt", "symlog", "rank"])
def test_the_border_is_where_the_values_cross_the_limit(kind: str, scale: str, look: Path) -> None:
    """Not at the nodes beyond it. Levels are interpolated, as heights are."""
    with opened(kind, SCENE, library=write(look, surface_colour__glsl=AT_ENDS)) as host:
        SCENE.play(host)
        host.scaling = Scaling(scale, LIMITS)
        host.set_heightfield(FIELD, restart=True)
        host.draw()
        picture = host.screenshot()[..., 0].astype(int)
        open_levels = Heightfield(host.scale.open_levels(FIELD.values), LO, HI)
        matrix = host.scene.camera.view_projection(320 / 200)
    points = plane_nodes((-4.9, -4.9), (4.9, 4.9), 60, 60)
    levels = open_levels.heights(points)
    expected = np.where(levels > 1.0, 255, np.where(levels < 0.0, 0, 128))
    clip = np.column_stack([points, np.zeros(len(points)), np.ones(len(points))]) @ matrix.T
    x, y = ((0.5 + 0.5 * clip[:, :2] / clip[:, 3:] * (1, -1)) * (320, 200)).astype(int).T
    shown = (x >= 0) & (x < 320) & (y >= 0) & (y < 200)
    slopes = open_levels.tangent_planes(points)[:, 1:]
    pixel = 4.0 * np.abs(slopes).sum(axis=1) / host.scene.camera.pixels_per_unit((320, 200))
    sure = np.minimum(np.abs(levels), np.abs(levels - 1.0)) > pixel
    sure &= shown
    assert sure.sum() > 1000 and {0, 128, 255} <= set(expected[sure].tolist())
    np.testing.assert_array_less(np.abs(picture[y[sure], x[sure]] - expected[sure]), 4)


def test_heights_stay_within_the_scale() -> None:
    levels = level_field(FIELD, Scaling("linear", LIMITS).of(FIELD))
    assert levels.values.min() == 0.0 and levels.values.max() == 1.0
    assert levels.open.min() < -0.5 and levels.open.max() > 1.5


def test_an_interrupted_morph_goes_on_from_the_heights_it_showed() -> None:
    scale = Scaling("linear", LIMITS).of(FIELD)
    first, second = (level_field(Heightfield(x * FIELD.values, LO, HI), scale) for x in (1.0, 0.5))
    seen = shown_heights(height_texels(second, first.open), 0.4)
    mixed = first.values + np.float32(0.4) * (second.values - first.values)
    np.testing.assert_allclose(np.clip(seen, 0.0, 1.0), mixed, atol=1e-6)
    both = (first.open > 1.0) & (second.open > 1.0)
    assert both.any() and (seen[both] > 1.0).all(), "its border stays where it is"


@pytest.mark.parametrize("name", THEMES)
def test_what_is_beyond_is_seen_on_the_ground_but_does_not_stand_out(name: str) -> None:
    """In the picture it is most of the plane, in front of the bowl and behind it."""
    theme = THEMES[name]
    colours = colour_map(theme.colour_map)
    texels = palette_texels(colours, mode_colours())
    marks = ScaleMarks(np.zeros(len(colours), np.uint8), (True, True))
    mark_scale(texels, colours, marks, theme.background)
    for end in (0, -1):
        beyond = packed(tuple((texels[0, end, :3] / 255.0).tolist()))
        assert 1.05 < contrast(beyond, packed(theme.background)) < 1.5
