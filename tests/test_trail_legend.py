"""The legend of trails that do not tell the mode: what it shows, in the colours of the shaders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from applications import running
from scene_folder import POINT_MASS

from calf_viz import CALFApplication, Samples, VisualizationConfig
from calf_viz.agent.modes import NAMES
from calf_viz.glsl import variants
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.glsl.variants import CERTIFIED, RAMP_ROW, REFUSED, place_of_speed
from calf_viz.heightfield import Heightfield
from calf_viz.hud.hud import Hud
from calf_viz.hud.overview import overview
from calf_viz.hud.trail_legend import TrailLegend, by_mode, speed_unit
from calf_viz.scene.colours import PALETTES, colour_map, mode_colours, palette_texels
from calf_viz.scene.scene import Scene
from calf_viz.view import View

FIELD = Heightfield(np.zeros((3, 3)), (-5.0, -5.0), (5.0, 5.0))
BY = {v.name: v for v in variants.VARIANTS}["TRAIL_COLOUR"].values


def made(**texts: str) -> Hud:
    legend = TrailLegend(6.0, 1000.0, "m/s")
    hud = overview(POINT_MASS)
    hud.add(legend, before="value")
    hud.update(step="1", mode_0="1", mode_1="2", mode_2="3", **texts)
    hud.prepare(Scene(), FIELD)
    return hud


def words(hud: Hud) -> str:
    """All that is written within the legend, in the order of drawing."""
    names = {}
    for style in ("small", "body", "title"):
        names |= {glyph.row: char for char, glyph in hud.canvas.face(style).glyphs.items()}
    rect = hud.placed["trails"]
    texels = hud.canvas.glyphs.texels.reshape(-1, 4)[: hud.canvas.glyphs.count]
    inside = (texels[:, 2] >= 0) & [rect.holds(x, y) for x, y in texels[:, :2]]
    return "".join(names.get(int(row), "") for row in texels[inside, 2])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("BY_AGE", ["age", "6 s ago", "now"]),
        ("BY_SPEED", ["speed [m/s]", "0", "0.5", "2", "5"]),
        ("BY_CERTIFICATE", ["certified there", "yes", "no"]),
    ],
)
def test_it_says_what_colours_mean_and_in_which_unit(value: str, said: list[str]) -> None:
    text = words(made(trails=value))
    for word in said:
        assert word.replace(" ", "") in text.replace(" ", ""), text


def test_the_panel_says_what_has_the_colours_of_the_modes() -> None:
    assert by_mode({"trails": "BY_MODE"}) == "trails and markers"
    assert by_mode({"trails": "BY_AGE"}) == by_mode({"trails": None}) == "markers"
    both = {"trails": "BY_MODE", "trails_b": "BY_SPEED"}
    said = [by_mode({**both, "looks": looks}) for looks in ("A", "B", "AB")]
    assert said == ["trails and markers", "markers", "markers"]


def test_without_need_there_is_none() -> None:
    assert "trails" not in made(trails="BY_MODE").placed, "the panel tells the modes"
    assert "trails" not in made().placed, "no trails are drawn"
    assert "trails" not in made(trails="BY_MODE", trails_b="BY_AGE", looks="A").placed
    assert "trails" in made(trails="BY_MODE", trails_b="BY_AGE", looks="B").placed


def test_two_looks_that_mean_the_same_share_one() -> None:
    same = made(trails="BY_AGE", trails_b="BY_AGE", looks="AB")
    assert same.placed["trails"] == made(trails="BY_AGE").placed["trails"]
    both = words(made(trails="BY_AGE", trails_b="BY_CERTIFICATE", looks="AB"))
    assert both.index("A") < both.index("age") < both.index("B") < both.index("certified")
    assert "yes" in both and "now" in both
    modes = words(made(trails="BY_MODE", trails_b="BY_SPEED", looks="AB"))
    assert "asthemodes" in modes.replace(" ", "")


def test_every_value_of_the_variant_has_a_legend() -> None:
    for value in BY:
        assert ("trails" in made(trails=value).placed) == (value != "BY_MODE")


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (480, 300), (2560, 1440)])
@pytest.mark.parametrize("value", ["BY_AGE", "BY_SPEED", "BY_CERTIFICATE"])
def test_it_keeps_clear_of_the_rest(size: tuple[int, int], value: str) -> None:
    hud = made(trails=value)
    hud.prepare(Scene(size=size), FIELD)
    assert "trails" in hud.placed
    rectangles = hud.rectangles()
    for i, rect in enumerate(rectangles):
        assert rect.within(size) and not any(rect.overlaps(other) for other in rectangles[:i])


@pytest.mark.parametrize(
    ("value", "said"), [("BY_AGE", "trails: ageearliernow"), ("BY_SPEED", "trails: speedslowfast")]
)
def test_there_are_no_numbers_where_steps_were_left_out(value: str, said: str) -> None:
    hud = made(trails=value)
    (legend,) = (widget for widget in hud.widgets if isinstance(widget, TrailLegend))
    legend.even = False
    hud.redraw()
    hud.prepare(Scene(), FIELD)
    assert words(hud) == said


def test_speeds_are_where_the_ramp_has_them() -> None:
    legend = TrailLegend(6.0, 1000.0, "m/s")
    places = {text: place for place, text in legend._speeds()}
    assert places["0"] == 0.0 and "2" in places
    for text, place in places.items():
        assert place == pytest.approx(1.0 - np.exp(-variants.FAST * float(text) / 1000.0))
        assert place == pytest.approx(place_of_speed(float(text) / 1000.0))
    gaps = np.diff([*places.values(), 1.0])
    assert (gaps > 0).all() and len(places) >= 3


@pytest.mark.parametrize(
    ("labels", "length"),
    [(("x [m]", "y [m]"), "m"), (("x [m]", "v [m/s]"), "units"), (("x", "y"), "units")],
)
def test_the_unit_of_speed_is_the_planes(labels: tuple[str, str], length: str) -> None:
    units = View("mine", labels=labels).units
    assert speed_unit(units, timed=True) == f"{length}/s"
    assert speed_unit(units, timed=False) == f"{length}/step"


@pytest.mark.rendering
@pytest.mark.parametrize(
    ("dt", "value", "said"),
    [
        (None, "BY_AGE", "600stepsago"),
        (0.01, "BY_AGE", "6sago"),
        (None, "BY_SPEED", "speed[m/step]"),
        (0.01, "BY_SPEED", "speed[m/s]"),
    ],
)
def test_steps_without_a_duration_are_not_shown_in_seconds(
    dt: float | None, value: str, said: str
) -> None:
    view = View("mine", labels=("x [m]", "y [m]"), dt=dt)
    config = VisualizationConfig(headless=True, define=(f"TRAIL_COLOUR={value}",))
    with CALFApplication(config, source=Still(view)) as app:
        app.step()
        assert said in words(app.hud).replace(" ", "")


class Still:
    """An agent at rest on a flat surface."""

    def __init__(self, view: View) -> None:
        self.view = view

    def step(self) -> Samples:
        return Samples.of([[0.0, 0.0]])

    def surface(self) -> None:
        return None

    def close(self) -> None:
        pass


@pytest.mark.parametrize("palette", list(PALETTES))
def test_a_refused_certificate_has_a_colour_that_is_no_modes(palette: str) -> None:
    colours = mode_colours(palette)
    others = np.delete(colours, REFUSED, axis=0)
    assert np.abs(others - colours[REFUSED]).sum(axis=1).min() > 0.3
    texels = palette_texels(colour_map("gray"), colours)
    assert (texels[1, REFUSED, :3] == np.rint(255 * colours[REFUSED, :3])).all()


def test_the_ramp_rises_in_lightness_in_even_steps() -> None:
    ramp = palette_texels(colour_map("gray"), mode_colours())[RAMP_ROW, :, :3] / 255.0
    lightness = ramp @ [0.21, 0.72, 0.07]
    assert (np.diff(lightness) > -1e-3).all() and lightness[-1] - lightness[0] > 0.6


class TestInForce:
    def text(self, overlay: Path | None = None, **defines: str) -> str:
        return ShaderLibrary(overlay, defines).load("field.frag").text

    @pytest.mark.parametrize("value", list(BY))
    def test_as_defined(self, value: str) -> None:
        found = variants.in_force(self.text(TRAIL_COLOUR=value))
        assert found == {"TRAILS": "1", "CONTOURS": "1", "TRAIL_COLOUR": value}

    def test_as_a_look_has_it(self, tmp_path: Path) -> None:
        frag = (shader_folder() / "field.frag").read_text()
        for written, value in (("BY_SPEED", "BY_SPEED"), ("1", "BY_AGE"), ("7", "BY_MODE")):
            define = f"#version 330\n # define TRAIL_COLOUR  {written} // mine\n"
            (tmp_path / "field.frag").write_text(frag.replace("#version 330\n", define))
            assert variants.in_force(self.text(tmp_path))["TRAIL_COLOUR"] == value


@pytest.mark.rendering
class TestPictures:
    def colours_in(self, picture: np.ndarray, rect: Any) -> set[tuple[int, ...]]:
        cut = picture[rect.y : rect.bottom, rect.x : rect.right].reshape(-1, 3)
        return {tuple(map(int, colour)) for colour in cut}

    @pytest.mark.parametrize("renderer", ["gpu", "batched"])
    def test_a_legend_has_the_trails_colours(self, renderer: str) -> None:
        shown_colours = {}
        for colour in ("BY_CERTIFICATE", "BY_AGE"):
            define = (f"TRAIL_COLOUR={colour}",)
            changes: dict[str, Any] = {"size": (640, 360), "renderer": renderer, "hud": True}
            with running(**changes, n_agents=2, define=define) as shown:
                for _ in range(30):
                    shown.step()
                assert shown.hud is not None
                rect, picture = shown.hud.placed["trails"], shown.screenshot()
                shown_colours[colour] = self.colours_in(picture, rect)
                colours = np.rint(255 * shown.host.scene.mode_colours[:, :3]).astype(int)
        certificate = np.array(sorted(shown_colours["BY_CERTIFICATE"]))
        away = [np.abs(certificate - colour).max(axis=1).min() for colour in colours]
        assert away[CERTIFIED] <= 1 and away[REFUSED] <= 1
        assert min(away[1 : len(NAMES)]) > 40, "nominal's red, for one"
        ramp = palette_texels(colour_map("gray"), mode_colours())[RAMP_ROW, :, :3].astype(int)
        found = np.array(sorted(shown_colours["BY_AGE"]))
        for end in (ramp[3], ramp[128], ramp[-3]):
            assert np.abs(found - end).max(axis=1).min() < 12

    def test_none_where_no_trails_are_drawn(self) -> None:
        define = ("TRAIL_COLOUR=BY_AGE", "TRAILS=0")
        with running(hud=True, size=(640, 360), define=define) as shown:
            shown.step()
            assert shown.hud is not None and "trails" not in shown.hud.placed

    def test_a_look_beside_another_has_its_own(self, tmp_path: Path) -> None:
        for name in ("field.vert", "field.frag"):
            text = (shader_folder() / name).read_text()
            define = "#version 330\n#define TRAIL_COLOUR BY_SPEED\n"
            (tmp_path / name).write_text(text.replace("#version 330\n", define))
        with running(hud=True, size=(640, 400), ab=tmp_path) as shown:
            assert shown.hud is not None and shown.host.compare is not None
            shown.step()
            assert (shown.hud.values["trails"], shown.hud.values["trails_b"]) == (
                "BY_MODE",
                "BY_SPEED",
            )
            assert shown.hud.values["coloured"] == "markers"
            assert "trails" in shown.hud.placed
            shown.host.compare.view.mode = "a"
            shown.draw()
            assert "trails" not in shown.hud.placed, "A's trails tell the mode"
            assert shown.hud.values["coloured"] == "trails and markers"

    def test_it_is_written_anew_only_when_it_changes(self) -> None:
        with running(hud=True, size=(640, 360), define=("TRAIL_COLOUR=BY_AGE",)) as shown:
            shown.step()
            assert shown.hud is not None
            shown.draw()
            canvas = shown.hud.canvas
            assert not canvas.shapes.dirty and not canvas.glyphs.dirty
            shown.host.frame_counts()
            shown.draw()
            assert shown.host.frame_counts()["hud_draws"] == 1
