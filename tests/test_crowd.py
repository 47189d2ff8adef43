"""Crowds: how full a picture is, in float64; what follows from it; depth by age; saturation."""

from __future__ import annotations

import math
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from crowd_opacity import Case, fullness, measure, opacity, opened
from hypothesis import given
from hypothesis import strategies as st
from render_probe import Probe
from scene_folder import Agents, SceneFolder
from test_ribbon import SLOPED, project, to_pixels
from written_looks import NO_CASING

from calf_viz.agent import checkpoint
from calf_viz.agent.calf import CALFAgent
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.heightfield import plane_nodes
from calf_viz.samples import Samples
from calf_viz.scene.camera import OrbitCamera
from calf_viz.scene.crowd import CASING, DEPTH_BIAS, Crowd
from calf_viz.scene.frame import Move
from calf_viz.scene.ring import RingLayout, RingPacker
from calf_viz.scene.scene import THINNEST, Scene
from calf_viz.scene.trail_ink import FADES, TrailInk

TRAIL = 40


def walks(steps: int, agents: int, seed: int = 0) -> np.ndarray:
    """Random walks within the plane, (steps, agents, 2) float32."""
    rng = np.random.default_rng(seed)
    steps_of = rng.normal(size=(steps, agents, 2)) * [0.06, 0.02]
    return (rng.uniform(-2, 2, (agents, 2)) + np.cumsum(steps_of, axis=0)).astype(np.float32)


def inked(path: np.ndarray, begins: np.ndarray | None = None, trail: int = TRAIL) -> TrailInk:
    ink = TrailInk(trail)
    for step, places in enumerate(path):
        none = np.zeros(len(places), bool)
        ink.see(places, none if begins is None else begins[step], none)
    return ink


class TestInk:
    @pytest.mark.parametrize("seed", [1, 2])
    def test_length_and_area_are_those_of_the_trails_drawn(self, seed: int) -> None:
        path = walks(100, 9, seed)
        begins = np.random.default_rng(seed).random((100, 9)) < 0.05
        path[50:60, 3] = np.nan
        begins[[50, 60], 3] = True
        ink = inked(path, begins)
        newer, older = path[-TRAIL:].astype(float), path[-TRAIL - 1 : -1].astype(float)
        drawn = ~begins[-TRAIL:] & np.isfinite(newer + older).all(axis=2)
        lengths = np.linalg.norm(newer - older, axis=2)[drawn]
        assert ink.length == pytest.approx(lengths.sum())
        covariance = np.cov(newer[drawn].T, aweights=lengths, ddof=0)
        assert ink.area == pytest.approx(12 * math.sqrt(np.linalg.det(covariance)))

    def test_area_is_that_of_a_rectangle_that_trails_fill(self) -> None:
        turn = np.array([[0.8, 0.6], [-0.6, 0.8]])
        grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in (400, 100)], indexing="ij"), 2)
        rectangle = grid * [2.0, 0.5] @ turn + [1.0, -0.5]
        ink = inked(rectangle.astype(np.float32), trail=399)
        assert ink.area == pytest.approx(4.0 * 1.0, rel=0.02)

    def test_the_first_agents_stand_for_the_others(self) -> None:
        path = walks(60, 2000)
        lengths = np.linalg.norm(np.diff(path[-TRAIL - 1 :].astype(float), axis=0), axis=2)
        assert inked(path).length == pytest.approx(lengths.sum(), rel=0.03)

    def test_agents_that_come_add_only_what_they_walk_and_those_that_leave_take_it(self) -> None:
        path = walks(100, 100)
        ink = inked(path[:60, :80])
        before = ink.length
        ink.see(path[60], np.zeros(100, bool), np.zeros(100, bool))
        assert ink.length == pytest.approx(before, rel=0.02)
        ink.see(path[61, :40], np.zeros(40, bool), np.zeros(40, bool))
        assert ink.length == pytest.approx(0.4 * before, rel=0.03)

    def test_trails_of_finished_episodes_are_gone_after_some_steps(self) -> None:
        """Gradually, as they fade."""
        still = np.tile(walks(1, 10), (1, 1, 1))[0]
        ink = inked(walks(60, 10))
        before, begin = ink.length, np.ones(10, bool)
        lengths = []
        for step in range(int(4 * FADES)):
            ink.see(still, begin & (step == 0), begin & (step == 0))
            lengths.append(ink.length)
        steps = -np.diff([before, *lengths])
        assert (steps >= 0).all() and steps.max() < 0.1 * before
        assert lengths[-1] < 0.02 * before

    def test_each_step_fades_by_all_the_episodes_that_began_since(self) -> None:
        """Whether sums are read in each step or at the end; for as long as one likes."""
        path, rng = np.clip(walks(3000, 20), -4.5, 4.5), np.random.default_rng(3)
        episodes = rng.random((3000, 20)) < 0.3
        rare, often = TrailInk(TRAIL), TrailInk(TRAIL)
        steps, fading = np.zeros(TRAIL), 0.0
        for step, places in enumerate(path):
            for ink in (rare, often):
                ink.see(places, episodes[step], episodes[step])
            fading += float(episodes[step].mean())
            fades = min(fading, 1.0) / FADES
            steps, fading = np.roll(steps * (1.0 - fades), 1), fading - fades
            moves = places.astype(float) - path[step - 1] if step else np.zeros((20, 2))
            steps[0] = np.linalg.norm(moves, axis=1)[~episodes[step]].sum()
            assert often.length == pytest.approx(steps.sum(), rel=1e-6)
        assert rare.length == pytest.approx(steps.sum(), rel=1e-6)
        assert rare.area == pytest.approx(often.area, rel=1e-6)

    def test_a_style_is_renewed_at_most_every_eighth_step_once_trails_are_long(self) -> None:
        ink, path, none = TrailInk(TRAIL), walks(240, 9), np.zeros(9, bool)
        seen = []
        for places in path:
            ink.see(places, none, none)
            seen.append(ink.lately)
        assert len(set(seen[140:])) <= 14
        now = (ink.length, ink.area)
        assert seen[-1] == pytest.approx(now, rel=0.3)
        early = [inked(path[: n + 1]).length for n in range(8)]
        assert [length for length, _ in seen[:8]] == pytest.approx(early)

    def test_another_scale_of_the_scene_is_followed(self) -> None:
        path = walks(60, 10)
        ink, move = inked(path), Move((0.5, 0.5), (1.0, -2.0))
        ink.move(move)
        moved = inked(move(path).astype(np.float32))
        assert ink.length == pytest.approx(moved.length, rel=1e-5)
        assert ink.area == pytest.approx(moved.area, rel=1e-4)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, 3e38])
    def test_positions_far_outside_or_not_finite_do_not_count(self, bad: float) -> None:
        path = np.tile(walks(60, 10), (1, 2, 1))
        path[::2, 10:] = bad
        ink = inked(path)
        assert 0 <= ink.length < 1e5 and math.isfinite(ink.area)

    def test_the_packer_feeds_it_and_keeps_it_when_it_grows(self) -> None:
        path, layout = walks(60, 10), RingLayout.fit(10, TRAIL + 1)
        packer = RingPacker(layout, TRAIL)
        for places in path[:50]:
            packer.pack(samples(places))
        packer = packer.grown(RingLayout.fit(20, TRAIL + 1))
        for places in path[50:]:
            packer.pack(samples(places))
        assert packer.ink.length == pytest.approx(inked(path).length)


def samples(places: np.ndarray) -> Samples:
    n = len(places)
    return Samples(places, np.zeros(n, np.uint8), np.zeros(n, bool))


full = st.floats(0.0, 1e4)


class TestStyle:
    @given(full, full, st.floats(1.0, 3.0))
    def test_fuller_pictures_are_finer(self, overlap: float, cover: float, more: float) -> None:
        one, two = (Crowd.of(k * overlap, k * cover, 0.3, 0.1) for k in (1.0, more))
        assert two.width <= one.width <= 1.0 and two.radius <= one.radius <= 1.0
        assert all(b <= a <= 1.0 for a, b in zip(one.opacity, two.opacity, strict=True))
        assert two.by_age >= one.by_age >= 0.0

    def test_an_empty_picture_is_as_without_crowds(self) -> None:
        assert Crowd.of(0.0, 0.0, 0.3, 0.1) == Crowd(1.0, 1.0, (1.0, 1.0), 0.0, CASING)

    def test_depth_is_shared_and_never_more_than_without_crowds(self) -> None:
        for overlap in (0.0, 0.5, 2.0, 1e5):
            by_agent, by_age = Crowd.of(overlap, 0.0, 0.3, 0.1).depth_bias
            assert by_agent >= 0.0 and by_agent + by_age == pytest.approx(1.5 * DEPTH_BIAS)

    def test_what_is_too_thin_to_show_is_transparent_instead(self) -> None:
        dense = Crowd.of(1e4, 1e4, 0.4, 0.2)
        assert (dense.width, dense.radius) == (0.4, 0.2)
        assert dense.opacity[1] == pytest.approx(
            (Crowd.of(1e4, 1e4, 0.4, 0.0001).radius / 0.2) ** 2
        )


def uniforms(agents: int, size: tuple[int, int] = (1280, 720), zoom: float = 1.0) -> dict[str, Any]:
    """Of agents that walk alike over much of the plane."""
    scene = Scene(size=size, trail=TRAIL, ink=inked(walks(60, 20)[:, np.arange(agents) % 20]))
    scene.camera = OrbitCamera(distance=scene.camera.distance / zoom)
    return scene.uniforms(SLOPED, RingLayout.fit(agents, TRAIL + 1), agents, 60, 1)


def test_twenty_agents_are_drawn_as_ever() -> None:
    found = uniforms(20)
    assert found["u_trail_width"] == Scene().trail_width
    assert found["u_marker_radius"] == 7.0 and found["u_opacity"] == (1.0, 1.0)


STYLED = ("u_trail_width", "u_marker_radius", "u_opacity", "u_depth_bias")


@pytest.mark.parametrize("agents", [1, 19, 20, 24, 40, 60, 300, 1000, 5000])
def test_one_agent_more_changes_next_to_nothing(agents: int) -> None:
    one, more = (uniforms(n) for n in (agents, agents + 1))
    for name in STYLED[:3]:
        np.testing.assert_allclose(more[name], one[name], rtol=0.02)


def test_a_crowd_is_finer_the_larger_it_is_and_coarser_the_nearer() -> None:
    found = [uniforms(n) for n in (20, 100, 1000, 10_000)]
    for name in STYLED[:2]:
        assert (np.diff([each[name] for each in found]) <= 0).all()
    assert (np.diff([each["u_opacity"] for each in found], axis=0) <= 0).all()
    assert found[-1]["u_trail_width"] >= THINNEST
    assert uniforms(1000, zoom=3.0)["u_opacity"][0] > found[2]["u_opacity"][0]


def test_pictures_of_any_size_above_the_smallest_look_alike() -> None:
    small, large = uniforms(100), uniforms(100, (2560, 1440))
    assert small["u_trail_width"] < 0.8 * uniforms(1)["u_trail_width"]
    assert large["u_trail_width"] == pytest.approx(2 * small["u_trail_width"])
    np.testing.assert_allclose(large["u_opacity"], small["u_opacity"])


@pytest.mark.rendering
class TestDepth:
    agents, steps = 60, 12

    def nearer(self, ink: TrailInk | None, trainee: int = -1) -> tuple[np.ndarray, np.ndarray]:
        """How much nearer than the surface trails' vertices are, (agents, pairs), the newest pair
        last, and markers', (agents,) [NDC]."""
        rng = np.random.default_rng(5)
        camera = OrbitCamera(azimuth=0.4, elevation=0.9)
        scene = Scene(
            size=(640, 480), camera=camera, trail=self.steps + 2, ink=ink, training_agent=trainee
        )
        probe = Probe(scene, SLOPED, RingLayout.fit(self.agents, self.steps + 3))
        for _ in range(self.steps):
            probe.push(rng.uniform(-4, 4, (self.agents, 2)))
        found, surface = probe.vertices()
        clip = found[surface:]
        nodes = project(SLOPED, camera, plane_nodes((-5, -5), (5, 5), 5, 5), scene.height_scale)
        system = np.column_stack([to_pixels(nodes), np.ones(len(nodes))])
        depth, *_ = np.linalg.lstsq(system, nodes[:, 2] / nodes[:, 3], rcond=None)
        shown = np.where(clip[..., 2] < clip[..., 3], 1.0, np.nan)
        xy1 = np.concatenate([to_pixels(clip), np.ones((*shown.shape, 1))], axis=2)
        nearer = (xy1 @ depth - clip[..., 2] / clip[..., 3]) * shown
        trails = nearer[:, : (clip.shape[1] - 5) // 2 * 2].reshape(self.agents, -1, 2)[..., 0]
        return trails[:, -self.steps - 1 : -1], nearer[:, -1]

    def test_in_a_crowd_newer_parts_of_all_lie_above_older_parts_of_all(self) -> None:
        ink = inked(walks(60, 60))
        ink._scale(1e5)
        trails, markers = self.nearer(ink)
        assert (trails.min(axis=0)[1:] > trails.max(axis=0)[:-1]).all()
        assert markers.min() > trails.max() + 0.4 * DEPTH_BIAS
        assert (np.diff(markers) > 0).all(), "markers never cut into one another"

    def test_few_agents_lie_one_above_another(self) -> None:
        trails, _ = self.nearer(None)
        assert (np.diff(trails, axis=0) > 0).all(), "each above the one before, age for age"

    def test_the_agent_in_training_lies_above_all_but_the_newest_of_others(self) -> None:
        ink = inked(walks(60, 60))
        ink._scale(1e5)
        trails, _ = self.nearer(ink, trainee=0)
        assert trails[0].min() > trails[1:, :-2].max()


@pytest.mark.rendering
@pytest.mark.parametrize(("agents", "trail"), [(1000, 100), (1000, 600), (100_000, 8)])
def test_crowds_do_not_saturate(agents: int, trail: int) -> None:
    """Of trails' pixels hardly any hides what is below, while degrees of density are seen."""
    opaque, area, degrees = measure(Case("point_mass", "nominal", (640, 360), agents, trail), None)
    assert opaque < 0.02
    assert area > 0.01 and degrees > 2.5


@pytest.mark.rendering
def test_a_small_picture_is_no_fuller_than_a_large_one() -> None:
    """Though the thinnest line takes more of it; nor does it saturate."""
    agent = CALFAgent.load(checkpoint.shipped("pendulum"))
    means, opaque = [], []
    for size in ((1280, 720), (480, 300)):
        case = Case("pendulum", "nominal", size, 1000, 300)
        with (
            tempfile.TemporaryDirectory() as folder,
            closing(opened(agent, case, Path(folder))) as host,
        ):
            covered = opacity(host, Path(folder))
        # Shares of the plane, which is as high in both pictures.
        means.append(float(covered.sum()) / size[1] ** 2)
        opaque.append(fullness(covered)[0])
    assert 0.7 < means[1] / means[0] < 1.0 and max(opaque) < 0.02


@pytest.mark.rendering
def test_the_agent_in_training_is_drawn_in_full(tmp_path) -> None:
    """Its trail keeps its opacity among others that lost theirs."""
    hook = "vec4 trail_colour(vec3 colour, int mode, float age, float edge) "
    (tmp_path / "trail_colour.glsl").write_text(
        hook + "{ return vec4(vec3(colour.b < 0.1), 1.0); }\n"  # the trainee's is yellow
    )
    (tmp_path / "trail_casing.glsl").write_text(NO_CASING)
    (tmp_path / "marker_shape.glsl").write_text(
        "vec4 marker_shape(vec2 p, float radius, vec3 colour, int shape) { return vec4(0.0); }\n"
    )
    (tmp_path / "surface_colour.glsl").write_text(
        "vec3 surface_colour(vec3 c, vec2 p, float level, float light, bool bad) "
        "{ return vec3(0.0); }\n"
    )
    folder = SceneFolder("crowd", size=(480, 270), trail=30, steps=40, agents=[Agents(400, seed=2)])
    brightest = []
    for trainee in (-1, 7):
        host = folder.open("moderngl", library=ShaderLibrary(tmp_path))
        host.scene = replace(host.scene, training_agent=trainee)
        brightest.append(int(folder.play(host).max(axis=2).max()))
        host.close()
    # A line of a pixel is full only where it meets a pixel's middle.
    assert brightest[1] > 150 and brightest[0] < 30


def test_trails_fade_for_as_long_as_shaders_draw_them() -> None:
    text = (shader_folder() / "lib" / "trail_fade.glsl").read_text(encoding="utf-8")
    assert f"FADE_STEPS = {FADES};" in text
