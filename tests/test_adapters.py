"""Adapters of calf_attach: Stable-Baselines3's callback, environments that show themselves, planes
through more than two numbers; and that a training is the same with and without them."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from attached_loops import board_of
from calf_attach import Handle, attach
from calf_attach.board import Board
from calf_attach.layout import FIRST, TERMINATED, TRUNCATED, Word

from calf_viz.agent.threads import one_thread

gymnasium = pytest.importorskip("gymnasium", reason="the extra gym is not installed")
PENDULUM, CART = "Pendulum-v1", "CartPole-v1"


pytestmark = pytest.mark.usefixtures("boards")


@pytest.fixture(autouse=True)
def small_batches_in_one_thread() -> Iterator[None]:
    with one_thread():
        yield


class TestPlanes:
    def steps(self, viz: Handle, observations: np.ndarray) -> Board:
        zeros = np.zeros(observations.shape[1])
        viz.reset(observations[0])
        for seen in observations[1:]:
            viz.step(seen, zeros, zeros.astype(bool), zeros.astype(bool))
        return board_of(viz)

    def test_an_angle_and_an_entry(self) -> None:
        angles = np.linspace(-3, 3, 12).reshape(3, 4)
        seen = np.stack([np.cos(angles), np.sin(angles), 2 * angles], axis=-1)
        with attach([(-np.pi, np.pi), (-8, 8)], axes="angle(0,1),2", rate=1e9) as viz:
            board = self.steps(viz, seen)
            rows = board.rows_since(0)
            for row, expected in zip(rows, angles, strict=True):
                np.testing.assert_allclose(row.positions[:, 0], expected, rtol=1e-6)
                np.testing.assert_allclose(row.positions[:, 1], 2 * expected, rtol=1e-6)
            meta = board.meta()
            assert meta is not None and meta["periodic"] == [True, False]

    def test_others_are_held_or_follow_an_agent(self) -> None:
        seen = np.random.default_rng(0).normal(size=(4, 3, 5))
        given: list[np.ndarray] = []

        def critic(observations: np.ndarray) -> np.ndarray:
            given.append(observations[0].copy())
            return observations.sum(axis=1)

        for others, expected in (
            ("mean", seen[0].mean(axis=0)[[0, 2, 3]]),
            ({0: 7.0}, [7.0, *seen[0].mean(axis=0)[[2, 3]]]),
            ("agent", seen[-1, 2, [0, 2, 3]]),
        ):
            with attach(
                [(-4, 4), (-4, 4)], axes=(1, 4), others=others, chosen=2, critic=critic, nodes=2
            ) as viz:
                self.steps(viz, seen)
                viz.refresh()
            np.testing.assert_allclose(given[-1], [expected[0], -4, *expected[1:], -4], rtol=1e-6)

    def test_an_angle_keeps_its_period_where_the_other_axis_grows(self) -> None:
        seen = np.stack([np.ones((2, 2)), np.zeros((2, 2)), [[0, 1], [50, 90]]], axis=-1)
        with attach(axes="angle(0,1),2", rate=1e9) as viz:
            meta = self.steps(viz, seen).meta()
        assert meta is not None
        (left, low), (right, high) = meta["lo"], meta["hi"]
        assert (left, right) == (-np.pi, np.pi) and low <= 0 and high >= 90

    @pytest.mark.parametrize(
        "wrong",
        [{"axes": "0"}, {"axes": "0,0"}, {"axes": "0,1", "project": len}, {"others": "median"},
         {"axes": "0,9", "space": gymnasium.spaces.Box(-1, 1, (3,))}],
    )  # fmt: skip
    def test_what_is_no_plane_is_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"axes|others|entry|project"):
            attach(**wrong)


def drawn(viz: Handle) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions and flags of each row."""
    for row in board_of(viz).rows_since(0):
        yield row.positions, row.flags


class TestWrap:
    @pytest.mark.parametrize("mode", ["NEXT_STEP", "SAME_STEP"])
    def test_vector_environments_draw_their_ends(self, mode: str) -> None:
        """CartPole ends beyond 2.4 or 12 degrees, and starts within 0.05."""
        kind = gymnasium.vector.AutoresetMode[mode]
        envs = gymnasium.make_vec(
            CART, 3, vectorization_mode="sync", vector_kwargs={"autoreset_mode": kind}
        )
        viz = attach([(-3, 3), (-0.3, 0.3)], axes=(0, 2), rate=1e9, modes=("left", "right"))
        envs = viz.wrap(envs)
        envs.reset(seed=0)
        for number in range(150):
            envs.step(np.full(3, number % 2))
        ends = begins = 0
        for positions, flags in drawn(viz):
            over = (flags & (TERMINATED | TRUNCATED)) > 0
            far = (np.abs(positions[:, 0]) > 2.4) | (np.abs(positions[:, 1]) > 12 * np.pi / 180)
            assert (far == over).all()
            assert (np.abs(positions[(flags & FIRST) > 0]) <= 0.05).all()
            ends, begins = ends + over.sum(), begins + ((flags & FIRST) > 0).sum()
        assert ends > 3 and begins in range(ends, ends + 4)
        envs.close()
        assert not viz.is_running()

    def test_single_environments_too(self) -> None:
        viz = attach([(-3, 3), (-0.3, 0.3)], axes=(0, 2), rate=1e9)
        env = viz.wrap(gymnasium.make(CART))
        ends = 0
        env.reset(seed=0)
        for _ in range(100):
            _, _, terminated, truncated, _ = env.step(1)
            if terminated or truncated:
                ends += 1
                env.reset()
        rows = list(drawn(viz))
        assert sum(int((flags & TERMINATED > 0).sum()) for _, flags in rows) == ends > 3
        assert sum(int((flags & FIRST > 0).sum()) for _, flags in rows) == ends + 1
        assert env.spec.id == CART  # all else is the environment's
        env.close()

    def test_switched_off_it_is_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CALF_ATTACH", "0")
        env = attach().wrap(gymnasium.make(PENDULUM))
        env.reset(seed=0)
        assert len(env.step(np.zeros(1))) == 5


ALGORITHMS = {
    "PPO": (PENDULUM, {"n_steps": 32, "batch_size": 32}, "V(s)"),
    "A2C": (CART, {}, "V(s)"),
    "SAC": (PENDULUM, {"learning_starts": 20}, "min Q(s, π(s))"),
    "TD3": ("MountainCarContinuous-v0", {"learning_starts": 20}, "min Q(s, π(s))"),
    "DDPG": (PENDULUM, {"learning_starts": 20}, "Q(s, π(s))"),
    "DQN": (CART, {"learning_starts": 20}, "max Q(s, a)"),
}
SMALL = {"policy_kwargs": {"net_arch": [16, 16]}, "device": "cpu"}


def trained(
    name: str, seed: int = 0, steps: int = 96, callback: Any = None, env: Any = None
) -> Any:
    sb3 = pytest.importorskip("stable_baselines3", reason="the extra sb3 is not installed")
    env_id, given, _ = ALGORITHMS[name]
    small = {"seed": seed, "policy_kwargs": {"net_arch": [16, 16]}, "device": "cpu"}
    model = getattr(sb3, name)("MlpPolicy", env or env_id, **given, **small)
    return model.learn(steps, callback=callback)


class TestCallback:
    @pytest.mark.parametrize("name", ALGORITHMS)
    def test_needs_no_argument(self, name: str) -> None:
        sb3 = pytest.importorskip("calf_attach.sb3", reason="the extra sb3 is not installed")
        boards: list[Board] = []

        class Kept(sb3.Callback):
            def _on_training_end(self) -> None:
                boards.append(board_of(self.viz))
                super()._on_training_end()

        model = trained(name, callback=Kept())
        (board,) = boards
        meta, surface = board.meta(), board.surface()
        assert meta is not None and surface is not None and surface.values is not None
        assert meta["value"] == ALGORITHMS[name][2] and board[Word.FAULTS] == 0
        assert np.isfinite(surface.values).all() and np.ptp(surface.values) > 0
        assert meta["modes"] == (["left", "right"] if name in ("A2C", "DQN") else ["agents"])
        assert meta["title"] == ALGORITHMS[name][0] and meta["labels"] != ["x", "y"]
        assert board[Word.STEP] == model.num_timesteps // model.n_envs

    def test_its_surface_is_the_models_critic(self) -> None:
        sb3 = pytest.importorskip("calf_attach.sb3", reason="the extra sb3 is not installed")
        torch = pytest.importorskip("torch")
        model = trained("SAC")
        critic, _ = sb3.critic_of(model)
        observed = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
        with torch.no_grad():
            given = torch.from_numpy(observed)
            actions = torch.from_numpy(model.predict(observed, deterministic=True)[0] / 2.0)
            expected = torch.cat(model.critic(given, actions), dim=1).min(dim=1).values
        np.testing.assert_allclose(critic(observed), expected.numpy(), rtol=1e-4, atol=1e-5)

    def test_a_normalised_training_is_shown_in_true_units(self) -> None:
        sb3 = pytest.importorskip("calf_attach.sb3", reason="the extra sb3 is not installed")
        from stable_baselines3.common.env_util import make_vec_env
        from stable_baselines3.common.vec_env import VecNormalize

        rows: list[np.ndarray] = []
        ends: list[tuple[np.ndarray, np.ndarray]] = []

        class Kept(sb3.Callback):
            def _on_training_end(self) -> None:
                for positions, flags in drawn(self.viz):
                    rows.append(positions)
                    ends.append((positions[(flags & TERMINATED) > 0], flags))
                super()._on_training_end()

        envs = VecNormalize(make_vec_env(CART, 2, seed=0))
        trained("A2C", steps=400, callback=Kept(rate=1e9), env=envs)
        terminal = np.concatenate([each for each, _ in ends])
        far = (np.abs(terminal[:, 0]) > 2.4) | (np.abs(terminal[:, 1]) > 0.2094)
        assert len(terminal) > 3 and far.all()
        assert np.abs(np.concatenate(rows)[:, 1]).max() < 0.5  # rad; normalised it would be above

    def test_observations_without_coordinates_need_project(self) -> None:
        settings = pytest.importorskip("calf_attach.settings")
        space = gymnasium.spaces.Dict({"a": gymnasium.spaces.Box(-1, 1, (2,))})
        with pytest.raises(ValueError, match="give project="):
            settings.suited(space, None, None, {})


def state_of(model: Any) -> list[Any]:
    """All that a training is made of: weights, optimisers, episodes, random states."""
    import torch

    found: list[Any] = [t.numpy().tobytes() for t in model.policy.state_dict().values()]
    for optimiser in [model.policy.optimizer] if hasattr(model.policy, "optimizer") else []:
        for state in optimiser.state_dict()["state"].values():
            found += [v.numpy().tobytes() for v in state.values() if torch.is_tensor(v)]
    found += [(info["r"], info["l"]) for info in model.ep_info_buffer]
    found += [model.num_timesteps, model._n_updates]
    found += [torch.get_rng_state().numpy().tobytes(), random.getstate()]
    found += [repr(np.random.get_state()), model._last_obs.tobytes()]
    return found + [repr(env.unwrapped.np_random.bit_generator.state) for env in model.env.envs]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", ["PPO", "SAC"])
def test_a_training_is_the_same_to_the_bit_when_watched(name: str, seed: int) -> None:
    sb3 = pytest.importorskip("calf_attach.sb3", reason="the extra sb3 is not installed")
    alone = state_of(trained(name, seed, 72))
    watched = state_of(trained(name, seed, 72, sb3.Callback(every=8, nodes=9)))
    assert watched == alone
    assert os.environ.get("CALF_ATTACH") is None
