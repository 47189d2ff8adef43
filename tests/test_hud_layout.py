"""The HUD with all that it can show, as rectangles: five sizes of picture, three of text."""

from __future__ import annotations

import math

import numpy as np
import pytest
from huds import ALL_KEYS, LEVELS, SCALE, TEXTS
from scene_folder import POINT_MASS
from trainings import new_board

from calf_viz.hud.hud import Hud
from calf_viz.hud.layout import Metrics
from calf_viz.hud.overview import overview
from calf_viz.hud.panel import Panel, Row
from calf_viz.hud.trail_legend import TrailLegend
from calf_viz.hud.two_looks import name_looks
from calf_viz.scene.paint import mode_tone
from calf_viz.scene.scene import Scene
from calf_viz.scene.theme import THEMES
from calf_viz.training.config import TrainingConfig
from calf_viz.view import View
from calf_viz.viewer.stats_cache import StatsCache
from calf_viz.viewer.training_panel import TrainingPanel

pytestmark = pytest.mark.usefixtures("boards")

SIZES = [(480, 300), (640, 360), (1280, 720), (1920, 1080), (3840, 2160)]
SCALES = [1.0, 1.5, 2.0]
"""Of a display's pixels: --hud-scale."""


def everything(training: bool, trails: str) -> Hud:
    hud = overview(POINT_MASS, ALL_KEYS)
    hud.add(TrailLegend(6.0, 1000.0, "m/s"), before="value")
    name_looks(hud)
    if training:
        config = TrainingConfig.from_preset("quick")
        TrainingPanel(hud, StatsCache(), new_board(), Scene(), config)
    hud.update(**TEXTS, trails=trails, notice="picture written: pictures/point_mass_20_240.png")
    return hud


def outside(hud: Hud) -> int:
    """Number of glyphs that are in no widget and no text of the axes, whole."""
    texels = hud.canvas.glyphs.texels.reshape(-1, 4)[: hud.canvas.glyphs.count]
    texels = texels[texels[:, 2] > 0]
    extent = hud.canvas.atlas.table[texels[:, 2].astype(int), 2:]
    least, most = texels[:, :2], texels[:, :2] + extent
    inside = np.zeros(len(texels), bool)
    below = hud.canvas.face("body").descent  # texts of axes: their capitals' height is known
    around = [(rect, 0) for rect in hud.placed.values()]
    around += [(rect, below) for rect in [*hud._marks, *hud._value_marks]]
    for rect, more in around:
        inside |= (least >= (rect.x - more, rect.y - more)).all(axis=1) & (
            most <= (rect.right + more, rect.bottom + more)
        ).all(axis=1)
    return int((~inside).sum())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("training", "trails"), [(False, "BY_MODE"), (True, "BY_SPEED")])
def test_nothing_overlaps_nothing_is_cut(
    size: tuple[int, int], scale: float, theme: str, training: bool, trails: str
) -> None:
    hud, scene = everything(training, trails), Scene(size=size, hud_scale=scale)
    scene.theme = THEMES[theme]
    for azimuth, distance in ((-60, 16.5), (20, 6.0)):
        scene.camera.azimuth, scene.camera.distance = math.radians(azimuth), distance
        hud.prepare(scene, LEVELS, SCALE)
        rectangles = hud.rectangles()
        for i, rect in enumerate(rectangles):
            assert rect.within(size)
            assert not any(rect.overlaps(other) for other in rectangles[:i])
        assert outside(hud) == 0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("trails", ["BY_MODE", "BY_SPEED"])
def test_panels_leave_the_scene_visible(
    size: tuple[int, int], scale: float, training: bool, trails: str
) -> None:
    """They cover at most a quarter of the picture."""
    hud = everything(training, trails)
    hud.update(notice=None)
    hud.prepare(Scene(size=size, hud_scale=scale), LEVELS, SCALE)
    covered = sum(rect.width * rect.height for rect in hud.placed.values())
    assert covered <= 0.25 * size[0] * size[1]
    assert {"overview", "value"} <= hud.placed.keys()
    assert ("training" in hud.placed) == training
    assert ("trails" in hud.placed) == (trails == "BY_SPEED")
    if min(size) >= 720 and scale == 1.0:
        assert ("plots" in hud.placed) == training and "keys" in hud.placed


def test_in_a_small_picture_panels_are_two_lines() -> None:
    """The title with a value, and the legend's names in a row."""
    hud = everything(True, "BY_MODE")
    hud.update(notice=None)
    hud.prepare(Scene(size=(480, 300)), LEVELS, SCALE)
    line = hud.canvas.face("body").height
    for name in ("overview", "training"):
        assert 2 * line <= hud.placed[name].height < 3 * line
    before = hud.canvas.glyphs.texels.copy()
    hud.update(step="98,765")
    hud.prepare(Scene(size=(480, 300)), LEVELS, SCALE)
    assert not np.array_equal(before, hud.canvas.glyphs.texels), "changed in place"
    assert outside(hud) == 0


def test_a_collapsed_panel_has_its_legend_whole_or_not_at_all() -> None:
    legend = [Row(str(i), "a rather long name", swatch=mode_tone(0)) for i in range(12)]
    panel = Panel("many", "title", [Row("step", "step"), *legend], collapses=True)
    hud = Hud([panel])
    hud.update(step="1", **{str(i): "2" for i in range(12)})
    for height, shown in ((300, 1), (900, 13)):
        panel.share = (0.45, 0.4)
        hud.redraw()
        hud.prepare(Scene(size=(480, height)), LEVELS, SCALE)
        assert len(panel._shown) == shown and outside(hud) == 0


@pytest.mark.parametrize("size", SIZES)
def test_a_message_is_beside_panels_where_there_is_room(size: tuple[int, int]) -> None:
    """Below them it would be over the scene."""
    hud = everything(True, "BY_MODE")
    hud.update(notice="the training starts")
    hud.prepare(Scene(size=size), LEVELS, SCALE)
    assert hud.placed["notice"].y == hud.placed["overview"].y


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_says_what_it_shows(size: tuple[int, int]) -> None:
    """Title, step and modes; from 640 x 360 on the time; from 1280 x 720 on all."""
    hud = everything(False, "BY_MODE")
    hud.update(notice=None)
    hud.prepare(Scene(size=size), LEVELS, SCALE)
    assert {"overview", "value"} <= hud.placed.keys()
    panel = next(widget for widget in hud.widgets if widget.name == "overview")
    shown = {row.key for row in panel._shown}  # type: ignore[attr-defined]
    assert {"step", "mode_0", "mode_1", "mode_2"} <= shown
    assert ("time" in shown) or size[0] < 640
    if size[0] >= 1280:
        assert {"time", "episodes", "agents", "mean_value", "coloured"} <= shown


@pytest.mark.parametrize("size", SIZES)
def test_texts_are_as_large_as_asked_for(size: tuple[int, int]) -> None:
    hud = everything(False, "BY_MODE")
    heights = []
    for scale in SCALES:
        hud.prepare(Scene(size=size, hud_scale=scale), LEVELS, SCALE)
        heights.append(hud.canvas.face("body").height)
    assert heights == sorted(heights)
    if Metrics.fit(size).scale >= 1.0:
        assert heights[2] == pytest.approx(2 * heights[0], rel=0.1)


def test_a_source_with_one_mode_has_no_legend_of_colours() -> None:
    hud = overview(View("one"))
    hud.update(**TEXTS)
    hud.prepare(Scene(), LEVELS, SCALE)
    panel = next(widget for widget in hud.widgets if widget.name == "overview")
    assert "coloured" not in {row.key for row in panel._shown}  # type: ignore[attr-defined]
