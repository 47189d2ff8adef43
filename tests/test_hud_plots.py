"""The HUD's plots: curves drawn by the GPU from rings, as numbers and as pixels, on both hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from calf_viz.heightfield import Heightfield
from calf_viz.hosts.moderngl.host import ModernglHost
from calf_viz.hosts.panda.offscreen import OffscreenHost
from calf_viz.hosts.setup import Setup
from calf_viz.hud.hud import Hud
from calf_viz.hud.plots import Curve, Plot, Plots
from calf_viz.hud.series import HEAD, SAMPLES, Series
from calf_viz.scene.colours import colour_map
from calf_viz.scene.paint import Paint
from calf_viz.scene.scene import Scene

FIELD = Heightfield(np.zeros((3, 3)), (-5.0, -5.0), (5.0, 5.0))


class TestSeries:
    def test_a_ring_keeps_the_newest(self) -> None:
        series = Series()
        for i in range(SAMPLES + 7):
            series.push("a", float(i))
        assert series.values("a").tolist() == list(range(7, SAMPLES + 7))
        series.clear("a")
        assert series.values("a").tolist() == []
        series.push("a", 5.0, 0x123456)
        assert series.values("a").tolist() == [5.0]
        at = HEAD + 0
        assert series.texels[0, at].tolist() == [5.0, 0x123456, 0.0, 0.0]

    def test_what_changed_is_dirty_and_nothing_else(self) -> None:
        series = Series()
        for name in "abcd":
            series.row(name)
        series.clean()
        assert not series.dirty
        series.push("b", 1.0)
        assert list(series.dirty) == [1]
        series.push("d", 1.0)
        assert list(series.dirty) == [1, 2, 3]
        series.clean()
        series.scale("c", 0.0, 1.0)
        assert not series.dirty, "it was so"
        series.scale("c", 0.0, 2.0, 10)
        assert list(series.dirty) == [2]
        assert series.texels[2, :HEAD].tolist() == [[0, 0, 0, 2], [10, 0, 0, 0]]

    def test_rows_stay_when_others_come(self) -> None:
        series = Series()
        series.push("a", 3.0)
        series.push("b", 4.0)
        assert series.values("a").tolist() == [3.0] and series.values("b").tolist() == [4.0]
        assert series.texels.shape == (2, HEAD + SAMPLES, 4)


@pytest.fixture(params=["moderngl", "panda"])
def host(request: pytest.FixtureRequest) -> Iterator[Any]:
    kind: Any = {"moderngl": ModernglHost, "panda": OffscreenHost}[request.param]
    scene = Scene(size=(640, 360), trail=4, height_scale=0.0)
    made = kind(Setup(scene, colour_map("gray"), 1, FIELD))
    if request.param == "moderngl":
        made.context.__enter__()
    yield made
    made.close()


def shown(host: Any, **plot: Any) -> Hud:
    curves = [Curve("line", Paint(0x00FF00), 2.0)]
    hud = Hud([Plots("plots", [Plot("text", "title", curves, **plot)])])
    hud.update(text="1")
    host.set_hud(hud)
    return hud


def green(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of the curve's pixels."""
    r, g, b = picture.astype(int).transpose(2, 0, 1)
    rows, columns = np.nonzero((g > 150) & (r < 100) & (b < 100))
    return columns, rows


def box(hud: Hud) -> tuple[int, int, int, int]:
    """Left, head, right, foot of the curves, from the shapes that were drawn."""
    texels = hud.canvas.shapes.texels.reshape(-1, 4)[: 3 * hud.canvas.shapes.count].reshape(
        -1, 3, 4
    )
    left, foot, right, head = texels[texels[:, 1, 3] == 2.0][0, 0]
    return int(left), int(head), int(right), int(foot)


@pytest.mark.rendering
class TestPictures:
    def test_a_curve_goes_through_its_samples(self, host: Any) -> None:
        hud = shown(host)
        series = hud.canvas.series
        series.scale("line", 0.0, 10.0, 11)
        for value in range(11):
            series.push("line", float(value))
        host.draw()
        left, head, right, foot = box(hud)
        x, y = green(host.screenshot())
        assert len(x) > right - left - 2
        expected = foot + (head - foot) * (x + 0.5 - left) / (right - left)
        assert np.abs(y + 0.5 - expected).max() < 2.5
        assert x.min() <= left + 1 and x.max() >= right - 2

    def test_a_ring_that_went_round_shows_the_newest_and_only_those(self, host: Any) -> None:
        hud = shown(host)
        series = hud.canvas.series
        series.scale("line", 0.0, 1.0, SAMPLES)
        for i in range(SAMPLES + 30):  # low, then high for the second half of what is kept
            series.push("line", float(i >= SAMPLES // 2 + 30))
        host.draw()
        left, head, right, foot = box(hud)
        x, y = green(host.screenshot())
        middle = (left + right) / 2
        assert (y[x < middle - 4] > foot - 3).all() and (y[x > middle + 4] < head + 3).all()

    def test_half_an_episode_takes_half_the_width(self, host: Any) -> None:
        hud = shown(host)
        series = hud.canvas.series
        series.scale("line", 0.0, 1.0, 21)
        for _ in range(11):
            series.push("line", 0.5)
        host.draw()
        left, _, right, _ = box(hud)
        x, _ = green(host.screenshot())
        assert x.max() == pytest.approx((left + right) / 2, abs=2)
        series.clear("line")
        host.draw()
        assert len(green(host.screenshot())[0]) == 0

    def test_values_beyond_the_scale_stay_in_the_box(self, host: Any) -> None:
        hud = shown(host)
        series = hud.canvas.series
        series.scale("line", 0.0, 1.0, 4)
        for value in (-50.0, 50.0, np.inf, -np.inf):
            series.push("line", value)
        host.draw()
        left, head, right, foot = box(hud)
        x, y = green(host.screenshot())
        assert x.min() >= left - 2 and x.max() <= right + 1
        assert y.min() >= head - 2 and y.max() <= foot + 1

    def test_a_band_has_its_samples_colours(self, host: Any) -> None:
        hud = shown(host, band="band")
        series = hud.canvas.series
        series.scale("band", 0.0, 1.0, 5)
        for colour in (0xFF0000, 0x0000FF, 0xFF0000, 0x0000FF, 0):
            series.push("band", 0.0, colour)
        host.draw()
        left, _, right, foot = box(hud)
        picture = host.screenshot()
        unit = hud.canvas.metrics.unit
        row = picture[foot + unit + unit // 2]
        at = [row[round(left + (right - left) * (i + 0.5) / 4)].tolist() for i in range(4)]
        assert at == [[255, 0, 0], [0, 0, 255]] * 2

    def test_new_samples_change_the_rings_texture_and_nothing_else(self, host: Any) -> None:
        hud = shown(host)
        hud.canvas.series.scale("line", 0.0, 1.0)
        host.draw()
        before = hud.canvas.shapes.count, hud.canvas.shapes.texels.tobytes()
        first = host.screenshot()
        for _ in range(SAMPLES):
            hud.canvas.series.push("line", 0.5)
            hud.prepare(host.scene, host.levels, host.scale)
            assert not hud.canvas.shapes.dirty and not hud.canvas.glyphs.dirty
        host.draw()
        assert not hud.canvas.series.dirty
        assert (hud.canvas.shapes.count, hud.canvas.shapes.texels.tobytes()) == before
        assert (host.screenshot() != first).any()


def test_plots_that_do_not_fit_are_left_out() -> None:
    plots = [Plot(f"t{i}", "title", [Curve(f"c{i}", Paint(0xFFFFFF))]) for i in range(3)]
    hud = Hud([Plots("plots", plots)])
    hud.update(t0="0", t1="1", t2="2")
    heights = []
    for size in ((1280, 720), (640, 360), (420, 240), (200, 120)):
        hud.prepare(Scene(size=size), FIELD)
        heights.append(hud.placed["plots"].height if "plots" in hud.placed else 0)
        assert all(rect.within(size) for rect in hud.placed.values())
    assert heights[0] > heights[1] > heights[2] > heights[3] == 0


def test_a_plot_without_a_text_is_not_shown() -> None:
    plots = [Plot(f"t{i}", "title", [Curve("c", Paint(0xFFFFFF))]) for i in range(2)]
    hud = Hud([Plots("plots", plots)])
    hud.prepare(Scene(), FIELD)
    assert hud.placed == {}
    hud.update(t1="1")
    hud.prepare(Scene(), FIELD)
    assert "plots" in hud.placed


def written(hud: Hud) -> list[str]:
    """Texts of the plots, a line of glyphs each."""
    names = {glyph.row: char for char, glyph in hud.canvas.face("small").glyphs.items()}
    texels = hud.canvas.glyphs.texels.reshape(-1, 4)[: hud.canvas.glyphs.count]
    return ["".join(names.get(int(row), " ") for row in texels[:, 2])]


def test_scales_and_keys_are_written() -> None:
    curves = [Curve("a", Paint(0xFF0000), name="first"), Curve("b", Paint(0x00FF00), name="second")]
    plot = Plot("p", "title", curves, band="c", band_key=("third", (0x0000FF,)), begin="1")
    hud = Hud([Plots("plots", [plot])])
    hud.update(p="0", p_head="12.5", p_foot="−3", p_end="200 episodes")
    hud.prepare(Scene(), FIELD)
    (text,) = written(hud)
    for word in ("first", "second", "third", "12.5", "−3", "1", "200 episodes"):
        assert word.replace(" ", "") in text.replace(" ", ""), text
    marks = hud.canvas.mark
    hud.update(p_head="999", p_foot="−999", p_end="400 episodes")
    hud.prepare(Scene(), FIELD)
    assert hud.canvas.mark == marks, "in their places"
    assert "999" in written(hud)[0]


def test_numbers_of_a_scale_are_not_cut() -> None:
    hud = Hud([Plots("plots", [Plot("p", "title", [Curve("a", Paint(0xFF0000))])])])
    hud.update(p="0", p_head="0", p_foot="−2")
    hud.prepare(Scene(size=(640, 360)), FIELD)
    for foot in ("−20000", "−0.00015", "−2"):
        hud.update(p_foot=foot)
        hud.prepare(Scene(size=(640, 360)), FIELD)
        assert foot in written(hud)[0]


def test_scales_keep_to_the_panel() -> None:
    plots = [
        Plot(f"p{i}", "a title", [Curve("a", Paint(0), name="name") for _ in range(9)], band="b")
        for i in range(3)
    ]
    hud = Hud([Plots("plots", plots)])
    for i in range(3):
        ends = {f"p{i}_head": "−1,234.56", f"p{i}_foot": "−9.9e9", f"p{i}_end": "9,999 episodes"}
        hud.update(**{f"p{i}": "a value that is long"}, **ends)
    for size in ((1280, 720), (640, 360), (420, 300), (2560, 1440)):
        hud.prepare(Scene(size=size), FIELD)
        rect = hud.placed["plots"]
        texels = hud.canvas.glyphs.texels.reshape(-1, 4)[: hud.canvas.glyphs.count]
        drawn = texels[texels[:, 2] > 0]
        table = hud.canvas.atlas.table[drawn[:, 2].astype(int), 2:]
        assert (drawn[:, :2] >= (rect.x, rect.y)).all()
        assert (drawn[:, :2] + table <= (rect.right, rect.bottom)).all()
