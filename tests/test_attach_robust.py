"""Whatever dies, a loop and its viewers outlive each other, and nothing of them is left over."""

from __future__ import annotations

import ast
import errno
import importlib.util
import logging
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from attached_loops import SQUARE
from calf_attach import attach, mapped_file
from calf_attach.board import Board, BoardError
from calf_attach.layout import WORDS, Word
from calf_attach.search import loops
from calf_attach.window import open_window, viewer_there

from calf_viz.sources.attached import Attached, find, watch

ROOT = Path(__file__).resolve().parent.parent
KILLS = 50


pytestmark = pytest.mark.usefixtures("boards")


def in_child(work: Callable[[], object]) -> int:
    """Process id of a fork that does this, and then waits to be killed."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        time.sleep(60)
    finally:
        os._exit(1)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def count_for_ever() -> None:
    """A loop whose every row has one number in it everywhere."""
    viz = attach(SQUARE, rate=1e9, name="victim", critic=lambda obs: obs[:, 0] * 0 + len(obs))
    viz.reset(np.zeros((8, 2), np.float32))
    none = np.zeros(8, bool)
    for step in range(10**9):
        number = np.float32(step % 1000)
        done = np.full(8, step % 7 == 0)
        viz.step(np.full((8, 2), number), np.full(8, number), done, none, {})


def check(board: Board) -> int:
    """Read all that there is; returns the number of rows."""
    rows = board.rows_since(0)
    for row in rows:
        assert len(np.unique(row.positions)) == 1 and len(np.unique(row.flags)) == 1
    surface = board.surface()
    assert surface is None or surface.values is None or len(np.unique(surface.values)) == 1
    ends = board.ends_since(0)
    assert (np.diff(ends["number"]) == 1).all()
    return len(rows)


def test_a_loop_that_is_killed_at_any_moment_leaves_whole_rows_and_no_board(boards: Path) -> None:
    moments = random.Random(0)
    read = 0
    for _ in range(KILLS):
        child = in_child(count_for_ever)
        try:
            time.sleep(moments.uniform(0.0, 0.03))
            for one in loops()[0]:
                read += check(one.board)
        finally:
            kill(child)
        for one in loops()[0]:
            assert one.board.alive or check(one.board) >= 0
    assert read > KILLS
    with attach(SQUARE, name="victim") as new:
        new.reset(np.zeros((1, 2)))
        (path,) = boards.glob("*.calfboard")
        assert str(path) == new.board
    assert not list(boards.iterdir())


def test_viewers_that_are_killed_at_any_moment_leave_the_loop_alone(boards: Path) -> None:
    moments = random.Random(1)
    with attach(SQUARE, name="watched", rate=1e9) as viz:
        viz.reset(np.zeros((8, 2)))

        def look() -> None:
            source = watch(find("watched"))
            source.announce()
            while True:
                source.step()

        for _ in range(KILLS):
            child = in_child(look)
            until = time.monotonic() + moments.uniform(0.0, 0.03)
            while time.monotonic() < until:
                viz.step(np.zeros((8, 2)))
            kill(child)
        before = viz._recorder.steps
        viz.step(np.zeros((8, 2)))
        source = Attached(viz.board or "")
        assert source.board[Word.STEP] == before + 1 and not source.board[Word.FAULTS]
        loops()
        assert not list(boards.glob("*.calfviewer"))
        assert not viewer_there("watched", source.meta)
    assert not list(boards.iterdir())


def test_a_handle_sent_to_another_process_does_nothing_there() -> None:
    with attach(SQUARE) as viz:
        viz.reset(np.zeros((1, 2)))
        sent = pickle.loads(pickle.dumps(viz))
        sent.step(np.zeros((1, 2)))
        assert not sent.is_running() and viz.is_running()


def test_threads_that_share_a_handle_write_whole_rows() -> None:
    with attach(SQUARE, rate=1e9) as viz:
        viz.reset(np.zeros((50, 2)))

        def write(number: float) -> None:
            for _ in range(300):
                viz.step(np.full((50, 2), number), np.zeros(50))

        threads = [threading.Thread(target=write, args=(number,)) for number in (1.0, 2.0, 3.0)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert viz.board is not None
        assert check(Board.open(viz.board)) > 300


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_where_shared_memory_is_full_the_temporary_folder_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CALF_BOARDS")
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(), second.mkdir()
    monkeypatch.setattr(mapped_file, "folders", lambda: [str(first), str(second)])
    reserve = mapped_file.reserve

    def pretended(descriptor: int, size: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").startswith(str(first)):
            full()
        reserve(descriptor, size)

    monkeypatch.setattr(mapped_file, "reserve", pretended)
    with attach(SQUARE) as viz:
        viz.reset(np.zeros((1, 2)))
        assert viz.board is not None and viz.board.startswith(str(second))
        assert not list(first.iterdir())


def test_without_room_anywhere_one_line_says_so_and_the_loop_goes_on(
    boards: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mapped_file, "reserve", full)
    with attach(SQUARE) as viz:
        for _ in range(3):
            viz.step(np.zeros((1, 2)))
        assert not viz.is_running()
    (said,) = caplog.messages
    assert "No space left on device" in said and "\n" not in said and str(boards) in said
    assert not list(boards.iterdir())


@pytest.fixture
def small_memory(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB in memory."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no permission to mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_file_system_that_is_too_small_does_not_kill_the_loop(
    small_memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALF_BOARDS", str(small_memory))
    viz = attach(SQUARE)
    for _ in range(3):
        viz.step(np.zeros((10_000, 2)))  # a write to what was not reserved would be a SIGBUS
    assert not viz.is_running() and not list(small_memory.iterdir())


def test_no_window_to_start_is_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CALF_VIZ", raising=False)
    with attach(SQUARE, window=True) as viz:
        viz.step(np.zeros((1, 2)))
        viz.step(np.zeros((1, 2)))
    (said,) = caplog.messages
    assert said.startswith("no window: calf-viz is not on PATH: set CALF_VIZ")


def test_a_window_is_started_once_or_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = tmp_path / "called"
    command = tmp_path / "viewer"
    command.write_text(f'#!/bin/sh\necho "$@" >> {called}\n')
    command.chmod(0o755)
    monkeypatch.setenv("CALF_VIZ", str(command))
    with attach(SQUARE, window=True, name="mine") as viz:
        viz.step(np.zeros((1, 2)))
        viz.step(np.zeros((1, 2)))
        until = time.monotonic() + 20
        while not called.exists() and time.monotonic() < until:
            time.sleep(0.01)
        source = watch(find("mine"))
        source.announce()  # as that viewer would
        open_window("mine", source.meta)
        assert called.read_text() == "attach mine\n"
        source.close()


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_board_is_refused_or_read_without_harm(tmp_path: Path, seed: int) -> None:
    random_bytes = np.random.default_rng(seed)
    with attach(SQUARE, rate=1e9) as viz:
        for _ in range(5):
            viz.step(np.zeros((3, 2)), np.zeros(3), np.ones(3, bool), np.zeros(3, bool), {})
        viz.surface(np.zeros((3, 3)))
        assert viz.board is not None
        contents = bytearray(Path(viz.board).read_bytes())
    if seed % 4 == 0:
        del contents[int(random_bytes.integers(len(contents))) :]
    else:
        end = 8 * WORDS if seed % 2 else len(contents)
        for place in random_bytes.integers(16 if seed % 4 == 1 else 0, end, 40):
            contents[place] = random_bytes.integers(256)
    path = tmp_path / "board"
    path.write_bytes(contents)
    try:
        board = Board.open(str(path))
        board.rows_since(0), board.surface(), board.ends_since(0), board.newest_fault, board.alive
        board.meta()
    except BoardError as error:
        assert "\n" not in str(error)


def test_a_terabyte_in_the_header_is_refused(tmp_path: Path) -> None:
    with attach(SQUARE) as viz:
        viz.step(np.zeros((3, 2)))
        assert viz.board is not None
        contents = Path(viz.board).read_bytes()
    path = tmp_path / "board"
    path.write_bytes(contents)
    words = np.memmap(path, np.int64, "r+")
    words[Word.ROWS], words[Word.SIZE] = 2**40 // 8, 2**40
    words.flush()
    with path.open("r+b") as file:
        file.truncate(2**40)  # a hole: of this size, but empty
    with pytest.raises(BoardError, match="damaged"):
        Board.open(str(path))


# Old and new Pythons


def python(version: str) -> str:
    """Path of a Python of this version that has NumPy; skips the test if there is none."""
    found = [shutil.which(f"python{version}")]
    found += map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for path in filter(None, found):
        has = subprocess.run([path, "-c", "import numpy"], capture_output=True, check=False)
        if has.returncode == 0:
            return path
    pytest.skip(f"no Python {version} with NumPy here")


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_a_loop_in_another_python_is_read_here(version: str) -> None:
    code = """
        import sys
        import numpy as np
        from calf_attach import attach
        viz = attach([(-1, 1), (-1, 1)], rate=1e9, critic=lambda obs: obs[:, 0], name="other",
                     modes=("a", "b"))
        viz.reset(np.zeros((3, 4)))
        for i in range(20):
            done = np.arange(3) == (i % 5 == 4)
            viz.step(np.full((3, 4), i), np.ones(3), done, done, {}, modes=[0, 1, 0])
        print("ready", flush=True)
        sys.stdin.readline()
        viz.close()
    """
    loop = subprocess.Popen(
        [python(version), "-c", textwrap.dedent(code)], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT / "attach")}, text=True,
    )  # fmt: skip
    with loop:
        assert loop.stdout is not None and loop.stdin is not None
        assert loop.stdout.readline() == "ready\n"
        source = watch(find("other"))
        assert source.board[Word.FAULTS] == 0
        assert len(source.ends()) == 20 and source.surface() is not None
        steps = []
        while (samples := source.step()) is not None:
            steps.append(samples)
        assert steps[-1].positions.tolist() == [[19, 19]] * 3
        loop.stdin.write("\n")
        loop.stdin.flush()
    assert loop.returncode == 0 and source.over


FILES = sorted((ROOT / "attach" / "calf_attach").glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_its_syntax_is_python_3_8(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_its_library_calls_are_python_3_8() -> None:
    if importlib.util.find_spec("vermin") is None:
        pytest.skip("vermin is not installed")
    done = subprocess.run(
        [sys.executable, "-c", "import vermin; vermin.main()", "-t=3.8-", "--no-tips",
         "--violations", "--no-parse-comments", *map(str, FILES)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_faults_are_logged_once_with_their_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "calf_attach"), attach(SQUARE) as viz:
        viz.reset(np.zeros((1, 2)))
        for _ in range(5):
            viz.step("nonsense")
    (said,) = caplog.messages
    assert "Traceback" in said and "project=" in said
