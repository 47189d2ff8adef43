"""An attached loop as it is shown: by `Attached`, by an application, and by `calf-viz attach`."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attached_loops import SQUARE
from calf_attach import Handle, attach, search
from calf_attach.layout import FIRST, Word
from click.testing import CliRunner
from waiting import LONG, until

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.cli import attach as cli_attach
from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.sources.attached import NICE, Attached, Controlled, find, view_of, watch
from calf_viz.view import View

NO = np.zeros(3, bool)
SMALL = VisualizationConfig(headless=True, size=(320, 180), frames=3)


pytestmark = pytest.mark.usefixtures("boards")


@pytest.fixture
def viz() -> Iterator[Handle]:
    with attach(SQUARE, rate=1e9, modes=("a", "b"), name="test") as handle:
        handle.reset(at(0))
        yield handle


def at(step: int, n: int = 3) -> np.ndarray:
    return (np.arange(2.0 * n).reshape(n, 2) * 0.1 + 0.01 * step).astype(np.float32)


def go_on(viz: Handle, first: int, last: int, **more: Any) -> None:
    for step in range(first, last + 1):
        viz.step(at(step), np.ones(3), NO, NO, {}, **more)


def shown(source: Attached) -> list[Samples]:
    found = []
    while (samples := source.step()) is not None:
        found.append(samples)
    return found


def source_of(viz: Handle) -> Attached:
    assert viz.board is not None
    return Attached(viz.board)


def test_a_late_viewer_sees_what_the_ring_still_holds(viz: Handle) -> None:
    go_on(viz, 1, 50)
    samples = shown(source_of(viz))
    assert len(samples) == 51
    np.testing.assert_array_equal(samples[-1].positions, at(50))
    assert samples[0].first.all() and not samples[1].first.any()


def test_several_viewers_watch_one_loop(viz: Handle) -> None:
    one, other = source_of(viz), source_of(viz)
    go_on(viz, 1, 5)
    assert len(shown(one)) == len(shown(other)) == 6
    go_on(viz, 6, 6)
    assert len(shown(one)) == len(shown(other)) == 1


def test_a_lapped_viewer_counts_what_it_missed_and_breaks_the_trails(viz: Handle) -> None:
    source = source_of(viz)
    shown(source)
    rows = source.board.shape.rows
    go_on(viz, 1, rows + 7)
    samples = shown(source)
    assert source.lost == 7 and len(samples) == rows
    assert samples[0].step == 8  # 0 was before


def test_it_goes_on_with_the_larger_board(viz: Handle) -> None:
    source = source_of(viz)
    go_on(viz, 1, 3)
    viz.step(at(4, 50), np.ones(50), np.zeros(50, bool), np.zeros(50, bool), {})
    samples = shown(source)
    assert [len(each) for each in samples] == [3, 3, 3, 3, 50]
    assert [each.step for each in samples] == list(range(5))
    assert samples[-1].first.tolist() == [False] * 3 + [True] * 47
    assert source.lost == 0


def test_it_goes_on_with_the_next_loop_of_its_name() -> None:
    ticks = iter(range(0, 10**12, 2 * 10**9))
    with attach(SQUARE, name="again") as one:
        one.reset(at(0))
        assert one.board is not None
        source = Attached(one.board, clock=lambda: next(ticks))
        shown(source)
    assert source.step() is None and source.notice == "the loop has ended"
    with attach(SQUARE, name="again", labels=("a", "b")) as different:
        different.reset(at(0))
        assert source.step() is None
    with attach(SQUARE, name="again") as other:
        other.reset(at(7))
        (samples,) = shown(source)
        np.testing.assert_array_equal(samples.positions, at(7))
        assert samples.step == 3  # a jump, so that no trail leads there
        assert source.notice is None


def test_its_bounds_grow_with_what_was_seen() -> None:
    with attach(critic=lambda obs: obs.sum(axis=1), rate=1e9) as viz:
        viz.reset(at(0))
        source = source_of(viz)
        before = source.view
        assert source.surface() is None
        viz.refresh()
        field = source.surface()
        assert field is not None and (field.lo, field.hi) == (before.lo, before.hi)
        for _ in range(200):
            viz.step(100.0 * at(1), np.ones(3), NO, NO, {})
        viz.refresh()
        assert source.view.hi[0] > before.hi[0] and source.view.hi[0] >= 40
        field = source.surface()
        assert field is not None and field.hi == source.view.hi


@pytest.mark.parametrize(
    ("key", "value"),
    [("lo", 3), ("lo", None), ("modes", []), ("title", 7), ("colours", ["no"]), ("labels", ["x"])],
)
def test_a_view_that_cannot_be_shown_is_one_line(viz: Handle, key: str, value: Any) -> None:
    with pytest.raises(UserError):
        view_of({**source_of(viz).meta, key: value})


def test_faults_of_the_loop_are_counted_and_shown(viz: Handle) -> None:
    viz.step({"image": 1})
    assert source_of(viz).notice == (
        "1 fault in the loop's calls: TypeError: observations are a dict: give project=, which "
        "makes positions (n, 2) of them"
    )


def test_a_killed_loop_is_shown_to_its_last_step_then_swept(boards: Path) -> None:
    code = """
        import os, numpy as np
        from calf_attach import attach
        viz = attach([(-1, 1), (-1, 1)], rate=1e9, name="killed")
        viz.reset(np.zeros((3, 2)))
        for i in range(9):
            viz.step(np.full((3, 2), i / 10))
        os.kill(os.getpid(), 9)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    source = watch(find("killed"))
    samples = shown(source)
    assert len(samples) == 10 and samples[-1].positions[0, 0] == np.float32(0.8)
    assert source.notice == "the loop's process is gone: these are its last steps"
    source.close()
    assert not list(boards.iterdir())


@contextmanager
def running(code: str) -> Iterator[None]:
    """In the block, another process runs this."""
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)]) as process:
        try:
            yield
        finally:
            process.kill()


class TestControl:
    def test_only_loops_that_ask_for_it_can_be_paused(self, viz: Handle) -> None:
        assert not isinstance(watch(find("test")), Controlled)
        go_on(viz, 1, 1, control=True)
        assert isinstance(watch(find("test")), Controlled)

    def test_single_steps_while_paused(self, viz: Handle) -> None:
        go_on(viz, 1, 1, control=True)
        source = watch(find("test"))
        assert isinstance(source, Controlled)
        source.pause(True)
        source.single_step()
        go_on(viz, 2, 2, control=True)  # returns, as it was granted
        assert source.board[Word.TAKEN] == source.board[Word.GRANTED] == 1
        source.close()
        assert not source.board[Word.PAUSED]

    def test_a_pause_lasts_while_its_viewer_looks_and_single_steps_are_seen_at_once(self) -> None:
        code = """
            import numpy as np
            from calf_attach import attach, handle
            handle.ABANDONED = 600
            viz, obs = attach([(-1, 1), (-1, 1)], rate=1e9, name="paused"), np.zeros((3, 2))
            viz.reset(obs)
            while True:
                viz.step(obs, np.zeros(3), np.zeros(3, bool), np.zeros(3, bool), control=True)
        """
        with running(code):
            until(lambda: search.loops()[0] and search.loops()[0][0].board[Word.CONTROLLED])
            source = watch(find("paused"))
            board = source.board

            def waits() -> bool:
                """Whether the loop lives and takes no step: it says both with every step."""
                step, beat = board[Word.STEP], board[Word.HEARTBEAT]
                until(lambda: board[Word.HEARTBEAT] > beat)
                return board[Word.STEP] == step

            with CALFApplication(SMALL, source=source) as app:
                app.playback.toggle()
                until(waits, app.draw)
                app.draw()
                paused = board[Word.STEP]
                assert source.taken == paused
                looked = board[Word.LOOKED]
                app.draw()
                assert board[Word.LOOKED] > looked, "it is not taken for abandoned"
                app.playback.single_step()
                assert app.playback.take()
                app.step()
                until(lambda: board[Word.STEP] > paused, app.draw)
                until(waits, app.draw)
                app.draw()
                assert source.taken == board[Word.STEP] == paused + 1
                board[Word.PAUSED] = 0  # another viewer
                until(lambda: board[Word.STEP] > paused + 9)
                app.draw()
                assert source.taken == paused + 1, "it stands still, as it says"

    def test_after_a_frame_that_took_long_a_paused_loop_is_paused_again(self, viz: Handle) -> None:
        go_on(viz, 1, 1, control=True)
        now = [10**12]
        assert viz.board is not None
        source = Controlled(viz.board, clock=lambda: now[0])
        source.pause(True)
        now[0] += 10**8
        source.board[Word.PAUSED] = 0  # another viewer: that is respected
        source.pause(True)
        assert not source.board[Word.PAUSED]
        now[0] += 10**10
        source.pause(True)
        assert source.board[Word.PAUSED]

    def test_a_pause_ends_when_its_viewer_is_gone(self, viz: Handle) -> None:
        go_on(viz, 1, 1, control=True)
        source = watch(find("test"))
        source.board[Word.PAUSED] = 1  # by a viewer that was killed: it looks no more
        go_on(viz, 2, 2, control=True)
        assert not source.board[Word.PAUSED]


class TestFinding:
    def test_by_name_and_by_process(self, viz: Handle) -> None:
        assert find("test").board.path == find(str(os.getpid())).board.path == viz.board

    def test_two_of_one_name(self, viz: Handle) -> None:
        with attach(SQUARE, name="test") as other:
            other.reset(at(0))
            with pytest.raises(UserError, match=f"2 loops are called test.*{os.getpid()}"):
                find("test")

    def test_none(self, viz: Handle) -> None:
        with pytest.raises(UserError, match="no loop called other runs here; there is test"):
            find("other")

    def test_another_version_is_one_line(self, viz: Handle) -> None:
        source_of(viz).board[Word.ABI] = 99
        with pytest.raises(UserError, match=r"version 99.*give loop and viewer the same version"):
            find("test")


@pytest.mark.skipif(not hasattr(os, "nice"), reason="this system has no niceness")
def test_a_viewer_gives_way_to_loops_once() -> None:
    code = "from calf_viz.sources.attached import *; give_way(); give_way(); print(os.nice(0))"
    said = subprocess.run([sys.executable, "-c", f"import os; {code}"], capture_output=True)
    assert int(said.stdout) == max(NICE, os.nice(0))


class TestCommand:
    @pytest.fixture(autouse=True)
    def other_tests_are_as_fast_as_before(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cli_attach, "give_way", lambda: None)

    def test_lists_what_runs(self, viz: Handle) -> None:
        viz.surface(np.zeros((3, 3)))
        said = CliRunner().invoke(calf_viz, ["attach"])
        assert said.exit_code == 0
        row = said.output.splitlines()[3].split()
        assert row[0] == "test" and row[1] == str(os.getpid()) and row[-1] == "value"

    def test_says_that_nothing_runs(self) -> None:
        said = CliRunner().invoke(calf_viz, ["attach"])
        assert said.output.startswith("no loops run here")

    @pytest.mark.rendering
    def test_its_help_is_about_loops(self) -> None:
        said = " ".join(CliRunner().invoke(calf_viz, ["attach", "--help"]).output.split())
        for word in ("--train", "by system", "by preset", "toggles", "--use-", "--seed", "`"):
            assert word not in said.replace("`viz", "").replace("(...)`", "")
        assert "--morph-frames" in said and "[default: linear]" in said

    def test_its_critic_morphs_as_fast_as_wanted(self, viz: Handle, tmp_path: Path) -> None:
        picture = tmp_path / "x.png"
        words = ["attach", "test", "--morph-frames", "2", "--size", "64x64", "--frames", "2"]
        said = CliRunner().invoke(calf_viz, [*words, "--output", str(picture)])
        assert said.exit_code == 0, said.output
        assert picture.exists()

    def test_writes_a_picture(self, viz: Handle, tmp_path: Path) -> None:
        go_on(viz, 1, 9)
        path = tmp_path / "x.png"
        said = CliRunner().invoke(
            calf_viz,
            ["attach", "test", "--output", str(path), "--frames", "2", "--size", "160x90"],
        )
        assert said.exit_code == 0, said.output
        assert path.stat().st_size > 200

    def test_when_it_is_terminated_it_removes_a_dead_loops_board(self, boards: Path) -> None:
        code = """
            import os, numpy as np
            from calf_attach import attach
            viz = attach([(-1, 1), (-1, 1)], name="killed")
            viz.reset(np.zeros((3, 2)))
            os.kill(os.getpid(), 9)
        """
        subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
        command = [sys.executable, "-m", "calf_viz", "attach", "killed", "--headless"]
        with subprocess.Popen([*command, "--frames", "1000000"], stdout=subprocess.PIPE) as viewer:
            try:
                assert viewer.stdout is not None
                assert viewer.stdout.readline()  # the renderer's name: it draws
                assert list(boards.iterdir())
                viewer.terminate()
                assert viewer.wait(LONG) == 130
            finally:
                viewer.kill()
        assert not list(boards.iterdir())

    def test_options_of_a_simulation_are_none_of_its(self, viz: Handle) -> None:
        said = CliRunner().invoke(calf_viz, ["attach", "test", "--n-agents", "3"])
        assert said.exit_code == 2

    def test_a_rate_needs_a_loop_that_asks_for_control(self, viz: Handle) -> None:
        said = CliRunner().invoke(calf_viz, ["attach", "test", "--rate", "9/s"])
        assert isinstance(said.exception, UserError)
        assert "control=True" in str(said.exception)


class Pushed:
    """The same scene, simulated inside."""

    def __init__(self, view: View, rows: list[np.ndarray], field: Heightfield) -> None:
        self.view, self.rows, self.field = view, rows, field
        self.taken = 0

    def step(self) -> Samples | None:
        if self.taken == len(self.rows):
            return None
        self.taken += 1
        first = self.taken == 1
        modes = np.arange(3) % 2
        return Samples.of(self.rows[self.taken - 1], 0 if first else modes, first, None, None)

    def surface(self) -> Heightfield | None:
        field, self.field = self.field, None  # type: ignore[assignment]
        return field

    def close(self) -> None: ...


@pytest.mark.rendering
def test_what_is_pushed_looks_as_what_is_simulated_inside(viz: Handle) -> None:
    values = np.square(np.linspace(-1, 1, 20)).reshape(4, 5).astype(np.float32)
    viz.surface(values)
    go_on(viz, 1, 40, modes=np.arange(3) % 2)
    source = source_of(viz)
    inside = Pushed(
        source.view,
        [at(step) for step in range(41)],
        Heightfield(values, source.view.lo, source.view.hi),
    )
    pictures = []
    for each in (source, inside):
        with CALFApplication(SMALL.changed(hud=False, camera="plane"), source=each) as app:
            app.run()
            pictures.append(app.screenshot())
    np.testing.assert_array_equal(*pictures)


@pytest.mark.rendering
def test_the_panel_tells_what_watching_costs_and_how_episodes_went(viz: Handle) -> None:
    for step in range(1, 31):
        done = np.arange(3) == (1 if step % 10 == 0 else 9)
        viz.step(at(step), np.full(3, 2.0), done, NO, {"is_success": np.array([0, step > 10, 0])})
    with CALFApplication(SMALL.changed(size=(960, 540)), source=source_of(viz)) as app:
        app.run()
        assert app.hud is not None
        values, series = app.hud.values, app.hud.canvas.series
        assert values["step"] == "30" and int(values["loop_speed"].replace(",", "")) > 0
        assert values["loop_cost"].endswith("µs") and values["loop_behind"].endswith("ms")
        assert {"loop", "plots"} <= app.hud.placed.keys()
        assert values["plot_goals"].endswith("goals 67 %")
        np.testing.assert_allclose(series.values("reward"), [20.0, 18.0, 18.0])
        np.testing.assert_allclose(series.values("length"), [10.0, 9.0, 9.0])
        viz.close()
        assert app.display is not None and app.display.attached_panel is not None
        app.display.attached_panel.refresh()
        assert "loop_speed" not in values, "an ended loop has no speed"


def test_flags_are_of_the_first_row(viz: Handle) -> None:
    row = source_of(viz).board.row(0)
    assert row is not None and set(row.flags) == {FIRST}


def test_where_agents_were_is_foreseen_so_that_the_camera_starts_there(viz: Handle) -> None:
    go_on(viz, 1, 4)
    viz.step(np.full((3, 2), np.nan))
    source = source_of(viz)
    np.testing.assert_array_equal(source.foresee(3), np.concatenate([at(3), at(4)]))
    shown(source)
    assert source.foresee(100).shape == (0, 2)


@pytest.mark.rendering
def test_a_loop_that_has_no_agents_yet_is_shown() -> None:
    with attach(SQUARE, name="empty") as viz:
        viz.reset(np.zeros((0, 2)))
        with CALFApplication(SMALL, source=source_of(viz)) as app:
            app.run()
            assert app.failure is None
