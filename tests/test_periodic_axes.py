"""Trails on a plane whose axes wrap: out at one edge, in at the opposite one, never across."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render_probe import (
    NEAR,
    FlatCamera,
    Probe,
    area,
    context,
    drawn_runs,
    lasting_trails,
    transform,
    without_points,
)
from torus import RING, TORUS, TUBE, History, travel

from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.scene.detail import LADDER
from calf_viz.scene.frame import Frame
from calf_viz.scene.ring import LAST_STEP, LONGEST_AGE, MOST_RUNS, RingLayout, RingPacker
from calf_viz.scene.scene import Scene
from calf_viz.view import View

SIZE = (640, 480)
FIELD = Heightfield(np.zeros((3, 4)), (-5.0, -5.0), (5.0, 5.0))
over_axes = pytest.mark.parametrize("axes", [TUBE, RING, TORUS], ids=["x", "y", "both"])


def check(probe: Probe, history: History, scrub: int = 0) -> int:
    """Every agent's trail, as drawn now, against the oracle; how many places on edges there are."""
    scene, head = probe.scene, len(history.positions) - 1 - scrub
    pixels, surface = probe.pixels(scrub=scrub)
    on_edges = 0
    for agent in range(probe.agents):
        strip = pixels[surface + agent]
        got = [run for run in map(without_points, drawn_runs(strip)) if len(run)]
        lines = history.lines(agent, head, scene.trail, scene.stride)
        scale = 0.1 * np.array(SIZE)
        want = [run for run in (without_points(line * scale) for line in lines) if len(run)]
        name = f"agent {agent}, head step {head}, scrub {scrub}"
        assert [len(run) for run in got] == [len(run) for run in want], f"{name}: {want}"
        for run, expected in zip(got, want, strict=True):
            assert np.abs(run - expected).max() < NEAR, name
        on_edges += sum(
            int(np.isclose(np.abs(run), 0.5 * np.array(SIZE)).any(axis=1).sum()) for run in want
        )
        corners = strip[-4:, :2]
        assert (area(corners).max() > 1.0) == history.valid(agent, head), name
    return on_edges


def make_probe(axes: tuple[bool, bool], trail: int, slots: int, stride: int = 1, agents: int = 3):
    frame = Frame.of(View("torus", periodic=axes))
    scene = Scene(size=SIZE, camera=FlatCamera(), trail=trail, stride=stride, frame=frame)
    return Probe(scene, FIELD, RingLayout.fit(agents, slots), lasting_trails())


def push(probe, history, positions, first=None, step=None) -> None:
    """One step, and what the oracle is to know of it."""
    history.positions.append(np.array(positions))
    history.first.append(np.zeros(len(positions), bool) if first is None else np.array(first))
    probe.push(history.positions[-1], first=history.first[-1], step=step)


class BySpeed(Scene):
    """Has trails coloured by speed."""

    @property
    def defines(self) -> dict[str, str]:
        return {**super().defines, "TRAIL_COLOUR": "BY_SPEED"}


@pytest.mark.rendering
class TestVertices:
    """Read back by transform feedback."""

    @over_axes
    @pytest.mark.parametrize("stride", [1, 4])
    def test_trails_at_every_head_position(self, axes, stride) -> None:
        """Round the ring's end twice, with resets, gaps and samples that are not finite."""
        probe = make_probe(axes, 17, 23, stride)
        met = [check(probe, history) for history in travel(probe, axes, 55, seed=stride)]
        assert sum(met) > 200

    def test_an_axis_that_is_not_periodic_is_crossed_as_ever(self) -> None:
        """Two agents from edge to edge in one step: on a tube one is drawn over all of it."""
        probe, history = make_probe(TUBE, 5, 8, agents=2), History(TUBE)
        for at in (-4.5, 4.5, -4.0):
            push(probe, history, [[at, 1.0], [1.0, at]])
        assert check(probe, history) == 4
        (whole,) = history.lines(1, 2, 5, 1)
        assert len(whole) == 3 and np.ptp(whole[:, 1]) == 9.0

    @pytest.mark.parametrize("stride", LADDER)
    def test_over_all_strides_of_the_ladder(self, stride) -> None:
        """A run shorter than the stride, one that begins or ends at a multiple of it."""
        probe = make_probe(TORUS, 60, 75, stride)
        *_, history = travel(probe, TORUS, 90 + stride, seed=stride)
        assert check(probe, history) > 20

    @over_axes
    def test_scrubbed(self, axes) -> None:
        probe = make_probe(axes, 12, 48, stride=3)
        *_, history = travel(probe, axes, 100, seed=5)
        assert sum(check(probe, history, scrub) for scrub in range(36)) > 150

    def test_from_corner_to_corner(self) -> None:
        """Over both edges at one place: no piece lies between."""
        probe, history = make_probe(TORUS, 5, 8, agents=1), History(TORUS)
        for at in (4.0, -4.0):
            push(probe, history, [[at, at]])
        lines = history.lines(0, 1, 5, 1)
        assert [line.tolist() for line in lines] == [[[4, 4], [5, 5]], [[-5, -5], [-4, -4]]]
        assert check(probe, history) == 2

    @pytest.mark.parametrize("at", [5.0, -5.0, 4.9999995, -4.9999995])
    def test_a_sample_on_the_edge_itself(self, at) -> None:
        probe, history = make_probe(TUBE, 9, 12, agents=1), History(TUBE)
        for x in (np.sign(at) * 4.0, at, np.sign(at) * -4.0, at, np.sign(at) * 4.0):
            push(probe, history, [[x, 0.1 * len(history.first)]])
        pixels, surface = probe.pixels()
        points = np.concatenate(drawn_runs(pixels[surface]))[:, 0] / (0.1 * SIZE[0])
        assert np.abs(points).min() > 3.99, "nothing within the plane"
        assert np.isclose(points, 5.0).any() and np.isclose(points, -5.0).any()

    def test_a_reset_in_the_same_step_joins_nothing(self) -> None:
        probe, history = make_probe(TUBE, 5, 8, agents=2), History(TUBE)
        for at, first in ((4.0, False), (-4.5, True), (-4.0, False)):
            push(probe, history, [[at, 1.0], [at, -1.0]], [first, False])
        assert check(probe, history) == 2

    def test_a_gap_in_step_joins_nothing(self) -> None:
        probe, history = make_probe(TUBE, 5, 8, agents=2), History(TUBE)
        for at, step in ((4.0, 0), (-4.5, 2), (-4.0, 3), (4.9, 4)):
            gap = step == 2
            push(probe, history, [[at, 1.0], [at, -1.0]], [gap, gap], step=step)
        assert check(probe, history) == 4

    def test_beside_a_sample_that_is_not_finite_nothing_is_joined(self) -> None:
        probe, history = make_probe(TUBE, 9, 12, agents=1), History(TUBE)
        for at in (4.0, 4.5, np.nan, -4.5, -4.0, 4.0, 4.2):
            push(probe, history, [[at, 1.0]])
        assert check(probe, history) == 2

    def test_agents_that_come_later_and_a_ring_that_grows(self) -> None:
        """The ring is a packer's alone here: what it knows of the last samples grows with it."""
        layout, more = RingLayout.fit(1, 8), RingLayout.fit(4, 8)
        packer = RingPacker(layout, 5, frame=Frame.of(View("tube", periodic=TUBE)))
        packer.pack(Samples.of([[4.5, 0.0]]))
        packer = packer.grown(more)
        (row,) = packer.pack(Samples.of([[-4.5, 0.0], [4.5, 0.0]])).rows
        assert row.over_edge.tolist() == [True, False] and row.begins.tolist() == [True, True]
        packer.pack(Samples.of([[-4.5, 0.0]]))
        (row,) = packer.pack(Samples.of([[-4.5, 0.0], [-4.5, 0.0]])).rows
        assert row.over_edge.tolist() == [False, False], "that one was away"

    def test_as_stamps_start_again_nothing_is_joined(self) -> None:
        probe = make_probe(TUBE, 5, 8, agents=1)
        probe.packer.step = LAST_STEP - 1
        history = History(TUBE)
        for step, at in enumerate((4.5, -4.5, -4.0, 4.0)):
            if step == 1:
                history = History(TUBE)
            push(probe, history, [[at, 1.0]])
        assert probe.packer.step == 2 and check(probe, history) == 2

    def test_a_run_as_long_as_ages_go(self) -> None:
        """It is read on from its first sample, and passes the edge once."""
        probe = make_probe(TUBE, 4300, 4400, stride=15, agents=1)
        for run in (LONGEST_AGE - 1, LONGEST_AGE, LONGEST_AGE + 1):
            at = np.concatenate([np.linspace(3.0, 4.99, 30), np.linspace(-4.99, 3.0, run + 1)])
            probe.packer = RingPacker(probe.layout, 4300, frame=probe.scene.frame)
            for x in at:
                probe.push([[x, 0.0]])
            pixels, surface = probe.pixels()
            xs = np.concatenate(drawn_runs(pixels[surface]))[:, 0] / (0.1 * SIZE[0])
            assert np.isclose(xs, 5.0).sum() == np.isclose(xs, -5.0).sum() == 1

    def test_where_the_sample_before_is_no_part_of_the_trail_it_begins_within(self) -> None:
        probe, history = make_probe(TUBE, 2, 6, agents=1), History(TUBE)
        for at in (4.5, -4.5, -4.0, -3.5):
            push(probe, history, [[at, 0.0]])
        assert check(probe, history) == 0

    def test_a_ring_as_long_as_the_trail(self) -> None:
        probe = make_probe(TORUS, 11, 12)
        assert sum(check(probe, history) for history in travel(probe, TORUS, 40, seed=9)) > 100

    def test_more_runs_than_there_is_room_for(self) -> None:
        """Each step goes over both edges: the newest runs are drawn, and nothing else."""
        probe, history = make_probe(TORUS, 150, 160, agents=1), History(TORUS)
        for step in range(200):
            push(probe, history, [[(4.0, 3.0), (-3.0, -4.0)][step % 2]])
        pixels, surface = probe.pixels()
        runs = [run for run in map(without_points, drawn_runs(pixels[surface])) if len(run)]
        assert 2 * MOST_RUNS - 2 <= len(runs) <= 2 * MOST_RUNS
        middle = np.abs(np.concatenate(runs)) < 0.29 * np.array(SIZE)
        assert not middle.all(axis=1).any()

    @pytest.mark.parametrize("lo", [(-np.pi, -8.0), (1e6, -1e-4), (0.0, 99.0)], ids=str)
    def test_any_plane_and_positions_any_number_of_periods_away(self, lo) -> None:
        hi = tuple(at + width for at, width in zip(lo, (2 * np.pi, 16.0), strict=True))
        frame = Frame.of(View("plane", lo=lo, hi=hi, periodic=TORUS))
        scene = Scene(size=SIZE, camera=FlatCamera(), trail=40, frame=frame)
        level = Heightfield(np.zeros((3, 4)), lo, hi)
        probe = Probe(scene, level, RingLayout.fit(3, 50), lasting_trails())
        rng = np.random.default_rng(2)
        for history in travel(None, TORUS, 60, seed=3, gaps=0.0):
            usual = history.positions[-1] + 10.0 * rng.integers(-9, 10, (3, 2))
            at = lo + (usual + 5.0) / 10.0 * np.subtract(hi, lo)
            probe.push(at, first=history.first[-1])
        assert check(probe, history) > 20

    def test_with_one_scale_the_shorter_axis_has_the_shorter_period(self) -> None:
        view = View("road", lo=(0, 0), hi=(40, 10), periodic=TORUS, aspect="equal")
        assert Frame.of(view).periods == (10.0, 2.5)
        scene = Scene(size=SIZE, camera=FlatCamera(), trail=5, frame=Frame.of(view))
        probe = Probe(scene, Heightfield(np.zeros((3, 4)), view.lo, view.hi), RingLayout.fit(1, 8))
        for at in ((20.0, 9.0), (20.0, 1.0), (14.0, 1.0)):
            probe.push([at])
        pixels, surface = probe.pixels()
        runs = map(without_points, drawn_runs(pixels[surface]))
        older, newer = (run / (0.1 * np.array(SIZE)) for run in runs)
        assert np.allclose(older, [[0, 1], [0, 1.25]], atol=1e-4)
        assert np.allclose(newer, [[0, -1.25], [0, -1], [-1.5, -1]], atol=1e-4)

    def test_its_speed_is_that_of_the_whole_step(self) -> None:
        """Where trails are coloured by speed."""
        frame, layout = Frame.of(View("torus", periodic=TORUS)), RingLayout.fit(1, 16)
        scene = BySpeed(size=SIZE, camera=FlatCamera(), trail=12, frame=frame)
        varyings = ("gl_Position", "v_data", "v_id", "v_measure")
        probe = Probe(scene, FIELD, layout, varyings=varyings)
        for step in range(12):
            probe.push([[4.85 + 0.03 * step, 4.9 + 0.021 * step]])
        values = probe.bind()
        instances = values["u_surface_instances"] + 1
        array = context().vertex_array(probe.program, [])
        found = transform(array, 52, values["u_vertices"], instances)
        strip = found.reshape(instances, -1, 13)[-1]
        trail = strip[:-5][strip[:-5, 12] > 0.0]
        expected = 1.0 - np.exp(-400.0 * np.hypot(0.03, 0.021) / 10.0)
        assert (trail[:, 4] % 1.0 > 0.0).any() and len(trail) > 24
        assert np.abs(trail[:, 12] - expected).max() < 1e-3 < expected < 0.9

    @settings(max_examples=60)
    @given(data=st.data())
    def test_any_path(self, data) -> None:
        """Short histories of one agent, whatever happens at each step."""
        axes = data.draw(st.sampled_from([TUBE, RING, TORUS]))
        stride, trail = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 9))
        probe = make_probe(axes, trail, 10, stride, agents=1)
        history, number = History(axes), -1
        places = st.integers(-9, 9).map(lambda k: 0.51 * k)
        for step in range(data.draw(st.integers(2, 16))):
            at = [data.draw(places), data.draw(places)]
            kind = data.draw(st.sampled_from(["", "", "", "", "first", "gap", "bad"]))
            number += 2 if kind == "gap" else 1
            at[0] = np.nan if kind == "bad" else at[0]
            begins = kind in ("first", "gap") or step == 0
            push(probe, history, [at], [begins], step=number)
        for scrub in range(min(len(history.first), 10 - trail)):
            check(probe, history, scrub)

    def test_a_place_on_an_edge_tells_the_step_that_led_over_it(self) -> None:
        """How far back it is, its rule, and that its segment is a part of one step."""
        probe = make_probe(TORUS, 8, 12, agents=1)
        path = [(3.0, 3.0), (4.5, 3.0), (-4.5, -4.75), (-3.0, -3.0)]
        for step, at in enumerate(path):
            probe.push([at], np.array([step % 3]))
        vertices, surface = probe.vertices()
        ids, _ = probe.ids()
        backs, ids = vertices[surface, :-5, 4], ids[surface, :-5]
        on_edge = np.flatnonzero(backs % 1.0)
        assert {*np.round(backs[on_edge], 4)} == {1.5, round(1 + 0.25 / 2.25, 4)}
        for vertex in on_edge:
            assert ids[vertex, 0] >> 6 & 0xFFFF == 1 and ids[vertex, 0] >> 2 & 15 == 1
            assert ids[vertex, 1] & 3 == 2 and ids[vertex, 2] == 0, "a straight line"
