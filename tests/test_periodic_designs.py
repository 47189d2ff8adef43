"""Planes whose axes wrap, as all designs draw them: pictures, meshes, and bounds that change."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from render_probe import FlatCamera
from scene_folder import HOSTS, OLDER, SceneFolder, Surface
from torus import RING, TORUS, TUBE, History, shorter_way, split, travel

from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.scene.frame import Frame
from calf_viz.view import View

pytestmark = pytest.mark.rendering

over_axes = pytest.mark.parametrize("axes", [TUBE, RING, TORUS], ids=["x", "y", "both"])


@pytest.mark.parametrize("kind", [*HOSTS, *OLDER])
def test_in_a_picture_trails_reach_both_edges_and_leave_the_middle(kind) -> None:
    """From straight above, to the pixel: those whose middle is within the plane."""
    scene = SceneFolder("t", size=(240, 120), trail=30, surface=Surface("flat"), periodic=TUBE)
    pictures = []
    for apart in (False, True):  # with trails, without
        host = scene.open(kind)
        host.scene.camera = FlatCamera(6.0)
        host.detail.stride = lambda *_: 1
        for at in (2.5, 3.5, 4.7, -4.2, -3.5, -2.5):
            host.push(Samples.of([[at, 1.0]], first=apart))
        for trail in host.geometry.trails if kind == "per_agent" else ():
            trail.rebuild()
        host.draw()
        pictures.append(host.screenshot().astype(int))
        host.close()
    rows, columns = np.nonzero(np.abs(pictures[0] - pictures[1]).max(axis=2) > 30)
    seen = (columns + 0.5) / 20.0 - 6.0
    assert seen.max() == 4.975 and seen.min() == -4.975
    assert np.abs(seen).min() > 2.4
    for side in (seen > 0.0, seen < 0.0):
        assert len({*columns[side]}) == np.ptp(columns[side]) + 1, "without a gap"
    assert len({*rows}) <= 5


def lines_of(meshes) -> np.ndarray:
    """Lines with length that meshes draw, (lines, 6): agent, the newer and the older end, and the
    step of the older."""
    found = [np.zeros((0, 6))]
    for mesh in meshes:
        vertices = mesh.vertices().reshape(-1, 2)[:, 0]
        triangles = mesh.indices().reshape(-1, 6)
        triangles = triangles[triangles.any(axis=1)]
        newer, older = vertices[triangles[:, 5] // 2], vertices[triangles[:, 0] // 2]
        agent, step = newer["a_id"][:, 0] & 0xFFFFFF, older["a_id"][:, 1]
        found.append(np.column_stack([agent, newer["a_here"][:, :2], older["a_here"][:, :2], step]))
    lines = np.concatenate(found)
    return lines[np.abs(lines[:, 1:3] - lines[:, 3:5]).max(axis=1) > 1e-5]


def expected_lines(history: History, kept: list[int]) -> np.ndarray:
    """As `lines_of`: from each step that is kept to the one before, by the way that the agent took;
    the steps are those before."""
    lines = [np.zeros((0, 6))]
    for agent in range(len(history.positions[0])):
        for older, newer in pairwise(kept):
            steps = range(older, newer)
            joined = all(history.valid(agent, s) for s in (*steps, newer))
            if not joined or any(history.first[s + 1][agent] for s in steps):
                continue
            at = [history.at(agent, s) for s in (*steps, newer)]
            way = sum(shorter_way(a, b, history.axes) for a, b in pairwise(at))
            lines += [
                [[agent, *end, *begin, older]] for begin, end in split(at[0], way, history.axes)
            ]
    found = np.concatenate(lines)
    return found[np.abs(found[:, 1:3] - found[:, 3:5]).max(axis=1) > 1e-5]


@pytest.mark.parametrize("kind", OLDER)
class TestOlderDesigns:
    def meshes(self, host) -> list:
        trails = host.geometry.trails
        if isinstance(trails, list):
            for trail in trails:
                trail.rebuild()
            return [trail.mesh for trail in trails]
        return [mesh for mesh in (*trails.meshes(), trails.edges.mesh) if mesh is not None]

    def check(self, kind, host, history) -> int:
        """How many lines there are within the trail."""
        scene, head = host.scene, len(history.first) - 1
        kept = [s for s in range(head + 1) if s % scene.stride == 0]
        if kind == "batched" and kept[-1] != head:
            kept.append(head)
        found, expected = lines_of(self.meshes(host)), expected_lines(history, kept)
        expected = expected[expected[:, 5] >= head - scene.trail]
        apart = np.abs(found[:, None, :5] - expected[None, :, :5]).max(axis=2)
        assert (apart.min(axis=0, initial=9.0) < 1e-4).all(), "a line is missing"
        more = apart.min(axis=1, initial=9.0) > 1e-4
        assert (found[more, 5] <= head - scene.trail + scene.stride).all(), "a line too many"
        return len(expected)

    @over_axes
    @pytest.mark.parametrize("stride", [1, 4])
    def test_lines_meet_edges_where_they_should(self, kind, axes, stride) -> None:
        """Also where between two kept samples the agent went over an edge and back, or twice."""
        scene = SceneFolder("t", size=(32, 32), trail=20, stride=stride, periodic=axes)
        host, lines = scene.open(kind), 0
        broken = {} if stride == 1 else {"resets": 0.0, "bad": 0.0}
        for head, history in enumerate(travel(None, axes, 70, stride, 4, gaps=0.0, **broken)):
            host.push(Samples.of(history.positions[-1], first=history.first[-1]))
            if head % 3 == 2:
                lines += self.check(kind, host, history)
        host.close()
        assert lines > 200

    def test_a_new_critic_lifts_them(self, kind) -> None:
        host = SceneFolder("t", size=(32, 32), trail=40, periodic=TORUS).open(kind)
        for history in travel(None, TORUS, 60, 3, 4, gaps=0.0):
            host.push(Samples.of(history.positions[-1], first=history.first[-1]))
        field = Surface("waves").heightfield()
        host.set_heightfield(field)
        low, high = field.range
        for mesh in self.meshes(host):
            used = np.unique(mesh.indices())
            here = mesh.vertices()[used]["a_here"].astype(np.float64)
            here = here[mesh.vertices()[used]["a_id"][:, 1] > 59 - 40]
            wanted = (field.heights(here[:, :2]) - low) / (high - low)
            assert len(here) and np.abs(here[:, 2] - wanted).max() < 1e-5
        host.close()

    def test_agents_that_come_and_go(self, kind) -> None:
        """Their lines stay, or go with them, as the meshes grow."""
        host = SceneFolder("t", size=(32, 32), trail=25, periodic=TORUS).open(kind, agents=1)
        steps = list(travel(None, TORUS, 60, 4, 9, resets=0.0, bad=0.0, gaps=0.0))[-1]
        there = [1] * 10 + [3] * 10 + [9] * 20 + [2] * 8 + [5] * 12
        shown = History(TORUS)
        for step, n in enumerate(there):
            host.push(Samples.of(steps.positions[step][:n]))
            away = np.full(9, np.nan)
            positions = np.where(np.arange(9)[:, None] < n, steps.positions[step], away[:, None])
            shown.positions.append(positions)
            shown.first.append(np.zeros(9, bool))
        for step in range(48):  # what was there before it left is forgotten
            shown.positions[step][2:] = np.nan
        self.check(kind, host, shown)
        host.close()


@pytest.mark.parametrize("kind", [*HOSTS, *OLDER])
class TestBoundsThatChange:
    def picture(self, kind, views, path) -> np.ndarray:
        """Of a path with as many steps in each of the views, the last to be framed by all."""
        surface = Surface("flat")
        scene = SceneFolder("t", size=(240, 120), trail=60, surface=surface, periodic=TUBE)
        host = scene.open(kind)
        host.reframe(Frame.of(views[0]))
        host.scene.camera = FlatCamera(6.0)
        for view, part in zip(views, np.array_split(path, len(views)), strict=True):
            host.reframe(Frame.of(view))
            host.set_heightfield(Heightfield(np.zeros((3, 3)), view.lo, view.hi))
            for at in part:
                host.push(Samples.of(view.wrapped(np.array([at]))))
        for trail in host.geometry.trails if kind == "per_agent" else ():
            trail.rebuild()
        host.detail.stride = lambda *_: 1
        host.draw()
        found = host.screenshot().astype(int)
        host.close()
        return found

    def test_of_the_other_axis_trails_stay(self, kind) -> None:
        small = View("v", lo=(-np.pi, -1.0), hi=(np.pi, 1.0), periodic=TUBE)
        large = View("v", lo=(-np.pi, -2.0), hi=(np.pi, 6.0), periodic=TUBE)
        time = np.arange(40)
        path = np.stack([0.47 * time, np.sin(0.3 * time)], axis=1)
        changed = self.picture(kind, [small, large], path)
        apart = np.abs(changed - self.picture(kind, [large, large], path)).max(axis=2)
        assert (apart > 8).mean() < 1e-3
        assert (np.abs(changed - self.picture(kind, [large], path[20:])) > 30).any(), (
            "they would go"
        )

    def test_of_the_periodic_axis_trails_begin_anew(self, kind) -> None:
        """What went over an edge there would not here: they begin where the agents were."""
        one = View("v", lo=(-np.pi, -1.0), hi=(np.pi, 1.0), periodic=TUBE)
        other = View("v", lo=(0.0, -1.0), hi=(2 * np.pi, 1.0), periodic=TUBE)
        time = np.arange(40)
        path = np.stack([0.47 * time, np.sin(0.3 * time)], axis=1)
        changed = self.picture(kind, [one, other], path)
        assert (changed == self.picture(kind, [other], path[19:])).all()

    def test_agents_are_drawn_before_their_next_step_too(self, kind) -> None:
        one = View("v", lo=(-np.pi, -1.0), hi=(np.pi, 1.0), periodic=TUBE)
        other = View("v", lo=(0.0, -1.0), hi=(2 * np.pi, 1.0), periodic=TUBE)
        at = np.array([[-1.0, 0.5]])
        changed, expected = self.picture(kind, [one, other], at), self.picture(kind, [other], at)
        assert (changed == expected).all()
        assert (expected != self.picture(kind, [other], at - 0.5)).any(), "there it is"
