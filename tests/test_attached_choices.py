"""What viewers of an attached loop choose goes back to it: an agent, and where sliders stand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from attached_loops import SQUARE, board_of
from calf_attach import Handle, attach
from calf_attach.layout import Word

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.hud.control_panel import ControlPanel
from calf_viz.hud.overview import overview
from calf_viz.sources.attached import Attached
from calf_viz.viewer.feed import Feed
from calf_viz.viewer.source_sliders import ASK_EVERY, SourceSliders

pytestmark = pytest.mark.usefixtures("boards")

N, SIZE = 4, 5
SHOWN, HIDDEN = [0, 2], [1, 3, 4]


class Loop:
    """A loop of observations of five numbers, of which the plane shows two."""

    def __init__(self, **given: object) -> None:
        self.asked: list[np.ndarray] = []
        self.rng = np.random.default_rng(0)
        self.seen = self.rng.uniform(-1, 1, (N, SIZE))
        self.viz = attach(
            SQUARE, axes=(0, 2), critic=self.critic, nodes=2, rate=1e9, budget=1e-9,
            entries=("x", "x'", "y", "y'", "fuel"), **given,  # type: ignore[arg-type]
        )  # fmt: skip
        self.viz.reset(self.seen)

    def critic(self, observations: np.ndarray) -> np.ndarray:
        self.asked.append(observations.copy())
        return observations.sum(axis=1)

    def go_on(self, scale: float = 1.0) -> np.ndarray:
        """A step, and the critic; returns what it got for what the plane does not show."""
        self.seen = scale * self.rng.uniform(-1, 1, (N, SIZE))
        none = np.zeros(N, bool)
        self.viz.step(self.seen, np.zeros(N), none, none, {})
        self.viz.refresh()
        assert (self.asked[-1][:, HIDDEN] == self.asked[-1][0, HIDDEN]).all()
        hidden: np.ndarray = self.asked[-1][0, HIDDEN]
        return hidden


@pytest.fixture
def following() -> Iterator[Loop]:
    loop = Loop(others="agent", chosen=1)
    with loop.viz:
        yield loop


@pytest.fixture
def held() -> Iterator[Loop]:
    loop = Loop()
    with loop.viz:
        yield loop


def source_of(viz: Handle) -> Attached:
    assert viz.board is not None
    return Attached(viz.board)


def test_the_critic_follows_the_agent_that_the_viewer_chose(following: Loop) -> None:
    source = source_of(following.viz)
    np.testing.assert_allclose(following.go_on(), following.seen[1, HIDDEN], rtol=1e-6)
    source.choose(3)
    np.testing.assert_allclose(following.go_on(), following.seen[3, HIDDEN], rtol=1e-6)
    following.viz.refresh()
    source.choose(99)  # the last one
    following.viz.refresh()  # without another step
    np.testing.assert_allclose(following.asked[-1][0, HIDDEN], following.seen[3, HIDDEN])
    source.choose(0)
    following.viz.refresh()
    np.testing.assert_allclose(following.asked[-1][0, HIDDEN], following.seen[0, HIDDEN], rtol=1e-6)
    assert not source.sliders() and not board_of(following.viz)[Word.FAULTS]


def test_a_viewers_keys_choose_and_the_loop_is_told(following: Loop) -> None:
    config = VisualizationConfig(headless=True, size=(320, 180))
    with CALFApplication(config, source=source_of(following.viz)) as app:
        board = board_of(following.viz)
        app.step()
        assert board[Word.CHOSEN] == 0 and app.config.chosen is None
        for key, agent in (("next", 0), ("next", 1), ("previous", 0), ("previous", N - 1)):
            app.actions.by_name[f"{key}_agent"]()
            app.draw()
            assert board[Word.CHOSEN] == agent + 1 and app.host.scene.highlighted == agent
    config.chosen = 2
    with CALFApplication(config, source=source_of(following.viz)):
        assert board[Word.CHOSEN] == 3  # as configured, from the start


def test_sliders_move_what_the_critic_gets(held: Loop) -> None:
    mean = held.seen.mean(axis=0)
    np.testing.assert_allclose(held.go_on(), mean[HIDDEN], rtol=1e-6)
    source = source_of(held.viz)
    sliders = source.sliders()
    assert [slider.label for slider in sliders] == ["x'", "y'", "fuel"]
    assert [slider.name for slider in sliders] == ["1", "3", "4"]
    np.testing.assert_allclose([slider.value for slider in sliders], mean[HIDDEN])
    assert all(slider.low <= -0.3 and slider.high >= 0.3 for slider in sliders)
    source.slide("3", 0.125)
    np.testing.assert_allclose(held.go_on(), [mean[1], 0.125, mean[4]], rtol=1e-6)
    second = source_of(held.viz)  # another viewer sees where they stand
    assert [slider.value for slider in second.sliders()][1] == 0.125
    second.slide("1", -0.5)
    np.testing.assert_allclose(held.go_on(), [-0.5, 0.125, mean[4]], rtol=1e-6)


def test_sliders_in_the_window_reach_as_far_as_was_seen(held: Loop) -> None:
    source = source_of(held.viz)
    hud = overview(source.view, [])
    sliders = SourceSliders(Feed(source), hud, has_window=True)
    panel = next(widget for widget in hud.widgets if isinstance(widget, ControlPanel))
    before = panel.controls.controls["4"].high
    for _ in range(3):
        held.go_on(scale=50.0)
        held.viz._evaluate(held.seen)
    source.view  # noqa: B018  the viewer looks at it in each frame
    for _ in range(ASK_EVERY):
        sliders.poll()
    assert panel.controls.controls["4"].high >= 10 * before
    panel.controls.set("4", 20.0)
    sliders.poll()
    assert held.go_on()[2] == panel.controls.values["4"] > 19


def test_ends_that_the_space_says_are_the_sliders() -> None:
    gymnasium = pytest.importorskip("gymnasium", reason="the extra gym is not installed")
    low = np.array([-1, -7, -1, -np.inf, -2], np.float32)
    loop = Loop(space=gymnasium.spaces.Box(low, -low))
    with loop.viz:
        speed, other, fuel = source_of(loop.viz).sliders()
    assert (speed.low, speed.high) == (-7, 7) and (fuel.low, fuel.high) == (-2, 2)
    assert np.isfinite([other.low, other.high]).all()


def test_they_stay_where_the_loop_needs_a_larger_board(held: Loop) -> None:
    source = source_of(held.viz)
    source.slide("1", 0.25)
    source.choose(2)
    more = held.rng.uniform(-1, 1, (40, SIZE))
    held.viz.step(more, np.zeros(40), np.zeros(40, bool), np.zeros(40, bool), {})
    held.viz.refresh()
    board = board_of(held.viz)
    assert held.asked[-1][0, 1] == 0.25 and board[Word.CHOSEN] == 3
    assert len(source_of(held.viz).sliders()) == 3


def test_with_a_lift_of_ones_own_there_is_nothing_to_slide() -> None:
    with attach(SQUARE, lift=lambda xy: xy, critic=lambda obs: obs[:, 0]) as viz:
        viz.reset(np.zeros((2, 3)))
        source = source_of(viz)
        source.choose(1)
        source.slide("2", 1.0)
        viz.refresh()
        assert not source.sliders() and not board_of(viz)[Word.FAULTS]


@pytest.mark.parametrize(
    "sliders",
    [7, [1], [[1, "a"]], [[1, "a", 1.0, 0.0, 0.5]], [["x", "a", 0, 1, 0]],
     [[1, "a", 0.0, float("nan"), 0.5]], [[k, "a", 0, 1, 0] for k in range(9)]],
)  # fmt: skip
def test_a_board_that_offers_nonsense_has_no_sliders(held: Loop, sliders: object) -> None:
    board = board_of(held.viz)
    board.set_meta({**(board.meta() or {}), "sliders": sliders})
    source = source_of(held.viz)
    assert source.sliders() == []
    source.slide("1", 0.5)


def test_numbers_that_nobody_can_mean_are_not_followed(held: Loop) -> None:
    board = board_of(held.viz)
    board.sliders[:] = np.nan
    board[Word.MOVED_SLIDERS], board[Word.CHOSEN] = -1, -5
    assert np.isfinite(held.go_on()).all() and not board[Word.FAULTS]


def test_the_grids_observations_are_for_critics_elsewhere() -> None:
    with attach(SQUARE, axes=(0, 2), nodes=3, rate=1e9) as viz:
        assert viz.observations() is None
        viz.reset(np.arange(10.0).reshape(2, 5))
        seen = viz.observations()
        assert seen is not None and seen.shape == (9, 5)
        np.testing.assert_allclose(seen[:, HIDDEN], np.tile([3.5, 5.5, 6.5], (9, 1)))
        np.testing.assert_allclose(seen[1, SHOWN], [0, -1])
        viz.surface((seen[:, 0] + 10 * seen[:, 2]).reshape(3, 3))
        surface = board_of(viz).surface()
        assert surface is not None and surface.values is not None
        np.testing.assert_allclose(surface.values[2], [9, 10, 11])
    assert viz.observations() is None
