"""The simulation: who acts, when episodes end, and that agents do not mind each other."""

from __future__ import annotations

import numpy as np
import pytest

from calf_viz import systems
from calf_viz.agent import checkpoint
from calf_viz.agent import shipped_agents as shipped
from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.modes import CERTIFIED, NOMINAL, RELAX
from calf_viz.errors import UserError
from calf_viz.sources import simulation
from calf_viz.sources.simulation import POLICIES, Simulation


@pytest.fixture(params=shipped.trained())
def agent(request: pytest.FixtureRequest) -> CALFAgent:
    return CALFAgent.load(checkpoint.shipped(request.param), request.param)


@pytest.mark.parametrize("policy", POLICIES)
def test_first_samples_are_starts(agent: CALFAgent, policy: str) -> None:
    samples = Simulation(agent, 50, policy=policy).step()
    assert samples.first.all()
    assert samples.positions.shape == (50, 2) and samples.positions.dtype == np.float32
    widest = (np.pi, 1.0) if agent.system.name == "pendulum" else 2.0
    assert (np.abs(samples.positions) <= widest).all()
    assert len(np.unique(samples.positions, axis=0)) == 50
    assert (samples.modes == (NOMINAL if policy == "nominal" else CERTIFIED)).all()
    assert (samples.headings is None) == (agent.system.heading_axis is None)


def test_nominal_and_actor_follow_their_policy_alone(agent: CALFAgent) -> None:
    system, networks = agent.system, agent.array_networks()
    for policy, action in (("nominal", system.nominal), ("actor", networks.actor_actions)):
        simulated = Simulation(agent, 20, policy=policy)
        simulated.step()
        for _ in range(100):
            before = simulated.states.copy()
            samples = simulated.step()
            going = ~samples.first
            expected = system.step(before, action(before))
            np.testing.assert_array_equal(simulated.states[going], expected[going])
            modes = {NOMINAL} if policy == "nominal" else {CERTIFIED, RELAX}
            assert set(samples.modes.tolist()) <= modes


def test_calf_certifies_each_agent_by_its_own_triple(agent: CALFAgent) -> None:
    simulated = Simulation(agent, 30)
    simulated.step()
    seen = set()
    for _ in range(300):
        old, held = simulated.memory.q_plus.copy(), simulated.memory.has_triple.copy()
        samples = simulated.step()
        seen |= set(samples.modes.tolist())
        certified = ~samples.first & (samples.modes == CERTIFIED)
        rise = simulated.memory.q_plus - old
        assert (rise[certified & held] >= agent.info.constants.nu_bar).all()
        assert (rise[~samples.first & ~certified] == 0.0).all()
        assert not simulated.memory.has_triple[samples.first].any()
    assert seen == {CERTIFIED, NOMINAL}, "strict agents never relax"


def test_p_relax_lets_actions_through(agent: CALFAgent) -> None:
    simulated = Simulation(agent, 30, p_relax=1.0)
    modes = np.concatenate([simulated.step().modes for _ in range(100)])
    assert (modes == RELAX).any() and not (modes == NOMINAL).any()


def test_an_agent_in_the_goal_starts_anew_with_the_next_step(agent: CALFAgent) -> None:
    simulated = Simulation(agent, 5)
    simulated.step()
    simulated.states[2] = 0.0
    # One step from the goal is in the goal, or close enough to be there soon.
    for _ in range(5):
        if simulated.step().first[2]:
            break
    else:
        pytest.fail("it never arrived")
    assert simulated.arrived == 1
    assert simulated.episodes.tolist() == [1, 1, 2, 1, 1]
    assert agent.system.norm(simulated.states[2:3])[0] > 0.1


@pytest.mark.parametrize("bad", [np.nan, np.inf, 100.0])
def test_an_agent_that_is_lost_starts_anew_and_the_others_go_on(
    agent: CALFAgent, bad: float
) -> None:
    """Beyond the plane, or not a number at all."""
    plain, hurt = (Simulation(agent, 4, policy="nominal") for _ in range(2))
    plain.step(), hurt.step()
    lost = 1 if agent.system.name == "pendulum" else 0  # no angle, which would be wrapped
    hurt.states[1, lost] = bad
    plain.step(), hurt.step()
    samples = hurt.step()
    plain.step()
    assert samples.first.tolist() == [False, True, False, False]
    assert np.isfinite(samples.positions).all()
    np.testing.assert_array_equal(hurt.states[[0, 2, 3]], plain.states[[0, 2, 3]])


def test_an_angle_of_the_plane_that_wraps_begins_nothing() -> None:
    agent = CALFAgent.random(systems.get("pendulum"), np.random.default_rng(0))
    simulated = Simulation(agent, 40, policy="nominal")
    last, wraps = simulated.step(), 0
    for _ in range(300):
        samples = simulated.step()
        far = np.abs(samples.positions - last.positions)[:, 0] > 3.0
        wraps += int(far.sum())
        assert not (samples.first & far)[simulated.episodes == 1].any()
        last = samples
    assert wraps > 10, "it swings over the lower end"


def test_an_endless_episode_ends(agent: CALFAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "LONGEST_EPISODE", 7)
    simulated = Simulation(agent, 3, policy="nominal")
    first = [simulated.step().first.all() for _ in range(17)]
    assert [step for step, was in enumerate(first) if was] == [0, 8, 16]


def test_agents_may_come_and_go(agent: CALFAgent) -> None:
    simulated = Simulation(agent, 3)
    for _ in range(50):
        simulated.step()
    states, q_plus = simulated.states.copy(), simulated.memory.q_plus.copy()
    simulated.resize(6)
    np.testing.assert_array_equal(simulated.states[:3], states)
    np.testing.assert_array_equal(simulated.memory.q_plus[:3], q_plus)
    assert simulated.step().first[3:].all()
    simulated.resize(1)
    assert len(simulated) == 1 and len(simulated.step().positions) == 1


def test_the_seed_decides_everything(agent: CALFAgent) -> None:
    def run(seed: int) -> np.ndarray:
        simulated = Simulation(agent, 4, seed=seed, p_relax=0.5)
        return np.stack([simulated.step().positions.copy() for _ in range(60)])

    np.testing.assert_array_equal(run(3), run(3))
    assert not np.array_equal(run(3), run(4))


def test_unknown_policy() -> None:
    agent = CALFAgent.random(systems.get("point_mass"), np.random.default_rng(0))
    with pytest.raises(UserError, match="unknown policy 'x': choose one of calf, nominal, actor"):
        Simulation(agent, 1, policy="x")
