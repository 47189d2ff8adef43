"""A mesh for each trail: what it joins, how often it is made anew, and how far it lags."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from drawn_trails import Opener, Pushed, links, still, tiny_hosts, wander

from calf_viz.heightfield import Heightfield
from calf_viz.hosts.base import Host
from calf_viz.hosts.panda.older.mesh import Mesh
from calf_viz.hosts.panda.older.trail_mesh import REBUILD

pytestmark = pytest.mark.rendering


@pytest.fixture
def opened() -> Iterator[Opener]:
    with tiny_hosts("per_agent") as open_host:
        yield open_host


def meshes(host: Host, rebuild: bool = True) -> list[Mesh]:
    trails = host.geometry.trails
    if rebuild:
        for trail in trails:
            trail.rebuild()
    return [trail.mesh for trail in trails if trail.mesh is not None]


@pytest.mark.parametrize("seed", range(4))
def test_agents_that_come_go_begin_anew_and_turn_invalid(opened: Opener, seed: int) -> None:
    rng = np.random.default_rng(seed)
    host = opened()
    pushed = Pushed(host)
    for _ in range(6):
        wander(pushed, rng, 23, most_agents=9)
        host.draw()
        pushed.assert_drawn(meshes(host))


def test_a_new_critic_lifts_all_points_in_its_frame(opened: Opener) -> None:
    host = opened()
    pushed = Pushed(host)
    wander(pushed, np.random.default_rng(0), 60, most_agents=5)
    waves = host.heightfield
    host.set_heightfield(Heightfield(3.0 * waves.values[:, ::-1], waves.lo, waves.hi))
    pushed.assert_drawn(meshes(host, rebuild=False))


@pytest.mark.parametrize("stride", [1, 3])
def test_each_mesh_is_made_anew_after_so_many_points_and_not_all_at_once(
    opened: Opener, stride: int
) -> None:
    agents = 20
    host = opened(stride=stride)
    pushed = Pushed(host)
    still(pushed, agents, 100 * stride)  # a burst that no frame shows
    host.draw()
    host.frame_counts()
    made = {trail: 0 for trail in host.geometry.trails}
    for trail in made:
        rebuild = trail.rebuild

        def counted(trail=trail, rebuild=rebuild) -> None:
            made[trail] += 1
            rebuild()

        trail.rebuild = counted
    rounds = 3
    for _ in range(rounds * REBUILD * stride):
        before = sum(made.values())
        still(pushed, agents, 1)
        host.draw()
        in_frame = sum(made.values()) - before
        counts = host.frame_counts()
        assert in_frame <= math.ceil(agents / REBUILD)
        assert counts["mesh_updates"] == agents + in_frame, "each marker moves in each frame"
        assert counts["draw_calls"] == counts["entities"] == 1 + 2 * agents
    assert set(made.values()) == {rounds}


def test_a_trail_lags_by_less_than_it_is_made_anew_after(opened: Opener) -> None:
    agents = 9
    host = opened()
    pushed = Pushed(host)
    lags = set()
    for step in range(60):
        still(pushed, agents, 1)
        host.draw()
        newest = {a: 0 for a in range(agents)}
        for agent, newer, _ in links(meshes(host, rebuild=False)):
            newest[agent] = max(newest[agent], newer)
        if step >= REBUILD:
            lags |= {step - newer for newer in newest.values()}
    assert lags == set(range(REBUILD))


def test_agents_that_go_take_their_entities_along(opened: Opener) -> None:
    host = opened()
    pushed = Pushed(host)
    for agents in (3, 8, 2, 5):
        still(pushed, agents, 20)
        host.draw()
        host.frame_counts()
        host.draw()
        assert host.frame_counts()["entities"] == 1 + 2 * agents
        assert len(host.node.find("**/marker").get_children()) == agents


def test_many_episodes_within_a_trail_of_long_strides(opened: Opener) -> None:
    """Each begins with a point of its own, so that there may be more than strides."""
    host = opened(trail=30, stride=10)
    pushed = Pushed(host)
    for step in range(200):
        pushed.push([[0.01 * step, 1.0]], first=[step % 2 == 0])
        host.draw()
    points = host.geometry.trails[0].points
    assert points["step"].tolist() == sorted(set(points["step"].tolist()))
    assert points["step"][-1] == 198 and points["step"][0] <= 199 - 30
    assert not links(meshes(host)), "no two points are of one run"
