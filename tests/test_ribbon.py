"""Where ribbons' and markers' corners lie, in pixels and depth, against float64 arithmetic.

n: across the trail on screen          p: the sample's pixel, on the surface
corners:  p +- n (half width + EDGE)   for the outline, and the edge's anti-aliasing
at a bend, n along the miter, longer by 1 / cos(half the bend), at most twice
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from render_probe import FlatCamera, Probe, area, sides

from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.scene.camera import OrbitCamera
from calf_viz.scene.crowd import CASING
from calf_viz.scene.ring import RingLayout
from calf_viz.scene.scene import DEPTH_BIAS, MARKER_RADII, Scene

pytestmark = pytest.mark.rendering

SIZE = (640, 480)
HALF = np.array(SIZE) / 2
PLANE = ((-5.0, -5.0), (5.0, 5.0))
EDGE = 0.55 + CASING  # px beyond the half width: the outline, and its edge's anti-aliasing
HALF_WIDTH = 3.0  # px, of the overlay below
NEAR = 0.02  # px
SEEDS = [1, 2, 3]
SLOPED = Heightfield(plane_nodes(*PLANE, 6, 9).dot([0.3, 0.7]).reshape(6, 9), *PLANE)
LEVEL = Heightfield(np.zeros((3, 4)), *PLANE)


@pytest.fixture
def constant_width(tmp_path: Path) -> Path:
    """An overlay with trails that do not taper: the hook of a user."""
    text = f"float trail_half_width(float age) {{ return {HALF_WIDTH}; }}\n"
    (tmp_path / "trail_width.glsl").write_text(text, encoding="utf-8")
    return tmp_path


def drawn(samples, field=LEVEL, camera=None, overlay=None, trail=None, agents=1) -> np.ndarray:
    """Pushes samples, (steps, agents, 2), as one run; as `Probe.vertices`, of the agents alone:
    (agents, vertices, 8)."""
    samples = np.asarray(samples, dtype=np.float64).reshape(len(samples), agents, 2)
    trail = trail or len(samples) + 2
    scene = Scene(size=SIZE, camera=camera or FlatCamera(), trail=trail)
    probe = Probe(scene, field, RingLayout.fit(agents, trail + 1), overlay)
    for positions in samples:
        probe.push(positions)
    vertices, surface = probe.vertices()
    return vertices[surface:]


def to_pixels(clip: np.ndarray) -> np.ndarray:
    return clip[..., :2] / clip[..., 3:4] * HALF


def wide_pairs(clip: np.ndarray) -> np.ndarray:
    """An agent's pairs that have width, in pixels, oldest first: (pairs, 2, 2)."""
    trail = clip[: (len(clip) - 5) // 2 * 2].reshape(-1, 2, 8)
    pairs = to_pixels(trail[sides(trail[..., 6])])
    return pairs[np.linalg.norm(pairs[:, 0] - pairs[:, 1], axis=1) > 0.1]


def project(field: Heightfield, camera, points: np.ndarray, scale: float) -> np.ndarray:
    """Clip coordinates of points on the surface, (n, 4) float64."""
    points = np.asarray(points).astype(np.float32).astype(np.float64)
    lo, hi = field.range
    level = (field.heights(points) - lo) / ((hi - lo) or 1.0)
    matrix = camera.view_projection(SIZE[0] / SIZE[1]).astype(np.float64)
    world = np.column_stack([points, scale * level, np.ones(len(points))])
    return world @ matrix.T


def across(direction: np.ndarray) -> np.ndarray:
    unit = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    return np.stack([-unit[..., 1], unit[..., 0]], axis=-1)


def assert_corners(pairs: np.ndarray, middles: np.ndarray, offsets: np.ndarray) -> None:
    """Pairs lie at middles +- offsets, and all the first vertices on one side."""
    assert len(pairs) == len(middles)
    side = np.sign(np.sum((pairs[0, 0] - pairs[0, 1]) * offsets[0]))
    expected = np.stack([middles + side * offsets, middles - side * offsets], axis=1)
    np.testing.assert_allclose(pairs, expected, atol=NEAR)


@pytest.mark.parametrize("degrees", [0, 37, 90, 135, 180, 251, 270, 359])
def test_a_straight_trail_on_the_level(constant_width, degrees):
    heading = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    way = np.cumsum([0.3, 0.1, 1.2, 0.02, 0.5, 2.0])  # uneven steps
    samples = [0.2, -0.1] + (way[:, None] - 2.0) * heading
    pairs = wide_pairs(drawn(samples, overlay=constant_width)[0])
    middles = samples / 5.0 * HALF
    normal = across(heading * HALF)
    assert_corners(pairs, middles, np.broadcast_to((HALF_WIDTH + EDGE) * normal, middles.shape))


def test_the_shipped_trail_tapers_with_age():
    samples = np.stack([np.linspace(-4, 4, 21), np.linspace(-3, 2, 21)], axis=1)
    pairs = wide_pairs(drawn(samples, trail=25)[0])
    age = np.arange(20, -1, -1) / 25
    scene = Scene(size=SIZE)
    half_width = 0.5 * scene.mark_scale * scene.trail_width * (1 - 0.45 * age)
    normal = across((samples[-1] - samples[0]) * HALF)
    assert_corners(pairs, samples / 5.0 * HALF, (half_width + EDGE)[:, None] * normal)


@pytest.mark.parametrize("degrees", [10, 45, 90, -90, 119])
def test_a_bend_is_mitered(constant_width, degrees):
    a = np.radians(degrees)
    before, after = np.array([1.5, 0.0]), 1.5 * np.array([np.cos(a), np.sin(a)])
    pixels = np.array([-before, 0 * before, after]) * 100.0
    pairs = wide_pairs(drawn(pixels / HALF * 5.0, overlay=constant_width)[0])
    normals = across(np.array([before, before + after, after]))
    normals[1] /= np.cos(a / 2)
    assert_corners(pairs, pixels, (HALF_WIDTH + EDGE) * normals)


@pytest.mark.parametrize("degrees", [125, -150, 179, 180])
def test_a_sharp_bend_is_cut_at_twice_the_width(constant_width, degrees):
    a = np.radians(degrees)
    pixels = 150.0 * np.array([[-1.0, 0.0], [0.0, 0.0], [np.cos(a), np.sin(a)]])
    pairs = wide_pairs(drawn(pixels / HALF * 5.0, overlay=constant_width)[0])
    np.testing.assert_allclose(pairs.mean(axis=1), pixels, atol=NEAR)
    reach = np.linalg.norm(pairs[:, 0] - pairs[:, 1], axis=1) / 2 / (HALF_WIDTH + EDGE)
    np.testing.assert_allclose(reach, [1.0, 2.0, 1.0], atol=0.01)


def test_an_agent_at_rest_draws_nothing_wild(constant_width):
    """Coinciding samples have no direction; those that moved keep theirs."""
    samples = np.array([[0.0, 0.0]] * 5 + [[1.0, 0.0]] * 5 + [[2.0, 0.0]])
    clip = drawn(samples, overlay=constant_width)[0]
    assert np.isfinite(clip).all()
    pairs = wide_pairs(clip)
    np.testing.assert_allclose(pairs.mean(axis=1), samples / 5.0 * HALF, atol=NEAR)
    np.testing.assert_allclose(
        np.abs(pairs[:, 0] - pairs[:, 1]) / 2, [[0.0, HALF_WIDTH + EDGE]] * 11, atol=NEAR
    )
    resting = drawn(np.ones((8, 2)), overlay=constant_width)[0]
    assert np.isfinite(resting).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_straight_trail_on_a_slope_in_perspective(constant_width, seed):
    """A line on a plane is a line on screen, so across is the same all along it."""
    rng = np.random.default_rng(seed)
    camera = OrbitCamera(azimuth=rng.uniform(-3, 3), elevation=rng.uniform(0.5, 1.2))
    start, end = rng.uniform(-4.5, 4.5, (2, 2))
    samples = start + np.linspace(0, 1, 12)[:, None] ** 1.5 * (end - start)
    pairs = wide_pairs(drawn(samples, SLOPED, camera, constant_width)[0])
    pixels = to_pixels(project(SLOPED, camera, samples, Scene().height_scale))
    normal = across(pixels[-1] - pixels[0])
    assert_corners(pairs, pixels, np.broadcast_to((HALF_WIDTH + EDGE) * normal, pixels.shape))


@pytest.mark.parametrize("seed", SEEDS)
def test_trails_and_markers_lie_on_the_surface(seed):
    """Neither floats nor sinks, on a surface as rough as can be, in the plane and outside."""
    rng = np.random.default_rng(seed)
    field = Heightfield(rng.uniform(size=(17, 24)), *PLANE)
    camera = OrbitCamera(azimuth=rng.uniform(-3, 3), elevation=rng.uniform(0.4, 1.4))
    samples = rng.uniform(-5.5, 5.5, (40, 3, 2))
    clip = drawn(samples, field, camera, agents=3)
    for agent in range(3):
        expected = project(field, camera, samples[:, agent], Scene().height_scale)
        pairs = wide_pairs(clip[agent])
        np.testing.assert_allclose(pairs.mean(axis=1), to_pixels(expected), atol=NEAR)
        marker = to_pixels(clip[agent, -4:]).mean(axis=0)
        np.testing.assert_allclose(marker, to_pixels(expected[-1]), atol=NEAR)


@pytest.mark.parametrize("seed", SEEDS)
def test_expanded_vertices_take_the_depth_of_the_surface(seed):
    """Nearer than the tangent plane by a small bias that grows with the agent, no more; a trail's
    newer samples are nearer than its older ones, and markers nearer than any trail."""
    rng = np.random.default_rng(seed)
    camera = OrbitCamera(azimuth=rng.uniform(-3, 3), elevation=rng.uniform(0.5, 1.2))
    agents = 5
    samples = rng.uniform(-4.5, 4.5, (10, agents, 2))
    clip = drawn(samples, SLOPED, camera, agents=agents)
    # On a plane, depth is affine in the pixel's position.
    nodes = project(SLOPED, camera, plane_nodes(*PLANE, 5, 5), Scene().height_scale)
    system = np.column_stack([to_pixels(nodes), np.ones(len(nodes))])
    depth, *_ = np.linalg.lstsq(system, nodes[:, 2] / nodes[:, 3], rcond=None)
    nearer = []
    for agent in range(agents):
        trail = clip[agent, : (clip.shape[1] - 5) // 2 * 2]
        trail = trail[trail[:, 2] < trail[:, 3]]  # without room that is not used
        for vertices in (trail, clip[agent, -4:]):
            xy1 = np.column_stack([to_pixels(vertices), np.ones(len(vertices))])
            nearer.append(xy1 @ depth - vertices[:, 2] / vertices[:, 3])
    lowest, highest = np.array([(n.min(), n.max()) for n in nearer]).T
    noise = 1e-5  # float32 depths near 1
    for trail in nearer[0::2]:  # pairs, oldest first; the first and the last are doubled
        assert (np.diff(trail[2:-2:2]) > 0).all()
    of_trails, of_markers = (highest - lowest)[0::2], (highest - lowest)[1::2]
    assert (of_markers < 2 * noise).all() and (of_trails < 0.5 * DEPTH_BIAS + 2 * noise).all()
    assert (lowest > 0).all() and (highest < 4 * DEPTH_BIAS + noise).all()
    trails, markers = highest[0::2], lowest[1::2]
    assert markers.min() > trails.max() + 0.4 * DEPTH_BIAS, "chords may rise by 0.5"
    assert (np.diff(trails) > 0).all() and (np.diff(markers) > 0).all()


def test_a_markers_corners_are_a_square_around_its_agent():
    clip = drawn([[[1.0, -2.0]]])[0]
    corners = to_pixels(clip[-4:])
    middle = np.array([1.0, -2.0]) / 5.0 * HALF
    reach = (
        Scene(size=SIZE).mark_scale * MARKER_RADII["sphere"] + 1.0
    )  # a pixel for the edge's anti-aliasing
    np.testing.assert_allclose(np.abs(corners - middle), reach, atol=NEAR)
    assert area(corners).sum() == pytest.approx(4 * reach**2, rel=1e-3), "two halves of the square"
