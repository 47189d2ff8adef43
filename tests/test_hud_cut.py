"""The axes of a plane that is not all in the picture, and of one that turns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from huds import BOWL, LEVELS, RANGE, made, prepared
from hypothesis import given
from hypothesis import strategies as st

from calf_viz.heightfield import Heightfield
from calf_viz.hud.axes import Axes
from calf_viz.hud.hud import Hud
from calf_viz.hud.layout import Rect
from calf_viz.hud.marks import Mark
from calf_viz.scene.camera import OrbitCamera
from calf_viz.scene.frame import Frame
from calf_viz.scene.scene import Scene
from calf_viz.view import View

SIZES = [(480, 300), (640, 360), (1280, 720), (3840, 2160)]


class Drawn:
    """The marks that a HUD draws, with the rectangles of their texts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ticks: list[tuple[Mark, Rect]] = []
        draw = Mark.draw_tick

        def drawing(mark: Mark, canvas: Any, scene: Any, rect: Rect) -> Rect:
            self.ticks.append((mark, rect))
            return draw(mark, canvas, scene, rect)

        monkeypatch.setattr(Mark, "draw_tick", drawing)

    def of(self, scene: Scene, field: Heightfield = LEVELS, hud: Hud | None = None) -> Hud:
        hud = hud or made()
        hud.value_axis = None
        self.ticks.clear()
        return prepared(hud, scene, field)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    return Drawn(monkeypatch)


def line_in_picture(scene: Scene, axis: int, value: float) -> np.ndarray:
    """Pixels of the surface where one coordinate has a value, (n, 2)."""
    plane = np.empty((20001, 2))
    plane[:, axis], plane[:, 1 - axis] = value, np.linspace(-5.0, 5.0, 20001)
    points = np.ones((len(plane), 4))
    points[:, :2] = plane
    points[:, 2] = BOWL.heights(plane) / RANGE[1] * scene.height_scale
    clip = points @ scene.camera.view_projection(scene.size[0] / scene.size[1]).T
    clip = clip[clip[:, 3] > 1e-3]
    return (0.5 + 0.5 * clip[:, :2] / clip[:, 3:] * (1, -1)) * scene.size


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("distance", "elevation"), [(9.0, 0.6), (5.0, 0.9), (3.0, 1.3), (2.0, 0.7)]
)
@pytest.mark.parametrize("azimuth", [-60, 20, 110, 200])
def test_ticks_are_on_the_surface_where_the_picture_cuts_it(
    drawn: Drawn, size: tuple[int, int], distance: float, elevation: float, azimuth: int
) -> None:
    camera = OrbitCamera(distance=distance, elevation=elevation, azimuth=math.radians(azimuth))
    scene = Scene(size=size, camera=camera)
    hud = drawn.of(scene)
    names = [mark.text.split() for mark, _ in drawn.ticks]
    assert {axis for axis, _ in names} == {"x", "v"}, "ticks of both, each with its axis"
    assert len(names) >= 3
    for mark, rect in drawn.ticks:
        axis, text = mark.text.split()
        number = float(text.replace("−", "-"))
        there = line_in_picture(scene, "xv".index(axis), number)
        assert np.hypot(*(there - (mark.x, mark.y)).T).min() < 0.01 * size[0], mark
        assert rect.within(size)
    assert len({tuple(name) for name in names}) == len(names)
    rectangles = hud.rectangles()
    for i, rect in enumerate(rectangles):
        assert not any(rect.overlaps(other) for other in rectangles[:i])


@given(
    azimuth=st.floats(-math.pi, math.pi),
    elevation=st.floats(0.35, math.pi / 2),
    distance=st.floats(1.0, 40.0),
)
def test_a_picture_of_the_surface_always_has_ticks(
    azimuth: float, elevation: float, distance: float
) -> None:
    camera = OrbitCamera(distance=distance, elevation=elevation, azimuth=azimuth)
    hud = made()
    prepared(hud, Scene(camera=camera))
    assert len(hud._marks) >= 3


@pytest.mark.parametrize("lo", [(1e6, -3e-5), (0.0, 0.0), (-1e-9, 5e9)])
def test_of_a_plane_of_any_size(drawn: Drawn, lo: tuple[float, float]) -> None:
    hi = lo[0] + 2.0, lo[1] + 4e-5 if abs(lo[1]) < 1 else lo[1] + 1e9
    view = View("far", lo=lo, hi=hi)
    scene = Scene(frame=Frame.of(view), camera=OrbitCamera(distance=5.0))
    drawn.of(scene, Heightfield(LEVELS.values, lo, hi))
    assert len(drawn.ticks) >= 3


def test_where_nothing_of_the_surface_is_in_sight_there_are_none(drawn: Drawn) -> None:
    scene = Scene(camera=OrbitCamera(target=(500.0, 0.0, 0.0), distance=5.0))
    assert not drawn.of(scene)._marks


def test_axes_with_long_names_have_plain_numbers(drawn: Drawn) -> None:
    hud = made()
    assert hud.axes is not None
    hud.axes.labels = "angular velocity [rad/s]", "v [m/s]"
    drawn.of(Scene(camera=OrbitCamera(distance=5.0, elevation=0.8)), hud=hud)
    assert {" " in mark.text for mark, _ in drawn.ticks} == {True, False}


@pytest.mark.parametrize("size", [(1280, 720), (640, 360)])
@pytest.mark.parametrize("elevation", [0.4, 0.7])
@pytest.mark.parametrize(("distance", "most"), [(16.5, 1), (5.0, 3)])
def test_nothing_flickers_while_the_camera_turns(
    size: tuple[int, int], elevation: float, distance: float, most: int
) -> None:
    """A tick that appeared or disappeared stays so, for a degree at least."""
    hud, scene = made(), Scene(size=size)
    scene.camera.elevation, scene.camera.distance = elevation, distance
    flickers, changed, before = 0, {}, set()
    for tenth in range(250):
        scene.camera.azimuth = math.radians(0.1 * tenth + 25.0)
        prepared(hud, scene)
        assert hud.axes is not None
        now = set(hud.axes._ticks)
        for tick in now ^ before:
            flickers += tick in changed and tenth - changed[tick] <= 10
            changed[tick] = tenth
        before = now
    assert flickers <= most


def test_the_edge_seen_end_on_does_not_jump_to_and_fro() -> None:
    hud, scene = made(), Scene()
    sides = []
    for azimuth in (-1.0, 1.0, -1.0, 1.0, -2.0, 2.0, 10.0, 1.0, -1.0, -10.0):
        scene.camera.azimuth = math.radians(azimuth)
        prepared(hud, scene)
        assert hud.axes is not None and hud.axes._high is not None
        sides.append(hud.axes._high[0])
    assert sides == [False] * 6 + [True] * 3 + [False]


def test_marks_slide_and_do_not_jump_while_the_camera_zooms(drawn: Drawn) -> None:
    hud = Hud([], Axes(("x", "v")))
    scene = Scene(camera=OrbitCamera(distance=9.0, elevation=0.7))
    before: dict[str, tuple[float, float]] = {}
    for _ in range(100):
        scene.camera.distance *= 0.995
        drawn.of(scene, hud=hud)
        now = {mark.text: (mark.x, mark.y) for mark, _ in drawn.ticks}
        for text in now.keys() & before.keys():
            assert math.dist(now[text], before[text]) < 40, text
        before = now
