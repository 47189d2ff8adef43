"""Two agents compared: the same episodes with intervals, and the difference of their critics."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from simulations import shipped

import calf_viz
from calf_viz import systems
from calf_viz.agent import checkpoint
from calf_viz.agent.calf import AgentInfo, CALFAgent
from calf_viz.agent.evaluation import evaluate_agent
from calf_viz.cli.main import calf_viz as command
from calf_viz.comparison.compare import Comparison, compare, difference, surface
from calf_viz.comparison.intervals import RESAMPLES, Z, mean, share, share_difference
from calf_viz.comparison.sides import Side, side
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.recording.recorder import Recorder
from calf_viz.sources.pairs import On, Pairs
from calf_viz.sources.simulation import Simulation
from calf_viz.verification.networks import Networks

EPISODES = 12


def random_agent(system: str, seed: int) -> CALFAgent:
    rng = np.random.default_rng(seed)
    return CALFAgent.random(systems.get(system), rng, AgentInfo(hidden=16))


# Intervals


@given(st.integers(1, 300), st.data())
def test_wilsons_ends_are_where_the_score_is_z(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    happened = np.arange(n) < k
    found = share(happened)
    assert found.value == k / n and found.low <= found.value <= found.high
    for end in (found.low, found.high):
        score = abs(k / n - end) - Z * np.sqrt(end * (1.0 - end) / n)
        assert abs(score) < 1e-9 or end in (0.0, 1.0)


def paired(both: int, only_a: int, only_b: int, neither: int) -> tuple[NDArray[np.bool_], ...]:
    a = [True] * (both + only_a) + [False] * (only_b + neither)
    b = [True] * both + [False] * only_a + [True] * only_b + [False] * neither
    return np.array(a), np.array(b)


def newcombe(both: int, only_a: int, only_b: int, neither: int) -> tuple[float, float]:
    """Method 10 of Newcombe (1998), as it is printed."""
    n = both + only_a + only_b + neither

    def wilson(k: int) -> tuple[float, float]:
        root = Z * np.sqrt(Z**2 + 4 * k * (1 - k / n))
        return (2 * k + Z**2 - root) / (2 * (n + Z**2)), (2 * k + Z**2 + root) / (2 * (n + Z**2))

    p1, p2 = (both + only_a) / n, (both + only_b) / n
    (l1, u1), (l2, u2) = wilson(both + only_a), wilson(both + only_b)
    a = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    b = both * neither - only_a * only_b
    c = b - n / 2 if b > n / 2 else 0 if b >= 0 else b
    phi = c / np.sqrt(a) if a else 0.0
    below = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    above = (p2 - l2) ** 2 - 2 * phi * (p2 - l2) * (u1 - p1) + (u1 - p1) ** 2
    return p1 - p2 - np.sqrt(below), p1 - p2 + np.sqrt(above)


@given(*[st.integers(0, 60)] * 4)
def test_differences_of_shares_are_newcombes(a: int, b: int, c: int, d: int) -> None:
    if a + b + c + d == 0:
        return
    found = share_difference(*paired(a, b, c, d))
    np.testing.assert_allclose(found[1:], newcombe(a, b, c, d), atol=1e-9)
    other = share_difference(*paired(a, c, b, d))
    np.testing.assert_allclose(found, (-other.value, -other.high, -other.low), atol=1e-12)
    assert found.low <= found.value <= found.high


def test_intervals_of_paired_shares_cover_the_truth() -> None:
    rng, covered, trials = np.random.default_rng(0), 0, 400
    for _ in range(trials):
        easy = rng.random(60)
        covered += (lambda i: i.low <= 0.15 <= i.high)(share_difference(easy < 0.8, easy < 0.65))
    assert covered / trials > 0.93


def test_means_have_the_percentiles_of_resamples() -> None:
    values = np.random.default_rng(3).exponential(5.0, 40)
    rng = np.random.default_rng(7)
    picks = rng.integers(0, 40, (RESAMPLES, 40))
    means = [sum(values[i] for i in row) / 40 for row in picks]
    found = mean(values, seed=7)
    assert found == mean(values, seed=7) != mean(values, seed=8)
    np.testing.assert_allclose(
        found, (values.sum() / 40, *np.percentile(means, [2.5, 97.5])), rtol=1e-12
    )
    assert np.isnan(mean(np.zeros(0))).all()


# Surfaces


@pytest.mark.parametrize("system", systems.own())
def test_the_difference_is_that_of_float64(system: str) -> None:
    one, other = random_agent(system, 1), shipped(system)
    hidden = np.linspace(0.1, 0.4, one.system.state_dim)
    found = difference(surface(one, hidden, 9), surface(other, hidden, 9))
    lo, hi, (x, y) = one.system.plane.lo, one.system.plane.hi, one.system.plane.axes
    for row in range(9):
        for column in range(9):
            state = hidden.copy()
            state[x] = lo[0] + (hi[0] - lo[0]) * column / 8
            state[y] = lo[1] + (hi[1] - lo[1]) * row / 8
            values = []
            for agent in (one, other):
                networks = Networks(
                    agent.flat_weights(), agent.system.state_dim, agent.system.action_limits,
                    agent.info.hidden, agent.system.angles,
                )  # fmt: skip
                values.append(-networks.q(state[None], networks.actor(state[None]))[0])
            wanted = values[0] - values[1]
            assert abs(found.values[row, column] - wanted) < 1e-4 * max(map(abs, values)) + 1e-3


def test_where_one_is_not_finite_there_is_no_difference() -> None:
    a, b = np.ones((3, 3)), np.full((3, 3), 4.0)
    a[0, 1], b[2, 2] = np.inf, np.nan
    lo, hi = (0.0, 0.0), (1.0, 1.0)
    found = difference(Heightfield(a, lo, hi), Heightfield(b, lo, hi))
    assert found.bad[0, 1] and found.bad[2, 2] and found.bad.sum() == 2
    assert (found.values[~found.bad] == -3.0).all()


# The table


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare("point_mass", random_agent("point_mass", 4), EPISODES, seed=2)


def test_the_table_has_the_figures_of_evaluate(found: Comparison) -> None:
    for agent, name in ((shipped("point_mass"), "a"), (random_agent("point_mass", 4), "b")):
        rows = evaluate_agent(agent, EPISODES, seed=2)
        for row, compared in zip(rows[:2], found.rows[:2], strict=True):
            figures = getattr(compared, name)
            assert row.policy == compared.policy
            assert figures.goal.value == row.goal
            assert figures.cost.value == pytest.approx(row.cost)
            assert figures.certified == row.modes[0]
            np.testing.assert_allclose(figures.steps.value, row.steps)
    nominal = found.rows[2]
    assert nominal.a.cost.value == pytest.approx(rows[2].cost)
    assert nominal.b is None and nominal.difference is None
    strict = found.rows[0]
    assert strict.b is not None and strict.difference is not None
    assert strict.difference.cost.value == pytest.approx(strict.a.cost.value - strict.b.cost.value)
    assert strict.difference.cost.low < strict.difference.cost.value
    assert found.a == "the point_mass agent" and found.b == "agent after 0 steps"


def test_one_that_is_compared_to_itself_does_not_differ() -> None:
    same = calf_viz.compare("pendulum", checkpoint.shipped("pendulum"), episodes=3)
    assert same.rows[0].difference is not None
    assert same.rows[0].difference.steps == same.rows[0].difference.cost == (0.0, 0.0, 0.0)
    assert not same.difference.values.any()


# What can be compared


def written(folder: Path, agents: list[CALFAgent]) -> Path:
    """A recording of ten steps on each one's critic."""
    recorder = None
    for number, agent in enumerate(agents):
        simulation = Simulation(agent, 3)
        simulation.record()
        if recorder is None:
            recorder = Recorder(folder, simulation.view, {"agent": simulation.about()})
        flat = Heightfield(np.zeros((2, 2)), simulation.view.lo, simulation.view.hi)
        recorder.critic(flat, number, simulation.weights())
        for _ in range(10):
            recorder.see(simulation.step())
    assert recorder is not None
    recorder.close()
    return folder


def test_sides(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
    one, other = random_agent("pendulum", 1), random_agent("pendulum", 2)
    run, file = tmp_path / "pendulum-0-now", tmp_path / "one.safetensors"
    run.mkdir()
    one.save(file)
    other.save(run / "agent.safetensors")
    recording = written(tmp_path / "walk.calf", [one, other])
    for given_side, name, agent in (
        (file, "one.safetensors", one),
        (run, "pendulum-0-now", other),
        (recording, "walk.calf", other),
        (f"{recording}@9", "walk.calf@9", one),
        (f"{recording}@10", "walk.calf@10", other),
        ("pendulum", "the pendulum agent", shipped("pendulum")),
    ):
        found = side(given_side)
        assert found.name == name
        np.testing.assert_array_equal(found.agent.flat_weights(), agent.flat_weights())
        assert found.agent.info.constants == agent.info.constants


def test_what_cannot_be_compared_says_why(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no such file or folder"):
        side(tmp_path / "none")
    with pytest.raises(UserError, match="no recording, and no run"):
        side(tmp_path / "empty")
    with pytest.raises(UserError, match="only recordings have steps"):
        side(f"{checkpoint.shipped('pendulum')}@3")
    with pytest.raises(UserError, match="is for system pendulum, the point_mass agent for"):
        compare("pendulum", "point_mass")
    with pytest.raises(UserError, match="episodes"):
        compare("pendulum", "pendulum", episodes=0)
    pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
    recording = written(tmp_path / "walk.calf", [random_agent("pendulum", 1)])
    with pytest.raises(UserError, match=r"step 10: .* has steps 0 to 9"):
        side(f"{recording}@10")
    meta = recording / "meta.json"
    changed = json.loads(meta.read_text())
    changed["view"]["hi"] = [9.0, 9.0]
    meta.write_text(json.dumps(changed))
    with pytest.raises(UserError, match="has another plane than pendulum here"):
        side(recording)


# Both, together


@pytest.mark.parametrize("policy", ["calf", "actor"])
def test_pairs_begin_together_and_wait_for_each_other(policy: str) -> None:
    names = "pendulum", "pendulum"
    sides = [Side(name, shipped(name)) for name in names]
    sides[1] = replace_actor(sides[1])
    pairs, n = Pairs(*sides, 5, seed=3, policy=policy), 5
    begun = np.zeros(n, int)
    last = np.full((2, n, 2), np.nan)
    for _ in range(700):
        samples = pairs.step()
        first, places = samples.first.reshape(2, n), samples.positions.reshape(2, n, 2)
        assert (first[0] == first[1]).all()
        np.testing.assert_array_equal(places[0, first[0]], places[1, first[0]])
        begun += first[0]
        waits = (places == last).all(axis=2)
        assert not waits.all(axis=0).any()  # both arrived: they begin anew
        last = places
        assert samples.modes.tolist() == [0] * n + [1] * n
    if policy == "calf":
        assert begun.max() > 1


def replace_actor(one: Side) -> Side:
    agent = shipped(one.name)
    agent.set_flat_weights(agent.flat_weights() * np.float32(0.98))
    return Side("weaker", agent)


def test_the_differences_view_is_symmetric() -> None:
    a, b = Side("a" * 100, shipped("pendulum")), Side("b\n", random_agent("pendulum", 0))
    pairs = Pairs(a, b, 2, on=On(cells=8))
    low, high = pairs.view.clim
    field = pairs.surface()
    assert field is not None and pairs.surface() is None
    assert -low == high == np.abs(field.values).max()
    assert pairs.view.value == "critic −Q, A − B"
    assert Pairs(a, b, 2, on=On("b", cells=8)).view.clim == "auto"
    same = Pairs(a, replace_actor(a) if a.name == "pendulum" else a, 2, on=On(cells=8))
    assert same.view.clim == (-1.0, 1.0)
    with pytest.raises(UserError, match="surface"):
        Pairs(a, b, 2, on=On("c"))


def run(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(command, ["compare", *arguments])
    return found.exit_code, found.output + str(found.exception or "")


def test_compare_on_the_command_line(tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    random_agent("point_mass", 4).save(other)
    small = ("--episodes", "5", "--frames", "20", "--size", "320x200", "--n-agents", "3")
    code, said = run("point_mass", str(other), *small, "--headless", "--output", str(tmp_path))
    assert code == 0, said
    assert "B: other.safetensors" in said and "A − B" in said and "calf strict" in said
    for name in ("a", "b", "difference"):
        assert (tmp_path / f"point_mass_{name}.png").exists()
    code, said = run("point_mass", str(other), *small, "--surface", "b", "--theme", "light",
                     "--output", str(tmp_path / "b.png"))  # fmt: skip
    assert code == 0 and (tmp_path / "b.png").exists(), said
    for arguments, message in (
        (("point_mass", "pendulum"), "give two of one system"),
        (("point_mass", "none"), "no such file or folder"),
        (("point_mass", str(other), "--surface", "c"), "--surface"),
        (("point_mass", str(other), "--policy", "nominal"), "the same for both"),
        (("point_mass", str(other), "--episodes", "0"), "episodes"),
        (("point_mass", str(other), "--slice", "1"), "has no effect with point_mass"),
    ):
        code, said = run(*arguments)
        assert code != 0 and message in said, said
