"""CALFAgent: many agents and one agent act alike, each with a triple of its own."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from oracles import act_one

from calf_viz import systems
from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.modes import CERTIFIED, NOMINAL, RELAX
from calf_viz.agent.networks import encode


@pytest.fixture(params=systems.own())
def agent(request: pytest.FixtureRequest) -> CALFAgent:
    """Random networks, the critic's outputs spread and mostly below 0, so that modes are mixed."""
    agent = CALFAgent.random(systems.get(request.param), np.random.default_rng(8))
    with torch.no_grad():
        agent.critic.w3 *= 20.0
        agent.critic.b3 -= 10.0
    return agent


def constant_agent(action: float, q: float) -> CALFAgent:
    """A point mass whose actor always says `action` and whose critic always says `q`."""
    agent = CALFAgent.random(systems.get("point_mass"), np.random.default_rng(0))
    with torch.no_grad():
        for tensor in agent.tensors().values():
            tensor.zero_()
        agent.actor.b3 += np.arctanh(action / 5.0)
        agent.critic.b3 += q
    return agent


# Networks


@pytest.mark.parametrize("angles", [(0,), (1,), (2,), (0, 1), (2, 0), (0, 1, 2)])
def test_an_angle_is_seen_as_its_cosine_and_sine_in_its_place(angles: tuple[int, ...]) -> None:
    states = torch.tensor([[0.3, 0.4, 0.5], [-1.0, 2.0, 3.0]])
    columns = []
    for i in range(3):
        angle = states[:, i]
        columns += [angle.cos(), angle.sin()] if i in angles else [angle]
    assert torch.equal(encode(states, angles), torch.stack(columns, dim=1))
    assert encode(states, ()) is states


def test_the_robots_networks_see_no_jump_at_pi() -> None:
    agent = CALFAgent.random(systems.get("differential_drive"), np.random.default_rng(1))
    left, right = ([[1.0, -0.5, turn]] for turn in (np.pi, -np.pi))
    assert_allclose(agent.actor_actions(left), agent.actor_actions(right), atol=1e-6)
    actions = [[0.3, -0.2]]
    assert_allclose(agent.q_values(left, actions), agent.q_values(right, actions), atol=1e-6)
    # Half a turn, though, is seen.
    assert not np.allclose(agent.q_values(left, actions), agent.q_values([[1, -0.5, 0]], actions))


def test_actor_actions_lie_within_the_limits(agent: CALFAgent) -> None:
    with torch.no_grad():
        agent.actor.w3 *= 1e3  # to saturate tanh
    states = agent.system.initial_states(200, np.random.default_rng(2))
    actions = agent.actor_actions(states)
    assert actions.dtype == np.float32
    assert_array_equal(np.abs(actions).max(axis=0), agent.system.action_limits)


def test_the_same_seed_gives_the_same_networks_and_leaves_torchs_own_alone() -> None:
    before = torch.get_rng_state()
    a, b, other = (
        CALFAgent.random(systems.get("point_mass"), np.random.default_rng(seed)).tensors()
        for seed in (3, 3, 4)
    )
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["actor.w1"], other["actor.w1"])
    assert torch.equal(torch.get_rng_state(), before)


def test_q1_is_the_first_of_the_twins(agent: CALFAgent) -> None:
    rng = np.random.default_rng(5)
    states = agent.system.initial_states(40, rng)
    actions = agent.system.nominal(states)
    with torch.no_grad():
        both = agent.critic(torch.from_numpy(states), torch.from_numpy(actions)).numpy()
    assert both.shape == (2, 40)
    assert_allclose(agent.q_values(states, actions), both[0], atol=2e-5)
    assert not np.allclose(both[0], both[1], atol=0.1)


@pytest.mark.parametrize("n", [1, 7, 300])
def test_networks_in_numpy_agree_with_torchs(agent: CALFAgent, n: int) -> None:
    with torch.no_grad():
        agent.critic.w3 /= 20.0  # the agreement promised is for values of about 1
    states = agent.system.initial_states(n, np.random.default_rng(n))
    networks = agent.array_networks()
    actions = networks.actor_actions(states)
    q = networks.q_values(states, actions)
    assert (actions.dtype, q.dtype, q.shape) == (np.float32, np.float32, (n,))
    assert_allclose(actions, agent.actor_actions(states), atol=1e-5)
    assert_allclose(q, agent.q_values(states, actions), rtol=0, atol=1e-5)


def test_networks_in_numpy_follow_weights_that_arrive(agent: CALFAgent) -> None:
    networks = agent.array_networks()
    other = CALFAgent.random(agent.system, np.random.default_rng(77))
    states = agent.system.initial_states(5, np.random.default_rng(1))
    assert np.abs(networks.actor_actions(states) - other.actor_actions(states)).max() > 1e-3
    agent.set_flat_weights(other.flat_weights())
    assert_allclose(networks.actor_actions(states), other.actor_actions(states), atol=1e-5)
    agent.set_tensors(CALFAgent.random(agent.system, np.random.default_rng(78)).tensors(), "here")
    assert_allclose(networks.actor_actions(states), agent.actor_actions(states), atol=1e-5)


@pytest.mark.parametrize("weight", [np.inf, -np.inf, np.nan, 1e38])
def test_networks_in_numpy_are_silent_about_weights_that_diverged(
    agent: CALFAgent, weight: float
) -> None:
    agent.set_flat_weights(np.full_like(agent.flat_weights(), weight))
    states = agent.system.initial_states(4, np.random.default_rng(1))
    states[0] = np.inf
    networks = agent.array_networks()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        q = networks.q_values(states, networks.actor_actions(states))
    assert not np.isfinite(q).all()


def test_networks_in_numpy_act_as_torchs(agent: CALFAgent) -> None:
    memories = agent.memory(50), agent.memory(50)
    states = agent.system.initial_states(50, np.random.default_rng(3))
    for seed, step in enumerate((states, states + 0.5)):
        (actions, modes), (expected, expected_modes) = (
            agent.act(step, memory, 0.3, np.random.default_rng(seed), networks=networks)
            for memory, networks in zip(memories, (agent.array_networks(), None), strict=True)
        )
        assert_array_equal(modes, expected_modes)
        assert_allclose(actions, expected, atol=1e-5)
    assert_allclose(memories[0].actions, memories[1].actions, atol=1e-5)


def test_networks_agree_between_a_batch_and_single_rows(agent: CALFAgent) -> None:
    with torch.no_grad():
        agent.critic.w3 /= 20.0  # the agreement promised is for values of about 1
    states = agent.system.initial_states(200, np.random.default_rng(6))
    rows = [states[i : i + 1] for i in range(200)]
    actions = agent.actor_actions(states)
    assert_allclose(actions, np.concatenate([agent.actor_actions(r) for r in rows]), atol=1e-5)
    single = [agent.q_values(r, a[None]) for r, a in zip(rows, actions, strict=True)]
    assert_allclose(agent.q_values(states, actions), np.concatenate(single), rtol=0, atol=1e-5)


def test_the_lyapunov_candidate_is_minus_q1_at_the_actors_action(agent: CALFAgent) -> None:
    states = agent.system.initial_states(30, np.random.default_rng(7))
    q = agent.q_values(states, agent.actor_actions(states))
    assert_allclose(agent.lyapunov(states), -q, rtol=1e-6)
    # And one row by hand.
    p = {name.removeprefix("critic."): t for name, t in agent.tensors().items() if "critic" in name}
    row = torch.from_numpy(states[:1])
    x = torch.cat((encode(row, agent.system.angles), agent.actor(row).detach()), dim=1)
    for layer in "12":
        x = torch.relu(x @ p[f"w{layer}"][0] + p[f"b{layer}"][0])
    assert_allclose(agent.lyapunov(states)[0], -float(x @ p["w3"][0] + p["b3"][0]), rtol=1e-5)


# Acting


def test_one_agent_acts_as_it_does_among_many(agent: CALFAgent) -> None:
    n, seed = 24, 11
    states = agent.system.initial_states(n, np.random.default_rng(seed))
    many, one_by_one = agent.memory(n), agent.memory(n)
    batch_rng, single_rng = (np.random.default_rng(seed) for _ in range(2))
    seen = set()
    for step in range(60):
        before = many.q_plus.copy(), many.has_triple.copy()
        # From the same triples, so that a rounding does not grow from step to step.
        for name in ("states", "actions", "q_plus", "has_triple"):
            getattr(one_by_one, name)[:] = getattr(many, name)
        actions, modes = agent.act(states, many, 0.5, batch_rng)
        single = [act_one(agent, states[i], one_by_one, 0.5, single_rng, i) for i in range(n)]
        # The two may differ where q is within a rounding of a bound; elsewhere never.
        q = agent.q_values(states, agent.actor_actions(states)).astype(np.float64)
        square = agent.system.norm(states) ** 2
        margins = np.abs([q - before[0] - 0.01, -q - 0.01 * square, -q - 1000 * square])
        clear = (margins > 1e-4).all(axis=0) | ~before[1]
        assert clear.mean() > 0.9
        for i in np.flatnonzero(clear):
            assert single[i][1] == modes[i], f"step {step}, agent {i}"
            assert_allclose(single[i][0], actions[i], atol=1e-5)
            assert_allclose(one_by_one.q_plus[i], many.q_plus[i], atol=1e-4)
            assert_allclose(one_by_one.states[i], many.states[i])
            assert one_by_one.has_triple[i] == many.has_triple[i]
        seen |= set(modes.tolist())
        states = agent.system.step(states, actions)
        if step % 4 == 3:
            states = agent.system.initial_states(n, batch_rng)
            single_rng.bit_generator.state = batch_rng.bit_generator.state
    assert seen == {CERTIFIED, RELAX, NOMINAL}


def test_each_mode_uses_its_own_action() -> None:
    agent = constant_agent(action=2.0, q=-1.0)
    states = np.array([[1.0, 0.5]] * 3, dtype=np.float32)
    memory = agent.memory(3)
    actions, modes = agent.act(states, memory, 0.0, np.random.default_rng(0))
    assert modes.tolist() == [CERTIFIED] * 3
    assert_allclose(actions, [[2.0]] * 3, rtol=1e-6)
    # q does not rise: from now on nothing is certified, and the triple stays.
    actions, modes = agent.act(states + 1, memory, 1.0, np.random.default_rng(0))
    assert modes.tolist() == [RELAX] * 3
    assert_allclose(actions, [[2.0]] * 3, rtol=1e-6)
    actions, modes = agent.act(states + 1, memory, 0.0, np.random.default_rng(0))
    assert modes.tolist() == [NOMINAL] * 3
    assert_allclose(actions, [[-2 * 2.0 - 0.4 * 1.5]] * 3, rtol=1e-6)
    assert_array_equal(memory.states, states)
    assert memory.q_plus.tolist() == [-1.0] * 3


def test_each_agent_has_a_triple_of_its_own() -> None:
    agent = constant_agent(action=2.0, q=-5.0)
    states = np.array([[1.0, 0.0]] * 4, dtype=np.float32)
    memory = agent.memory(4)
    # The first has been higher already, the second lower, the third was just reset.
    memory.has_triple[:] = [True, True, False, True]
    memory.q_plus[:] = [-1.0, -9.0, -1.0, -5.005]
    _, modes = agent.act(states, memory, 0.0, np.random.default_rng(0))
    assert modes.tolist() == [NOMINAL, CERTIFIED, CERTIFIED, NOMINAL]
    assert memory.q_plus.tolist() == [-1.0, -5.0, -5.0, -5.005]


def test_an_agent_does_the_same_in_any_company(agent: CALFAgent) -> None:
    n = 16
    states = agent.system.initial_states(n, np.random.default_rng(12))
    order = np.random.default_rng(13).permutation(n)
    here, there = agent.memory(n), agent.memory(n)
    rng = np.random.default_rng(14)
    for _ in range(20):
        actions, modes = agent.act(states, here, 0.0, rng)
        shuffled, shuffled_modes = agent.act(states[order], there, 0.0, rng)
        assert_array_equal(shuffled_modes, modes[order])
        assert_allclose(shuffled, actions[order], atol=1e-5)
        states = agent.system.initial_states(n, rng)


@pytest.mark.parametrize("p_relax", [0.0, 0.5])
def test_each_step_draws_one_number_for_each_agent(p_relax: float) -> None:
    """Whatever the modes: so that adding an agent, say, changes no other's luck."""
    rng, expected = np.random.default_rng(15), np.random.default_rng(15)
    agent = constant_agent(action=1.0, q=-1.0)
    memory = agent.memory(5)
    for _ in range(3):
        agent.act(np.ones((5, 2)), memory, p_relax, rng)
        expected.random(5)
    assert rng.bit_generator.state == expected.bit_generator.state


def test_relaxing_happens_as_often_as_p_relax_says() -> None:
    agent = constant_agent(action=1.0, q=-1.0)
    n = 4000
    memory, rng, states = agent.memory(n), np.random.default_rng(16), np.ones((n, 2))
    agent.act(states, memory, 0.3, rng)
    _, modes = agent.act(states, memory, 0.3, rng)
    assert abs((modes == RELAX).mean() - 0.3) < 0.03
    assert abs((modes == NOMINAL).mean() - 0.7) < 0.03


def test_exploration_is_added_and_clipped_before_the_certificate_is_asked(
    agent: CALFAgent,
) -> None:
    n, limits = 2000, agent.system.action_limits
    states = np.tile(agent.system.initial_states(1, np.random.default_rng(17)), (n, 1))
    plain = agent.actor_actions(states)
    memory = agent.memory(n)
    actions, modes = agent.act(states, memory, 0.0, np.random.default_rng(18), exploration=0.1)
    assert (modes == CERTIFIED).all()  # the first step
    assert_allclose((actions - plain).std(axis=0), 0.1 * limits, rtol=0.1)
    assert_array_equal(memory.actions, actions)
    assert_allclose(memory.q_plus, agent.q_values(states, actions), atol=1e-4)
    memory.reset()
    actions, _ = agent.act(states, memory, 0.0, np.random.default_rng(18), exploration=5.0)
    assert_array_equal(np.abs(actions).max(axis=0), limits)
    assert_array_equal(memory.actions, actions)


def test_a_critic_that_is_not_finite_certifies_nothing() -> None:
    agent = constant_agent(action=1.0, q=float("nan"))
    states = np.ones((3, 2), dtype=np.float32)
    actions, modes = agent.act(states, agent.memory(3), 0.0, np.random.default_rng(0))
    assert modes.tolist() == [NOMINAL] * 3
    assert_allclose(actions, agent.system.nominal(states))
    action, mode = act_one(agent, states[0], agent.memory(1), 0.0, np.random.default_rng(0))
    assert mode == NOMINAL and action == actions[0]
