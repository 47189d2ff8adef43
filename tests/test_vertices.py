"""Which samples the drawn strips pass through, by transform feedback, against a plain oracle.

The camera looks straight down, orthographic, so that a pair of vertices tells its sample: it lies
between them, as far from each as they say. A link is drawn where two neighbouring pairs both have
width.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from render_probe import (
    NEAR,
    FlatCamera,
    Probe,
    area,
    drawn_runs,
    lasting_trails,
    without_points,
)

from calf_viz.heightfield import Heightfield
from calf_viz.scene.ring import LAST_STEP, RingLayout
from calf_viz.scene.scene import Scene

pytestmark = pytest.mark.rendering

SIZE = (640, 480)
FIELD = Heightfield(np.zeros((3, 4)), (-5.0, -5.0), (5.0, 5.0))
SEEDS = [1, 2]
RIM = 3  # a kind of vertex, in v_id


@dataclass
class History:
    """Everything pushed, newest last, for the oracle."""

    positions: list[np.ndarray] = field(default_factory=list)  # (agents, 2), NaN: not drawn
    first: list[np.ndarray] = field(default_factory=list)

    def runs(self, agent: int, head: int, reach: int, stride: int) -> list[list[int]]:
        """Steps that the agent's trail passes through, run by run, oldest first throughout: of
        each run its oldest step, the multiples of the stride, and its newest."""
        runs, run = [], []
        for step in range(max(head - reach, 0), head + 1):
            valid, before = (self.valid(agent, s) for s in (step, step - 1))
            if run and (self.first[step][agent] or valid != before):
                runs.append(run)
                run = []
            run.append(step)
        runs.append(run)
        return [
            [s for s in run if s in (run[0], run[-1]) or s % stride == 0]
            for run in runs
            if self.valid(agent, run[0])
        ]

    def valid(self, agent: int, step: int) -> bool:
        return step >= 0 and bool(np.isfinite(self.positions[step][agent]).all())

    def pixel(self, agent: int, step: int) -> np.ndarray:
        position = self.positions[step][agent].astype(np.float32).astype(np.float64)
        return position / 5.0 * 0.5 * np.array(SIZE)


def check(probe: Probe, history: History, scrub: int = 0, agents: Any = None, **options):
    """Every agent's trail and marker, as drawn now, against the oracle."""
    scene, head = probe.scene, len(history.positions) - 1 - scrub
    pixels, surface = probe.pixels(scrub=scrub, **options)
    for agent in range(probe.agents) if agents is None else agents:
        strip = pixels[surface + agent]
        got = [run for run in map(without_points, drawn_runs(strip)) if len(run)]
        steps = history.runs(agent, head, scene.trail, scene.stride)
        want = [run for run in steps if len(run) > 1]
        name = f"agent {agent}, head step {head}, scrub {scrub}"
        assert [len(run) for run in got] == [len(run) for run in want], f"{name}: {want}"
        for run, run_steps in zip(got, want, strict=True):
            expected = np.array([history.pixel(agent, step) for step in run_steps])
            assert np.abs(run - expected).max() < NEAR, f"{name}: {run_steps}"
        corners = strip[-4:, :2]
        if history.valid(agent, head):
            assert np.abs(corners.mean(axis=0) - history.pixel(agent, head)).max() < NEAR, name
            assert area(corners).min() > 1.0, name
        else:
            assert area(corners).max() == 0.0, name


def run(probe: Probe, agents: int, steps: int, seed: int, resets=0.12, bad=0.04):
    """Pushes random samples; yields the history after each step."""
    rng = np.random.default_rng(seed)
    history = History()
    for step in range(steps):
        positions = rng.uniform(-4.9, 4.9, (agents, 2))
        positions[rng.uniform(size=agents) < bad, 0] = np.nan
        first = rng.uniform(size=agents) < resets
        first |= step == 0
        history.positions.append(positions)
        history.first.append(first)
        probe.push(positions, first=first)
        yield history


def make_probe(trail: int, slots: int, agents: int, stride: int = 1, limit: int = 16384) -> Probe:
    scene = Scene(size=SIZE, camera=FlatCamera(), trail=trail, stride=stride)
    return Probe(scene, FIELD, RingLayout.fit(agents, slots, limit), lasting_trails())


# --- trails


@pytest.mark.parametrize("stride", [1, 3, 4])
@pytest.mark.parametrize(("trail", "slots", "seed"), [(17, 23, 1), (22, 23, 2), (5, 32, 3)])
def test_trails_at_every_head_position(trail, slots, stride, seed):
    probe = make_probe(trail, slots, agents=5, stride=stride)
    for history in run(probe, 5, 2 * slots + 3, seed):
        check(probe, history)


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 7, 50])
def test_unbroken_trails(stride):
    probe = make_probe(30, 41, agents=2, stride=stride)
    for history in run(probe, 2, 90, seed=3, resets=0.0, bad=0.0):
        check(probe, history)


@pytest.mark.parametrize("stride", [1, 4])
def test_an_episode_a_step(stride):
    """Nothing is joined, and the markers stay."""
    probe = make_probe(12, 16, agents=3, stride=stride)
    for history in run(probe, 3, 40, seed=4, resets=1.0, bad=0.0):
        check(probe, history)


@pytest.mark.parametrize("resets", [0.3, 0.6])
@pytest.mark.parametrize("stride", [1, 3])
def test_many_short_episodes(stride, resets):
    probe = make_probe(40, 50, agents=4, stride=stride)
    for history in run(probe, 4, 75, seed=5, resets=resets):
        check(probe, history)


@pytest.mark.parametrize(("agents", "limit"), [(8, 64), (9, 64), (65, 64), (131, 64), (50, 40)])
def test_agents_beyond_one_row_of_the_texture(agents, limit):
    slots = 20
    probe = make_probe(9, slots, agents, stride=2, limit=limit)
    assert (probe.layout.rows > 1) == (agents > limit)
    watched = sorted({0, 7, agents // 2, agents - 2, agents - 1})
    for history in run(probe, agents, 2 * slots + 5, seed=6):
        check(probe, history, agents=watched)


def test_samples_that_are_not_finite_interrupt_only_their_agent():
    probe = make_probe(20, 24, agents=3)
    for history in run(probe, 3, 60, seed=7, resets=0.0, bad=0.2):
        check(probe, history)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("stride", [1, 3])
def test_scrubbing_back_hides_the_future(stride, seed):
    """As far back as trails stay whole: ring minus trail. Room in the strip is not the matter
    here: `runs` is what fits any."""
    probe = make_probe(9, 36, agents=4, stride=stride)
    for history in run(probe, 4, 80, seed, resets=0.05):
        steps = len(history.positions)
        for scrub in (0, 1, 8, 26):
            if scrub < steps:
                check(probe, history, scrub, runs=16)


def test_a_strip_has_room_for_the_runs_of_a_scrubbed_trail():
    probe = make_probe(9, 36, agents=1)
    resets = [0, 2, 4, 6, 8]
    history = History()
    rng = np.random.default_rng(12)
    for step in range(30):
        history.positions.append(rng.uniform(-4.9, 4.9, (1, 2)))
        history.first.append(np.array([step in resets]))
        probe.push(history.positions[-1], first=history.first[-1])
    check(probe, history, scrub=20)


def test_before_the_first_step_nothing_is_drawn():
    probe = make_probe(6, 9, agents=3)
    probe.agents = 3
    pixels, surface = probe.pixels()
    assert max(area(strip).max() for strip in pixels[surface:]) == 0.0


def test_strided_samples_stay_where_they_are():
    """Multiples of the absolute step, so that nothing shimmers while the head moves on."""
    probe = make_probe(40, 64, agents=1, stride=8)
    seen: list[set] = []
    for _ in run(probe, 1, 60, seed=8, resets=0.0, bad=0.0):
        pixels, surface = probe.pixels()
        points = without_points(drawn_runs(pixels[surface])[0])
        seen.append({tuple(np.round(p, 1)) for p in points[1:-1]})
    for before, now in zip(seen[-19:], seen[-18:], strict=False):
        assert len(now - before) <= 1 and len(before - now) <= 1


def test_agents_that_return_are_not_joined_to_where_they_left():
    probe = make_probe(15, 20, agents=2)
    history = History()
    rng = np.random.default_rng(9)
    for step in range(30):
        n = 1 if 8 <= step < 12 else 2
        positions = rng.uniform(-4.9, 4.9, (n, 2))
        probe.push(positions)
        history.positions.append(np.vstack([positions, np.full((2 - n, 2), np.nan)]))
        history.first.append(np.zeros(2, bool))
    pixels, surface = probe.pixels()
    for agent, newest_run in [(0, 16), (1, 16)]:
        runs = [r for r in map(without_points, drawn_runs(pixels[surface + agent])) if len(r)]
        assert [len(r) for r in runs] == [newest_run]
    for step in range(5):  # five steps after another return
        n = 1 if step == 0 else 2
        probe.push(rng.uniform(-4.9, 4.9, (n, 2)))
    pixels, surface = probe.pixels()
    runs = [r for r in map(without_points, drawn_runs(pixels[surface + 1])) if len(r)]
    assert len(runs[-1]) == 4, "only what came after the return, and drawn_runs found no bridge"


def test_stamps_that_start_again_begin_new_trails():
    probe = make_probe(8, 11, agents=2, stride=3)
    probe.packer.step = LAST_STEP - 20
    rng = np.random.default_rng(10)
    pushed = []
    for _ in range(21 + 6):
        pushed.append(rng.uniform(-4.9, 4.9, (2, 2)))
        probe.push(pushed[-1])
    after = probe.packer.step + 1
    history = History(pushed[-after:], [np.ones(2, bool)] + [np.zeros(2, bool)] * (after - 1))
    check(probe, history)


def test_a_trail_longer_than_the_longest_age():
    """An age at its limit says only that the run goes on."""
    probe = make_probe(9000, 9200, agents=1, stride=64)
    *_, history = run(probe, 1, 9100, seed=11, resets=0.0, bad=0.0)
    pixels, surface = probe.pixels()
    pieces = drawn_runs(pixels[surface])
    for older, newer in pairwise(pieces):
        assert np.abs(older[-1] - newer[0]).max() < NEAR, "a gap"
    points = without_points(np.concatenate(pieces))
    (steps,) = history.runs(0, 9099, 9000, 64)
    expected = np.array([history.pixel(0, step) for step in steps])
    distances = np.linalg.norm(expected[:, None] - points[None], axis=2).min(axis=1)
    assert distances.max() < NEAR, np.array(steps)[distances >= NEAR]


# --- surface


@pytest.mark.parametrize("shape", [(2, 2), (2, 5), (6, 2), (5, 9), (17, 12)], ids=str)
@pytest.mark.parametrize("trail", [2, 7, 100])
def test_the_surface_is_every_cell_cut_along_the_anti_diagonal(shape, trail):
    """Whatever the instances' length: each triangle once, none across a row's end."""
    rows, columns = shape
    field = Heightfield(np.zeros(shape), (-4.0, -4.0), (4.0, 4.0))
    scene = Scene(size=SIZE, camera=FlatCamera(), trail=trail)
    probe = Probe(scene, field, RingLayout.fit(1, trail + 1))
    probe.push([[0.0, 0.0]])
    pixels, surface = probe.pixels()
    plane = pixels[:surface, :, :2] / (0.5 * np.array(SIZE)) * 5.0
    nodes = np.rint((plane + 4.0) / 8.0 * (columns - 1, rows - 1)).astype(int)
    exact = nodes * (8.0 / (columns - 1), 8.0 / (rows - 1)) - 4.0
    rim = probe.ids()[0][:surface, :, 0] == RIM
    outer = rim & (probe.vertices()[0][:surface, :, 7] == 0.0)
    assert np.abs(plane - exact)[~outer].max() < 1e-5, "vertices lie on nodes"
    off = np.abs(plane - exact)[outer] / 5.0 * (0.5 * np.array(SIZE))
    assert off.max(axis=1) == pytest.approx(1.0, abs=1e-3), "by a pixel"
    assert (np.abs(plane[outer]) > 4.0).any(axis=1).all(), "outwards"
    triangles: list[tuple[tuple[int, int], ...]] = []
    edges: Counter[frozenset[tuple[int, int]]] = Counter()
    for strip, within, beyond, place in zip(nodes, rim, outer, plane, strict=True):
        for k in np.flatnonzero(area(place) > 1e-6):
            corners = list(map(tuple, strip[k : k + 3]))
            if not within[k + 2]:
                triangles.append(tuple(sorted(corners)))
            elif beyond[k : k + 3].sum() == 1:
                edges[frozenset(corners)] += 1
    around = [
        *(((c, r), (c + 1, r)) for r in (0, rows - 1) for c in range(columns - 1)),
        *(((c, r), (c, r + 1)) for c in (0, columns - 1) for r in range(rows - 1)),
    ]
    assert edges == Counter(map(frozenset, around)), "the rim is around the plane, once"
    expected = []
    for row in range(rows - 1):
        for column in range(columns - 1):
            right, above = (column + 1, row), (column, row + 1)
            for corner in ((column, row), (column + 1, row + 1)):
                expected.append(tuple(sorted([corner, right, above])))
    assert sorted(triangles) == sorted(expected)
