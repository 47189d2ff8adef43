"""A loop that is watched: what it writes is what viewers read, and nothing that it is given ends
it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attached_loops import SQUARE, board_of
from calf_attach import Handle, attach
from calf_attach.board import Board, BoardError
from calf_attach.layout import FIRST, HIDDEN, TERMINATED, TRUNCATED, Word
from calf_attach.plane import SeenBounds, bounds_of, slice_of

NO = np.zeros(3, bool)


pytestmark = pytest.mark.usefixtures("boards")


@pytest.fixture
def viz() -> Iterator[Handle]:
    with attach(SQUARE, rate=1e9, modes=("a", "b")) as handle:
        yield handle


def observed(n: int = 3, at: float = 0.0) -> np.ndarray:
    return (np.arange(3.0 * n).reshape(n, 3) * 0.1 + at).astype(np.float32)


class TestRows:
    def test_viewers_read_what_the_loop_was_given(self, viz: Handle) -> None:
        viz.reset(observed())
        for step in range(1, 4):
            viz.step(observed(at=step), np.full(3, step), NO, NO, {})
        board = board_of(viz)
        rows = board.rows_since(0)
        assert [row.step for row in rows] == [0, 1, 2, 3]
        for step, row in enumerate(rows):
            np.testing.assert_array_equal(row.positions, observed(at=step)[:, :2])
            assert set(row.flags) == {FIRST if step == 0 else 0}
            assert row.merged == 1
            np.testing.assert_array_equal(row.columns[0], np.full(3, float(step)))

    def test_a_lapped_reader_sees_the_gap(self, viz: Handle) -> None:
        viz.reset(observed())
        board = board_of(viz)
        for _ in range(board.shape.rows + 9):
            viz.step(observed(), np.zeros(3), NO, NO, {})
        rows = board.rows_since(0)
        assert len(rows) == board.shape.rows
        assert rows[0].number == 10

    def test_a_row_being_written_is_not_read(self, viz: Handle) -> None:
        viz.reset(observed())
        viz.step(observed(), np.zeros(3), NO, NO, {})
        board = board_of(viz)
        board.words[Word.ROW] += 1  # as if the next were complete
        assert [row.number for row in board.rows_since(0)] == [0, 1]

    def test_modes_and_margins(self, viz: Handle) -> None:
        viz.reset(observed())
        viz.step(observed(), np.zeros(3), NO, NO, {}, modes=[0, 1, 1], margin=[0.5, -1, 0])
        row = board_of(viz).rows_since(1)[0]
        assert row.modes.tolist() == [0, 1, 1]
        assert row.columns[1].tolist() == [0.5, -1.0, 0.0]

    def test_a_row_keeps_nothing_of_the_one_that_had_its_place(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("calf_attach.recorder.MOST_ROWS", 64)
        ways: list[dict[str, Any]] = [
            {"modes": [1, 0, 1], "margin": np.ones(3), "truncations": NO | True},
            {"modes": [1, 1, 0]},
            {},
            {"modes": [0, 1, 1]},
        ]
        with attach(SQUARE, rate=1e9, modes=("a", "b"), autoreset="disabled") as viz:
            viz.reset(observed())
            rng, board = np.random.default_rng(0), board_of(viz)
            for number in range(1, 1000):
                way = ways[rng.integers(4)]
                arguments = {"rewards": np.full(3, number), "terminations": NO, "truncations": NO}
                viz.step(observed(at=number), **{**arguments, **way})
                row = board.rows_since(number)[-1]
                assert row.modes.tolist() == way.get("modes", [0, 0, 0])
                assert row.columns[0].tolist() == [number] * 3
                assert row.positions[0, 0] == number
                assert np.isnan(row.columns[1]).all() == ("margin" not in way)
                assert row.flags.any() == ("margin" in way)
            assert board[Word.FAULTS] == 0 and board[Word.ROW] == 1000

    def test_no_more_rows_than_the_rate_allows_but_all_ends(self) -> None:
        with attach(SQUARE, rate=1e-3) as viz:
            viz.reset(observed())
            for step in range(1, 101):
                viz.step(observed(), np.ones(3), NO, np.arange(3) == (1 if step == 40 else 9), {})
            board = board_of(viz)
            rows = board.rows_since(0)
            assert [row.step for row in rows] == [0, 40, 41]
            assert [row.merged for row in rows] == [1, 40, 1]
            (end,) = board.ends_since(0)
            assert (end["agent"], end["length"], end["ret"]) == (1, 40, 40.0)
            assert end["kind"] == TRUNCATED

    def test_rows_come_more_seldom_while_steps_take_more_than_the_budget(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now, tick = 0, 0  # [ns]; a tick passes between two looks at the clock

        def clock() -> int:
            nonlocal now
            now += tick
            return now

        monkeypatch.setattr("calf_attach.handle._now", clock)
        monkeypatch.setattr("calf_attach.recorder._now", clock)

        def rows_of_a_second(between_looks: int) -> int:
            nonlocal now, tick
            tick, before, end = between_looks, board[Word.ROW], now + 1_000_000_000
            while now < end:
                now += 1_000_000
                viz.step(observed(), np.ones(3), NO, NO, {})
            return board[Word.ROW] - before

        with attach(SQUARE, rate=100) as viz:
            viz.reset(observed())
            board = board_of(viz)
            few, many, few_again = (
                [rows_of_a_second(between) for _ in range(6)][-1]  # once it has settled
                for between in (1_000, 20_000, 1_000)
            )
        assert 90 <= few <= 101 and 45 <= many <= 55 and 90 <= few_again <= 101

    def test_positions_far_from_zero_keep_their_precision(self) -> None:
        with attach([(1e6, 1e6 + 2), (1e6, 1e6 + 2)]) as viz:
            at = np.array([[1e6 + 1e-4, 1e6 + 2e-4]])
            viz.reset(at)
            np.testing.assert_array_equal(board_of(viz).rows_since(0)[0].positions, at)

    def test_agents_that_are_not_finite_are_hidden(self, viz: Handle) -> None:
        at = observed()
        at[1] = np.nan
        viz.reset(at)
        assert board_of(viz).rows_since(0)[0].flags.tolist() == [FIRST, FIRST | HIDDEN, FIRST]

    def test_more_agents_get_a_larger_board(self, viz: Handle) -> None:
        viz.reset(observed(3))
        old = board_of(viz)
        viz.step(observed(40), np.zeros(40), np.zeros(40, bool), np.zeros(40, bool), {})
        assert old[Word.PHASE] == 6  # it moved
        assert len(board_of(viz).rows_since(0)[-1].flags) == 40


class TestEpisodeEnds:
    DONE = np.array([False, True, False])

    def rows(self, viz: Handle) -> list[tuple[int, int]]:
        """(flags, first coordinate in tenths) of agent 1 in each row."""
        rows = board_of(viz).rows_since(0)
        return [(int(r.flags[1]), round(10 * float(r.positions[1, 0]))) for r in rows]

    def test_next_step(self, viz: Handle) -> None:
        viz.reset(observed(at=0))
        viz.step(observed(at=1), np.ones(3), self.DONE, NO, {})  # the terminal observation
        viz.step(observed(at=2), np.ones(3), NO, NO, {})  # the first of the next episode
        viz.step(observed(at=3), np.ones(3), NO, NO, {})
        assert self.rows(viz) == [(FIRST, 3), (TERMINATED, 13), (FIRST, 23), (0, 33)]
        viz.step(observed(at=4), np.ones(3), self.DONE, NO, {})
        ends = board_of(viz).ends_since(0)
        assert ends["ret"].tolist() == [1.0, 2.0]  # a step that only resets is not counted
        assert ends["episode"].tolist() == [0, 1]

    @pytest.mark.parametrize("of", ["gymnasium", "before 1.0", "sb3"])
    def test_same_step(self, viz: Handle, of: str) -> None:
        last = observed(at=1)
        infos: Any = {
            "gymnasium": {"final_obs": np.stack([last[1] * 0, last[1], last[1] * 0]),
                          "_final_obs": self.DONE},
            "before 1.0": {"final_observation": np.array([None, last[1], None], object),
                           "_final_observation": self.DONE},
            "sb3": [{}, {"terminal_observation": last[1], "TimeLimit.truncated": True}, {}],
        }[of]  # fmt: skip
        viz.reset(observed(at=0))
        if of == "sb3":
            viz.step(observed(at=2), np.ones(3), self.DONE, None, infos)
        else:
            viz.step(observed(at=2), np.ones(3), NO, self.DONE, infos)
        viz.step(observed(at=3), np.ones(3), NO, NO, {})
        assert self.rows(viz) == [(FIRST, 3), (TRUNCATED, 13), (FIRST, 23), (0, 33)]

    def test_resets_by_the_loop_itself(self) -> None:
        with attach(SQUARE, rate=1e9, autoreset="disabled") as viz:
            viz.reset(observed(at=0))
            viz.step(observed(at=1), np.ones(3), self.DONE, NO, {})
            viz.reset(observed(at=2), mask=self.DONE)
            viz.step(observed(at=3), np.ones(3), NO, NO, {})
            assert self.rows(viz) == [(FIRST, 3), (TERMINATED, 13), (FIRST, 23), (0, 33)]

    def test_a_single_environment(self, viz: Handle) -> None:
        viz.reset(np.array([0.1, 0.2]))
        viz.step(np.array([0.3, 0.4]), 1.0, True, False, {})
        viz.reset(np.array([0.5, 0.6]))
        rows = board_of(viz).rows_since(0)
        assert [int(row.flags[0]) for row in rows] == [FIRST, TERMINATED, FIRST]
        np.testing.assert_allclose(rows[1].positions, [[0.3, 0.4]], rtol=1e-6)


class TestCritic:
    def test_its_values_are_on_the_grid_row_by_row(self) -> None:
        def critic(obs: Any) -> Any:
            return obs[:, 0] + 10 * obs[:, 1]

        with attach([(0.0, 1.0), (2.0, 4.0)], critic=critic, nodes=3) as viz:
            viz.reset(np.zeros((2, 2)))
            viz.refresh()
            viz.step(np.zeros((2, 2)), np.zeros(2), NO[:2], NO[:2], {})
            found = board_of(viz).surface()
        assert found is not None and found.values is not None
        np.testing.assert_allclose(found.values, [[20, 20.5, 21], [30, 30.5, 31], [40, 40.5, 41]])
        assert (found.lo, found.hi) == ((0.0, 2.0), (1.0, 4.0))

    def test_random_states_stay_as_they_were(self) -> None:
        import random

        import torch

        def critic(obs: Any) -> Any:
            random.random(), np.random.rand(), torch.rand(1)
            return torch.as_tensor(obs).sum(dim=1, keepdim=True)

        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(1)
        with attach(SQUARE, critic=critic) as viz:
            viz.reset(observed())
            viz.refresh()
            assert board_of(viz).surface() is not None
        drawn = random.random(), np.random.rand(), float(torch.rand(1))
        for seed in (random.seed, np.random.seed, torch.manual_seed):
            seed(1)
        assert drawn == (random.random(), np.random.rand(), float(torch.rand(1)))


class TestNothingEndsTheLoop:
    @pytest.mark.parametrize(
        "bad",
        [
            ({"a": 1},),
            (np.zeros((3, 3)), np.zeros(2)),
            (np.zeros((3, 1)), np.zeros(3), NO, NO),
            (np.zeros((3, 3)), np.zeros(3), np.zeros(9, bool), NO),
            (None,),
            ("text",),
            (object(),),
        ],
    )
    def test_a_fault_is_counted_and_told(self, viz: Handle, bad: tuple[Any, ...]) -> None:
        viz.reset(observed())
        viz.step(*bad)
        viz.step(observed(at=1), np.zeros(3), NO, NO, {})
        board = board_of(viz)
        assert board[Word.FAULTS] == 1
        assert "Error" in board.newest_fault.splitlines()[-1]
        np.testing.assert_array_equal(board.rows_since(0)[-1].positions, observed(at=1)[:, :2])

    def test_a_critic_that_raises(self) -> None:
        def critic(obs: Any) -> Any:
            raise RuntimeError("no device")

        with attach(SQUARE, critic=critic) as viz:
            viz.reset(observed())
            viz.refresh()
            assert "no device" in board_of(viz).newest_fault

    def test_switched_off(self, monkeypatch: pytest.MonkeyPatch, boards: Path) -> None:
        monkeypatch.setenv("CALF_ATTACH", "0")
        with attach(SQUARE) as viz:
            viz.reset(observed())
            viz.step(observed(), np.zeros(3), NO, NO, {})
            assert not viz.is_running() and not list(boards.iterdir())

    def test_a_forked_child_is_inert(self, viz: Handle) -> None:
        viz.reset(observed())
        child = os.fork()
        if not child:
            viz.step(observed(), np.zeros(3), NO, NO, {})
            viz.close()
            os._exit(0)
        os.waitpid(child, 0)
        assert board_of(viz)[Word.ROW] == 1

    def test_a_killed_loop_leaves_what_it_wrote(self, boards: Path) -> None:
        code = """
            import numpy as np
            from calf_attach import attach
            viz = attach([(-1, 1), (-1, 1)], rate=1e9)
            at = np.zeros((3, 3), np.float32)
            viz.reset(at)
            print("on", flush=True)
            while True:
                viz.step(at, np.zeros(3), np.zeros(3, bool), np.zeros(3, bool), {})
        """
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None and child.stdout.readline()
        (path,) = boards.iterdir()
        board = Board.open(str(path))
        assert board.alive
        while board[Word.ROW] < 2 * board.shape.rows:
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert not board.alive
        rows = board.rows_since(0)
        assert len(rows) >= board.shape.rows - 1
        assert {row.positions.shape for row in rows} == {(3, 2)}


class TestOtherFiles:
    @pytest.mark.parametrize(
        "contents", [b"", b"text", bytes(8192), os.urandom(9000)], ids=["0", "text", "zeros", "any"]
    )
    def test_what_is_no_board_is_refused(self, tmp_path: Path, contents: bytes) -> None:
        path = tmp_path / "x.calfboard"
        path.write_bytes(contents)
        with pytest.raises(BoardError, match="no board"):
            Board.open(str(path))

    @pytest.mark.parametrize("word", [Word.AGENTS, Word.ROWS, Word.NODES, Word.COLUMNS, Word.SIZE])
    @pytest.mark.parametrize("value", [-1, 2**62, 77])
    def test_damaged_headers(self, viz: Handle, tmp_path: Path, word: Word, value: int) -> None:
        viz.reset(observed())
        path = tmp_path / "copy"
        path.write_bytes(Path(board_of(viz).path).read_bytes())
        words = np.memmap(path, np.int64, "r+")
        words[word] = value
        words.flush()
        with pytest.raises(BoardError, match="damaged"):
            Board.open(str(path))

    def test_another_version(self, viz: Handle) -> None:
        viz.reset(observed())
        board = board_of(viz)
        board.words[Word.ABI] = 99
        with pytest.raises(BoardError, match="version 99"):
            Board.open(board.path)


def test_importing_it_loads_little_beside_numpy() -> None:
    code = """
        import sys, numpy
        before = set(sys.modules)
        import calf_attach
        print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = set(said.stdout.split())
    assert "calf_attach" in loaded
    heavy = (
        "asyncio concurrent email http inspect multiprocessing socket sqlite3 subprocess unittest"
    )
    assert not loaded & {*heavy.split(), "calf_viz", "gymnasium", "stable_baselines3", "torch"}
    assert all(name in sys.stdlib_module_names for name in loaded - {"calf_attach"})


def test_boards_are_this_user_s_alone(viz: Handle) -> None:
    viz.reset(observed())
    assert Path(board_of(viz).path).stat().st_mode & 0o777 == 0o600


def test_two_loops_of_one_name_have_boards_of_their_own(boards: Path) -> None:
    with attach(SQUARE) as one, attach(SQUARE) as other:
        one.reset(observed())
        other.reset(observed())
        assert len(list(boards.iterdir())) == 2
    assert not list(boards.iterdir())


@pytest.mark.parametrize("axes", [(0, 1), (1, 0), (0, 3), (3, 1), (2, 0)])
def test_two_columns_as_a_view(axes: tuple[int, int]) -> None:
    array = np.arange(20).reshape(4, 5)
    np.testing.assert_array_equal(array[:, slice_of(axes)], array[:, list(axes)])


def test_bounds_that_nobody_gave_grow_in_powers_of_two() -> None:
    seen = SeenBounds()
    assert seen.see(np.array([[0.0, 0.0], [1.0, 3.0]]))
    first = seen.lo, seen.hi
    assert not seen.see(np.array([[0.5, 2.0]]))
    assert seen.see(np.array([[100.0, 0.0]]))
    assert seen.hi[0] > 100 and seen.lo[0] <= first[0][0]


def test_bounds_of_a_space() -> None:
    class Box:
        low, high = np.array([-1.0, -np.inf, -2.0]), np.array([1.0, np.inf, 2.0])

    assert bounds_of(Box, (0, 2)) == ((-1.0, -2.0), (1.0, 2.0))
    assert bounds_of(Box, (0, 1)) is None
