"""What a recorded critic promised, against the return that followed, counted step by step."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from calf_viz import systems
from calf_viz.agent import checkpoint
from calf_viz.agent.calf import CALFAgent
from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.recording.limits import Limits
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.returns.errors import measure
from calf_viz.returns.meaning import Meaning, read
from calf_viz.returns.regions import Regions, smoothed
from calf_viz.returns.walk import Compared, backwards
from calf_viz.samples import Samples
from calf_viz.sources.error_map import ErrorMap
from calf_viz.sources.simulation import Simulation
from calf_viz.view import View

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

VIEW = View("walk", lo=(-1.0, -2.0), hi=(3.0, 4.0), modes=("one", "two"), periodic=(True, False))
LO, HI = VIEW.lo, VIEW.hi


def shipped(system: str) -> CALFAgent:
    return CALFAgent.load(checkpoint.shipped(system))


def walk(rng: np.random.Generator, steps: int, agents: list[int], kind: str) -> list[Samples]:
    """Random steps with rewards, ends and promises. agents: their number, by parts of the walk."""
    found, before = [], np.zeros(0, np.int64)
    step = 0
    for number in range(steps):
        n = agents[number * len(agents) // steps]
        known = min(n, len(before))
        first = np.ones(n, bool)
        first[:known] = before[:known] > 0
        before = rng.choice([0, 1, 2], n, p=[0.8, 0.1, 0.1])
        columns: dict[str, Any] = {"reward": rng.normal(size=n), "ended": before.astype(np.uint8)}
        columns["reward"][rng.random(n) < 0.02] = np.nan
        if kind != "surface":
            columns[kind] = rng.normal(size=n)
            columns[kind][rng.random(n) < 0.05] = np.nan
        positions = rng.uniform((-3.0, -2.2), (5.0, 4.2), (n, 2))
        step += 1 + int(rng.random() < 0.05)  # some are lost
        found.append(Samples(positions, rng.integers(0, 2, n), first, None, step, columns))
    return found


def recorded(
    folder: Path, steps: list[Samples], critics: dict[int, Heightfield] | None = None, **about: Any
) -> Recording:
    recorder = Recorder(folder, VIEW, about)
    for number, samples in enumerate(steps):
        if critics and number in critics:
            recorder.critic(critics[number])
        recorder.see(samples)
    recorder.close()
    return Recording(folder)


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


@pytest.fixture(scope="module")
def pendulum(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Of the shipped agent's."""
    simulation = Simulation(shipped("pendulum"), 12, seed=1)
    simulation.record()
    folder = tmp_path_factory.mktemp("own") / "a.calf"
    recorder = Recorder(folder, simulation.view, {"agent": simulation.about()})
    for _ in range(700):
        recorder.see(simulation.step())
    recorder.close()
    return Recording(folder)


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


# The command


def invoked(*words: object) -> Any:
    return CliRunner().invoke(calf_viz, ["returns", *map(str, words)])


def test_the_table_names_the_worst_region_first(pendulum: Recording, tmp_path: Path) -> None:
    done = invoked(pendulum.folder, "--regions", 4, "--csv", tmp_path / "a.csv")
    assert done.exit_code == 0, done.output
    assert "gamma 0.99, rewards times 10" in done.output and "bootstrapped" in done.output
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    known = [abs(float(row["error"])) for row in rows if int(row["steps"])]
    assert known and known == sorted(known, reverse=True)
    assert all(row["error"] == "nan" for row in rows if not int(row["steps"]))
    meaning = read(pendulum)
    regions = measure(pendulum, meaning, 4).regions
    assert sum(int(row["steps"]) for row in rows) == regions.steps
    out = invoked(pendulum.folder, "--leave-out")
    assert out.exit_code == 0 and "are left out" in out.output


@pytest.mark.rendering
def test_a_picture_of_the_errors(pendulum: Recording, tmp_path: Path) -> None:
    pictures = []
    for theme in ("dark", "light"):
        file = tmp_path / f"{theme}.png"
        done = invoked(pendulum.folder, "--output", file, "--size", "480x270", "--supersample", 1,
                       "--theme", theme, "--no-hud")  # fmt: skip
        assert done.exit_code == 0, done.output
        with Image.open(file) as picture:
            pictures.append(np.asarray(picture.convert("RGB")).astype(int))
    assert abs(pictures[0] - pictures[1]).mean() > 30
    # What is unknown is grey, and nothing is hatched in the colour of faults.
    red, green, blue = np.moveaxis(pictures[0], 2, 0)
    assert not ((red > 150) & (green < 80) & (blue > 120)).any()
    grey = (abs(red - green) < 3) & (abs(green - blue) < 3) & (red > 40)
    assert grey.mean() > 0.02


def test_what_has_no_returns_is_refused_in_one_line(pendulum: Recording, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    steps = walk(rng, 20, [2], "q")
    bare = [Samples(s.positions, s.modes, s.first, None, s.step) for s in steps]
    recorded(tmp_path / "bare.calf", bare)
    recorded(tmp_path / "good.calf", steps)
    recorded(tmp_path / "empty.calf", [])
    (tmp_path / "foreign").mkdir()
    recorder = Recorder(tmp_path / "some.calf", VIEW, limits=Limits(every=2))
    for samples in steps:
        recorder.see(samples)
    recorder.close()
    no_critic = [
        Samples(s.positions, s.modes, s.first, None, s.step, {"reward": s.columns["reward"]})
        for s in steps
    ]
    recorded(tmp_path / "critic.calf", no_critic)
    own = pendulum.folder
    for words, said in {
        (tmp_path / "none.calf",): "no such recording",
        (tmp_path / "foreign",): "meta.json",
        (tmp_path / "empty.calf",): "no steps",
        (tmp_path / "bare.calf",): "no rewards",
        (tmp_path / "critic.calf", "--gamma", 1): "no critic",
        (tmp_path / "some.calf",): "one of 2 steps",
        (tmp_path / "good.calf",): "how returns are discounted",
        (tmp_path / "good.calf", "--gamma", 2): " 2 is not within 0 and 1",
        (tmp_path / "good.calf", "--gamma", "nan"): " nan is not within 0 and 1",
        (own, "--reward-scale", 0): "reward-scale 0",
        (own, "--regions", 0): "--regions",
        (own, "--from", 9, "--to", 3): "--from 9 is after step 3",
        (own, "--from", 10**9): "--from",
        (own, "--to", -1): "--to",
        (own, "--theme", "light"): "--theme has no effect without a picture",
        (own, "--output", tmp_path / "a.jpg"): "a.png",
        (own, "--output", tmp_path): "FILE.png",
        (own, "--show", "--output", tmp_path / "a.png"): "cannot be combined",
        (own, "--csv", own / "meta.json"): "would be replaced",
    }.items():  # fmt: skip
        done = invoked(*words)
        assert done.exit_code == 2 or isinstance(done.exception, UserError), (words, done.output)
        assert said in done.output + str(done.exception), (words, done.output, done.exception)
