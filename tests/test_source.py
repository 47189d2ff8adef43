"""Whatever gives samples and a surface is shown, beside a simulation of this program's own."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from calf_viz import CALFApplication, Samples, View, VisualizationConfig
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.view import Certificate
from calf_viz.viewer import feed
from calf_viz.viewer.feed import Feed

VIEW = View("bowl", lo=(-2.0, -1.0), hi=(2.0, 1.0), labels=("a", "b"), modes=("left", "right"))
BOWL = Heightfield(np.add.outer(np.arange(-4, 5) ** 2.0, np.arange(-4, 5) ** 2.0), VIEW.lo, VIEW.hi)


class Bowl:
    """Three agents that go round in a bowl."""

    view = VIEW

    def __init__(self) -> None:
        self.asked = self.closed = 0
        self.new: Heightfield | None = BOWL

    def step(self) -> Samples | None:
        self.asked += 1
        turn = 0.1 * self.asked + np.arange(3)
        return Samples.of(np.stack([np.cos(turn), 0.8 * np.sin(turn)], axis=1), [0, 1, 0])

    def surface(self) -> Heightfield | None:
        new, self.new = self.new, None
        return new

    def close(self) -> None:
        self.closed += 1


class Paused(Bowl):
    """Says how it was paused."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bool | str] = []

    def pause(self, paused: bool) -> None:
        self.told.append(paused)

    def single_step(self) -> None:
        self.told.append("single")


class Crowd(Bowl):
    """Another number of agents in each step."""

    def step(self) -> Samples:
        self.asked += 1
        n = 1 + 7 * self.asked % 40
        return Samples.of(np.random.default_rng(n).uniform(-1, 1, (n, 2)))


class Live(Bowl):
    """Has some steps at a time."""

    view = replace(VIEW, live=True)

    def __init__(self) -> None:
        super().__init__()
        self.ready = 0

    def step(self) -> Samples | None:
        if not self.ready:
            return None
        self.ready -= 1
        return super().step()


@contextmanager
def showing(source: Any, **changes: Any) -> Iterator[CALFApplication]:
    small = {"size": (320, 180), "trail_length": 40, "headless": True, "hud": False}
    with CALFApplication(VisualizationConfig(**{**small, **changes}), source=source) as app:
        yield app


@pytest.mark.rendering
class TestShown:
    @pytest.mark.parametrize("renderer", ["gpu", "batched", "per_agent"])
    def test_its_agents_move_on_its_surface(self, renderer: str) -> None:
        source = Bowl()
        with showing(source, renderer=renderer) as app:
            pictures = []
            for _ in range(3):
                for _ in range(9):
                    app.step()
                pictures.append(app.screenshot())
            assert app.n_agents == app.host.agents == 3 and app.host.heightfield is BOWL
            assert not np.array_equal(pictures[0], pictures[1])
            assert not source.closed
        assert source.closed == 1 and source.asked == 27

    def test_its_names_are_written(self) -> None:
        with showing(Bowl(), hud=True, size=(800, 450)) as app:
            app.step()
            app.screenshot()
            values = app.hud.values
            assert (values["mode_0"], values["mode_1"], "mode_2" in values) == ("2", "1", False)
            mean = BOWL.heights([[np.cos(t), 0.8 * np.sin(t)] for t in 0.1 + np.arange(3)]).mean()
            assert float(values["mean_value"]) == pytest.approx(mean, abs=0.1)

    def test_before_its_first_surface_it_is_flat(self) -> None:
        source = Bowl()
        source.new = None
        with showing(source) as app:
            for _ in range(5):
                app.step()
            flat = app.host.heightfield
            assert (flat.lo, flat.hi, flat.range) == (VIEW.lo, VIEW.hi, (0.0, 0.0))
            source.new = BOWL
            app.step()
            assert app.host.heightfield is BOWL and app.host.morph == 1.0, "nothing to morph from"
            source.new = Heightfield(np.eye(5), VIEW.lo, VIEW.hi)
            app.step()
            assert 0.0 < app.host.morph < 1.0

    def test_another_number_of_agents_in_each_step(self) -> None:
        with showing(Crowd(), hud=True) as app:
            for _ in range(50):
                app.step()
                assert app.n_agents == app.host.agents == 1 + 7 * app.source.asked % 40
            with pytest.raises(UserError, match="n_agents"):
                app.n_agents = 3

    def test_a_surface_of_another_size_each_time(self) -> None:
        source = Bowl()
        with showing(source) as app:
            for n in (2, 9, 3, 33, 5):
                source.new = Heightfield(np.arange(4.0 * n).reshape(n, 4), VIEW.lo, VIEW.hi)
                app.step()
                assert app.host.heightfield.shape == (n, 4)
            assert app.failure is None

    def test_what_came_of_itself_is_taken_at_once(self) -> None:
        source = Live()
        with showing(source) as app:
            for ready in (0, 5, 1, 0, 100):
                source.ready, before = ready, source.asked
                app.host.frame_counts()
                app.step()
                assert source.asked - before == ready
            assert app.host.packer.step == 105

    def test_it_is_told_of_a_pause(self) -> None:
        source = Paused()
        with showing(source) as app:
            assert {"pause", "single_step"} <= set(app.actions.by_name)
            app.step()
            app.playback.single_step()
            app.draw()
            app.step()
            assert source.told == [False, True, "single", True]
        with showing(Bowl()) as app:
            assert not {"pause", "single_step"} & set(app.actions.by_name)

    def test_what_needs_more_than_it_has_is_refused(self) -> None:
        with pytest.raises(UserError, match="critic_on_gpu"), showing(Bowl(), critic_on_gpu=True):
            pass
        with pytest.raises(UserError, match="train"), showing(Bowl(), train=True):
            pass
        with showing(Bowl()) as app:
            for call in (app.start_training, app.restart):
                with pytest.raises(UserError, match="source"):
                    call()


def worse(name: str, result: Any) -> Any:
    """A source whose third step, or surface, is what it should not be."""

    class Worse(Bowl):
        def step(self) -> Any:
            found = super().step()
            return result() if name == "step" and self.asked == 3 else found

        def surface(self) -> Any:
            return result() if name == "surface" and self.asked >= 3 else super().surface()

    return Worse()


def raises() -> None:
    raise RuntimeError("the disk is full\nand more")


def flat(rows: int, columns: int) -> Heightfield:
    return Heightfield(np.zeros((rows, columns), np.float32), VIEW.lo, VIEW.hi)


def says_nothing() -> None:
    raise StopIteration


@pytest.mark.rendering
@pytest.mark.parametrize(
    ("name", "result", "says"),
    [
        ("step", raises, "in step: RuntimeError: the disk is full and more"),
        ("surface", raises, "in surface: RuntimeError: the disk is full"),
        ("step", lambda: ([0.0, 0.0],), "in step: ValueError: tuple, where Samples is wanted"),
        ("step", lambda: Samples.of([[0.0, 0.0]], 2), "in step: ValueError: modes: 2 to 2, where"),
        ("step", lambda: Samples.of([[0.0, 0.0, 0.0]]), "in step: ValueError: positions: "),
        ("step", says_nothing, "in step: StopIteration"),
        (
            "step",
            lambda: Samples.of([[0.0, 0.0]], step="a"),
            "in step: ValueError: step: 'a', where",
        ),
        ("step", lambda: Samples.of([[0.0, 0.0]], step=-1), "in step: ValueError: step: -1, where"),
        (
            "step",
            lambda: Samples.of([[0.0, 0.0]], step=0.5),
            "in step: ValueError: step: 0.5,",
        ),
        ("step", lambda: Samples.of([[0.0, 0.0], [1.0]]), "in step: ValueError: "),
        ("step", lambda: Samples.of(np.zeros((2_000_000, 2), np.float32)), "do not fit a texture"),
        ("surface", lambda: np.eye(3), "in surface: ValueError: ndarray, where Heightfield"),
        ("surface", lambda: flat(2, 20_000), "a surface of 20000 x 2 nodes does not fit a texture"),
        ("surface", lambda: Heightfield(np.eye(3), (0.0, 0.0), (np.inf, 1.0)), "are not finite"),
        ("surface", lambda: Heightfield(np.eye(3), (0.0, 0.0), (np.nan, 1.0)), "out of order"),
        ("surface", lambda: Heightfield(np.eye(3), (0.0, 2.0), (1.0, 1.0)), "out of order"),
        ("surface", lambda: Heightfield(np.eye(3), (0.0, 0.0), (1.0, 1.0)), "its plane goes from"),
    ],
)
def test_one_that_fails_is_told_of_once_and_the_last_picture_stays(
    name: str, result: Any, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = worse(name, result)
    with showing(source) as app, caplog.at_level(logging.ERROR):
        app.step()
        app.step()
        before = app.screenshot()
        for _ in range(4):
            app.step()
        assert says in (app.failure or "")
        assert [record.message for record in caplog.records] == [app.failure]
        if name == "step":
            assert np.array_equal(app.screenshot(), before)
        assert source.asked == 3, "it is asked no more"
    assert source.closed == 1


class Spoilt(Bowl):
    """What else it can do goes wrong from its third step on."""

    def good(self, otherwise: Any, wrong: Any) -> Any:
        if self.asked < 3:
            return otherwise
        return wrong() if callable(wrong) else wrong


class BadPause(Spoilt):
    def pause(self, paused: bool) -> None:
        self.good(None, raises)

    def single_step(self) -> None:
        pass


class BadNotice(Spoilt):
    @property
    def notice(self) -> Any:
        return self.good(None, 5)


class BadValue(Spoilt):
    def mean_value(self) -> Any:
        return self.good(1.0, "much")


class BadCertificate(Spoilt):
    def certificate(self, chosen: int) -> Any:
        return self.good(Certificate(), 5)


class BadTrainee(Spoilt):
    view = replace(VIEW, trainee=2)

    def step(self) -> Samples | None:
        self.asked += 1
        return Samples.of([[0.0, 0.0]] * self.good(3, 2))


class BadView(Spoilt):
    @property
    def view(self) -> Any:
        return self.good(VIEW, raises) if hasattr(self, "asked") else VIEW


@pytest.mark.rendering
@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (BadPause, "in pause: RuntimeError: the disk is full"),
        (BadNotice, "in notice: ValueError: int, where str is wanted"),
        (BadValue, "in mean_value: ValueError: could not convert string to float: 'much'"),
        (BadCertificate, "in certificate: ValueError: int, where Certificate is wanted"),
        (BadTrainee, "in step: ValueError: 2 agents, where its view's trainee is agent 2"),
        (BadView, "in view: RuntimeError: the disk is full"),
    ],
)
def test_what_else_fails_in_it_is_told_once_as_well(
    kind: type[Spoilt], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    with showing(kind(), hud=True, stats_q_value_update_freq=1) as app:
        with caplog.at_level(logging.ERROR):
            for _ in range(6):
                app.step()
            app.screenshot()
        assert says in (app.failure or "") and says in app.hud.values["notice"]
        assert [record.message for record in caplog.records] == [app.failure]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (object(), "source: object has no method `step`: it is none"),
        (
            type("Odd", (Bowl,), {"view": None})(),
            "view: NoneType, where View is wanted",
        ),
    ],
)
def test_what_is_no_source_is_refused(source: Any, says: str) -> None:
    with pytest.raises(UserError, match=re.escape(says)), showing(source):
        pass


@pytest.mark.rendering
def test_no_agents_and_headings_of_many_turns_give_no_warning(
    recwarn: pytest.WarningsRecorder,
) -> None:
    class Odd(Bowl):
        def step(self) -> Samples:
            self.asked += 1
            if self.asked % 2:
                return Samples.of(np.zeros((0, 2)))
            turns = [1e300, -np.inf, np.nan, 2e9 * np.pi]
            return Samples.of(np.zeros((4, 2)), headings=turns)

        def surface(self) -> Heightfield:
            return Heightfield(np.array([[1e300, 0.0], [np.nan, -np.inf]]), VIEW.lo, VIEW.hi)

    with showing(Odd(), hud=True, stats_q_value_update_freq=1) as app:
        for _ in range(5):
            app.step()
            app.screenshot()
        assert app.failure is None and app.hud.values["mean_value"] == "–"
    assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]


@pytest.mark.rendering
def test_a_run_without_a_window_ends_with_its_source() -> None:
    with showing(worse("step", raises), frames=500) as app:
        app.run()
        assert app.frames == 3 and app.failure is not None


@pytest.mark.rendering
def test_positions_that_are_not_finite_are_not_drawn() -> None:
    class Lost(Bowl):
        def step(self) -> Samples:
            found = super().step()
            found.positions[0] = np.nan
            return found

    with showing(Lost()) as app:
        for _ in range(5):
            app.step()
        assert app.failure is None


class TestSilence:
    def test_nothing_for_a_minute_is_said(self) -> None:
        now = 0.0
        source = Live()
        asked = Feed(source, clock=lambda: now)
        asked.steps()
        assert asked.notice is None
        now = feed.SILENCE + 1.0
        asked.steps()
        assert asked.notice == "nothing new for 60 s"
        source.ready = 1
        asked.steps()
        assert asked.notice is None

    def test_a_pause_is_no_silence(self) -> None:
        now = 0.0
        asked = Feed(Live(), clock=lambda: now)
        asked.pause(True)
        now = 1000.0
        asked.steps()
        assert asked.notice is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"lo": (0.0, 0.0), "hi": (0.0, 1.0)}, "axis 0 goes from 0.0 to 0.0"),
        ({"lo": (0.0, 2.0), "hi": (1.0, 1.0)}, "axis 1 goes from 2.0 to 1.0"),
        ({"lo": (0.0, 0.0), "hi": (1.0, float("nan"))}, "axis 1"),
        ({"lo": (float("-inf"), 0.0), "hi": (1.0, 1.0)}, "axis 0"),
        ({"lo": (0.0, 0.0), "hi": (1e-300, 1.0)}, "axis 0 .* its width must be within 1e-15 and"),
        ({"lo": (0.0, -1e300), "hi": (1.0, 1e300)}, "axis 1 .* its width must be within"),
        ({"lo": (0.0, -1.7e308), "hi": (1.0, 1.7e308)}, "axis 1 .* its width must be within"),
        ({"lo": (1e6, 0.0), "hi": (1e6 + 1e-9, 1.0)}, "axis 0 .* too far from zero"),
        ({"lo": (0, 0), "hi": (1, 10**400)}, "axis 1 .* give two finite numbers"),
        ({"aspect": "wide"}, "aspect wide: fill or equal"),
        ({"aspect": "equal", "labels": ("x [m]", "v [m/s]")}, "one axis is in m, the other in m/s"),
        ({"aspect": "equal", "labels": ("x [m]", "v")}, "one axis is in m, the other in no unit"),
        ({"aspect": "equal", "hi": (5.0, 1e5)}, "over 1000 times as long"),
        ({"lo": (0.0, 0.0, 0.0), "hi": (1.0, 1.0, 1.0)}, "two of each"),
        ({"labels": ("x",)}, "two of each"), ({"marker": "cube"}, "marker"),
        ({"dt": 0.0}, "a step takes"), ({"dt": "1"}, "dt '1': give a number"),
        ({"dt": True}, "dt True: give a number"), ({"lo": (None, 0.0)}, "lo None: give a number"),
        ({"lo": 5}, "two of each"), ({"hi": None}, "two of each"),
        ({"labels": None}, "two of each"),
        ({"lo": ("0", "0")}, "lo '0': give a number"), ({"labels": "xy"}, "two of each"),
        ({"labels": (1, 2)}, "label 1: give text"), ({"title": None}, "title None: give text"),
        ({"value": 5}, "value 5: give text"), ({"value": "a\nb"}, "give text on one line"),
        ({"symbol": ("Q",)}, "symbol .*give text"),
        ({"title": "\x1b[31m"}, "give text on one line"),
        ({"trainee": -1}, "trainee -1: give an agent"), ({"trainee": 0.5}, "trainee 0.5: give an"),
        ({"trainee": True}, "trainee True: give"), ({"live": 1}, "live 1: give True or False"),
        ({"marker": np.zeros(2)}, "marker"), ({"aspect": np.zeros(2)}, "aspect"),
        ({"periodic": True}, "periodic True: give True or False for each axis"),
        ({"periodic": (True,)}, r"periodic \(True,\): give True or"),
        ({"periodic": (1, 0)}, r"periodic \(1, 0\): give True or"),
        ({"periodic": "no"}, "periodic 'no': give True or"),
        ({"periodic": ((True, False), (True, False))}, "periodic .*: give True or"),
        ({"periodic": None}, "periodic None: give True or"),
    ],
)  # fmt: skip
def test_a_view_that_makes_no_sense_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        View(**{"title": "mine", **changes})


@pytest.mark.rendering
def test_torch_is_not_imported() -> None:
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_source import Bowl, showing\n"
        "with showing(Bowl(), hud=True) as app: app.step(); app.screenshot()\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'torch'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "[]\n", done.stderr


def test_corners_may_be_lists_or_arrays() -> None:
    lo, hi = [-2, -1], np.array([2.0, 1.0])
    assert View("mine", lo=lo, hi=hi).hi == (2.0, 1.0)

    class Listed(Bowl):
        view = replace(VIEW, lo=[-2, -1], hi=np.array([2.0, 1.0]))

        def surface(self) -> Heightfield | None:
            return Heightfield(np.eye(3), [-2, -1], hi)

    assert Feed(Listed(), guarded=False).surface() is not None
