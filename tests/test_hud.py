"""The HUD: what fits a picture and where, what is rewritten when, and what the mouse hits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from huds import ALL_KEYS, BOWL, LEVELS, TEXTS, made, prepared
from hypothesis import given
from hypothesis import strategies as st

from calf_viz.heightfield import Heightfield
from calf_viz.hud.axes import Axes
from calf_viz.hud.batch import Batch
from calf_viz.hud.canvas import Label
from calf_viz.hud.hud import Hud
from calf_viz.hud.layout import SMALLEST_SCALE, Metrics
from calf_viz.hud.overview import overview
from calf_viz.hud.panel import Panel, Row
from calf_viz.hud.text import width
from calf_viz.hud.widgets import ColourBar, Notice
from calf_viz.scene.camera import OrbitCamera
from calf_viz.scene.scene import Scene
from calf_viz.value_scale import ValueScale
from calf_viz.view import View


def batches(hud: Hud) -> tuple[Batch, Batch]:
    return hud.canvas.shapes, hud.canvas.glyphs


def uploaded(hud: Hud) -> None:
    for batch in batches(hud):
        batch.clean()


def drawn_glyphs(hud: Hud) -> np.ndarray:
    """x, y, right, bottom of every glyph that is drawn, (n, 4)."""
    texels = hud.canvas.glyphs.texels.reshape(-1, 4)[: hud.canvas.glyphs.count]
    texels = texels[texels[:, 2] > 0]
    extent = hud.canvas.atlas.table[texels[:, 2].astype(int), 2:]
    return np.column_stack([texels[:, :2], texels[:, :2] + extent])


cameras = st.builds(
    OrbitCamera,
    distance=st.floats(2.0, 60.0),
    azimuth=st.floats(-math.pi, math.pi),
    elevation=st.floats(0.05, math.pi / 2),
)


class TestFit:
    @given(st.integers(16, 2600), st.integers(16, 1500), cameras, st.booleans())
    def test_nothing_overlaps_and_nothing_is_cut(
        self, width: int, height: int, camera: OrbitCamera, paused: bool
    ) -> None:
        hud = made(**({"state": "paused"} if paused else {}))
        prepared(hud, Scene(size=(width, height), camera=camera))
        rectangles = hud.rectangles()
        for i, rect in enumerate(rectangles):
            assert rect.within((width, height)), rect
            assert not any(rect.overlaps(other) for other in rectangles[:i]), rect
        glyphs = drawn_glyphs(hud)
        assert (glyphs[:, :2] >= 0).all()
        assert (glyphs[:, 2:] <= (width, height)).all()

    @given(st.integers(200, 2600), st.integers(150, 1500))
    def test_every_glyph_of_a_widget_is_inside_it(self, width: int, height: int) -> None:
        hud = made(step="1,234,567,890,123", fps="a very long text")
        hud.axes = hud.value_axis = None
        prepared(hud, Scene(size=(width, height)))
        for x, y, right, bottom in drawn_glyphs(hud):
            assert any(
                r.x <= x and right <= r.right and r.y <= y and bottom <= r.bottom
                for r in hud.placed.values()
            )

    @pytest.mark.parametrize("size", [(1280, 720), (2560, 1440), (1920, 1080), (800, 600)])
    def test_all_of_it_fits_usual_sizes(self, size: tuple[int, int]) -> None:
        hud = prepared(made(), Scene(size=size))
        assert set(hud.placed) == {"overview", "value", "keys"}
        assert len(hud._marks) >= 2 * 5 + 1, (
            "five ticks and a name each; one yields to the other axis"
        )
        assert len(hud._value_marks) >= 4, "as many as there is room for above each other"

    def test_a_small_window_shows_the_legend_and_the_colour_bar(self) -> None:
        hud = prepared(made(), Scene(size=(480, 320)))
        assert set(hud.placed) == {"overview", "value"}
        panel = next(widget for widget in hud.widgets if isinstance(widget, Panel))
        assert [row.key for row in panel._shown] == ["step", "mode_0", "mode_1", "mode_2"]

    @pytest.mark.parametrize("size", [(1280, 720), (2560, 1440), (640, 400), (480, 320)])
    def test_the_data_stay_in_sight(self, size: tuple[int, int]) -> None:
        covered = sum(
            r.width * r.height for r in prepared(made(), Scene(size=size)).placed.values()
        )
        assert covered < 0.2 * size[0] * size[1]

    def test_it_grows_with_the_picture_but_stays_legible(self) -> None:
        assert Metrics.fit((1280, 720)).scale == 1.0
        assert Metrics.fit((2560, 1440)).scale == 2.0
        assert Metrics.fit((2560, 720)).scale == 1.0
        for size in ((480, 320), (16, 16)):
            metrics = Metrics.fit(size)
            assert metrics.scale == SMALLEST_SCALE
            assert min(pixels for _, pixels in metrics.sizes) >= 11

    def test_rows_of_the_highest_rank_go_first(self) -> None:
        rows = [Row("a", "a", rank=0), Row("b", "b", rank=2), Row("c", "c", rank=1)]
        panel = Panel("p", "title", rows)
        canvas = made().canvas
        values = {"a": "1", "b": "2", "c": "3"}
        heights = []
        for expected in ("abc", "ac", "a"):
            extent = panel.measure(canvas, values, (500, heights[-1] - 1 if heights else 500))
            assert extent is not None
            assert [row.key for row in panel._shown] == list(expected)
            heights.append(extent[1])
        assert panel.measure(canvas, values, (500, heights[-1] - 1)) is None
        panel.rows = [*rows, Row("d", "d", rank=2), Row("e", "e", rank=2)]
        values |= {"d": "4", "e": "5"}
        for expected in ("abcde", "abcd", "abc"):
            panel.measure(canvas, values, (500, heights[0] + (len(expected) - 3) * 20 + 5))
            assert "".join(row.key for row in panel._shown) == expected
        swatches = [Row(key, key, rank=2, swatch=0) for key in "de"]
        panel.rows = [*rows[:1], *rows[2:], *swatches]
        panel.measure(canvas, values, (500, heights[0] + 5))
        assert "".join(row.key for row in panel._shown) == "ac", "a legend is whole or left out"
        assert panel.measure(canvas, values, (100, 500)) is None


class TestRewriting:
    scene = Scene()

    def rest(self) -> Hud:
        hud = prepared(made(), self.scene)
        uploaded(hud)
        return hud

    def test_nothing_at_rest(self) -> None:
        hud = self.rest()
        hud.update(**TEXTS)
        prepared(hud, self.scene)
        assert not any(batch.dirty for batch in batches(hud))

    def test_a_changed_text_changes_its_own_glyphs_only(self) -> None:
        hud = self.rest()
        before = hud.canvas.glyphs.texels.copy()
        hud.update(step="12,346")
        prepared(hud, self.scene)
        assert not hud.canvas.shapes.dirty
        changed = (hud.canvas.glyphs.texels != before).any(axis=2)
        assert changed.sum() == 1, "one figure"
        assert len(hud.canvas.glyphs.dirty) <= 2, "the rows of the one label"

    def test_a_layout_that_comes_out_the_same_uploads_nothing(self) -> None:
        hud = self.rest()
        hud.update(fps=None)
        hud.update(fps="60")
        prepared(hud, self.scene)
        assert not any(batch.dirty for batch in batches(hud))

    def test_a_new_row_takes_a_new_layout(self) -> None:
        hud = made()
        hud.update(fps=None)
        low = prepared(hud, self.scene).placed["overview"]
        hud.update(fps="60")
        assert prepared(hud, self.scene).placed["overview"].height > low.height

    def test_a_moved_camera_rewrites_the_axes_alone(self) -> None:
        hud = self.rest()
        end = hud._panels_end[1]
        before = hud.canvas.glyphs.texels.reshape(-1, 4)[:end].copy()
        self.scene.camera.orbit(0.1, 0.0)
        prepared(hud, self.scene)
        assert hud.canvas.glyphs.dirty and hud.canvas.shapes.dirty
        np.testing.assert_array_equal(hud.canvas.glyphs.texels.reshape(-1, 4)[:end], before)

    def test_axes_are_found_only_where_something_moved(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[int] = []
        draw = Axes.draw
        monkeypatch.setattr(Axes, "draw", lambda *args: (calls.append(1), draw(*args))[1])
        scene, hud = Scene(), made()
        for _ in range(5):
            hud.update(step=str(len(calls)))
            prepared(hud, scene)
        assert len(calls) == 1
        scene.camera.zoom(0.9)
        prepared(hud, scene)
        scene.size = (1000, 600)
        prepared(hud, scene)
        prepared(hud, scene, Heightfield(BOWL.values, BOWL.lo, BOWL.hi))
        hud.prepare(scene, BOWL)
        assert len(calls) == 5

    def test_a_new_range_changes_the_colour_bar(self) -> None:
        hud = self.rest()
        hud.prepare(self.scene, LEVELS, ValueScale("linear", -1.0, 40.0))
        bar = next(one for one in hud.widgets if isinstance(one, ColourBar))
        assert [text for _, text in bar._ticks(hud.canvas, 160)] == ["0", "10", "20", "30", "40"]
        assert hud.canvas.glyphs.dirty

    def test_a_few_kilobytes(self) -> None:
        assert sum(batch.texels.nbytes for batch in batches(self.rest())) <= 10240


def test_a_widget_more_is_stacked_beside_those_at_its_edge() -> None:
    hud = prepared(made(), Scene())
    before = dict(hud.placed)
    hud.add(Panel("mine", "a title", [Row("wind", "wind"), Row("unknown", "never shown")]))
    hud.update(wind="1.25 m/s")
    placed = prepared(hud, Scene()).placed
    assert {name: placed[name] for name in before} == before
    assert placed["mine"].x == placed["overview"].x
    assert placed["mine"].y > placed["overview"].bottom
    assert hud.hit(placed["mine"].x, placed["mine"].y) == "mine"


class TestHit:
    def test_panels_capture_the_mouse_and_nothing_else_does(self) -> None:
        hud = prepared(made(), Scene())
        panel, keys = hud.placed["overview"], hud.placed["keys"]
        assert hud.hit(panel.x, panel.y) == hud.hit(panel.right - 1, panel.bottom - 1) == "overview"
        assert hud.hit(panel.right, panel.y) is None
        assert hud.hit(panel.x - 1, panel.y) is None
        assert hud.hit(640, 360) is None
        assert hud.hit(keys.x + 1, keys.y + 1) is None, "the line of keys lets it through"
        hud.visible = False
        assert hud.hit(panel.x, panel.y) is None


def test_a_notice_is_replaced_by_another() -> None:
    hud = Hud([Notice("state", "state")])
    hud.update(state="paused")
    hud._new_layout = False
    hud.update(state="profiler on")
    assert hud._new_layout, "a notice is as wide as its text"


class TestNotice:
    LONG = "the training died: /home/someone/runs/point_mass-0/metrics.csv: No space left on device"

    @pytest.mark.parametrize("size", [(1280, 720), (640, 400), (480, 300), (300, 900), (240, 200)])
    def test_a_long_one_is_seen_whole_in_any_window(self, size: tuple[int, int]) -> None:
        hud = made(notice=self.LONG)
        prepared(hud, Scene(size=size))
        assert "notice" in hud.placed
        notice = next(widget for widget in hud.widgets if widget.name == "notice")
        assert isinstance(notice, Notice)
        assert "".join(notice._lines).replace(" ", "") == self.LONG.replace(" ", "")

    def test_others_stay_where_there_is_room_for_all(self) -> None:
        hud = prepared(made(notice="as long as this one is"), Scene(size=(300, 900)))
        assert {"overview", "value", "notice"} <= set(hud.placed)
        assert hud.placed["notice"].y > hud.placed["overview"].y, "it went below them"

    def test_that_it_is_paused_stays_in_sight_beside_it(self) -> None:
        for size in ((1280, 720), (640, 400), (300, 200)):
            hud = prepared(made(state="paused", notice="profiler on"), Scene(size=size))
            assert {"state", "notice"} <= set(hud.placed), size
            assert hud.placed["state"].bottom <= hud.placed["notice"].y

    def test_it_takes_the_place_of_others_where_there_is_none(self) -> None:
        size = (300, 200)
        assert "overview" in prepared(made(), Scene(size=size)).placed
        assert "notice" in prepared(made(notice=2 * self.LONG), Scene(size=size)).placed


NAMES = [
    ("return", None), ("return [m]", None), ("V(s)", "V"), ("critic −Q", "−Q"),
    ("expected discounted return until the end of an episode [m]", None),
    ("expected discounted return until the end of an episode [m]", "G [m]"),
]  # fmt: skip


class TestValue:
    """Whatever the surface is the height of, its own name is written, once in each place."""

    def written(self, view: View, size: tuple[int, int] = (1280, 720)) -> list[str]:
        hud, words = overview(view, ALL_KEYS), []
        label = hud.canvas.label

        def recording(text: str, *args: Any, **kwargs: Any) -> Label:
            words.append(text)
            return label(text, *args, **kwargs)

        hud.canvas.label = recording  # type: ignore[method-assign]
        hud.update(**TEXTS)
        prepared(hud, Scene(size=size))
        assert "value" in hud.placed, "the colour bar is there, whatever its title"
        glyphs = drawn_glyphs(hud)
        assert (glyphs[:, :2] >= 0).all() and (glyphs[:, 2:] <= size).all()
        return words

    @pytest.mark.parametrize(("value", "symbol"), NAMES)
    @pytest.mark.parametrize("size", [(1280, 720), (480, 320)])
    def test_its_name_is_the_views(
        self, value: str, symbol: str | None, size: tuple[int, int]
    ) -> None:
        view = View("t", modes=("a", "b", "c"), value=value, symbol=symbol)
        words = self.written(view, size)
        names = [word for word in words if word[:6] in (value[:6], (symbol or value)[:6])]
        assert names, "the colour bar's title at least"
        for name in names:
            assert name in (value, symbol) or value.startswith(name) or name.endswith("…"), name
        if "−Q" not in value:
            assert not any("critic" in word or "Q" in word for word in words)
        assert not any(word.count("[") > 1 for word in words)

    @pytest.mark.parametrize(("value", "symbol"), NAMES)
    def test_the_mean_is_there_however_long_its_name(self, value: str, symbol: str | None) -> None:
        hud = overview(View("t", modes=("a",), value=value, symbol=symbol))
        hud.update(**TEXTS)
        prepared(hud, Scene())
        panel = next(widget for widget in hud.widgets if isinstance(widget, Panel))
        label = panel._labels["mean_value"]
        assert label.text == "−12.5"
        assert label.room >= width(hud.canvas.face("body"), "−12.5")

    def test_a_short_name_takes_the_place_of_a_long_one(self) -> None:
        long, short = NAMES[-1]
        words = self.written(View("t", modes=("a",), value=long, symbol=short), (480, 320))
        assert short in words and long not in words

    @pytest.mark.parametrize("size", [(1280, 720), (640, 360), (2560, 1440)])
    @pytest.mark.parametrize("value", [*(name for name, _ in NAMES), "r" * 60, "a b " * 40])
    def test_a_long_name_hardly_widens_the_colour_bar(
        self, value: str, size: tuple[int, int]
    ) -> None:
        hud = overview(View("t", modes=("a",), value=value))
        prepared(hud, Scene(size=size))
        assert hud.placed["value"].width <= 36 * hud.canvas.metrics.unit
        bar = next(widget for widget in hud.widgets if isinstance(widget, ColourBar))
        lines = bar._title
        assert 1 <= len(lines) <= 2
        assert " ".join(lines) == value or lines[-1].endswith("…")

    def test_its_number_is_reported_by_the_same_name(self) -> None:
        assert "mean return [m]" in self.written(View("t", modes=("a",), value="return [m]"))
