"""Environments in processes of their own: Stable-Baselines3's SubprocVecEnv and Gymnasium's
AsyncVectorEnv, however their processes are started. The loop alone is watched."""

from __future__ import annotations

import multiprocessing
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attached_loops import board_of
from calf_attach import Handle, attach
from calf_attach.layout import FIRST, TERMINATED, TRUNCATED, Word

gymnasium = pytest.importorskip("gymnasium", reason="the extra gym is not installed")
from environments_that_tell import Telling  # noqa: E402

N, STEPS = 2, 60
STARTED_BY = [name for name in ("fork", "forkserver", "spawn")
              if name in multiprocessing.get_all_start_methods()]  # fmt: skip

pytestmark = [
    pytest.mark.usefixtures("boards"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded"),
]


def watched() -> Handle:
    return attach(
        [(-3, 3), (-0.3, 0.3)], axes=(0, 2), rate=1e9, modes=("left", "right"), nodes=3,
        critic=lambda obs: obs[:, 0],
    )  # fmt: skip


def values_of(infos: Any, name: str) -> set[int]:
    """What the environments said, of both kinds of infos."""
    if isinstance(infos, dict):
        return {int(value) for value in np.asarray(infos[name])[np.asarray(infos[f"_{name}"])]}
    return {int(info[name]) for info in infos if name in info}


def check(viz: Handle, said: list[Any], boards: Path) -> None:
    """CartPole ends beyond 2.4 m or 12 degrees, and starts within 0.05."""
    processes = set().union(*(values_of(infos, "process") for infos in said))
    assert len(processes) == N and os.getpid() not in processes
    for infos in said:
        assert values_of(infos, "running") <= {0} and values_of(infos, "own") <= {0}
    board = board_of(viz)
    assert [str(path) for path in boards.iterdir()] == [viz.board]
    assert board[Word.PID] == os.getpid() and board[Word.FAULTS] == 0
    assert board[Word.STEP] == STEPS
    ends = begins = 0
    for row in board.rows_since(0):
        over, first = (row.flags & (TERMINATED | TRUNCATED)) > 0, (row.flags & FIRST) > 0
        far = (np.abs(row.positions[:, 0]) > 2.4) | (np.abs(row.positions[:, 1]) > 0.2094)
        assert len(row.positions) == N and (far == over).all()
        assert (np.abs(row.positions[first]) <= 0.05).all()
        ends, begins = ends + int(over.sum()), begins + int(first.sum())
    assert ends == board[Word.END] > 3 and begins in range(ends + N, ends + 2 * N + 1)
    lengths = board.ends_since(0)
    np.testing.assert_array_equal(lengths["length"], lengths["ret"])  # 1 for each step


@pytest.mark.parametrize("start", STARTED_BY)
def test_subproc_vec_env(boards: Path, start: str) -> None:
    vec_env = pytest.importorskip(
        "stable_baselines3.common.vec_env", reason="the extra sb3 is not installed"
    )
    with watched() as viz:
        viz.reset(np.zeros((N, 4)))  # there is a board when the processes begin
        envs = vec_env.SubprocVecEnv([partial(Telling, viz)] * N, start_method=start)
        envs.seed(0)
        envs = viz.wrap(envs)
        envs.reset()
        said = [envs.step(np.full(N, 1))[3] for _ in range(STEPS)]
        check(viz, said, boards)
        envs.close()
    assert not list(boards.iterdir())


@pytest.mark.parametrize("start", STARTED_BY)
@pytest.mark.parametrize("mode", ["NEXT_STEP", "SAME_STEP"])
def test_async_vector_env(boards: Path, start: str, mode: str) -> None:
    with watched() as viz:
        viz.reset(np.zeros((N, 4)))
        # closures are pickled with the handle in them, which does nothing on the other side
        envs = gymnasium.vector.AsyncVectorEnv(
            [partial(Telling, viz)] * N,
            context=start,
            autoreset_mode=gymnasium.vector.AutoresetMode[mode],
        )
        envs = viz.wrap(envs)
        envs.reset(seed=0)
        said = []
        for _ in range(STEPS):
            obs, *_, infos = envs.step(np.full(N, 1))
            last = infos.get("final_info", {})
            said.append(infos if "process" in infos else last if "process" in last else None)
        check(viz, [infos for infos in said if infos is not None], boards)
        if mode == "NEXT_STEP":  # where each observation is drawn as it is
            newest = board_of(viz).rows_since(0)[-1]
            np.testing.assert_array_equal(newest.positions, obs[:, [0, 2]])
        envs.close()
    assert not list(boards.iterdir())


@pytest.mark.parametrize("start", STARTED_BY)
def test_a_child_that_is_killed_leaves_nothing_and_the_loop_its_board(
    boards: Path, start: str
) -> None:
    with watched() as viz:
        viz.reset(np.zeros((N, 4)))
        child = multiprocessing.get_context(start).Process(target=hang, args=(viz,), daemon=True)
        child.start()
        viz.step(np.zeros((N, 4)))
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join(10)
        assert child.exitcode == -signal.SIGKILL
        viz.step(np.zeros((N, 4)))
        assert [str(path) for path in boards.iterdir()] == [viz.board]
        assert board_of(viz)[Word.STEP] == 2
    assert not list(boards.iterdir())


def hang(viz: Handle) -> None:
    viz.reset(np.zeros((5, 4)))
    signal.pause()
