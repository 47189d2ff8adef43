"""Episode ends as they are drawn, by numbers: environments whose ends are known, in every way in
which libraries return them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attached_loops import SQUARE, board_of
from calf_attach import Handle, attach
from calf_attach.layout import TERMINATED, TRUNCATED, Word

from calf_viz.sources.attached import Attached
from calf_viz.viewer.attached_panel import RESETS

LENGTHS = np.array([3, 5, 4])
"""Agent i's episodes take so many steps; its position counts them from 0."""
STEPS = 14


pytestmark = pytest.mark.usefixtures("boards")


class Counting:
    """Three environments that count their steps: what each step returns, by autoreset mode."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.at = np.zeros(3)
        self.over = np.zeros(3, bool)

    @property
    def obs(self) -> np.ndarray:
        return np.stack([self.at, np.arange(3.0)], axis=1)

    def step(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Observations, rewards, terminations, truncations, terminal observations."""
        resets = self.over if self.mode == "next_step" else np.zeros(3, bool)
        self.at = np.where(resets, 0.0, self.at + 1.0)
        done = (self.at == LENGTHS) & ~resets
        self.over = done
        final = self.obs
        if self.mode == "same_step":
            self.at = np.where(done, 0.0, self.at)
        truncated = done & (np.arange(3) == 1)
        return self.obs, np.where(resets, 0.0, 1.0), done & ~truncated, truncated, final


def next_step(viz: Handle) -> None:
    envs = Counting("next_step")
    viz.reset(envs.obs)
    for _ in range(STEPS):
        obs, rewards, terminated, truncated, _ = envs.step()
        viz.step(obs, rewards, terminated, truncated, {})


def reset_at_once(viz: Handle, infos_of: Callable[..., Any], told_apart: bool = True) -> None:
    """A loop whose environments reset in the step that ends an episode. infos_of: makes the infos
    of terminations, truncations, terminal observations. told_apart: whether the first two are."""
    envs = Counting("same_step")
    viz.reset(envs.obs)
    for _ in range(STEPS):
        obs, rewards, terminated, truncated, final = envs.step()
        infos = infos_of(terminated, truncated, final)
        ends = (terminated, truncated) if told_apart else (terminated | truncated, None)
        viz.step(obs, rewards, *ends, infos)


def same_step(viz: Handle) -> None:
    def infos(terminated: np.ndarray, truncated: np.ndarray, final: np.ndarray) -> Any:
        done = terminated | truncated
        return {"final_obs": final, "_final_obs": done} if done.any() else {}

    reset_at_once(viz, infos)


def before_1_0(viz: Handle) -> None:
    def infos(terminated: np.ndarray, truncated: np.ndarray, final: np.ndarray) -> Any:
        done = terminated | truncated
        each = np.array([None] * 3, object)
        for agent in np.flatnonzero(done):
            each[agent] = final[agent]
        return {"final_observation": each, "_final_observation": done} if done.any() else {}

    reset_at_once(viz, infos)


def sb3(viz: Handle) -> None:
    def infos(terminated: np.ndarray, truncated: np.ndarray, final: np.ndarray) -> Any:
        return [
            {"terminal_observation": final[i], "TimeLimit.truncated": bool(truncated[i])}
            if terminated[i] or truncated[i] else {}
            for i in range(3)
        ]  # fmt: skip

    reset_at_once(viz, infos, told_apart=False)


def disabled(viz: Handle) -> None:
    envs = Counting("disabled")
    viz.reset(envs.obs)
    for _ in range(STEPS):
        obs, rewards, terminated, truncated, _ = envs.step()
        viz.step(obs, rewards, terminated, truncated, {})
        done = terminated | truncated
        if done.any():
            envs.at = np.where(done, 0.0, envs.at)
            viz.reset(envs.obs, mask=done)


def cleanrl(viz: Handle) -> None:
    """Tensors, float flags, and `next_done` as CleanRL's PPO keeps them."""
    torch = pytest.importorskip("torch")
    envs = Counting("next_step")
    viz.reset(torch.as_tensor(envs.obs))
    for _ in range(STEPS):
        obs, rewards, terminated, truncated, _ = envs.step()
        viz.step(
            torch.as_tensor(obs, dtype=torch.float32), torch.as_tensor(rewards).view(-1),
            torch.as_tensor(terminated).float(), torch.as_tensor(truncated).float(), {},
        )  # fmt: skip


WAYS = {
    "next_step": (next_step, None),
    "next_step, said": (next_step, "next_step"),
    "same_step": (same_step, None),
    "same_step, said": (same_step, "same_step"),
    "gymnasium before 1.0": (before_1_0, None),
    "sb3": (sb3, None),
    "disabled": (disabled, "disabled"),
    "disabled, unsaid": (disabled, None),
    "cleanrl": (cleanrl, None),
}


def drawn(viz: Handle) -> Iterator[list[list[float]]]:
    """For each agent its trails, (first coordinates,): a sample that is drawn twice at one place,
    as where other agents reset, counts once."""
    assert viz.board is not None
    source = Attached(viz.board)
    trails: list[list[list[float]]] = [[], [], []]
    while (samples := source.step()) is not None:
        for agent, (x, _) in enumerate(samples.positions.tolist()):
            if samples.first[agent]:
                trails[agent].append([])
            run = trails[agent][-1]
            if not run or run[-1] != x:
                run.append(x)
    return iter(trails)


@pytest.mark.parametrize("way", WAYS)
def test_each_episode_is_a_trail_from_its_first_to_its_terminal_sample(way: str) -> None:
    loop, autoreset = WAYS[way]
    with attach([(0, 6), (-1, 3)], rate=1e9, autoreset=autoreset) as viz:
        loop(viz)
        for agent, trails in enumerate(drawn(viz)):
            whole = [float(x) for x in range(LENGTHS[agent] + 1)]
            assert len(trails) >= 3
            assert all(trail == whole for trail in trails[:-1])
            assert trails[-1] == whole[: len(trails[-1])]
        ends = Attached(viz.board or "").ends()
        assert not Attached(viz.board or "").board[Word.FAULTS]
        for agent in range(3):
            mine = ends[ends["agent"] == agent]
            assert set(mine["length"]) == {LENGTHS[agent]}
            assert set(mine["ret"]) == {float(LENGTHS[agent])}
            assert mine["episode"].tolist() == list(range(len(mine)))
            assert set(mine["kind"]) == {TRUNCATED if agent == 1 else TERMINATED}


def test_a_single_environment(tmp_path: Path) -> None:
    with attach([(0, 6), (-1, 3)], rate=1e9) as viz:
        for _ in range(3):
            viz.reset(np.array([0.0, 0.0]), mask=None)
            for step in range(1, 4):
                viz.step(np.array([float(step), 0.0]), 1.0, step == 3, False, {})
        source = Attached(viz.board or "")
        runs: list[list[float]] = []
        while (samples := source.step()) is not None:
            if samples.first[0]:
                runs.append([])
            runs[-1].append(float(samples.positions[0, 0]))
        assert runs == [[0, 1, 2, 3]] * 3
        ends = source.ends()
        assert ends["length"].tolist() == [3] * 3 and ends["ret"].tolist() == [3.0] * 3


def test_same_step_without_terminal_observations_begins_new_trails(tmp_path: Path) -> None:
    envs = Counting("same_step")
    with attach([(0, 6), (-1, 3)], rate=1e9, autoreset="same_step") as viz:
        viz.reset(envs.obs)
        for _ in range(STEPS):
            obs, rewards, terminated, truncated, _ = envs.step()
            viz.step(obs, rewards, terminated, truncated, {})
        for agent, trails in enumerate(drawn(viz)):  # the terminal sample is not known
            assert trails[0] == [float(x) for x in range(LENGTHS[agent])]


def test_episodes_that_end_faster_than_rows_come_still_break_trails_and_are_counted() -> None:
    with attach([(0, 6), (-1, 3)], rate=1e-6) as viz:
        envs = Counting("next_step")
        viz.reset(envs.obs)
        for _ in range(1000):
            obs, rewards, terminated, truncated, _ = envs.step()
            viz.step(obs, rewards, terminated, truncated, {})
        source = Attached(viz.board or "")
        assert len(source.ends()) == sum(1000 // (length + 1) for length in LENGTHS)
        assert source.board[Word.DROPPED] > 800


def test_observations_of_dicts_have_terminal_ones_too() -> None:
    def project(obs: Any) -> Any:
        return np.stack([obs["x"], obs["y"]], axis=1)

    with attach([(0, 9), (0, 9)], project=project, rate=1e9) as viz:
        viz.reset({"x": np.zeros(2), "y": np.ones(2)})
        done = np.array([True, False])
        final = np.array([{"x": 8.0, "y": 7.0}, None], object)
        infos = {"final_obs": final, "_final_obs": done}
        viz.step({"x": np.ones(2), "y": np.ones(2)}, np.ones(2), done, ~done & done, infos)
        source = Attached(viz.board or "")
        found = []
        while (samples := source.step()) is not None:
            found.append(samples.positions[0].tolist())
        assert found == [[0, 1], [8, 7], [1, 1]]


def test_where_nothing_says_when_environments_begin_anew_the_panel_says_what_is_assumed(
    boards: Path,
) -> None:
    no, one = np.zeros(1, bool), np.ones(1, bool)

    def assumed(autoreset: str | None, infos: dict[str, Any], resets: bool) -> Any:
        with attach(SQUARE, autoreset=autoreset, rate=1e9) as viz:
            viz.reset(np.zeros((1, 2)))
            viz.step(np.ones((1, 2)), np.ones(1), one, no, infos)
            if resets:
                viz.reset(np.zeros((1, 2)))
            viz.step(np.zeros((1, 2)), np.ones(1), no, no, {})
            meta = board_of(viz).meta()
            assert meta is not None
            return meta.get("assumed"), RESETS.get(str(meta.get("assumed")))

    assert assumed(None, {}, resets=False) == ("next_step", "next step")
    assert assumed(None, {}, resets=True) == (None, None)
    assert assumed("next_step", {}, resets=False) == (None, None)
    assert assumed(None, {"final_obs": np.ones((1, 2)), "_final_obs": one}, False) == (None, None)
