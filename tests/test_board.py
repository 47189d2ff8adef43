"""The board between trainer and viewer: nothing torn, nothing older, only what is new."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calf_attach.layout import ABI, FIRST, SURFACE_HEAD, TERMINATED, WORDS, Phase, Word
from trainings import new_board

from calf_viz.errors import UserError
from calf_viz.heightfield import Grid
from calf_viz.pace import Pace
from calf_viz.sources.rate import steps_per_second
from calf_viz.sources.trainer_board import STEPS, TrainerBoard

pytestmark = pytest.mark.usefixtures("boards")
GRID, WEIGHTS = Grid((65, 65), (-1.0, 2.0), (3.0, 5.0)), 9000
NODES = 65 * 65


def publish(board: TrainerBoard, mark: int) -> int:
    """A snapshot all of whose numbers are `mark`."""
    values = np.full(NODES, mark, np.float32)
    weights = np.full(WEIGHTS, mark, np.float32)
    return board.publish_agent(mark, 1.0 / (1 + mark), values, weights)


@pytest.fixture
def board(boards: Path) -> TrainerBoard:
    return new_board(GRID, WEIGHTS, (0.0, 0.0, -0.1))


def add_step(board: TrainerBoard, episode: int, step: int, taken: int = 0) -> None:
    board.add_step(episode, step, 1, 0.5, -0.5, 0.1, -3.0, -4.0, -0.2, -1.5, taken)


def test_a_snapshot_is_seen_once_by_whoever_has_the_version_before(board: TrainerBoard) -> None:
    other = TrainerBoard.map(board.path)
    assert other.snapshot(0) is None
    assert publish(board, 7) == 1
    seen = other.snapshot(0)
    assert seen is not None and seen.surface is not None
    assert (seen.version, seen.steps, seen.p_relax) == (1, 7, 0.125)
    assert (seen.surface.values == 7).all() and (seen.weights == 7).all()
    assert seen.surface.shape == GRID.shape and len(seen.weights) == WEIGHTS
    assert (seen.surface.lo, seen.surface.hi) == (GRID.lo, GRID.hi) and other.grid == GRID
    assert other.snapshot(1) is None
    assert [publish(board, mark) for mark in (8, 9)] == [2, 3]
    newest = other.snapshot(1)
    assert newest is not None and (newest.version, newest.steps) == (3, 9)
    assert other.snapshot(5) is None, "never an older one"


def test_the_trainer_learns_what_the_surface_hides(board: TrainerBoard) -> None:
    assert TrainerBoard.map(board.path).hidden.tolist() == [0.0, 0.0, -0.1]
    weights_alone = new_board(None, 3, name="gpu")
    weights_alone.publish_agent(1, 0.5, np.empty(0, np.float32), np.ones(3, np.float32))
    other = TrainerBoard.map(weights_alone.path)
    seen = other.snapshot(0)
    assert other.grid is None and seen is not None and seen.surface is None
    assert seen.weights.tolist() == [1.0] * 3


def test_a_snapshot_is_a_copy(board: TrainerBoard) -> None:
    publish(board, 1)
    seen = board.snapshot(0)
    publish(board, 2), publish(board, 3)
    assert seen is not None and seen.surface is not None and (seen.surface.values == 1).all()


@pytest.mark.parametrize("where", ["head", "foot", "body", "checksum", "version"])
def test_a_half_written_snapshot_is_not_seen(board: TrainerBoard, where: str) -> None:
    publish(board, 1)
    publish(board, 2)
    slot = board._surfaces[0]
    head = slot[: 8 * SURFACE_HEAD].view(np.int64)
    if where == "head":  # the writer has begun the next
        head[0] = 4
    elif where == "foot":
        head[-1] = 0
    elif where == "body":
        slot[1000] ^= 1
    elif where == "checksum":
        head[8] ^= 1
    else:  # the slot still holds the one before
        board[Word.SURFACE] = 4
    assert board.snapshot(1) is None
    board[Word.SURFACE] = 2
    publish(board, 3)
    seen = board.snapshot(1)
    assert seen is not None and (seen.version, seen.steps) == (3, 3)


def _write_forever(path: str) -> None:
    board = TrainerBoard.map(path)
    mark = 0
    while not board[Word.STOP]:
        mark += 1
        publish(board, mark)
        add_step(board, mark // 10, mark, mark)


def test_a_reader_beside_a_writer_sees_whole_ones_in_order(board: TrainerBoard) -> None:
    fork = multiprocessing.get_context("fork")
    writer = fork.Process(target=_write_forever, args=(board.path,))
    writer.start()
    version, since = 0, 0
    whole = 0
    try:
        while whole < 100:
            assert writer.is_alive()
            seen = board.snapshot(version)
            if seen is not None:
                assert seen.version > version and seen.surface is not None
                version = seen.version
                assert seen.steps == version
                assert (seen.surface.values == version).all() and (seen.weights == version).all()
                whole += 1
            steps = board.steps_since(since)
            if len(steps.number):
                assert (np.diff(steps.number) > 0).all() and steps.number[0] >= since
                assert (steps.step == steps.number + 1).all()
                since = int(steps.number[-1]) + 1
    finally:
        board[Word.STOP] = 1
        writer.join()
    assert since > 100


def test_a_ring_keeps_the_newest(board: TrainerBoard) -> None:
    for i in range(STEPS + 10):
        add_step(board, 0, i)
    assert board.steps_since(0).step.tolist() == list(range(10, STEPS + 10))
    assert board.steps_since(STEPS + 5).step.tolist() == list(range(STEPS + 5, STEPS + 10))
    assert len(board.steps_since(STEPS + 10).number) == 0
    assert board.newest_step(STEPS + 10) is None
    board.raw_row(20)[56:64] = 0  # half written
    assert len(board.steps_since(0).number) == STEPS - 1


def test_steps_and_episodes_are_read_as_they_were_written(board: TrainerBoard) -> None:
    other = TrainerBoard.map(board.path)
    add_step(board, 9_999_999, 0, 1)
    board.add_step(9_999_999, 999_999, 2, 1.5, 2.5, 3.5, np.nan, np.inf, 1e300, -7.0, 2, TERMINATED)
    board.add_episode(9_999_999, 1_000_000, -12.5, True, 3, 2, 1, 0.25)
    steps, episodes = other.steps_since(0), other.episodes_since(0)
    assert steps.episode.tolist() == [9_999_999] * 2 and steps.step.tolist() == [0, 999_999]
    last = {name: values[-1].item() for name, values in steps._asdict().items()}
    assert (last["x"], last["y"], last["heading"], last["mode"]) == (1.5, 2.5, 3.5, 2)
    assert (last["floor"], last["ceiling"], last["reward"]) == (np.inf, np.inf, -7.0)
    assert np.isnan(last["q_plus"]) and other[Word.STEP] == 2
    found = {name: values.tolist() for name, values in episodes._asdict().items()}
    assert found == {
        "number": [0], "episode": [9_999_999], "steps": [1_000_000], "ret": [-12.5],
        "goal": [1.0], "modes": [[3.0, 2.0, 1.0]], "p_relax": [0.25],
    }  # fmt: skip
    flags = [row.flags.tolist() for row in other.rows_since(0)]
    assert flags == [[FIRST], [TERMINATED]]


def test_the_trainers_last_words(board: TrainerBoard) -> None:
    assert board.error == "" and board[Word.PHASE] == Phase.STARTING
    board.fail("ValueError: two\nlines of it, ü")
    assert board.error == "ValueError: two lines of it, ü"
    assert TrainerBoard.map(board.path)[Word.PHASE] == Phase.FAILED
    board.fail("x" * 5000)
    assert set(board.error) == {"x"}


@pytest.mark.parametrize("size", [0, 100, 4096])
def test_what_is_no_board_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "board"
    path.write_bytes(bytes(size))
    with pytest.raises(UserError, match="no board"):
        TrainerBoard.map(path)


def test_a_board_cut_short_or_of_other_sizes_is_refused(
    tmp_path: Path, board: TrainerBoard
) -> None:
    """Mapped, what is missing would end the process at its first look."""
    whole, path = Path(board.path).read_bytes(), tmp_path / "board"
    for damaged in (whole[:-1], whole[: len(whole) // 2], whole + b"\0"):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="a damaged board"):
            TrainerBoard.map(path)
    for word, value in ((Word.ROWS, -65), (Word.ROWS, 2**40), (Word.NODES, 4), (Word.AGENTS, 2)):
        path.write_bytes(whole)
        words = np.memmap(path, np.int64, "r+", shape=WORDS)
        words[word] = value
        words.flush()
        with pytest.raises(UserError, match="a damaged board"):
            TrainerBoard.map(path)
    board[Word.ABI] = ABI + 1
    with pytest.raises(UserError, match="give loop and viewer the same version"):
        TrainerBoard.map(board.path)


@pytest.mark.parametrize(
    "damage",
    [
        {"trainer": None}, {"trainer": {}}, {"grid": [1, 2]}, {"grid": [[4, 4], [0, 0], [1, 1]]},
        {"states": -1}, {"states": 10**15}, {"hidden": {"9": 1.0}}, {"hidden": 3},
    ],
)  # fmt: skip
def test_a_board_that_says_nonsense_of_its_surface_is_refused(
    board: TrainerBoard, damage: dict[str, Any]
) -> None:
    meta = board.meta() or {}
    if "trainer" in damage:
        board.set_meta({**meta, **damage})
    else:
        board.set_meta({**meta, "trainer": {**meta["trainer"], **damage}})
    with pytest.raises(UserError, match=r"not a trainer's board|a damaged board") as caught:
        TrainerBoard.map(board.path)
    assert "\n" not in str(caught.value)


def test_a_loops_board_is_no_trainers(boards: Path) -> None:
    from calf_attach import attach

    with attach([(-1, 1), (-1, 1)]) as viz:
        viz.reset(np.zeros((1, 2)))
        with pytest.raises(UserError, match="not a trainer's board"):
            TrainerBoard.map(viz.board or "")


NO_ROOM = """
import resource
from calf_viz.errors import UserError
from trainings import new_board
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    new_board(None, 9000)
except UserError as error:
    print(error)
"""


def test_no_room_for_a_board_is_one_line(boards: Path) -> None:
    here = os.pathsep.join((str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")))
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": here},
    )  # fmt: skip
    assert done.stdout.startswith("no room for ") and "File too large" in done.stdout
    assert "make room, or set CALF_BOARDS" in done.stdout
    assert done.stdout.count("\n") == 1 and not done.stderr
    assert not list(boards.iterdir())


def test_all_of_a_board_is_there_before_it_is_used_and_nobody_else_can_read_it(
    board: TrainerBoard,
) -> None:
    status = os.stat(board.path)
    assert status.st_blocks * 512 >= status.st_size and status.st_mode & 0o777 == 0o600


def test_removing_a_board_never_removes_a_later_one_of_its_name(board: TrainerBoard) -> None:
    os.unlink(board.path)
    later = new_board(GRID, WEIGHTS)
    os.rename(later.path, board.path)
    board.unlink()
    assert Path(board.path).exists()


def test_words_are_seen_by_other_threads_and_maps(board: TrainerBoard) -> None:
    other = TrainerBoard.map(board.path)
    thread = threading.Thread(target=lambda: other.__setitem__(Word.PAUSED, 1))
    thread.start()
    thread.join()
    assert board[Word.PAUSED] == 1


# Rates


@pytest.mark.parametrize(
    ("text", "rate"),
    [("max", np.inf), ("realtime", 100.0), ("200/s", 200.0), ("0.5/s", 0.5), ("1e3 /s", None)],
)
def test_rates(text: str, rate: float | None) -> None:
    if rate is None:
        with pytest.raises(UserError, match="give max, realtime, or such as 200/s"):
            steps_per_second(text, 0.01)
    else:
        assert steps_per_second(text, 0.01) == rate


@pytest.mark.parametrize("text", ["", "fast", "-3/s", "5", "nan/s"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(UserError, match=f"unknown train_rate '{text}': ") as caught:
        steps_per_second(text, 0.01)
    assert str(caught.value).endswith("write 5/s") == (text == "5")


@pytest.mark.parametrize("text", ["0/s", "2000000/s"])
def test_a_rate_that_no_training_has(text: str) -> None:
    with pytest.raises(UserError, match=f"{text} is out of range: give 0.001/s to 1000000/s, or"):
        steps_per_second(text, 0.01)


def test_pace_gives_the_rate_and_does_not_catch_up_forever() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    taken = 0
    while now < 10.0:
        wait = pace.wait(50.0)
        taken += wait == 0.0
        now += wait or 0.001
    assert taken == pytest.approx(500, abs=8)
    now += 1000.0  # the trainer stood still
    burst = 0
    while pace.wait(50.0) == 0.0:
        burst += 1
    assert burst <= 50 * Pace.PATIENCE + 1
    assert pace.wait(np.inf) == 0.0
