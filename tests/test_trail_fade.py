"""Trails of finished episodes fade out within some steps; wraps and gaps end no episode."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render_probe import FlatCamera, Probe, sides
from scene_folder import HOSTS, OLDER, SceneFolder, Surface
from torus import TUBE

from calf_viz.glsl.library import ShaderLibrary
from calf_viz.heightfield import Heightfield
from calf_viz.hosts.panda.older import ribbon
from calf_viz.samples import Samples
from calf_viz.scene.frame import Frame
from calf_viz.scene.ring import RingLayout
from calf_viz.scene.scene import Scene
from calf_viz.view import View

pytestmark = pytest.mark.rendering

FIELD = Heightfield(np.zeros((3, 4)), (-5.0, -5.0), (5.0, 5.0))
FADE_STEPS = 50.0
KINDS = [*HOSTS, *OLDER]


def shown_ages(steps: list[tuple[float, bool]], head: int, trail: int) -> dict[int, float]:
    """Age that colours and widths have at each step of one agent's trail, in float64, from each
    step's place and whether an episode begins there."""
    ages, ended = {}, 0
    for step in range(head, max(head - trail, 0) - 1, -1):
        ages[step] = (head - step) / trail + ended / FADE_STEPS
        if steps[step][1]:
            ended = head - step
    return ages


def make_probe(trail: int, slots: int, axes=(False, False), stride: int = 1) -> Probe:
    frame = Frame.of(View("torus", periodic=axes))
    scene = Scene(size=(1152, 720), camera=FlatCamera(), trail=trail, frame=frame, stride=stride)
    return Probe(scene, FIELD, RingLayout.fit(1, slots))


def check(probe: Probe, steps: list[tuple[float, bool]], scrub: int = 0, places: int = 0) -> None:
    """All pairs of the strip that are a sample's have its age and width; at least so many are."""
    found, surface = probe.vertices(scrub=scrub, runs=16)
    data = found[surface, :-5, 4:].reshape(-1, 2, 4)
    expected = shown_ages(steps, len(steps) - 1 - scrub, probe.scene.trail)
    seen = set()
    for pair in data[sides(data[..., 2])]:
        back, age, reach, width = pair[0]
        step = len(steps) - 1 - scrub - round(back)
        if back % 1.0:
            continue  # on an edge
        seen.add(step)
        assert abs(age - expected[step]) < 1e-5, step
        full = 0.5 * 2.6 * (1.0 - 0.45 * min(age, 1.0))
        left = min(max(2.0 * age - 2.0, 0.0), 1.0)
        assert abs(width - (full * (1.0 - left) - 0.5 * left)) < 1e-4, step
        assert abs(reach) < 0.06 or expected[step] < 1.5, "nothing is left"
    assert len(seen) >= places


@pytest.mark.parametrize("stride", [1, 4])
@pytest.mark.parametrize("trail", [30, 100])
def test_ages_of_several_finished_episodes(trail, stride) -> None:
    probe = make_probe(trail, 128, stride=stride)
    steps = []
    for step in range(120):
        steps.append((0.05 * (step % 90), step in (0, 20, 47, 48, 90)))
        probe.push([[steps[-1][0], 1.0]], first=np.array([steps[-1][1]]))
        if step % 7 == 0 or step in (21, 49, 91):
            check(probe, steps, places=min(step, trail) // stride)
    for scrub in range(0, 27, 3):
        check(probe, steps, scrub)


def test_wraps_and_gaps_in_the_steps_end_no_episode() -> None:
    probe, steps = make_probe(60, 80, TUBE), []
    number = 0
    for step in range(50):
        number += 3 if step == 40 else 1  # two steps were left out
        at = -4.0 + 0.5 * step
        steps.append((at, step == 15))
        probe.push([[(at + 5.0) % 10.0 - 5.0, 1.0]], first=np.array([step == 15]), step=number)
    check(probe, steps, places=45)
    assert shown_ages(steps, 49, 60)[10] > 1.0 > shown_ages(steps, 49, 60)[20]


def test_samples_that_are_not_finite_end_no_episode() -> None:
    probe, steps = make_probe(60, 80), []
    for step in range(40):
        at = np.nan if 20 <= step < 25 else 0.1 * step
        steps.append((at, step == 30))
        probe.push([[at, 1.0]], first=np.array([step == 30]))
    check(probe, steps, places=30)


@settings(max_examples=40)
@given(data=st.data())
def test_whatever_happens_at_each_step(data) -> None:
    trail = data.draw(st.integers(1, 20))
    probe, steps, number = make_probe(trail, 40, TUBE), [], -1
    for step in range(data.draw(st.integers(2, 30))):
        kind = data.draw(st.sampled_from(["", "", "", "first", "gap", "bad", "both"]))
        number += 2 if kind in ("gap", "both") else 1
        at = np.nan if kind == "bad" else 0.51 * data.draw(st.integers(-9, 9))
        steps.append((at, step == 0 or kind in ("first", "both")))
        probe.push([[at, 1.0]], first=np.array([steps[-1][1]]), step=number)
    for scrub in range(min(len(steps), 40 - trail)):
        check(probe, steps, scrub)


# --- older designs


def ends(host) -> dict[tuple[int, int], int]:
    """Of each vertex in the meshes: the step at which the agent's next episode began."""
    trails = host.geometry.trails
    if isinstance(trails, list):
        for trail in trails:
            trail.rebuild()
        meshes = [trail.mesh for trail in trails]
    else:
        edges = trails.edges
        meshes = [*trails.meshes(), *([edges.mesh] if edges is not None and edges.mesh else [])]
    found = {}
    for mesh in meshes:
        rows = mesh.vertices()
        triangles = mesh.indices().reshape(-1, 6)
        used = rows["a_id"][np.unique(triangles[triangles.any(axis=1)])]
        for agent, step, _, end in used.tolist():
            found.setdefault((agent & ribbon.AGENT, step, agent >> ribbon.AGENT_BITS), set()).add(
                end
            )
    assert all(len(each) == 1 for each in found.values()), "two vertices of a place disagree"
    return {key[:2]: next(iter(each)) for key, each in found.items() if key[2] == 0}


@pytest.mark.parametrize("kind", OLDER)
@pytest.mark.parametrize("axes", [(False, False), TUBE], ids=["plain", "tube"])
@pytest.mark.parametrize("stride", [1, 3])
def test_vertices_of_older_designs_know_when_their_episode_ended(
    kind, axes, stride, monkeypatch
) -> None:
    """Also in many meshes, after a ring that grew, and with episodes of a few steps."""
    monkeypatch.setattr("calf_viz.hosts.panda.older.trail_chunks.CHUNK_BYTES", 12_000)
    scene = SceneFolder("t", size=(32, 32), trail=50, stride=stride, periodic=axes)
    host, rng = scene.open(kind), np.random.default_rng(stride)
    firsts, agents = [], 4
    for step in range(130):
        agents = 7 if step == 60 else agents
        first = rng.random(agents) < 0.06
        first |= step in (0, 60)
        firsts.append(np.pad(first, (0, 7 - agents)))
        at = np.column_stack([(0.4 * step + np.arange(agents)) % 10.0 - 5.0, np.arange(agents) / 2])
        host.push(Samples.of(at, first=first))
        if step % 10 != 9:
            continue
        found = ends(host)
        assert len(found) > 20 / stride
        for (agent, at_step), end in found.items():
            later = [s for s in range(at_step + 1, step + 1) if firsts[s][agent]]
            assert end == (later[0] if later else ribbon.GOES_ON), (step, agent, at_step)
    host.close()


# --- pixels


def picture(kind: str, after: int, look=None) -> np.ndarray:
    """What is seen of a trail of 20 steps whose episode ended this many steps ago, (h, w) levels of
    difference from a picture without it."""
    scene = SceneFolder("t", size=(240, 120), trail=200, surface=Surface("flat"))
    pictures = []
    for gone in (False, True):
        changes = {} if look is None else {"library": look}
        host = scene.open(kind, **changes)
        host.scene.camera = FlatCamera(6.0)
        host.detail.stride = lambda *_: 1
        for step in range(20):
            at = [[-4.0 + 0.2 * step, 2.0]] if not gone else [[4.0, -3.0]]
            host.push(Samples.of(at, first=gone))
        for step in range(after):
            host.push(Samples.of([[4.0, -3.0]], first=gone or step == 0))
        for trail in host.geometry.trails if kind == "per_agent" else ():
            trail.rebuild()
        host.draw()
        pictures.append(host.screenshot().astype(int))
        host.close()
    return np.abs(pictures[0] - pictures[1]).max(axis=2)[:, :150]


@pytest.mark.parametrize("kind", KINDS)
def test_a_trail_is_gone_some_steps_after_its_episode(kind) -> None:
    before, during, after = (picture(kind, steps).max() for steps in (1, 30, 60))
    assert before > 60 and 20 < during < 0.75 * before and after == 0


def test_where_a_look_never_fades_trails_they_shrink_instead(look) -> None:
    (look / "trail_colour.glsl").write_text(
        "vec4 trail_colour(vec3 colour, int mode, float age, float edge) {"
        " return vec4(colour, 1.0); }",
        encoding="utf-8",
    )
    library = ShaderLibrary(look)
    seen = [picture("moderngl", steps, library).sum() for steps in (1, 38, 42, 46, 70)]
    assert seen[0] > seen[1] > seen[2] > seen[3] > 0 and seen[4] == 0
