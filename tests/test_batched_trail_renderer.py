"""All trails in a mesh: what it joins, what a step writes and uploads, and how it grows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from drawn_trails import Opener, Pushed, links, still, tiny_hosts, wander
from scene_folder import Agents, SceneFolder

from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.hosts.base import Host
from calf_viz.hosts.panda.older import markers, ribbon, trail_chunks
from calf_viz.hosts.panda.older.trail_chunks import SAMPLE_BYTES, SHORTEST, TrailChunks

pytestmark = pytest.mark.rendering

MARKER_BYTES = 4 * markers.VERTEX.itemsize


@pytest.fixture
def opened() -> Iterator[Opener]:
    with tiny_hosts("batched", agents=2) as open_host:
        yield open_host


@pytest.fixture
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of SHORTEST slots, whatever they hold."""
    monkeypatch.setattr(trail_chunks, "CHUNK_BYTES", 1)


def trails(host: Host) -> TrailChunks:
    return host.geometry.trails


class TestSegments:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("chunks", ["one", "many"])
    def test_agents_that_come_go_begin_anew_and_turn_invalid(
        self, opened: Opener, monkeypatch: pytest.MonkeyPatch, chunks: str, seed: int
    ) -> None:
        if chunks == "many":
            monkeypatch.setattr(trail_chunks, "CHUNK_BYTES", 1)
        rng = np.random.default_rng(seed)
        host = opened()
        pushed = Pushed(host)
        for _ in range(6):
            wander(pushed, rng, 23, most_agents=9)
            pushed.assert_drawn(trails(host).meshes())
        assert (len(trails(host).chunks) == 1) == (chunks == "one")

    @pytest.mark.parametrize("chunks", ["one", "many"])
    def test_a_new_critic_lifts_all_samples(
        self, opened: Opener, monkeypatch: pytest.MonkeyPatch, chunks: str
    ) -> None:
        if chunks == "many":
            monkeypatch.setattr(trail_chunks, "CHUNK_BYTES", 1)
        host = opened()
        pushed = Pushed(host)
        rng = np.random.default_rng(0)
        wander(pushed, rng, 60, most_agents=5)
        pushed.push(rng.uniform(-5, 5, (5, 2)))
        waves = host.heightfield
        host.set_heightfield(Heightfield(3.0 * waves.values[:, ::-1], waves.lo, waves.hi))
        pushed.assert_drawn(trails(host).meshes())
        for _ in range(9):
            pushed.push(rng.uniform(-5, 5, (5, 2)))
            pushed.assert_drawn(trails(host).meshes())

    def test_a_new_critic_lifts_samples_between_strides(self, opened: Opener) -> None:
        host = opened(trail=40, stride=4)
        pushed = Pushed(host)
        rng = np.random.default_rng(0)
        for step in range(60):
            pushed.push(rng.uniform(-5, 5, (5, 2)), first=np.full(5, step == 0))
            if step == 57:
                waves = host.heightfield
                host.set_heightfield(Heightfield(waves.values[:, ::-1], waves.lo, waves.hi))
        found = links(trails(host).meshes())
        assert (0, 59, 56) in found
        pushed.assert_vertices(found)

    @pytest.mark.parametrize("stride", [2, 5, 15])
    def test_every_so_manieth_sample_and_the_newest(self, opened: Opener, stride: int) -> None:
        """They stay where they are while the head moves on, and know the modes between."""
        host = opened(trail=60, stride=stride)
        pushed = Pushed(host)
        rng = np.random.default_rng(stride)
        for step in range(130):
            pushed.push(rng.uniform(-5, 5, (3, 2)), rng.integers(0, 3, 3), np.full(3, step == 0))
        head = 129
        kept = [head, *(s for s in range(head - 1, -1, -1) if s % stride == 0)]
        found = links(trails(host).meshes())
        expected = {(a, n, o) for a in range(3) for n, o in pairwise(kept)}
        assert pushed.recent(found) == pushed.recent(expected)
        for agent, newer, older in pushed.recent(found):
            modes = [int(pushed.steps[step][1][agent]) for step in range(newer, older, -1)]
            word = int(found[agent, newer, older][0]["a_id"][2])
            assert [word >> 2 * k & 3 for k in range(newer - older)] == modes

    def test_a_reset_between_strided_samples_joins_nothing(self, opened: Opener) -> None:
        host = opened(trail=60, stride=5)
        pushed = Pushed(host)
        resets = {22, 25, 34}
        for step in range(44):
            pushed.push([[0.1 * step - 2, 0.0]], first=[step in {0, *resets}])
        for _, newer, older in links(trails(host).meshes()):
            assert not any(older < reset <= newer for reset in resets)


class TestUploads:
    def counts(self, pushed: Pushed, steps: int, agents: int) -> list[dict[str, int]]:
        told = []
        for _ in range(steps):
            still(pushed, agents, 1)
            pushed.host.draw()
            told.append(pushed.host.frame_counts())
        return told

    def test_one_mesh_and_one_draw_for_all_trails(self, opened: Opener) -> None:
        host = opened(trail=600, agents=100)
        pushed = Pushed(host)
        still(pushed, 100, 700)
        host.draw()
        host.frame_counts()
        (counts,) = self.counts(pushed, 1, 100)
        assert len(trails(host).chunks) == 1
        assert counts["draw_calls"] == counts["entities"] == 3, "surface, trails, markers"
        assert counts["mesh_updates"] == 2, "trails and markers; the surface stays"

    def test_only_the_chunk_that_the_head_is_in(self, opened: Opener, short_chunks: None) -> None:
        """And once the one it comes from, whose last sample gets a neighbour."""
        agents = 3
        host = opened(trail=40, agents=agents)
        pushed = Pushed(host)
        still(pushed, agents, 100)
        host.draw()
        host.frame_counts()
        length = trails(host).length
        assert length == SHORTEST - 1, "42 slots in 6 chunks"
        vertices = 2 * agents * (length + 1) * ribbon.VERTEX.itemsize
        chunk = vertices + 24 * agents * length
        told = self.counts(pushed, 4 * length, agents)
        uploads = [counts["upload_bytes"] - agents * MARKER_BYTES for counts in told]
        crossing = [step for step, size in enumerate(uploads) if size != chunk]
        assert len(crossing) == 4 and set(np.diff(crossing)) == {length}
        assert {uploads[step] for step in crossing} == {chunk + vertices}
        assert {counts["draw_calls"] for counts in told} == {6 + 2}

    def test_a_frame_without_a_step_uploads_nothing(self, opened: Opener) -> None:
        host = opened()
        pushed = Pushed(host)
        still(pushed, 2, 5)
        host.draw()
        host.frame_counts()
        host.draw()
        counts = host.frame_counts()
        assert counts["upload_bytes"] == counts["mesh_updates"] == 0
        assert counts["draw_calls"] == 3

    def test_a_new_critic_uploads_all(self, opened: Opener) -> None:
        host = opened(trail=40, agents=2)
        pushed = Pushed(host)
        still(pushed, 2, 50)
        host.draw()
        host.frame_counts()
        host.set_heightfield(host.heightfield)
        host.draw()
        assert host.frame_counts()["mesh_updates"] == 3

    def test_chunks_hold_what_is_good_to_upload(self, opened: Opener) -> None:
        for agents in (150, 1000):
            host = opened(trail=600, agents=agents)
            chunks = trails(host)
            assert len(chunks.chunks) > 1
            assert agents * chunks.length * SAMPLE_BYTES <= trail_chunks.CHUNK_BYTES
            assert chunks.slots >= 602, "no trail is shorter for it"


class TestGrowth:
    def test_max_agents_grows_by_itself(self, opened: Opener) -> None:
        host = opened(trail=20, agents=1)
        pushed = Pushed(host)
        assert host.geometry.max_agents == 1
        for agents in (1, 2, 40, 41, 300):
            still(pushed, agents, 9)
            assert agents <= host.geometry.max_agents <= max(1.5 * agents, 2)
            pushed.assert_drawn(trails(host).meshes())

    def test_chunks_grow_shorter_with_more_agents(
        self, opened: Opener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(trail_chunks, "CHUNK_BYTES", 50 * SAMPLE_BYTES)
        host = opened(trail=40, agents=1)
        pushed = Pushed(host)
        still(pushed, 1, 60)
        assert len(trails(host).chunks) == 1
        still(pushed, 4, 1)
        assert len(trails(host).chunks) > 2
        pushed.assert_drawn(trails(host).meshes())
        still(pushed, 4, 30)
        pushed.assert_drawn(trails(host).meshes())

    def test_more_than_memory_is_refused_in_words(self, opened: Opener) -> None:
        with pytest.raises(UserError, match=r"100000 agents .* 600 steps .*`renderer=gpu`"):
            opened(trail=600, agents=100_000)


def test_a_host_shows_agents_that_come_as_if_they_had_always_had_room(opened: Opener) -> None:
    groups = [Agents(1, seed=3), Agents(2, seed=4, come=20), Agents(90, "line", come=50)]
    scene = SceneFolder("growth", size=(240, 135), trail=60, steps=70, agents=groups)
    pictures = []
    for agents in (1, 150):
        host = scene.open("batched", agents=agents)
        pictures.append(scene.play(host))
        host.close()
    assert np.array_equal(*pictures)
