"""The links in meshes of trails, read back from vertices and indices; and those expected, worked
out independently from the samples pushed into hosts of a tiny picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from oracles import heights_loop
from scene_folder import SceneFolder, Surface

from calf_viz.hosts.base import Host
from calf_viz.hosts.panda.older.mesh import Mesh
from calf_viz.samples import Samples

Link = tuple[int, int, int]  # agent, step, step of the older sample
Opener = Callable[..., Host]


@contextmanager
def tiny_hosts(kind: str, agents: int = 1) -> Iterator[Opener]:
    """Opens hosts of a tiny picture, closed in the end."""
    with ExitStack() as opened:

        def open_host(trail: int = 40, agents: int = agents, **fields: int) -> Host:
            scene = SceneFolder("t", size=(32, 32), trail=trail, surface=Surface("waves"), **fields)
            host = scene.open(kind, agents=agents)
            opened.callback(host.close)
            return host

        yield open_host


def links(meshes: Iterable[Mesh]) -> dict[Link, tuple[Any, Any]]:
    """The segments with area, each with the vertices of its newer and its older sample."""
    found = {}
    for mesh in meshes:
        vertices = mesh.vertices().reshape(-1, 2)
        assert (vertices[:, 0] == vertices[:, 1]).all(), "both vertices of a pair are alike"
        for triangles in mesh.indices().reshape(-1, 6).tolist():
            if not any(triangles):
                continue
            first = triangles[0]
            assert triangles[:3] == [first, first + 1, triangles[5] - 1]
            assert triangles[3:] == [first + 1, triangles[5] - 1, triangles[5]]
            assert first % 2 == 0 and triangles[5] % 2 == 1
            newer, older = vertices[triangles[5] // 2, 0], vertices[first // 2, 0]
            link = (*newer["a_id"][:2].tolist(), int(older["a_id"][1]))
            assert link not in found, "drawn twice"
            assert older["a_id"][0] == link[0], "an agent joined to another"
            found[link] = newer, older
    return found


@dataclass
class Pushed:
    """Samples pushed into a host: per step (n, 2) positions, modes and beginnings."""

    host: Host
    steps: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)

    def push(self, positions: Any, modes: Any = None, first: Any = None) -> None:
        positions = np.asarray(positions, np.float32)
        n = len(positions)
        modes = np.zeros(n, np.uint8) if modes is None else np.asarray(modes, np.uint8)
        first = np.zeros(n, bool) if first is None else np.asarray(first, bool)
        self.steps.append((positions, modes, first))
        self.host.push(Samples(positions, modes, first))

    def links(self) -> set[Link]:
        """Neighbouring samples of a run that lie within the trail, for agents that are there."""
        head = len(self.steps) - 1
        expected = set()
        for agent in range(len(self.steps[head][0])):
            for step in range(head, max(head - self.host.scene.trail, 0), -1):
                (now, _, first), (before, *_) = self.steps[step], self.steps[step - 1]
                if agent >= len(before):
                    break  # what was there before it left is forgotten
                joined = not first[agent] and np.isfinite([now[agent], before[agent]]).all()
                if joined:
                    expected.add((agent, step, step - 1))
        return expected

    def recent(self, found: Iterable[Link]) -> set[Link]:
        """Those that are not older than the trail."""
        oldest = len(self.steps) - 1 - self.host.scene.trail
        return {link for link in found if link[2] >= oldest}

    def assert_drawn(self, meshes: Iterable[Mesh]) -> None:
        """The right segments, and every input of their vertices right."""
        found = links(meshes)
        assert self.recent(found) == self.links()
        self.assert_vertices(found)

    def assert_vertices(self, found: dict[Link, tuple[Any, Any]]) -> None:
        """Segments' vertices are where their samples are, and know their neighbours, if any."""
        levels = self.host.levels
        oldest = len(self.steps) - 1 - self.host.scene.trail
        ends = {(agent, step) for agent, step, _ in found}
        begins = {(agent, older_step) for agent, _, older_step in found}
        for agent, step, older_step in self.recent(found):
            newer, older = found[agent, step, older_step]
            for vertex, at_step in ((newer, step), (older, older_step)):
                at = self.steps[at_step][0][agent]
                assert vertex["a_here"][:2].tolist() == at.tolist()
                height = heights_loop(levels, [at])[0]
                assert abs(vertex["a_here"][2] - height) < 1e-5
            assert newer["a_older"].tolist() == older["a_here"].tolist()
            assert older["a_newer"].tolist() == newer["a_here"][:2].tolist()
            if (agent, step) not in begins:
                assert newer["a_newer"].tolist() == newer["a_here"][:2].tolist()
            if (agent, older_step) not in ends and older_step > oldest:
                assert older["a_older"].tolist() == older["a_here"].tolist()
            assert newer["a_id"][2] & 3 == self.steps[step][1][agent]


def wander(pushed: Pushed, rng: np.random.Generator, steps: int, most_agents: int) -> None:
    """Agents that come, go, restart and turn invalid, at random."""
    agents = 2
    invalid = np.zeros(most_agents, bool)
    for _ in range(steps):
        if rng.random() < 0.06:
            agents = int(rng.integers(1, most_agents + 1))
        invalid ^= rng.random(most_agents) < np.where(invalid, 0.4, 0.03)
        positions = rng.uniform(-5.5, 5.5, (agents, 2))
        positions[invalid[:agents]] = rng.choice([np.nan, np.inf])
        pushed.push(positions, rng.integers(0, 3, agents), rng.random(agents) < 0.04)


def still(pushed: Pushed, agents: int, steps: int, first: bool = False) -> None:
    """Agents that stay where they are."""
    for _ in range(steps):
        pushed.push(np.tile([[1.0, 2.0]], (agents, 1)), first=np.full(agents, first))
