"""Who may draw: the thread and the process that made what draws, until it is closed."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest
from panda3d.core import GraphicsEngine, RenderState

from calf_viz import CALFApplication, PerformanceProfiler, VisualizationConfig
from calf_viz.errors import UserError
from calf_viz.hosts import current_context
from calf_viz.hosts.context import Owned, unowned
from calf_viz.hosts.panda import offscreen
from calf_viz.hosts.panda.context import forget_states
from calf_viz.profiling.profile_file import load_profile
from calf_viz.samples import Samples
from calf_viz.viewer.surface import ShownSurface

SMALL: dict[str, Any] = {
    "size": (192, 108), "grid": 16, "trail_length": 40, "n_agents": 4, "headless": True,
}  # fmt: skip


def opened(**changes: Any) -> CALFApplication:
    return CALFApplication(VisualizationConfig(**{**SMALL, **changes}))


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
    def test_a_forked_child_is_told_of_spawn(self) -> None:
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


def outcome(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip


FORKING = """
import multiprocessing, os, sys
from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.errors import UserError

def opened():
    return CALFApplication(VisualizationConfig(size=(64, 64), grid=8, n_agents=2, headless=True))

def child(parents):
    for use in (parents.step if parents else opened, opened):
        try:
            use()
            print("drawn", flush=True)
        except UserError as error:
            print(error, flush=True)

if __name__ == "__main__":
    parents = None
    if sys.argv[1:] != ["before"]:
        parents = opened()
        parents.step()
    if sys.argv[1:] == ["closed"]:
        parents.close()
    process = multiprocessing.get_context("fork").Process(target=child, args=(parents,))
    process.start()
    process.join()
    pid = os.fork()
    if pid == 0:
        child(parents)
        sys.exit(0)  # which takes down what the child has of the parent's
    print(os.waitpid(pid, 0)[1], flush=True)
    if sys.argv[1:] == []:
        parents.step()
        print("parent drawn")
"""


LEAVING = """
import os, sys
from panda3d.core import load_prc_file_data
load_prc_file_data("", "notify-level-display debug")
from calf_viz import CALFApplication, VisualizationConfig

shown = CALFApplication(VisualizationConfig(size=(64, 64), grid=8, n_agents=2, headless=True))
shown.step()
if os.environ["CLOSED"]:
    shown.close()
pid = os.fork()
if pid == 0:
    sys.exit(3)
print("child", os.waitpid(pid, 0)[1] >> 8, flush=True)
if not os.environ["CLOSED"]:
    shown.step()
print("the parent ends", file=sys.stderr, flush=True)
print("parent")
"""


@pytest.mark.rendering
@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
class TestFork:
    def run(self, *arguments: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", FORKING, *arguments],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    def test_a_child_of_one_that_draws_is_told_of_spawn_at_once(self) -> None:
        lines = self.run()
        assert lines.pop() == "parent drawn"
        assert [line for line in lines if "spawn" not in line] == ["0"]
        assert len(lines) == 5

    @pytest.mark.parametrize("closed", [False, True])
    def test_when_a_child_ends_it_gives_nothing_back_that_is_its_parents(
        self, closed: bool
    ) -> None:
        """Some drivers would take it from the parent, too."""
        done = outcome(LEAVING, CLOSED="1" if closed else "")
        assert (done.returncode, done.stdout.splitlines()) == (0, ["child 3", "parent"])
        assert "close_gsg" not in done.stderr.partition("the parent ends")[0]
        assert closed or "close_gsg" in done.stderr, "as Panda3D would have told"

    def test_of_one_that_drew_and_closed_as_well(self) -> None:
        lines = self.run("closed")
        assert sum("spawn" in line for line in lines) == 2
        assert len(lines) == 5

    def test_of_one_that_did_not_draw_yet_it_draws(self) -> None:
        assert self.run("before") == ["drawn"] * 4 + ["0"]


@pytest.mark.rendering
class TestClosing:
    """What an application had is given back by close(), without the cycle collector."""

    @pytest.mark.parametrize(
        "changes", [{}, {"renderer": "batched"}, {"renderer": "per_agent"}, {"ab": "night"},
                    {"critic_on_gpu": True}, {"hud": False}, {"watch": True}],
    )  # fmt: skip
    def test_nothing_of_it_stays(self, changes: dict[str, Any]) -> None:
        with opened() as first:  # what is made once for the process
            first.step()
        engine = GraphicsEngine.get_global_ptr()
        windows = engine.get_num_windows()
        gc.collect()
        gc.disable()
        try:
            shown = opened(**changes)
            for _ in range(5):
                shown.step()
            shown.n_agents = 50
            shown.step()
            host = shown.host
            states, gsg = RenderState.get_num_states(), host.gsg
            parts = [shown, host, host.geometry, host.packer, host.context, host.palette, host.hud]
            alive = [weakref.ref(part) for part in parts if part is not None and _weak(part)]
            palette = host.palette
            shown.close()
            prepared = gsg.prepared_objects
            for kind in ("textures", "vertex_buffers", "index_buffers"):
                assert getattr(prepared, f"get_num_prepared_{kind}")() == 0
            assert prepared.get_num_prepared_shaders() <= 1, "Panda's own"
            assert engine.get_num_windows() == windows
            assert RenderState.get_num_states() < states
            del shown, host, parts
            assert [ref() for ref in alive if ref() is not None] == []
            forget_states()  # as the next that is closed does
            assert palette.get_ref_count() == 1
        finally:
            gc.enable()

    def test_what_its_profiler_measured_can_be_saved_afterwards(self, tmp_path: Path) -> None:
        profiler = PerformanceProfiler(warm_up=0)
        with CALFApplication(VisualizationConfig(**SMALL), profiler) as shown:
            shown.step()
        profiler.save_json(tmp_path / "profile.json")
        assert load_profile(tmp_path / "profile.json").configuration["n_agents"] == 4

    def test_torch_has_as_many_threads_as_before(self) -> None:
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(3)
        try:
            first, second = opened(), opened()
            assert torch.get_num_threads() == 1
            first.close()
            assert torch.get_num_threads() == 1, "the second is there"
            second.close()
            assert torch.get_num_threads() == 3
            with pytest.raises(UserError):
                opened(set=("nothing=1",))
            assert torch.get_num_threads() == 3
        finally:
            torch.set_num_threads(before)


@pytest.mark.rendering
def test_what_a_driver_refuses_when_the_process_ends_is_no_news() -> None:
    """Panda3D gives EGL's display back after everybody else, when some drivers are gone."""
    done = outcome(
        """
import atexit
from panda3d.core import Notify

def tell():
    print("errors" if Notify.ptr().get_category("display:egldisplay").is_error() else "nothing")

atexit.register(tell)  # the first, so that it runs as the last
from calf_viz import CALFApplication, VisualizationConfig
with CALFApplication(
    VisualizationConfig(size=(64, 64), grid=8, n_agents=2, headless=True)
) as shown:
    shown.step()
    tell()
"""
    )
    assert (done.returncode, done.stdout.split()) == (0, ["errors", "nothing"])


def _weak(part: object) -> bool:
    return hasattr(type(part), "__weakref__")


@pytest.mark.rendering
class TestRefusals:
    """What is refused changes nothing."""

    @pytest.mark.parametrize(
        "changes", [{"set": ("nothing=1",)}, {"set": ("b:u_x=1",)}, {"colour_map": "nothing"},
                    {"shaders": Path("nothing")}, {"ab": Path("nothing")}],
    )  # fmt: skip
    def test_what_can_be_checked_is_before_anything_is_opened(
        self, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
    ) -> None:
        monkeypatch.setattr(offscreen, "open_context", lambda *_: pytest.fail("opened"))
        with pytest.raises(UserError):
            opened(**changes)

    def test_a_late_refusal_gives_back_what_was_opened(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        windows = GraphicsEngine.get_global_ptr().get_num_windows()
        for error in (UserError("late"), KeyboardInterrupt()):

            def late(*_: Any, error: BaseException = error) -> None:
                raise error

            with monkeypatch.context() as patch, pytest.raises(type(error)):
                patch.setattr(ShownSurface, "show", late)
                opened()
            assert GraphicsEngine.get_global_ptr().get_num_windows() == windows

    @pytest.mark.parametrize("renderer", ["gpu", "batched", "per_agent"])
    def test_more_agents_than_fit_leave_as_many_as_before(self, renderer: str) -> None:
        with opened(renderer=renderer) as shown:
            shown.step()
            for n_agents in (0, -3, 9_999_999, 2.5, "many"):
                with pytest.raises(UserError):
                    shown.n_agents = n_agents  # type: ignore[assignment]
                assert shown.n_agents == shown.config.n_agents == 4
                shown.step()

    @pytest.mark.parametrize(
        "samples",
        [
            {"modes": np.array([4, 0])}, {"modes": np.array([0, -1])}, {"modes": np.array([3, 0])},
            {"modes": np.array([0.0, 1.0])}, {"modes": np.array([0])}, {"modes": [0, 0]},
            {"positions": np.zeros((2, 3))}, {"positions": np.zeros((2, 2), complex)},
            {"first": np.array([0, 1])}, {"headings": np.zeros((2, 1))},
        ],
    )  # fmt: skip
    def test_samples_that_are_none_are_refused_before_anything_is_written(
        self, samples: dict[str, Any]
    ) -> None:
        good = {
            "positions": np.zeros((2, 2)), "modes": np.zeros(2, int),
            "first": np.zeros(2, bool), "headings": np.zeros(2),
        }  # fmt: skip
        with opened(n_agents=2, hud=False) as shown:
            host = shown.host
            host.push(Samples(**good))
            texels, step = host.packer.texels.copy(), host.packer.step
            with pytest.raises(ValueError, match=next(iter(samples))):
                host.push(Samples(**{**good, **samples}))
            assert host.packer.step == step
            np.testing.assert_array_equal(host.packer.texels, texels)
            host.push(Samples(**good))

    def test_a_second_training_is_refused(self, tmp_path: Path) -> None:
        with opened(runs=tmp_path, train=True) as shown:
            run = shown.start_training()
            with pytest.raises(UserError, match="make another application"):
                shown.start_training()
            shown.step()
            assert shown.live is not None and shown.live.process.running
            assert [path.name for path in tmp_path.iterdir()] == [run.name]
