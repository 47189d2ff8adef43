"""Who may draw: the thread that made what draws, until it is closed."""

from __future__ import annotations

import copy
import os
import pickle
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import moderngl
import numpy as np
import pytest
from applications import opened

from calf_viz import CALFApplication
from calf_viz.errors import UserError
from calf_viz.hosts import current_context
from calf_viz.hosts.context import Owned, unowned


def played(shown: CALFApplication, steps: int = 20) -> np.ndarray:
    for _ in range(steps):
        shown.step()
    return shown.screenshot()


def in_thread(call: Callable[[], Any], name: str = "other") -> BaseException | None:
    """What a call raises in a thread of its own."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name=name)
    thread.start()
    thread.join()
    return raised[0] if raised else None


class Drawing(Owned):
    KIND = "drawing"

    def __init__(self, log: list[str], fails: BaseException | None = None) -> None:
        self.log = log
        self.closing.callback(log.append, "first closed")
        if fails is not None:
            raise fails
        self.closing.callback(log.append, "second closed")

    def draw(self, times: int = 1) -> int:
        """Draws."""
        return times

    @property
    def size(self) -> int:
        return 3

    @size.setter
    def size(self, size: int) -> None:
        self.log.append(f"size {size}")

    @unowned
    def name(self) -> str:
        return "a drawing"


class TestOwned:
    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
    def test_a_copy_of_it_is_refused(self, copied: Callable[[Any], Any]) -> None:
        with closing(Drawing([])) as drawing, pytest.raises(UserError, match="make another"):
            copied(drawing)

    def test_its_thread_uses_it_until_it_is_closed(self) -> None:
        drawing = Drawing([])
        drawing.size = 4
        assert (drawing.draw(), drawing.draw(times=2), drawing.size) == (1, 2, 3)
        assert drawing.draw.__doc__ == "Draws."
        drawing.close()
        drawing.close()
        assert drawing.log == ["size 4", "second closed", "first closed"]
        for use in (drawing.draw, lambda: drawing.size, lambda: setattr(drawing, "size", 1)):
            with pytest.raises(UserError, match="this drawing is closed: make another"):
                use()
        assert drawing.name() == "a drawing"

    def test_no_other_thread_does(self) -> None:
        drawing = Drawing([])
        for use in (drawing.draw, drawing.close, lambda: setattr(drawing, "size", 1)):
            error = in_thread(use, "painter")
            assert isinstance(error, UserError)
            assert "'MainThread'" in str(error) and "'painter'" in str(error)
        assert in_thread(drawing.name) is None
        assert drawing.draw() == 1 and not drawing.log

    def test_a_thread_that_gets_an_ended_threads_number_is_another(self) -> None:
        made: list[Drawing] = []
        for _ in range(50):
            in_thread(lambda: made.append(Drawing([])))
            drawing = made[0]
            error: list[BaseException | None] = []

            def use(drawing: Drawing = drawing, error: Any = error) -> None:
                try:
                    drawing.draw()
                    error.append(None)
                except UserError as refused:
                    error.append(refused)

            in_thread(use)
            assert isinstance(error[0], UserError)

    @pytest.mark.parametrize("fails", [UserError("no"), KeyboardInterrupt()])
    def test_a_refused_constructor_gives_back_what_it_opened(self, fails: BaseException) -> None:
        log: list[str] = []
        with pytest.raises(type(fails)):
            Drawing(log, fails)
        assert log == ["first closed"]

    def test_everything_is_given_back_though_some_of_it_fails(self) -> None:
        drawing = Drawing([])
        drawing.closing.callback(lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            drawing.close()
        assert drawing.log == ["second closed", "first closed"]
        drawing.close()

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
    def test_a_forked_child_is_advised_to_spawn(self) -> None:
        drawing, (reading, writing) = Drawing([]), os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other tests' threads, which nothing here needs
            child = os.fork()
        if child == 0:
            try:
                drawing.draw()
            except UserError as error:
                os.write(writing, str(error).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as said:
            assert "start it by spawn" in said.read()
        os.waitpid(child, 0)
        assert drawing.draw() == 1


def members(kind: type) -> Iterator[str]:
    return (name for name in dir(kind) if not name.startswith("_"))


FREE = {"close", "stop_training", "training_failure", "failure"}


@pytest.mark.rendering
class TestApplication:
    def test_every_public_method_and_property_is_refused_after_close(self) -> None:
        shown = opened()
        shown.step()
        shown.close()
        asked = 0
        for name in members(CALFApplication):
            kind = getattr(CALFApplication, name)
            if name in FREE or name == "KIND":
                continue
            with pytest.raises(UserError, match=f"{name}: this application is closed"):
                value = getattr(shown, name)
                assert callable(kind)
                value()
            asked += 1
        assert asked >= 11
        with pytest.raises(UserError, match="closed"):
            shown.n_agents = 9
        with pytest.raises(UserError, match="closed"), shown:
            pass
        host = shown.host
        for use in (host.draw, host.reload, lambda: host.programs["difference"]):
            with pytest.raises(UserError, match="closed"):
                use()
        shown.close()
        shown.stop_training()
        assert shown.training_failure is shown.failure is None and host.closed

    def test_it_is_closed_at_the_end_of_its_block(self) -> None:
        with opened() as shown:
            shown.step()
        with pytest.raises(UserError, match="closed"):
            shown.step()

    def test_run_ends_where_it_is_closed_within(self) -> None:
        shown = opened()
        frames = []

        def each_frame() -> None:
            frames.append(shown.frames)
            if len(frames) == 3:
                shown.close()

        shown.run(each_frame)
        assert frames == [1, 2, 3]

    def test_another_thread_is_refused_and_the_picture_stays_right(self) -> None:
        with opened() as alone:
            expected = played(alone)
        with opened() as shown:
            for step in range(20):
                if step % 5 == 0:
                    error = in_thread(shown.step, "worker")
                    assert isinstance(error, UserError)
                    assert "'worker'" in str(error) and "'MainThread'" in str(error)
                shown.step()
            np.testing.assert_array_equal(shown.screenshot(), expected)

    def test_one_thread_draws_at_a_time(self) -> None:
        """Panda's one engine has all contexts be current in the thread that it is used in."""
        with opened() as shown:
            expected = played(shown)
            error = in_thread(opened, "second")
            assert isinstance(error, UserError)
            assert "the thread 'MainThread' draws" in str(error)
            shown.draw()
            np.testing.assert_array_equal(shown.screenshot(), expected)
        pictures: list[np.ndarray] = []

        def draw() -> None:
            with opened() as shown:
                pictures.append(played(shown))

        for name in ("first", "second"):
            assert in_thread(draw, name) is None
        left = in_thread(opened, "leaves one behind")
        assert left is None
        with opened() as shown:
            pictures.append(played(shown))
        for picture in pictures:
            np.testing.assert_array_equal(picture, expected)

    def test_of_threads_that_open_at_the_same_time_one_may(self) -> None:
        told: list[str] = []
        together, ended = threading.Barrier(3), threading.Barrier(3)

        def open_one() -> None:
            together.wait(60)
            try:
                with opened() as shown:
                    shown.step()
                    ended.wait(60)
            except UserError as error:
                told.append(str(error))
                ended.wait(60)

        threads = [threading.Thread(target=open_one) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        assert len(told) == 2 and all("one thread of a process can" in text for text in told)

    @pytest.mark.parametrize(
        "other", [{"renderer": "batched"}, {"renderer": "per_agent"}, {"ab": "night"},
                  {"critic_on_gpu": True}, {"n_agents": 9}],
    )  # fmt: skip
    def test_two_beside_each_other_draw_what_each_draws_alone(self, other: dict[str, Any]) -> None:
        expected = []
        for changes in ({}, other):
            with opened(**changes) as alone:
                alone.step()
                alone.n_agents = 30
                expected.append(played(alone))
        with opened() as one, opened(**other) as two:
            one.step(), two.step()
            one.host.reload(), two.host.reload()
            one.n_agents = two.n_agents = 30
            for _ in range(20):
                one.step(), two.step()
            np.testing.assert_array_equal(one.screenshot(), expected[0])
            two.close()  # which must take nothing of the other's with it
            one.draw()
            np.testing.assert_array_equal(one.screenshot(), expected[0])
        with opened(**other) as two, opened() as one:
            two.step()
            two.n_agents = 30
            for _ in range(20):
                one.step(), two.step()
            one.close()
            np.testing.assert_array_equal(two.screenshot(), expected[1])

    def test_a_context_of_its_users_stays_current(self) -> None:
        with opened() as alone:
            expected = played(alone)
        mine = moderngl.create_context(standalone=True, require=330, backend="egl")  # type: ignore[arg-type]
        try:
            with mine:
                colours = np.full((4, 4, 4), 77, np.uint8)
                texture = mine.texture((4, 4), 4, colours.tobytes())
                before = current_context.context()
                shown = opened()
                for _ in range(20):
                    shown.step()
                    assert current_context.context() == before
                    assert (np.frombuffer(texture.read(), np.uint8) == 77).all()
                shown.host.reload()
                np.testing.assert_array_equal(shown.screenshot(), expected)
                assert current_context.context() == before
                shown.close()
                assert current_context.context() == before
                assert (np.frombuffer(texture.read(), np.uint8) == 77).all()
        finally:
            mine.release()

    def test_a_picture_before_the_first_step_is_of_what_there_is(self) -> None:
        with opened(hud=False) as shown:
            picture = shown.screenshot()
            assert picture.shape == (108, 192, 3)
            assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50, "the surface"
            np.testing.assert_array_equal(picture, shown.screenshot())
            shown.step()
            assert (shown.screenshot() != picture).any(), "and agents"
