"""The evaluation's rows: the strict agent always arrives, and the figures mean what they say."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from rich.console import Console

from calf_viz import systems
from calf_viz.agent import checkpoint
from calf_viz.agent.calf import AgentInfo, CALFAgent
from calf_viz.agent.evaluation import (
    HELD_OUT,
    HORIZON,
    POLICIES,
    SELECTION,
    TRAINING,
    Row,
    evaluate_agent,
    held_out_starts,
    strict_row,
)
from calf_viz.agent.modes import CERTIFIED, NOMINAL, RELAX
from calf_viz.errors import UserError
from calf_viz.systems import System
from calf_viz.training import train as training

EPISODES = 8


@pytest.fixture(scope="module", params=systems.own())
def table(request: pytest.FixtureRequest) -> tuple[CALFAgent, list[Row]]:
    """A random agent and its rows, from a few starts."""
    agent = CALFAgent.random(systems.get(request.param), np.random.default_rng(1))
    return agent, evaluate_agent(agent, EPISODES, seed=2)


def nominal_by_hand(system: System, start: np.ndarray) -> tuple[int, float, bool]:
    """Steps, cost and whether the edge was crossed, for one start, one step at a time."""
    state, cost, crossed = start[None], 0.0, False
    for step in range(HORIZON):
        if system.in_goal(state)[0]:
            return step, cost, crossed
        action = system.nominal(state)
        cost -= float(system.reward(state, action)[0])
        state = system.step(state, action)
        crossed |= bool(system.out_of_plane(state)[0])
    raise AssertionError("the nominal policy did not arrive")


def test_a_row_for_each_policy(table: tuple[CALFAgent, list[Row]]) -> None:
    assert tuple(row.policy for row in table[1]) == POLICIES


def test_the_strict_agent_reaches_the_goal_in_every_episode(
    table: tuple[CALFAgent, list[Row]],
) -> None:
    strict = table[1][0]
    assert strict.goal == 1.0
    assert strict.modes[RELAX] == 0.0
    assert strict.modes[CERTIFIED] > 0 and strict.modes[NOMINAL] > 0
    assert_allclose(sum(strict.modes), 1.0)
    assert strict.steps <= strict.longest


def test_the_nominal_row_is_what_a_plain_loop_gives(table: tuple[CALFAgent, list[Row]]) -> None:
    agent, (*_, nominal) = table
    starts = held_out_starts(agent.system, EPISODES, 2)
    steps, costs, crossed = zip(
        *(nominal_by_hand(agent.system, start) for start in starts), strict=True
    )
    assert nominal.goal == 1.0
    assert nominal.modes == (0.0, 0.0, 1.0)
    assert_allclose(nominal.steps, np.mean(steps))
    assert_allclose(nominal.cost, np.mean(costs), rtol=1e-9)
    assert nominal.longest == max(steps)
    assert nominal.within == np.mean(np.array(steps) <= 750)
    assert nominal.crossed == np.mean(crossed)


def test_an_untrained_actor_alone_does_not_arrive(table: tuple[CALFAgent, list[Row]]) -> None:
    alone = table[1][1]
    assert alone.goal < 1.0
    assert alone.longest == HORIZON
    assert alone.cost > table[1][0].cost


def test_the_strict_agent_alone_and_in_a_batch_does_the_same() -> None:
    """Each episode keeps its own triple while others end around it."""
    agent = CALFAgent.random(systems.get("differential_drive"), np.random.default_rng(3))
    with torch.no_grad():
        agent.critic.w3 *= 3.0  # more certified steps, hence more to mix up
    starts = held_out_starts(agent.system, 3, 3)
    together = strict_row(agent, starts)
    alone = [strict_row(agent, starts[i : i + 1]) for i in range(3)]
    assert_allclose(together.steps, np.mean([row.longest for row in alone]), rtol=0.01)
    assert_allclose(together.cost, np.mean([row.cost for row in alone]), rtol=0.01)
    assert together.longest == pytest.approx(max(row.longest for row in alone), abs=5)


def test_an_episode_that_begins_in_the_goal_takes_no_step() -> None:
    agent = CALFAgent.random(systems.get("point_mass"), np.random.default_rng(4))
    row = strict_row(agent, np.zeros((3, 2), dtype=np.float32))
    assert (row.goal, row.steps, row.cost, row.longest) == (1.0, 0.0, 0.0, 0)


def test_the_edge_ends_nothing_and_is_counted() -> None:
    agent = CALFAgent.random(systems.get("point_mass"), np.random.default_rng(5))
    starts = np.array([[5.5, 0.0], [0.5, 0.0]], dtype=np.float32)
    row = strict_row(agent, starts)
    assert row.goal == 1.0 and row.crossed == 0.5


def test_a_critic_of_nan_leaves_all_to_the_nominal_policy() -> None:
    agent = CALFAgent.random(systems.get("differential_drive"), np.random.default_rng(6))
    with torch.no_grad():
        agent.critic.b3.fill_(torch.nan)
    row = strict_row(agent, held_out_starts(agent.system, 4, 6))
    assert row.goal == 1.0 and row.modes == (0.0, 0.0, 1.0)


def test_starts_follow_the_seed_and_no_two_streams_share_them() -> None:
    system = systems.get("point_mass")
    a, again, other = (held_out_starts(system, 5, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, again)
    assert not np.isin(a, other).any()
    assert len({HELD_OUT, SELECTION, TRAINING}) == 3
    for stream in (SELECTION, TRAINING):
        assert not np.isin(a, held_out_starts(system, 500, 1, stream)).any()
    # More episodes begin with the same starts.
    np.testing.assert_array_equal(held_out_starts(system, 9, 1)[:5], a)


# The command's function


def test_evaluate_takes_the_checkpoint_given_or_the_one_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def instead(agent: CALFAgent, episodes: int, seed: int) -> list[Row]:
        asked.append((agent.info.steps, episodes, seed))
        return []

    monkeypatch.setattr(training, "evaluate_agent", instead)
    for steps, name in ((1, "given"), (2, "point_mass.safetensors")):
        info = AgentInfo(steps=steps)
        agent = CALFAgent.random(systems.get("point_mass"), np.random.default_rng(0), info)
        agent.save(tmp_path / name)
    monkeypatch.setattr(checkpoint, "shipped", lambda name: tmp_path / f"{name}.safetensors")
    training.evaluate("point-mass", tmp_path / "given", 7, seed=3)
    training.evaluate("point-mass")
    assert asked == [(1, 7, 3), (2, 200, 0)]


def test_without_a_checkpoint_the_nominal_policy_is_evaluated_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = training.evaluate("point_mass", None, 3)
    monkeypatch.setattr(training.shipped, "trained", list)
    (row,) = training.evaluate("point_mass", None, 3)
    assert row == whole[-1] and row.policy == "nominal"


def test_evaluate_refuses_no_episodes_and_unknown_systems() -> None:
    with pytest.raises(UserError, match="episodes 0 is out of range"):
        training.evaluate("point_mass", None, 0)
    with pytest.raises(UserError, match="unknown system"):
        training.evaluate("no_such_system")


def test_the_table_shows_every_figure() -> None:
    rows = [
        Row("calf strict", 1.0, 512.4, 345.67, (0.25, 0.0, 0.75), 0.875, 0.125, 1234),
        Row("actor alone", 0.0, float("nan"), 999.0, (1.0, 0.0, 0.0), 0.0, 0.25, 5000),
    ]
    console = Console(width=150, record=True, file=StringIO())
    console.print(training.table(rows, "the title"))
    text = console.export_text()
    strict, alone = (next(li for li in text.splitlines() if p in li) for p in POLICIES[:2])
    for figure in ("100.0", "512", "345.7", "25.0", "75.0", "87.5", "12.5", "1234"):
        assert figure in strict.split()
    assert "nan" not in alone and alone.split().count("-") == 4
    assert "the title" in text and f"{HORIZON} steps" in text
    assert max(map(len, text.splitlines())) <= 80, "it fits a usual terminal, and what pipes show"
