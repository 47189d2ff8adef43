"""What a recorded critic promised, against the return that followed, counted step by step."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rewarded import HI, LO, VIEW, pendulums, recorded, walk
from simulations import shipped, simulated

from calf_viz import systems
from calf_viz.agent.calf import CALFAgent
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.returns.errors import measure
from calf_viz.returns.meaning import Meaning, read
from calf_viz.returns.regions import Regions, smoothed
from calf_viz.returns.walk import Compared, backwards
from calf_viz.samples import Samples
from calf_viz.sources.error_map import ErrorMap
from calf_viz.sources.simulation import Simulation

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")


@pytest.fixture(scope="module")
def pendulum(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return pendulums(tmp_path_factory.mktemp("own") / "a.calf")


def counted(
    steps: list[Samples], kind: str, meaning: Meaning, critics: dict[int, Heightfield]
) -> dict[tuple[int, int], tuple[float, float]]:
    """Promise and return by (step, agent), the long way: each return a sum of its own."""
    shown, field = [], None
    for number in range(len(steps)):
        field = critics.get(number, field)
        shown.append(field)

    def promise(row: int, agent: int) -> float:
        """That made before the action which led to a row."""
        if kind == "q":
            return float(steps[row].columns["q"][agent])
        if kind == "value":
            return float(steps[row - 1].columns["value"][agent])
        surface = shown[row - 1]
        x, y = steps[row - 1].positions[agent]
        x = LO[0] + (x - LO[0]) % (HI[0] - LO[0])
        if surface is None or not LO[1] <= y <= HI[1]:
            return math.nan
        return meaning.sign * float(surface.heights([(x, y)])[0])

    def goes_on(row: int, agent: int) -> bool:
        """Whether an action led the agent from a row to the next."""
        if row + 1 >= len(steps) or agent >= len(steps[row + 1]):
            return False
        after = steps[row + 1]
        follows = after.step == steps[row].step + 1
        return bool(follows and not after.first[agent] and steps[row].columns["ended"][agent] == 0)

    found = {}
    for start in range(len(steps) - 1):
        for agent in range(len(steps[start])):
            if not goes_on(start, agent):
                continue
            total, factor, row = 0.0, 1.0, start
            while goes_on(row, agent):
                row += 1
                last = not goes_on(row, agent)
                terminated = steps[row].columns["ended"][agent] == 1
                if last and not terminated:
                    total += factor * (promise(row, agent) if meaning.bootstrapped else math.nan)
                    break
                total += factor * meaning.reward_scale * float(steps[row].columns["reward"][agent])
                factor *= meaning.gamma
            made = promise(start + 1, agent)
            cut_at_once = row == start + 1 and steps[row].columns["ended"][agent] != 1
            if math.isfinite(made) and math.isfinite(total) and not cut_at_once:
                found[steps[start + 1].step, agent] = made, total
    return found


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    agents=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    kind=st.sampled_from(["q", "value", "surface"]),
    gamma=st.sampled_from([0.0, 0.5, 0.99, 1.0]),
    scale=st.sampled_from([1.0, 10.0, -1.0]),
    bootstrapped=st.booleans(),
)
def test_returns_are_those_counted_step_by_step(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    agents: list[int],
    kind: str,
    gamma: float,
    scale: float,
    bootstrapped: bool,
) -> None:
    rng = np.random.default_rng(seed)
    steps = walk(rng, 60, agents, kind)
    critics = {number: Heightfield(rng.normal(size=(5, 6)), LO, HI) for number in (0, 21, 40)}
    recording = recorded(tmp_path_factory.mktemp("some") / "a.calf", steps, critics)
    meaning = read(recording, gamma, scale, bootstrapped)
    assert meaning.promise == kind
    found = {}
    for part in backwards(recording, meaning):
        for position, *numbers in zip(*part, strict=True):
            promised, returned, step, agent = numbers
            assert (step, agent) not in found
            found[int(step), int(agent)] = float(promised), float(returned)
            assert LO[0] <= position[0] <= HI[0]
    expected = counted(steps, kind, meaning, critics)
    assert found.keys() == expected.keys()
    for key, (promised, returned) in expected.items():
        assert found[key] == pytest.approx((promised, returned), rel=1e-9, abs=1e-9)


def test_long_walks_are_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = recorded(tmp_path / "a.calf", walk(np.random.default_rng(0), 100, [3], "q"))
    meaning, rows = read(recording, 0.9), []
    whole = [np.concatenate(c) for c in zip(*backwards(recording, meaning), strict=True)]
    monkeypatch.setattr("calf_viz.returns.walk.ROWS", 7)
    parts = list(backwards(recording, meaning, each=rows.append))
    assert sum(rows) == 100 and len(parts) > 10
    for one, other in zip(whole, zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(one, np.concatenate(other))


def test_only_promises_of_some_steps(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "a.calf", walk(np.random.default_rng(0), 100, [3], "q"))
    meaning = read(recording, 0.9)
    every = {(s, a): r for p in backwards(recording, meaning)
             for s, a, r in zip(p.steps, p.agents, p.returned, strict=True)}  # fmt: skip
    some = {(s, a): r for p in backwards(recording, meaning, (20, 40))
            for s, a, r in zip(p.steps, p.agents, p.returned, strict=True)}  # fmt: skip
    assert some == {key: value for key, value in every.items() if 20 <= key[0] <= 40}


def test_rows_in_which_only_others_begin_are_no_steps(tmp_path: Path) -> None:
    """A loop that begins anew within a step has two rows of it."""
    rng = np.random.default_rng(1)
    plain = [
        Samples(s.positions, s.modes, s.first, None, number,
                {**s.columns, "value": rng.normal(size=3)})
        for number, s in enumerate(walk(rng, 60, [3], "value"))
    ]  # fmt: skip
    doubled: list[Samples] = []
    for samples in plain:
        begun = samples.first
        if begun.any() and doubled and not begun.all():
            last = doubled[-1]  # what begins is seen in a row of its own, all others stand still
            where = np.where(begun[:, None], samples.positions, last.positions)
            values = np.where(begun, samples.columns["value"], last.columns["value"])
            columns = {"reward": np.zeros(3), "ended": np.zeros(3, np.uint8), "value": values}
            doubled.append(Samples(where, last.modes, begun, None, len(doubled), columns))
            samples = Samples(samples.positions, samples.modes, np.zeros(3, bool), None, 0,
                              samples.columns)  # fmt: skip
        doubled.append(
            Samples(samples.positions, samples.modes, samples.first, None, len(doubled),
                    samples.columns)
        )  # fmt: skip
    results = []
    for name, steps in {"plain": plain, "doubled": doubled}.items():
        recording = recorded(tmp_path / name, steps)
        parts = list(backwards(recording, read(recording, 0.9)))
        results.append(
            {(float(p), round(float(r), 9)) for part in parts
             for p, r in zip(part.promised, part.returned, strict=True)}
        )  # fmt: skip
    assert len(doubled) > 70
    assert len(results[0]) > 40 and results[0] <= results[1]


def test_regions_are_of_the_newest_plane(tmp_path: Path) -> None:
    """A loop's plane grows while it runs."""
    steps = walk(np.random.default_rng(0), 40, [3], "q")
    wide = Heightfield(np.zeros((3, 3)), (LO[0], -20.0), (HI[0], 20.0))
    recording = recorded(
        tmp_path / "a.calf", steps, {0: Heightfield(np.zeros((3, 3)), LO, HI), 20: wide}
    )
    found = measure(recording, read(recording, 0.9), 4)
    assert (found.map.lo, found.map.hi) == (wide.lo, wide.hi)
    assert found.regions.outside == 0 and found.regions.steps > 20


# Our own agents


def test_our_critics_say_their_discount_and_the_scale_of_rewards(pendulum: Recording) -> None:
    meaning = read(pendulum)
    assert (meaning.gamma, meaning.reward_scale, meaning.promise) == (0.99, 10.0, "q")
    assert meaning.sign == 1.0


def test_an_end_beyond_the_edge_is_a_cut_and_one_in_the_goal_is_none(pendulum: Recording) -> None:
    """Training bootstraps there: since rewards are negative, an end would be worth the trip."""
    system, meaning = systems.get("pendulum"), read(pendulum)
    state = np.zeros((2, 2), np.float32)
    state[1] = 0.0, 2.0 * system.plane.hi[1]
    samples = Samples.of(state, ended=[1, 1], state=state)
    over, terminated = meaning.over(samples)
    assert over.tolist() == [True, True] and terminated.tolist() == [True, False]


def test_steps_of_the_nominal_policy_are_another_action_s(pendulum: Recording) -> None:
    actors = sum(len(part.steps) for part in backwards(pendulum, read(pendulum)))
    every = [part for part in backwards(pendulum, read(pendulum, every_step=True))]
    modes = {row: pendulum.samples(row).modes for row in range(len(pendulum))}
    nominal = sum(
        modes[pendulum.row(int(step))][agent] == 2
        for part in every
        for step, agent in zip(part.steps, part.agents, strict=True)
    )
    assert 0 < nominal == sum(len(part.steps) for part in every) - actors


def test_values_of_our_own_are_costs(tmp_path: Path) -> None:
    """The nominal policy has no q: what its recording has is the critic's -Q."""
    simulation = simulated("point_mass", 5, seed=1, policy="nominal")
    recorder = Recorder(tmp_path / "a.calf", simulation.view, {"agent": simulation.about()})
    for _ in range(300):
        recorder.see(simulation.step())
    recorder.close()
    recording = Recording(tmp_path / "a.calf")
    with pytest.raises(UserError, match="the nominal policy acted in all of them: `every_step`"):
        measure(recording, read(recording), 4)
    meaning = read(recording, every_step=True)
    assert (meaning.promise, meaning.sign) == ("value", -1.0)
    found = next(backwards(recording, meaning))
    row, agent = recording.row(int(found.steps[0])) - 1, found.agents[0]
    assert found.promised[0] == -recording.samples(row).columns["value"][agent] < 0.0
    assert (found.returned < 0.0).all()


def test_a_trained_critic_is_nearer_to_what_came_than_a_random_one(tmp_path: Path) -> None:
    """Both in the same unit, by the same walk."""
    errors = {}
    for name, agent in {
        "trained": shipped("point_mass"),
        "random": CALFAgent.random(systems.get("point_mass"), np.random.default_rng(0)),
    }.items():
        simulation = Simulation(agent, 40, seed=1, policy="actor")
        simulation.record()
        recorder = Recorder(tmp_path / name, simulation.view, {"agent": simulation.about()})
        for _ in range(500):
            recorder.see(simulation.step())
        recorder.close()
        recording = Recording(tmp_path / name)
        parts = list(backwards(recording, read(recording)))
        promised = np.concatenate([part.promised for part in parts])
        returned = np.concatenate([part.returned for part in parts])
        errors[name] = abs(np.mean(promised - returned)) / abs(np.mean(returned))
    assert errors["trained"] < 0.5 * errors["random"]


# Regions


def steps_at(positions: np.ndarray, errors: np.ndarray) -> Compared:
    zero = np.zeros(len(positions), np.int64)
    return Compared(positions, errors + 1e6, np.full(len(errors), 1e6), zero, zero)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 5), columns=st.integers(1, 5))
def test_regions_are_those_sums(seed: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    regions = Regions(VIEW, rows, columns)
    batches = [
        (rng.uniform((-2.0, -3.0), (4.0, 5.0), (m, 2)), rng.normal(3.0, 1e-3, m))
        for m in rng.integers(0, 40, 5)
    ]
    for positions, errors in batches:
        regions.add(steps_at(positions, errors))
    positions, errors = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    inside = ((positions >= LO) & (positions <= HI)).all(axis=1)
    assert regions.outside == (~inside).sum() and regions.steps == inside.sum()
    seen = []
    for region in regions.table():
        there = ((positions >= region.lo) & (positions < region.hi)).all(axis=1)
        assert region.steps == there.sum()
        if not region.steps:
            assert all(map(math.isnan, region[3:]))
            continue
        seen.append(abs(region.error))
        assert region.error == pytest.approx(errors[there].mean(), rel=1e-9)
        assert region.std == pytest.approx(errors[there].std(), rel=1e-3, abs=1e-9)
        assert region.promised == pytest.approx(1e6 + errors[there].mean())
        assert region.promised - region.returned == pytest.approx(region.error)
    assert seen == sorted(seen, reverse=True)
    assert len(regions.table()) == rows * columns


def test_the_map_is_smooth_and_knows_where_nothing_is_known() -> None:
    fine = Regions(VIEW, 40, 40)
    x = np.linspace(-1.0, 2.99, 400)
    at = np.column_stack([x, np.full(400, 1.0)])
    fine.add(steps_at(at, np.where(x < 1.0, -2.0, 4.0)))
    found, unknown = smoothed(fine, 10)
    assert found.shape == unknown.shape == (41, 41)
    middle = found[20]  # y = 1
    assert middle[10] == pytest.approx(-2.0, abs=1e-3)
    assert middle[30] == pytest.approx(4.0, abs=1e-3)
    assert middle[20] == pytest.approx(1.0, abs=0.1)
    assert middle[0] == middle[40] == pytest.approx(1.0, abs=0.1), "the first axis wraps"
    assert unknown[0].all() and unknown[40].all() and not unknown[20].any()
    assert found.min() >= -2.0 and found.max() <= 4.0
    assert abs(found[0]).max() < 1e-6, "it fades to 0"
    finest, unknown = smoothed(fine, 512)
    assert finest[20, 30] == pytest.approx(4.0, abs=1e-3) and not unknown[20, 30]


def test_its_picture_s_mean_is_that_of_the_errors_around_agents(pendulum: Recording) -> None:
    meaning = read(pendulum)
    errors = measure(pendulum, meaning, 10)
    source = ErrorMap(Recording(pendulum.folder), meaning, errors)
    assert source.view.deviations and source.view.clim == (-errors.limit, errors.limit)
    assert source.surface() is errors.map and source.surface() is None
    assert math.isnan(source.mean_value())
    source.seek(400)
    samples = source.step()
    assert samples is not None
    known = [
        errors.map.heights([place])[0]
        for place in source.view.wrapped(samples.positions)
        if not Heightfield(errors.map.bad, errors.map.lo, errors.map.hi).heights([place])[0]
    ]
    assert source.mean_value() == pytest.approx(np.mean(known))
    assert abs(source.mean_value()) < errors.limit
    source.close()
