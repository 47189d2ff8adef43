"""The board between trainer and viewer: nothing torn, nothing older, only what is new."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from calf_viz.errors import UserError
from calf_viz.heightfield import Grid
from calf_viz.pace import Pace
from calf_viz.sources.board import SAMPLES, Board, Phase, Word
from calf_viz.sources.rate import steps_per_second

GRID, WEIGHTS = Grid((65, 65), (-1.0, 2.0), (3.0, 5.0)), 9000


def publish(board: Board, mark: int) -> int:
    """A snapshot all of whose numbers are `mark`."""
    values = np.full(board.nodes, mark, np.float32)
    weights = np.full(board.weights, mark, np.float32)
    return board.publish(mark, 1.0 / (1 + mark), values, weights)


@pytest.fixture
def board() -> Board:
    return Board.create(GRID, WEIGHTS)


def add_sample(board: Board, episode: int, step: int) -> None:
    board.add_sample(episode, step, 1, 0.5, -0.5, 0.1, -3.0, -4.0, -0.2, -1.5)


def test_a_snapshot_is_seen_once_by_whoever_has_the_version_before(board: Board) -> None:
    other = Board(board.descriptor)
    assert other.snapshot(0) is None
    assert publish(board, 7) == 1
    seen = other.snapshot(0)
    assert seen is not None
    assert (seen.version, seen.steps, seen.p_relax) == (1, 7, 0.125)
    assert (seen.surface.values == 7).all() and (seen.weights == 7).all()
    assert seen.surface.shape == GRID.shape and len(seen.weights) == WEIGHTS
    assert (seen.surface.lo, seen.surface.hi) == (GRID.lo, GRID.hi) and other.grid == GRID
    assert other.snapshot(1) is None
    assert [publish(board, mark) for mark in (8, 9)] == [2, 3]
    newest = other.snapshot(1)
    assert newest is not None and (newest.version, newest.steps) == (3, 9)
    assert other.snapshot(5) is None, "never an older one"


def test_a_snapshot_is_a_copy(board: Board) -> None:
    publish(board, 1)
    seen = board.snapshot(0)
    publish(board, 2), publish(board, 3)
    assert seen is not None and (seen.surface.values == 1).all()


@pytest.mark.parametrize("where", ["head", "foot", "body", "checksum", "version"])
def test_a_half_written_snapshot_is_not_seen(board: Board, where: str) -> None:
    publish(board, 1)
    publish(board, 2)
    slot = board._slots[0]
    if where == "head":  # the writer has begun the next
        slot[:8].view(np.int64)[0] = 4
    elif where == "foot":
        slot[-8:].view(np.int64)[0] = 0
    elif where == "body":
        slot[1000] ^= 1
    elif where == "checksum":
        slot[-16] ^= 1
    else:  # the slot still holds the one before
        board[Word.LATEST] = 4
    assert board.snapshot(1) is None
    board[Word.LATEST] = 2
    publish(board, 3)
    seen = board.snapshot(1)
    assert seen is not None and (seen.version, seen.steps) == (3, 3)


def _write_forever(descriptor: int) -> None:
    board = Board(descriptor)
    mark = 0
    while not board[Word.STOP]:
        mark += 1
        publish(board, mark)
        add_sample(board, mark // 10, mark)


def test_a_reader_beside_a_writer_sees_whole_ones_in_order(board: Board) -> None:
    fork = multiprocessing.get_context("fork")
    writer = fork.Process(target=_write_forever, args=(board.descriptor,))
    writer.start()
    version, since = 0, 0
    whole = 0
    try:
        while whole < 100:
            assert writer.is_alive()
            seen = board.snapshot(version)
            if seen is not None:
                assert seen.version > version
                version = seen.version
                assert seen.steps == version
                assert (seen.surface.values == version).all() and (seen.weights == version).all()
                whole += 1
            records = board.samples(since)
            if len(records):
                assert (np.diff(records["number"]) > 0).all() and records["number"][0] >= since
                assert (records["step"] == records["number"] + 1).all()
                since = int(records["number"][-1]) + 1
    finally:
        board[Word.STOP] = 1
        writer.join()
    assert since > 100


def test_a_ring_keeps_the_newest(board: Board) -> None:
    for i in range(SAMPLES + 10):
        add_sample(board, 0, i)
    found = board.samples(0)
    assert found["step"].tolist() == list(range(10, SAMPLES + 10))
    assert board.samples(SAMPLES + 5)["step"].tolist() == list(range(SAMPLES + 5, SAMPLES + 10))
    assert len(board.samples(SAMPLES + 10)) == 0
    board._rings["samples"][20]["number_again"] = 0  # half written
    assert len(board.samples(0)) == SAMPLES - 1


def test_the_trainers_last_words(board: Board) -> None:
    assert board.error == "" and board[Word.PHASE] == Phase.STARTING
    board.fail("ValueError: two\nlines of it, ü")
    assert board.error == "ValueError: two lines of it, ü"
    assert Board(board.descriptor)[Word.PHASE] == Phase.FAILED
    board.fail("x" * 5000)
    assert set(board.error) == {"x"}


@pytest.mark.parametrize("size", [0, 100, 4096])
def test_what_is_no_board_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "board"
    path.write_bytes(bytes(size))
    with path.open("r+b") as file, pytest.raises(UserError, match="no board"):
        Board(file.fileno())


def test_a_board_cut_short_or_of_other_sizes_is_refused(tmp_path: Path, board: Board) -> None:
    """Mapped, what is missing would end the process at its first look."""
    whole = os.pread(board.descriptor, os.fstat(board.descriptor).st_size, 0)
    for damaged in (whole[:-1], whole[: len(whole) // 2], whole + b"\0"):
        (tmp_path / "board").write_bytes(damaged)
        with (tmp_path / "board").open("r+b") as file, pytest.raises(UserError, match="no board"):
            Board(file.fileno())
    for rows in (-65, 2**40):
        board.words[Word.ROWS] = rows
        with pytest.raises(UserError, match="no board of this version"):
            Board(board.descriptor)


def test_nobody_can_shorten_a_board(board: Board) -> None:
    for size in (0, 1000, 2**24):
        with pytest.raises(PermissionError):
            os.ftruncate(board.descriptor, size)
    publish(board, 3)
    assert board.snapshot(0) is not None


NO_ROOM = """
import os, resource, sys
from calf_viz.errors import UserError
from calf_viz.heightfield import Grid
from calf_viz.sources import board
if sys.argv[1] == "file":
    del os.memfd_create
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    board.Board.create(Grid((65, 65), (0.0, 0.0), (1.0, 1.0)), 9000)
except UserError as error:
    print(error)
"""


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_no_room_for_a_board_is_one_line(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM, kind], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("no room for ") and "File too large; make room in" in done.stdout
    assert done.stdout.count("\n") == 1 and not done.stderr


def test_all_of_a_board_is_there_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file as well, where there is nothing better."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    made = Board.create(GRID, WEIGHTS)
    status = os.fstat(made.descriptor)
    assert status.st_nlink == 0 and status.st_blocks * 512 >= status.st_size
    assert publish(made, 1) == 1 and Board(made.descriptor)[Word.LATEST] == 1


def test_words_are_seen_by_other_threads_and_maps(board: Board) -> None:
    other = Board(board.descriptor)
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
