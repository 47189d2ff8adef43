"""The replay buffer, and what a training step writes into it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from calf_viz import systems
from calf_viz.training.config import PRESETS, TrainingConfig
from calf_viz.training.replay import Replay
from calf_viz.training.trainer import Trainer


def fill(replay: Replay, n: int) -> None:
    """Transitions that carry their number everywhere: states 10 i and 10 i + 1, and so on."""
    for i in range(n):
        replay.add([10 * i, 10 * i + 1], [10 * i + 2], -i, [10 * i + 4, 10 * i + 5], i % 3 == 0)


def trainer(name: str, steps: int = 750, batch: int = 65_536) -> Trainer:
    """A training that, by default, never learns: its batch never comes together."""
    return Trainer(
        TrainingConfig.from_preset(
            "quick", system=name, seed=1, steps=steps, batch=batch, select_every=10**9
        )
    )


# The buffer


def test_a_batch_gives_back_what_was_put_in() -> None:
    replay = Replay(100, 2, 1)
    fill(replay, 20)
    assert len(replay) == 20
    batch = replay.sample(500, np.random.default_rng(0))
    i = -batch.rewards
    assert set(i.tolist()) == set(range(20)), "every transition, and nothing else, is drawn"
    assert torch.equal(batch.states, torch.stack((10 * i, 10 * i + 1), dim=1))
    assert torch.equal(batch.actions, (10 * i + 2)[:, None])
    assert torch.equal(batch.next_states, torch.stack((10 * i + 4, 10 * i + 5), dim=1))
    assert torch.equal(batch.terminated, (i % 3 == 0).float())
    assert all(column.dtype == torch.float32 for column in batch)


def test_the_oldest_give_way() -> None:
    replay = Replay(8, 2, 1)
    fill(replay, 21)
    assert len(replay) == 8
    rewards = replay.sample(500, np.random.default_rng(0)).rewards
    assert set((-rewards).tolist()) == set(range(13, 21))


def test_samples_follow_the_generator() -> None:
    replay = Replay(100, 2, 1)
    fill(replay, 50)
    a, b = (replay.sample(32, np.random.default_rng(1)) for _ in range(2))
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_a_batch_does_not_change_when_the_buffer_does() -> None:
    replay = Replay(4, 2, 1)
    fill(replay, 4)
    batch = replay.sample(4, np.random.default_rng(2))
    before = batch.states.clone()
    fill(replay, 3)
    assert torch.equal(batch.states, before)


# What a training step writes


def last_row(trainer: Trainer) -> np.ndarray:
    return trainer.replay.rows[trainer.replay.added - 1]


@pytest.mark.parametrize("name", systems.own())
def test_a_step_writes_the_action_taken_and_the_scaled_reward(name: str) -> None:
    t = trainer(name)
    d, m = t.system.state_dim, t.system.action_dim
    for _ in range(40):
        state = t.state.copy()
        t.step()
        row = last_row(t)
        assert_array_equal(row[:d], state[0])
        # The action that moved the system, whichever rule chose it.
        action = row[None, d : d + m]
        assert_array_equal(t.system.step(state, action)[0], row[d + m + 1 : -1])
        assert_allclose(row[d + m], 10 * t.system.reward(state, action)[0], rtol=1e-6)
        assert row[-1] == 0
    assert t.episode.steps == 40 and sum(t.episode.modes) == 40


def test_reaching_the_goal_terminates() -> None:
    t = trainer("point_mass")
    t.state = np.array([[0.05, 0.09]], dtype=np.float32)
    t.memory.has_triple[:] = True  # with no rise possible: PD acts, which draws it in
    t.memory.q_plus[:] = 1e6
    t.p_relax = 0.0
    while not t.step():
        pass
    assert last_row(t)[-1] == 1
    assert t.recent[0].goal and t.recent[0].steps < 20
    assert (t.replay.rows[: t.replay.added - 1, -1] == 0).all()


def test_the_time_limit_truncates() -> None:
    t = trainer("point_mass", steps=5)
    t.state = np.array([[2.0, 0.0]], dtype=np.float32)
    assert [t.step() for _ in range(5)] == [False] * 4 + [True]
    assert (t.replay.rows[:5, -1] == 0).all(), "bootstrapped"
    assert not t.recent[0].goal and t.recent[0].steps == 5


@pytest.mark.parametrize(
    ("name", "state"), [("point_mass", [4.999, 3.0]), ("differential_drive", [0.0, -6.0, 0.0])]
)
def test_leaving_the_plane_truncates(name: str, state: list[float]) -> None:
    t = trainer(name)
    t.state = np.array([state], dtype=np.float32)
    assert t.step()
    assert last_row(t)[-1] == 0, "bootstrapped: else fleeing would be worth 0"
    assert not t.recent[0].goal


def test_an_episode_begins_with_no_triple_and_at_a_start() -> None:
    t = trainer("point_mass", steps=5)
    for _ in range(5):
        t.step()
    assert not t.memory.has_triple.any()
    assert (np.abs(t.state) <= 2).all()
    assert t.episode.steps == 0 and t.episode.episode == 1


def test_p_relax_decays_once_a_step() -> None:
    t = trainer("point_mass", steps=5)
    assert t.p_relax == 0.99995
    for _ in range(12):
        t.step()
    assert_allclose(t.p_relax, 0.99995**13, rtol=1e-14)
    assert_allclose([e.p_relax for e in t.recent], [0.99995**6, 0.99995**11], rtol=1e-14)


def test_learning_begins_with_the_first_whole_batch() -> None:
    t = trainer("point_mass", batch=6)
    updates = []
    for _ in range(9):
        t.step()
        updates.append(t.td3.updates)
    assert updates == [0, 0, 0, 0, 0, 1, 2, 3, 4]


# Presets


def test_presets_are_those_published() -> None:
    made = {name: TrainingConfig.from_preset(name) for name in PRESETS}
    sizes = {name: (c.episodes, c.steps, c.batch) for name, c in made.items()}
    assert sizes == {
        "quick": (100, 500, 64),
        "standard": (500, 750, 64),
        "thorough": (1000, 1000, 128),
    }


def test_settings_are_those_published() -> None:
    c = trainer("point_mass").config
    assert (c.replay, c.exploration, c.reward_scale, c.lambda_relax) == (100_000, 0.1, 10, 0.99995)
    assert (c.lr, c.gamma, c.tau, c.policy_delay) == (3e-4, 0.99, 0.005, 2)
    assert (c.target_noise, c.target_noise_clip) == (0.2, 0.5)
