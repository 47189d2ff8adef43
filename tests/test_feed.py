"""What a source gives is checked: one that fails is told of once, and the last picture stays."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bowls import VIEW, Bowl, Live, Paused, showing

from calf_viz import Samples
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.sources.base import Noticing, Pausable, capable
from calf_viz.view import Certificate, View
from calf_viz.viewer import feed
from calf_viz.viewer.feed import Feed


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
def test_one_that_fails_is_reported_once_and_the_last_picture_stays(
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
def test_what_else_fails_in_it_is_reported_once_as_well(
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
        (object(), "source: object has no method `step`"),
        (
            type("Odd", (Bowl,), {"view": None})(),
            "view: NoneType, where View is wanted",
        ),
    ],
)
def test_what_is_no_source_is_refused(source: Any, says: str) -> None:
    with pytest.raises(UserError, match=re.escape(says)), showing(source):
        pass


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text either")


def raise_unprintable() -> None:
    raise Unprintable


class Changing(Bowl):
    """Its view is good until it was read that many times."""

    def __init__(self, times: int, error: type[Exception]) -> None:
        super().__init__()
        self.times, self.error = times, error

    @property
    def view(self) -> Any:
        self.times -= 1
        if self.times < 0:
            raise self.error("no view now")
        return VIEW


@pytest.mark.rendering
@pytest.mark.parametrize("error", [RuntimeError, AttributeError, ZeroDivisionError, StopIteration])
@pytest.mark.parametrize("times", range(8))
def test_a_view_that_fails_at_any_reading_is_one_line(times: int, error: type[Exception]) -> None:
    try:
        with showing(Changing(times, error), hud=True) as app:
            for _ in range(6):
                app.step()
            said = app.failure or ""
    except UserError as refused:
        said = str(refused)
    assert f"view: {error.__name__}: no view now (test_feed.py:" in said


class TestWhereItFailed:
    """The line that is reported ends with the innermost place in the source's own code."""

    @pytest.mark.parametrize(
        ("failing", "says"),
        [
            (lambda: 1 // 0, r"in step: ZeroDivisionError: \S.* \(test_feed\.py:\d+\)$"),
            (lambda: np.linalg.inv(np.zeros((2, 2))), r"LinAlgError: .*\(test_feed\.py:\d+\)$"),
            (lambda: Samples.of(np.zeros(2)), r"ValueError: positions: .*\(test_feed\.py:\d+\)$"),
            (raise_unprintable, r"in step: Unprintable \(test_feed\.py:\d+\)$"),
            (lambda: 5, r"in step: ValueError: int, where .*Samples\.of\(positions\)$"),
        ],
    )
    def test_is_said(self, failing: Any, says: str, caplog: pytest.LogCaptureFixture) -> None:
        class Failing(Bowl):
            def step(self) -> Any:
                return failing()

        shown = Feed(Failing())
        with caplog.at_level(logging.DEBUG, logger="calf_viz"):
            assert shown.steps() == []
        assert re.search(says, shown.failure or ""), shown.failure
        assert any(record.exc_info for record in caplog.records), "the traceback, for whoever asks"

    def test_of_a_class_from_elsewhere_is_where_it_was_entered(self) -> None:
        elsewhere: dict[str, Any] = {"__name__": "elsewhere"}
        exec(compile("def step(self):\n    return 1 / 0", "/x/other.py", "exec"), elsewhere)
        source = type("Mine", (Bowl,), {"step": elsewhere["step"]})()
        shown = Feed(source)
        shown.steps()
        assert (shown.failure or "").endswith("(other.py:2)")


@pytest.mark.parametrize("error", [RuntimeError, AttributeError])
@pytest.mark.parametrize("name", ["notice", "pause", "single_step", "mean_value", "certificate"])
def test_a_property_that_raises_is_a_failure_not_an_end(name: str, error: type[Exception]) -> None:
    def raising(self: Any) -> Any:
        raise error("not now")

    parts: dict[str, Any] = {"pause": lambda self, paused: None, "single_step": lambda self: None}
    shown = Feed(type("Raising", (Bowl,), {**parts, name: property(raising)})())
    shown.pause(True)
    shown.single_step()
    shown.mean_value(Samples.of([[0.0, 0.0]]), flat(2, 2))
    shown.certificate(0)
    assert shown.notice == shown.failure
    assert f"in {name}: {error.__name__}: not now (test_feed.py:" in (shown.failure or "")
    shown.close()


def test_what_a_source_can_do_may_be_forwarded_or_switched_off() -> None:
    class Wrapped:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

    assert capable(Wrapped(Paused()), Pausable) is not None
    assert capable(Wrapped(Bowl()), Pausable) is None
    assert capable(type("Off", (Paused,), {"pause": None})(), Pausable) is None
    assert capable(type("Quiet", (Bowl,), {"notice": None})(), Noticing) is not None


@pytest.mark.rendering
@pytest.mark.parametrize("error", [MemoryError(), UserError("no room for a texture")])
def test_bounds_that_this_machine_cannot_show_are_a_failure(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Growing(Bowl):
        def step(self) -> Samples | None:
            if self.asked == 2:
                self.view = replace(VIEW, hi=(9.0, 9.0))
            return super().step()

    with showing(Growing()) as app, caplog.at_level(logging.ERROR):
        app.step()

        def fails(by: Any) -> None:
            raise error

        monkeypatch.setattr(app.host.ring, "move", fails)
        for _ in range(5):
            app.step()
        assert "the source failed in view: " in (app.failure or "")
        assert app.surface.grid.hi == VIEW.hi == app.host.heightfield.hi
        assert len(caplog.records) == 1


def test_steps_are_folded_by_the_period_that_came_with_them() -> None:
    class Widening(Bowl):
        view = View("ring", lo=(0.0, 0.0), hi=(1.0, 1.0), periodic=(True, False))

        def step(self) -> Samples:
            self.asked += 1
            if self.asked == 3:
                self.view = replace(self.view, hi=(2.0, 1.0))
            return Samples.of([[1.5, 0.5]])

        def surface(self) -> Heightfield:
            return Heightfield.of(lambda x, y: x, self.view.lo, self.view.hi, 9)

    source = Widening()
    shown = Feed(source)
    for expected in (0.5, 0.5, 1.5):
        (samples,) = shown.steps()
        assert shown.view.wrapped(samples.positions).tolist() == [[expected, 0.5]]
        assert shown.mean_value(samples, source.surface()) == pytest.approx(expected)


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
