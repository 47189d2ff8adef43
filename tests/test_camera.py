"""The camera: what it looks at is in the picture, whatever its size and the picture's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opened_hosts import opened
from scene_folder import HOSTS, SceneFolder

from calf_viz.heightfield import Heightfield
from calf_viz.scene.camera import USUAL, WITHIN, WITHIN_FROM_ABOVE, Box, OrbitCamera

ASPECTS = st.floats(0.2, 6.0)
sides = st.floats(0.05, 500.0)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Of any plane that a system may show, and any height that may be asked for."""
    x, y = draw(st.floats(-50.0, 50.0)), draw(st.floats(-50.0, 50.0))
    return x, y, x + draw(sides), y + draw(sides), draw(st.floats(0.0, 100.0))


def corners(box: Box, heights: tuple[float, ...]) -> np.ndarray:
    return np.array([(x, y, z) for x in box[::2][:2] for y in box[1:4:2] for z in heights])


def seen(camera: OrbitCamera, points: np.ndarray, aspect: float) -> np.ndarray:
    """Where points are in the picture, each component within -1 and 1: x, y, depth, (n, 3)."""
    clip = np.column_stack([points, np.ones(len(points))]) @ camera.view_projection(aspect).T
    assert (clip[:, 3] > 0).all(), "before the eye"
    return clip[:, :3] / clip[:, 3:]


@given(boxes(), ASPECTS)
def test_a_surface_of_any_size_is_in_a_picture_of_any_shape(box: Box, aspect: float) -> None:
    camera = OrbitCamera()
    surface = corners(box, (0.0, 0.3 * box[4]))
    camera.frame(box, surface)
    places = seen(camera, np.concatenate([surface, corners(box, (box[4],))]), aspect)
    assert (np.abs(places[:, :2]) < WITHIN + 1e-3).all()
    assert (np.abs(places[:, 2]) <= 1.0).all(), "between the clipping planes"


@given(boxes(), ASPECTS, st.floats(0.0, 0.3))
def test_from_above_as_well_with_room_at_the_foot(box: Box, aspect: float, foot: float) -> None:
    camera = OrbitCamera()
    camera.frame(box, corners(box, (0.0,)))
    camera.orbit(1.0, -0.2)
    camera.zoom(0.1)
    camera.top_view(aspect, foot)
    x, y, depth = np.abs(seen(camera, corners(box, (0.0, box[4])), aspect)).T
    assert x.max() < WITHIN_FROM_ABOVE + 1e-3
    assert y.max() < min(WITHIN_FROM_ABOVE, 1.0 - 2.0 * foot) + 1e-3
    assert depth.max() <= 1.0
    if box[4] < min(box[2] - box[0], box[3] - box[1]):
        high = min(WITHIN_FROM_ABOVE, 1.0 - 2.0 * foot)
        assert max(x.max() / WITHIN_FROM_ABOVE, y.max() / high) > 0.99, "no farther than need be"


def test_usual_surfaces_are_seen_from_the_usual_distance() -> None:
    camera, usual = OrbitCamera(), OrbitCamera()
    camera.frame(usual.box, corners(usual.box, (1.3,)))
    assert camera == usual
    assert camera.distance == USUAL and camera.extent == 1.0


def test_a_plane_half_as_large_is_seen_from_half_as_far() -> None:
    camera = OrbitCamera()
    camera.frame((-2.5, -2.5, 2.5, 2.5, 1.0), corners(camera.box, (1.3,)) / 2)
    assert camera.distance == 0.5 * USUAL
    whole, half = OrbitCamera().view_projection(1.6), camera.view_projection(1.6)
    at = seen(OrbitCamera(), np.array([[4.0, -2.0, 1.0]]), 1.6)
    assert np.allclose(at, seen(camera, np.array([[2.0, -1.0, 0.5]]), 1.6), atol=1e-5)
    assert not np.array_equal(whole, half)


def test_back_to_the_view_at_start() -> None:
    camera = OrbitCamera()
    camera.frame((0.0, 0.0, 4.0, 20.0, 9.0), np.zeros((1, 3)))
    start = replace(camera)
    camera.orbit(2.0, 0.4)
    camera.zoom(3.0)
    camera.top_view(0.5, 0.1)
    assert camera != start
    camera.reset()
    assert camera == start


@given(st.floats(0.35, 1.57), st.floats(0.0, 6.3), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_the_ground_follows_a_pan(
    elevation: float, azimuth: float, right: float, up: float
) -> None:
    """To first order: the picture is in perspective."""
    camera = OrbitCamera(azimuth=azimuth, elevation=elevation, distance=100.0)
    point = np.array([camera.target])
    camera.pan(right, up)
    ((x, y),) = camera.places(point, 1.6) * (1.6, 1.0) * camera.distance / camera.focus(1.6)
    assert (x, y) == pytest.approx((right, up), abs=0.06)
    assert camera.target[2] == point[0, 2]


@given(st.floats(-30.0, 30.0), st.floats(-30.0, 30.0), st.floats(0.05, 1.5), st.floats(0.0, 6.3))
def test_a_pan_keeps_the_target_above_the_plane(
    right: float, up: float, elevation: float, azimuth: float
) -> None:
    camera = OrbitCamera(azimuth=azimuth, elevation=elevation)
    camera.pan(right, up)
    x, y, z = camera.target
    assert abs(x) <= 5.0 and abs(y) <= 5.0 and 0.0 <= z <= 2.0


def test_from_along_the_ground_a_pan_goes_up_and_down() -> None:
    camera = OrbitCamera(elevation=0.1)
    camera.pan(0.0, -1.0)
    assert camera.target == pytest.approx((0.0, 0.0, 0.1 + 1.0 / np.cos(0.1)))


@pytest.mark.rendering
@pytest.mark.parametrize("kind", HOSTS)
@pytest.mark.parametrize("height", [0.0, 6.0, 100.0])
def test_no_edge_of_the_picture_cuts_a_tall_or_a_flat_surface(kind: str, height: float) -> None:
    """Of a saddle, whose corners are as high and as low as they may be."""
    x, y = np.meshgrid(np.linspace(-5, 5, 33), np.linspace(-5, 5, 33))
    scene = SceneFolder("tall", size=(160, 90), trail=10, steps=1, height_scale=height)
    with opened(kind, scene, heightfield=Heightfield(x * y, (-5, -5), (5, 5))) as host:
        host.frame_surface()
        picture = scene.play(host)
    ground = np.array(scene.scene().background) * 255
    surface = (np.abs(picture - ground) > 8).any(axis=2)
    assert surface.mean() > 0.01
    for edge in (surface[:2], surface[-2:], surface[:, :2], surface[:, -2:]):
        assert not edge.any()
