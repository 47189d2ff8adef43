"""The certificate's guarantees (docs/calf.md), with networks nobody trained."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import decide_one

from calf_viz import systems
from calf_viz.agent.calf import AgentInfo, CALFAgent
from calf_viz.agent.certificate import DEFAULTS, CertificateMemory, Constants, decide
from calf_viz.agent.evaluation import SELECTION, held_out_starts, strict_row
from calf_viz.agent.modes import CERTIFIED, NAMES, NOMINAL, RELAX

NU_BAR = 0.01


def wild_agent(name: str, seed: int, scale: float, shift: float = 0.0) -> CALFAgent:
    """Random networks, the critic's last layer scaled, its output shifted."""
    agent = CALFAgent.random(systems.get(name), np.random.default_rng(seed))
    with torch.no_grad():
        agent.critic.w3 *= scale
        agent.critic.b3 += shift
    return agent


def certified_q(
    agent: CALFAgent, n: int, steps: int, p_relax: float, seed: int
) -> tuple[list[list[float]], np.ndarray]:
    """q+ at every certified step of each of n agents, and all modes (steps, n).

    Every third step the agents are put somewhere else: nothing of what is claimed depends on
    where the states come from, and a critic is asked more when they jump.
    """
    rng = np.random.default_rng(seed)
    states = agent.system.initial_states(n, rng)
    memory = agent.memory(n)
    kept: list[list[float]] = [[] for _ in range(n)]
    modes = np.empty((steps, n), dtype=np.uint8)
    for step in range(steps):
        actions, modes[step] = agent.act(states, memory, p_relax, rng)
        for i in np.flatnonzero(modes[step] == CERTIFIED):
            kept[i].append(float(memory.q_plus[i]))
        states = agent.system.step(states, actions)
        if step % 3 == 2:
            states = agent.system.initial_states(n, rng)
    return kept, modes


# The rule


@pytest.mark.parametrize(
    ("q", "norm", "q_plus", "has_triple", "p_relax", "u", "mode"),
    [
        (-1.0, 1.0, 0.0, False, 0.0, 0.5, CERTIFIED),  # the first is free of conditions
        (+7.0, 1.0, 0.0, False, 0.0, 0.5, CERTIFIED),
        (-1.0, 1.0, -1.01, True, 0.0, 0.0, CERTIFIED),  # both hold
        (-1.0, 1.0, -1.009, True, 0.0, 0.0, NOMINAL),  # rises by too little
        (-1.0, 1.0, -0.5, True, 0.0, 0.0, NOMINAL),  # falls
        (-0.01, 1.0, -2.0, True, 0.0, 0.0, CERTIFIED),  # exactly at the lower bound
        (-0.0099, 1.0, -2.0, True, 0.0, 0.0, NOMINAL),  # above what the norm allows
        (+0.5, 1.0, -2.0, True, 0.0, 0.0, NOMINAL),
        (-1000.0, 1.0, -2000.0, True, 0.0, 0.0, CERTIFIED),  # exactly at the upper bound
        (-1001.0, 1.0, -2000.0, True, 0.0, 0.0, NOMINAL),
        (-1.0, 1.0, -0.5, True, 0.3, 0.29, RELAX),
        (-1.0, 1.0, -0.5, True, 0.3, 0.3, NOMINAL),  # u < P_relax, not <=
        (-1.0, 1.0, -0.5, True, 0.0, 0.0, NOMINAL),  # strict, even for u = 0
        (-1.0, 1.0, -1.5, True, 1.0, 0.9, CERTIFIED),  # certified comes before relax
        (math.nan, 1.0, 0.0, False, 0.0, 0.5, NOMINAL),
        (math.nan, 1.0, 0.0, False, 1.0, 0.5, RELAX),
        (math.inf, 1.0, -1.0, True, 0.0, 0.5, NOMINAL),
        (-math.inf, 1.0, 0.0, False, 0.0, 0.5, NOMINAL),
    ],
)
def test_the_rule_case_by_case(q, norm, q_plus, has_triple, p_relax, u, mode) -> None:
    assert decide_one(q, norm, q_plus, has_triple, p_relax, u) == mode
    rows = (np.array([v]) for v in (q, norm, q_plus, has_triple))
    assert decide(*rows, p_relax, np.array([u]))[0] == mode


def test_constants_are_those_published() -> None:
    assert (DEFAULTS.nu_bar, DEFAULTS.c_low, DEFAULTS.c_up) == (0.01, 0.01, 1000.0)
    assert NAMES == ("certified", "relax", "nominal")
    assert [NAMES[m] for m in (CERTIFIED, RELAX, NOMINAL)] == list(NAMES)


ANY = st.floats(allow_nan=True, allow_infinity=True)
# Hundredths, so that the conditions are often met exactly, and by the last bit missed.
NEAR = st.integers(-300, 100).map(lambda i: i / 100)
AROUND = st.tuples(NEAR, st.sampled_from([-math.inf, math.inf, 0.0])).map(
    lambda pair: math.nextafter(pair[0], pair[1]) if pair[1] else pair[0]
)
Q = st.one_of(ANY, NEAR, AROUND)
AGENT = st.tuples(
    Q,
    st.one_of(st.floats(0, 100), ANY, st.integers(0, 40).map(lambda i: i / 10)),
    Q,
    st.booleans(),
    st.floats(0, 1, exclude_max=True),
)


@given(
    st.lists(AGENT, min_size=0, max_size=8),
    st.one_of(st.floats(0, 1), st.just(0.0), st.just(math.nan)),
    st.sampled_from([DEFAULTS, Constants(nu_bar=0.5, c_low=0.0, c_up=1.0)]),
)
@settings(max_examples=250)
@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
def test_batch_and_scalar_agree_exactly(agents, p_relax: float, constants: Constants) -> None:
    q, norm, q_plus, u = (np.array([a[k] for a in agents], dtype=float) for k in (0, 1, 2, 4))
    has_triple = np.array([a[3] for a in agents], dtype=bool)
    modes = decide(q, norm, q_plus, has_triple, p_relax, u, constants)
    assert modes.dtype == np.uint8 and modes.shape == q.shape
    one_by_one = [
        decide_one(*map(float, (a, b, c)), bool(d), p_relax, float(e), constants)
        for a, b, c, d, e in zip(q, norm, q_plus, has_triple, u, strict=True)
    ]
    assert modes.tolist() == one_by_one


@given(st.lists(AGENT, min_size=1, max_size=8), st.randoms(use_true_random=False))
@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
def test_the_rule_is_pure(agents, random) -> None:
    """The same in any company and order, and its arguments are left as they were."""

    def modes(rows):
        q, norm, q_plus, has, u = (np.array(column) for column in zip(*rows, strict=True))
        before = [a.copy() for a in (q, norm, q_plus, has, u)]
        result = decide(q, norm, q_plus, has, 0.4, u).tolist()
        for old, new in zip(before, (q, norm, q_plus, has, u), strict=True):
            np.testing.assert_array_equal(old, new)
        return result

    order = list(range(len(agents)))
    random.shuffle(order)
    assert modes([agents[i] for i in order]) == [modes(agents)[i] for i in order]


# Property 1: q+ rises, and not for ever

WILD = {
    "name": st.sampled_from(systems.own()),
    "seed": st.integers(0, 2**32 - 1),
    "scale": st.floats(-50, 50),
    "shift": st.floats(-20, 5),
    "p_relax": st.sampled_from([0.0, 0.5]),
}


@given(**WILD)
@settings(max_examples=25)
def test_q_plus_rises_by_nu_bar_and_finitely_often(name, seed, scale, shift, p_relax) -> None:
    kept, _ = certified_q(wild_agent(name, seed, scale, shift), 12, 60, p_relax, seed)
    for values in kept:
        q = np.array(values)
        assert len(q) >= 1, "the first step of an episode is always certified"
        # The comparison the rule makes, in its float64: no tolerance.
        assert (q[1:] - q[:-1] >= NU_BAR).all()
        assert (q[1:] <= 0).all()
        assert len(q) - 1 <= abs(q[0]) / NU_BAR
        if q[0] > 0:
            assert len(q) == 1, "after a first one above 0 none may follow"


def test_the_property_is_not_an_empty_one() -> None:
    """The agents of the test above do certify later steps, and are refused others."""
    kept, modes = certified_q(wild_agent("point_mass", 1, 30.0, -10.0), 12, 60, 0.0, 1)
    assert np.mean([len(q) for q in kept]) > 3
    assert (modes == NOMINAL).mean() > 0.3


def test_as_many_certified_steps_as_the_bound_allows_and_no_more() -> None:
    """q rising by exactly nu_bar each step: a power of two, so that no rounding blurs it."""
    nu_bar = 2.0**-7
    constants = Constants(nu_bar=nu_bar)
    q_plus, has, certified = 0.0, False, 0
    for step in range(1000):
        q = -1.0 + step * nu_bar
        if decide_one(q, 0.04 if q else 0.0, q_plus, has, 0.0, 0.5, constants) == CERTIFIED:
            q_plus, has, certified = q, True, certified + 1
    assert certified - 1 == 1.0 / nu_bar


# Property 2: the strict agent arrives


@given(name=WILD["name"], seed=WILD["seed"], scale=st.floats(-10, 10))
@settings(max_examples=6)
def test_strict_random_agents_always_reach_the_goal(name, seed, scale) -> None:
    agent = wild_agent(name, seed, scale)
    row = strict_row(agent, held_out_starts(agent.system, 24, seed, SELECTION))
    assert row.goal == 1.0
    assert row.modes[RELAX] == 0.0
    assert row.modes[NOMINAL] > 0.0


def test_strict_agents_never_relax_and_relaxed_ones_do() -> None:
    agent = wild_agent("differential_drive", 5, 3.0)
    _, strict = certified_q(agent, 12, 60, 0.0, 5)
    _, loose = certified_q(agent, 12, 60, 1.0, 5)
    assert set(np.unique(strict)) == {CERTIFIED, NOMINAL}
    assert set(np.unique(loose)) == {CERTIFIED, RELAX}


# The memory of triples


def filled(n: int = 4) -> CertificateMemory:
    memory = CertificateMemory(n, 2, 1)
    index = np.arange(n)
    states = np.stack([index, 10 + index], axis=1).astype(np.float32)
    memory.store(index % 2 == 0, states, states[:, :1] + 20, -1.0 - index)
    return memory


def test_a_memory_begins_empty_and_stores_where_certified() -> None:
    assert not CertificateMemory(3, 2, 1).has_triple.any()
    memory = filled()
    assert len(memory) == 4
    assert memory.has_triple.tolist() == [True, False, True, False]
    assert memory.q_plus.tolist() == [-1.0, 0.0, -3.0, 0.0]
    assert memory.states.tolist() == [[0, 10], [0, 0], [2, 12], [0, 0]]
    assert memory.actions.tolist() == [[20], [0], [22], [0]]
    # Later ones replace the triple where certified, and only there.
    certified = np.array([False, False, True, True])
    memory.store(certified, np.full((4, 2), 9.0), np.full((4, 1), 9.0), np.full(4, 7.0))
    assert memory.has_triple.tolist() == [True, False, True, True]
    assert memory.q_plus.tolist() == [-1.0, 0.0, 7.0, 7.0]
    assert memory.q_plus.dtype == np.float64, "in float32 q+ would rise by less than nu_bar"


def test_reset_forgets_the_masked_agents_alone() -> None:
    memory = filled()
    memory.reset(np.array([True, False, False, False]))
    assert memory.has_triple.tolist() == [False, False, True, False]
    assert memory.q_plus.tolist() == [0.0, 0.0, -3.0, 0.0]
    memory.reset()
    assert not memory.has_triple.any()


@pytest.mark.parametrize("n", [0, 2, 4, 7])
def test_resize_keeps_the_first_agents(n: int) -> None:
    memory, old = filled(), filled()
    memory.resize(n)
    k = min(n, 4)
    assert len(memory) == n
    assert memory.states.shape == (n, 2) and memory.actions.shape == (n, 1)
    for name in ("states", "actions", "q_plus", "has_triple"):
        np.testing.assert_array_equal(getattr(memory, name)[:k], getattr(old, name)[:k])
    assert not memory.has_triple[k:].any()


def test_keep_takes_the_masked_agents_out() -> None:
    memory = filled()
    kept = memory.keep(np.array([False, True, True, False]))
    assert len(kept) == 2
    assert kept.has_triple.tolist() == [False, True]
    assert kept.q_plus.tolist() == [0.0, -3.0]
    assert kept.states.tolist() == [[0, 0], [2, 12]]
    kept.reset()
    assert memory.has_triple[2], "a memory of its own"


def test_constants_of_an_agent_are_those_it_decides_by() -> None:
    info = AgentInfo(constants=Constants(nu_bar=1e9))
    agent = CALFAgent.random(systems.get("point_mass"), np.random.default_rng(0), info)
    kept, _ = certified_q(agent, 4, 30, 0.0, 0)
    assert [len(q) for q in kept] == [1, 1, 1, 1]
