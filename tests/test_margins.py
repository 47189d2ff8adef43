"""Margins of other people's certificates: `viz.step(..., margin=)`, drawn by trails that are
coloured by certificate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from attached_loops import SQUARE, board_of
from calf_attach import Handle, attach

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.glsl.variants import BY_MARGIN, CERTIFIED, REFUSED
from calf_viz.samples import Samples
from calf_viz.scene.colours import mode_colours
from calf_viz.scene.mode_bits import ModeBits, shown_modes
from calf_viz.scene.ring import RingLayout, RingPacker
from calf_viz.sources.attached import Attached
from calf_viz.view import View

pytestmark = pytest.mark.usefixtures("boards")
NO = np.zeros(2, bool)
RULES = ("a", "b", "c")


def named(count: int) -> tuple[str, ...]:
    return tuple(f"rule {number}" for number in range(count))


class TestEncoding:
    @pytest.mark.parametrize(
        ("modes", "each", "known"), [(1, 2, 2), (2, 2, 2), (3, 3, 4), (4, 3, 4), (9, 3, 4)]
    )
    def test_a_margin_takes_a_bit(self, modes: int, each: int, known: int) -> None:
        bits = ModeBits.of(modes, margins=True)
        assert (bits.each, bits.known, bits.mask) == (each, known, 2 * known - 1)
        assert bits.defines["MARGINS"] == "1"
        assert "MARGINS" not in ModeBits.of(modes).defines

    @pytest.mark.parametrize("modes", [1, 2, 3, 4, 9])
    def test_words_say_which_margins_were_negative(self, modes: int) -> None:
        rng, n = np.random.default_rng(modes), 6
        packer = RingPacker(RingLayout.fit(n, 8), trail=6, modes=modes, margins=True)
        known = packer.mode_bits.known
        for step in range(12):
            rules = rng.integers(0, modes, n)
            margins = rng.choice([-1.0, -0.0, 0.0, 2.0, np.nan, -np.inf], n)
            columns = {"margin": margins} if step % 4 else {}
            samples = Samples(rng.normal(size=(n, 2)), rules, np.zeros(n, bool), columns=columns)
            (row,) = packer.pack(samples).rows
            negative = (margins < 0) & (step % 4 > 0)
            expected = np.minimum(rules, known - 1) + known * negative
            np.testing.assert_array_equal(row.modes, expected)
        assert packer.grown(RingLayout.fit(2 * n, 8)).mode_bits == packer.mode_bits

    def test_a_view_without_margins_ignores_the_column(self) -> None:
        packer = RingPacker(RingLayout.fit(2, 8), trail=6, modes=2)
        columns = {"margin": np.full(2, -1.0)}
        samples = Samples(np.zeros((2, 2)), NO.astype(int), NO, columns=columns)
        (row,) = packer.pack(samples).rows
        assert not row.modes.any()

    def test_a_negative_one_changes_no_colour_of_a_rule(self) -> None:
        for count in (1, 2, 3, 4, 6):
            view = View("test", modes=named(count), margins=True)
            known = ModeBits.of(count, True).known
            colours = mode_colours(view=view)
            np.testing.assert_array_equal(colours[known : 2 * known], colours[:known])
        assert shown_modes(named(6), margins=True) == (*named(3), "other")
        assert len(shown_modes(named(6))) == 6


@pytest.fixture
def viz() -> Iterator[Handle]:
    with attach(SQUARE, rate=1e9, modes=RULES, name="test") as handle:
        yield handle


def cross(viz: Handle, steps: int = 80) -> None:
    """Two agents go from left to right; the lower one's margin is negative in the right half."""
    x = np.linspace(-0.9, 0.9, steps)
    for step, at in enumerate(x):
        places = np.array([[at, 0.5], [at, -0.5]])
        if not step:
            viz.reset(places)
            continue
        margin = np.array([1.0, -at])
        viz.step(places, np.zeros(2), NO, NO, {}, modes=np.array([1, 1]), margin=margin)


def config(**changes: Any) -> VisualizationConfig:
    given: dict[str, Any] = {"headless": True, "size": (640, 400), "camera": "top", "hud": False}
    return VisualizationConfig(**{**given, **changes})


def near(picture: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return np.abs(picture.astype(int) - np.rint(255 * colour[:3]).astype(int)).max(axis=2) < 24


@pytest.mark.rendering
class TestPictures:
    @pytest.mark.parametrize("renderer", ["gpu", "batched", "per_agent"])
    def test_trails_by_certificate_have_the_margins_sign(self, viz: Handle, renderer: str) -> None:
        cross(viz)
        viz.surface(np.zeros((5, 5)))
        define = ("TRAIL_COLOUR=BY_CERTIFICATE",)
        shaded = config(renderer=renderer, define=define)
        with CALFApplication(shaded, source=Attached(viz.board or "")) as app:
            for _ in range(3):
                app.step()
            picture, colours = app.screenshot(), app.host.scene.mode_colours
            assert app.host.programs.trail_colour == BY_MARGIN
            assert app.host.scene.highlighted == -1  # it is about no chosen agent
        kept, refused = near(picture, colours[CERTIFIED]), near(picture, colours[REFUSED])
        rows, columns = np.nonzero(refused)
        middle = picture.shape[1] // 2
        assert len(rows) > 100 and columns.min() > middle - 12  # right
        assert rows.min() > picture.shape[0] // 2  # of the lower agent
        upper, lower = np.vsplit(kept, 2)
        assert upper[:, middle + 20 :].sum() > 100 and lower[:, : middle - 20].sum() > 100
        assert lower[:, middle + 20 :].sum() < 0.1 * lower[:, : middle - 20].sum()

    @pytest.mark.parametrize("renderer", ["gpu", "batched"])
    def test_other_trails_keep_the_rules_colours(self, viz: Handle, renderer: str) -> None:
        cross(viz)
        with CALFApplication(config(renderer=renderer), source=Attached(viz.board or "")) as app:
            app.step()
            picture, colours = app.screenshot(), app.host.scene.mode_colours
        found = near(picture, colours[1])
        assert found[picture.shape[0] // 2 :, picture.shape[1] // 2 + 20 :].sum() > 100
        assert not near(picture, colours[REFUSED]).any()

    def test_the_legend_and_the_panel_say_so(self, viz: Handle) -> None:
        cross(viz)
        define = ("TRAIL_COLOUR=BY_CERTIFICATE",)
        with CALFApplication(
            config(hud=True, size=(1280, 720), define=define), source=Attached(viz.board or "")
        ) as app:
            app.step()
            app.screenshot()
            assert app.hud is not None
            assert app.hud.values["trails"] == BY_MARGIN and "trails" in app.hud.placed
            assert app.hud.values["loop_margin"] == "1 of 2"


def test_a_margin_between_two_rows_is_not_lost() -> None:
    """At a low rate most steps become no row: the next one has the least margin since."""
    with attach(SQUARE, rate=1e-3) as viz:
        viz.reset(np.zeros((3, 2)))
        for margin in ([1, -2, np.nan], [5, 3, 4], [-1, 0, 9]):
            viz.step(np.zeros((3, 2)), margin=np.array(margin, float))
        viz._recorder._next_row = 0
        viz.step(np.zeros((3, 2)), margin=np.array([2.0, 2.0, 2.0]))
        viz._recorder._next_row = 0
        viz.step(np.zeros((3, 2)), margin=np.array([2.0, 2.0, 2.0]))
        rows = board_of(viz).rows_since(0)
        assert rows[-2].columns[1].tolist() == [-1.0, -2.0, 2.0]
        assert rows[-1].columns[1].tolist() == [2.0, 2.0, 2.0] and rows[-2].merged == 4


def test_fewer_agents_between_two_rows_keep_theirs() -> None:
    with attach(SQUARE, rate=1e-3) as viz:
        viz.reset(np.zeros((3, 2)))
        viz.step(np.zeros((3, 2)), margin=np.array([1.0, -2.0, -3.0]))
        viz._recorder._next_row = 0
        viz.step(np.zeros((2, 2)))
        (row,) = board_of(viz).rows_since(1)
        assert row.columns[1].tolist() == [1.0, -2.0] and viz.board is not None


def test_margins_that_come_late_are_said(viz: Handle) -> None:
    viz.reset(np.zeros((2, 2)))
    source = Attached(viz.board or "")
    assert not source.view.margins and source.notice is None
    viz.step(np.zeros((2, 2)), margin=np.ones(2))
    assert source.step() is not None and not source.view.margins
    assert "margins by now" in (source.notice or "")
    assert Attached(viz.board or "").view.margins
