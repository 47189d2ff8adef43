"""Environments of Gymnasium as systems: CALF's training, evaluation and simulation on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gymnasium", reason="the extra gym is not installed")

import gymnasium

from calf_viz import systems
from calf_viz.agent.evaluation import held_out_starts, nominal_row
from calf_viz.environments.environment_system import EnvironmentSystem
from calf_viz.errors import UserError
from calf_viz.sources.simulation import Simulation
from calf_viz.training import resume
from calf_viz.training.config import TrainingConfig
from calf_viz.training.trainer import Trainer

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "pendulum_v1.py"


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> EnvironmentSystem:
    from calf_viz.systems import registry

    monkeypatch.setattr(registry, "_given", {})
    found = systems.get(systems.given(str(EXAMPLE)))
    assert (
        isinstance(found, EnvironmentSystem)
        or type(found).__mro__[1].__name__ == "EnvironmentSystem"
    )
    return found


def test_moves_and_pays_as_gymnasium_does(system: EnvironmentSystem) -> None:
    env = gymnasium.make("Pendulum-v1")
    states = system.initial_states(3, np.random.default_rng(0))
    seed = int(np.random.default_rng(0).integers(0, 2**31, 3)[1])
    observed, _ = env.reset(seed=seed)
    for _ in range(40):
        np.testing.assert_allclose(states[1, 1], observed[2], rtol=1e-6)
        np.testing.assert_allclose(np.cos(states[1, 0]), observed[0], atol=1e-6)
        actions = system.nominal(states)
        paid = system.reward(states, actions)
        states = system.step(states, actions)
        observed, reward, *_ = env.step(actions[1])
        assert paid[1] == pytest.approx(float(reward), rel=1e-6)


def test_goes_from_the_same_starts_again(system: EnvironmentSystem) -> None:
    """As evaluations do, which compare policies: one after the other, and with others between."""
    starts = held_out_starts(system, 12, 0)
    first = nominal_row(system, starts)
    system.initial_states(30, np.random.default_rng(9))
    assert nominal_row(system, starts) == first
    assert first.goal == 1.0 and first.within == 1.0


def test_two_agents_in_one_state_have_a_copy_each(system: EnvironmentSystem) -> None:
    start = system.initial_states(1, np.random.default_rng(0))
    both = np.concatenate([start, start])
    moved = system.step(both, np.array([[2.0], [-2.0]], np.float32))
    assert moved[0, 1] > moved[1, 1]


def test_does_not_collect_copies(system: EnvironmentSystem) -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        states = system.initial_states(5, rng)
        system.step(states, system.nominal(states))
    assert system._pool()._count <= 2 * 5 + 64


def test_a_simulation_restarts_with_the_same_seed(system: EnvironmentSystem) -> None:
    from calf_viz.agent import shipped_agents

    simulation = Simulation(shipped_agents.stand_in(system, 0), 4, 3, "nominal")
    ahead = simulation.foresee(20)
    before = [simulation.step().positions for _ in range(20)]
    np.testing.assert_array_equal(ahead, np.concatenate(before))
    simulation.restart()
    np.testing.assert_array_equal([simulation.step().positions for _ in range(20)], before)


SHORT = dict(
    preset="quick", seed=7, episodes=3, steps=60, batch=16, select_every=2, replay=150,
    selection_episodes=2,
)  # fmt: skip


def test_trains_and_resumes_in_the_middle_of_an_episode(
    system: EnvironmentSystem, tmp_path: Path
) -> None:
    config = TrainingConfig(system=system.name, **SHORT)
    trainer = Trainer(config)
    for _ in range(50):
        trainer.step()
    resume.save(trainer, tmp_path / "state.resume")
    again = resume.load(tmp_path / "state.resume")
    for one in (trainer, again):
        for _ in range(30):
            one.step()
    np.testing.assert_allclose(again.state, trainer.state, atol=1e-4)
    assert trainer.episode.ret < 0


def test_without_put_an_episode_in_the_middle_is_refused(system: EnvironmentSystem) -> None:
    class Shut(type(system)):  # type: ignore[misc]
        put = EnvironmentSystem.put

    with pytest.raises(UserError, match="implement `put`"):
        Shut().step(np.array([[0.1, 0.2]], np.float32), np.zeros((1, 1), np.float32))


def test_an_environment_of_other_actions_is_refused(system: EnvironmentSystem) -> None:
    class Cart(type(system)):  # type: ignore[misc]
        env_id = "CartPole-v1"

    with pytest.raises(UserError, match="action_limits has 1 numbers"):
        Cart().initial_states(1, np.random.default_rng(0))
