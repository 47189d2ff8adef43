"""The vertical axis: where its ticks are, when it is left out, and that it is in nobody's way."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from huds import ALL_KEYS
from hypothesis import given
from hypothesis import strategies as st

from calf_viz import CALFApplication, Samples, View, VisualizationConfig, systems
from calf_viz.agent.system_view import view_of
from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.hud import numbers
from calf_viz.hud.canvas import Label
from calf_viz.hud.hud import Hud
from calf_viz.hud.layout import Rect
from calf_viz.hud.overview import overview
from calf_viz.hud.value_axis import ValueAxis
from calf_viz.hud.widgets import ColourBar
from calf_viz.scene.camera import OrbitCamera
from calf_viz.scene.frame import Frame
from calf_viz.scene.height_texels import level_field
from calf_viz.scene.scene import Scene
from calf_viz.scene.theme import DARK, LIGHT
from calf_viz.value_scale import ValueScale

SADDLE = np.subtract.outer(np.linspace(-1, 1, 17) ** 2, np.linspace(-1, 1, 17) ** 2)
VIEW = View("saddle", modes=("a", "b", "c"), value="return [m]", symbol="R")
TEXTS = {"step": "12,345", "agents": "20", "mean_value": "−12.5", "mode_0": "1", "mode_1": "2"}


def field_of(view: View, values: np.ndarray = SADDLE) -> Heightfield:
    return Heightfield(values, view.lo, view.hi)


def drawn(field: Heightfield) -> tuple[Heightfield, ValueScale]:
    """Its levels, and its scale."""
    scale = ValueScale("linear", *field.range)
    return level_field(field, scale), scale


def seen(
    scene: Scene,
    field: Heightfield,
    view: View = VIEW,
    shown: tuple[float, float] | None = None,
) -> Hud:
    """A HUD with its panels, for a frame of a scene."""
    hud = recorded(overview(view, ALL_KEYS))
    hud.update(**TEXTS)
    hud.prepare(scene, *drawn(field), None if shown is None else ValueScale("linear", *shown))
    return hud


def bar_says(hud: Hud) -> list[float]:
    """The numbers beside the colour bar."""
    bar = next(one for one in hud.widgets if isinstance(one, ColourBar))
    length = bar._bars[-1][0].height
    return [float(text.replace("−", "-")) for _, text in bar._ticks(hud.canvas, length)]


def alone(scene: Scene, field: Heightfield, shown: tuple[float, float] | None = None) -> Hud:
    hud = recorded(Hud([], None, ValueAxis("value")))
    hud.prepare(scene, *drawn(field), None if shown is None else ValueScale("linear", *shown))
    return hud


def lines(hud: Hud, before: int = 0) -> np.ndarray:
    """Both ends of every line drawn after so many shapes, (n, 4): the axis first, then its
    ticks."""
    drawn = hud.canvas.shapes.texels.reshape(-1, 4)[3 * before : 3 * hud.canvas.shapes.count]
    shapes = drawn.reshape(-1, 3, 4).astype(float)
    return shapes[shapes[:, 1, 1] == 0.0, 0]  # what is behind texts has round corners


def texts(hud: Hud) -> list[str]:
    """Those of ticks and name."""
    written: list[str] = hud.written  # type: ignore[attr-defined]
    end = len(written) - (len(bar_says(hud)) if "value" in hud.placed else 0)
    return written[end - len(hud._value_marks) : end]


def recorded(hud: Hud) -> Hud:
    """The same; what it writes is kept."""
    hud.written, label = [], hud.canvas.label  # type: ignore[attr-defined]

    def recording(words: str, *args: Any, **kwargs: Any) -> Label:
        hud.written.append(words)  # type: ignore[attr-defined]
        return label(words, *args, **kwargs)

    hud.canvas.label = recording  # type: ignore[method-assign]
    return hud


def projected(scene: Scene, points: np.ndarray) -> np.ndarray:
    """Points (n, 3) of the scene in the picture, worked out from the camera's angles, float64."""
    camera, (width, height) = scene.camera, scene.size
    a, e = camera.azimuth, camera.elevation
    back = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    moved = points - (np.array(camera.target) + camera.distance * back)
    x, y, z = moved @ right, moved @ np.cross(back, right), -(moved @ back)
    focus = min(1.0, width / height / 1.6) / math.tan(0.5 * camera.field_of_view) * height / 2
    return np.stack([width / 2 + focus * x / z, height / 2 - focus * y / z], axis=1)


def corners(view: View, scene: Scene) -> np.ndarray:
    """Of the plane in the scene, (4, 2)."""
    lo, hi = scene.frame.corners(field_of(view))
    return np.array([(x, y) for x in (lo[0], hi[0]) for y in (lo[1], hi[1])])


PLANES = {
    "usual": VIEW,
    "far": replace(VIEW, lo=(1e6, -3e-5), hi=(1e6 + 2.0, 1e-5)),
    "road": replace(VIEW, lo=(0.0, 10.0), hi=(40.0, 110.0), aspect="equal"),
}


class TestTicks:
    @pytest.mark.parametrize("name", PLANES)
    @pytest.mark.parametrize("azimuth", [-170, -100, -60, -30, 0, 20, 77, 135])
    @pytest.mark.parametrize("height", [2.0, 8.0])
    def test_are_where_their_values_are(self, name: str, azimuth: float, height: float) -> None:
        view = PLANES[name]
        camera = OrbitCamera(azimuth=math.radians(azimuth), elevation=math.radians(25))
        camera.distance = 25.0
        scene = Scene(camera=camera, frame=Frame.of(view), height_scale=height)
        field = field_of(view, 40.0 * SADDLE + 3.0)
        low, high = field.range
        hud = alone(scene, field)
        line, *ticks = lines(hud)
        found = [
            corner
            for corner in corners(view, scene)
            if np.abs(
                projected(scene, np.array([(*corner, 0.0), (*corner, height)])).ravel() - line
            ).max()
            < 0.01
        ]
        assert len(found) == 1, "the line is one of the box's edges, from the lowest to the highest"
        values = numbers.nice_ticks(low, high, len(ticks), ends=True)
        assert len(values) == len(ticks) >= 2
        places = [(*found[0], (value - low) / (high - low) * height) for value in values]
        expected = projected(scene, np.array(places))
        assert np.abs(np.array(ticks)[:, :2] - expected).max() < 0.01
        assert texts(hud) == [*numbers.tick_texts(values), "value"]

    @given(st.floats(-math.pi, math.pi), st.floats(0.05, 1.2), st.sampled_from([2.0, 8.0]))
    def test_the_surface_lies_on_one_side(
        self, azimuth: float, elevation: float, height: float
    ) -> None:
        scene = Scene(height_scale=height)
        scene.camera = OrbitCamera(azimuth=azimuth, elevation=elevation, distance=30.0)
        hud = alone(scene, field_of(VIEW))
        if not hud.canvas.shapes.count:
            return
        line, tick = lines(hud)[:2]
        outward = tick[2] - tick[0]
        box = np.array([(*c, h) for c in corners(VIEW, scene) for h in (0.0, height)])
        along, apart = line[2:] - line[:2], projected(scene, box) - line[:2]
        side = (along[0] * apart[:, 1] - along[1] * apart[:, 0]) * np.sign(along[1])
        assert (outward * side > -1e-2 * np.linalg.norm(along)).all()

    @pytest.mark.parametrize(
        ("low", "high"),
        [(0.0, 1e-9), (-1e-9, 2e-9), (0.0, 1e12), (1e12, 1e12 + 1e6), (-3e38, 3e38), (-7e-3, 5.0)],
    )
    def test_of_any_range_are_told_apart(self, low: float, high: float) -> None:
        hud = seen(Scene(), field_of(VIEW, low + (high - low) * (0.5 * SADDLE + 0.5)))
        *ticks, name = texts(hud)
        assert len(set(ticks)) == len(ticks) >= 2
        assert name in ("return [m]", "R")

    def test_go_with_a_morph_and_nothing_else_is_drawn_anew(self) -> None:
        scene, field = Scene(height_scale=8.0), field_of(VIEW)
        hud = seen(scene, field)
        surface = drawn(field)
        hud.prepare(scene, *surface)
        plane = list(hud._marks)
        end = hud._edges_end
        before = [b.texels.reshape(-1, 4).copy() for b in (hud.canvas.shapes, hud.canvas.glyphs)]
        marks = []
        for part in (0.25, 0.5, 0.75):
            hud.canvas.glyphs.clean(), hud.canvas.shapes.clean()
            shown = -1.0 - 3.0 * part, 1.0 + 9.0 * part
            hud.prepare(scene, *surface, ValueScale("linear", *shown))
            assert bar_says(hud) == numbers.nice_ticks(*shown, 7, ends=True)
            marks.append(tuple(rect.y for rect in hud._value_marks))
            assert marks[-1] == tuple(
                rect.y for rect in seen(scene, field, shown=shown)._value_marks
            )
        assert len(set(marks)) == 3
        assert hud._marks == plane and hud._edges_end == end
        shapes = hud.canvas.shapes.texels.reshape(-1, 4)
        np.testing.assert_array_equal(shapes[: 3 * end[0]], before[0][: 3 * end[0]])


class TestPlace:
    @given(
        st.integers(16, 2600),
        st.integers(16, 1500),
        st.floats(-math.pi, math.pi),
        st.floats(0.05, math.pi / 2),
        st.floats(8.0, 40.0),
        st.sampled_from([0.0, 0.5, 2.0, 8.0, 30.0]),
        st.sampled_from([1e-9, 1.0, 1e12]),
    )
    def test_is_in_the_picture_and_covers_nothing(
        self, width: int, height: int, azimuth: float, elevation: float, distance: float,
        scale: float, span: float,
    ) -> None:  # fmt: skip
        camera = OrbitCamera(azimuth=azimuth, elevation=elevation, distance=distance)
        scene = Scene(size=(width, height), camera=camera, height_scale=scale)
        hud = seen(scene, field_of(VIEW, span * SADDLE))
        placed = hud.rectangles()
        for i, rect in enumerate(placed):
            assert rect.within(scene.size)
            assert not any(rect.overlaps(other) for other in placed[:i])
        if hud._value_marks:
            drawn = lines(hud, hud._edges_end[0])
            assert len(drawn) >= 3, "two ticks make a scale"
            line = drawn[0]
            others = [*hud.placed.values(), *hud._marks]
            for part in np.linspace(0.0, 1.0, 200):
                x, y = line[:2] + part * (line[2:] - line[:2])
                assert not any(other.holds(x, y) for other in others)

    @pytest.mark.parametrize("name", systems.own())
    @pytest.mark.parametrize("height", [2.0, 8.0])
    @pytest.mark.parametrize("size", [(480, 300), (640, 360), (1280, 720), (3840, 2160)])
    def test_the_view_at_start_has_room_for_it(
        self, name: str, height: float, size: tuple[int, int]
    ) -> None:
        view = view_of(systems.get(name))
        field = field_of(view, 6000.0 * (0.5 * SADDLE + 0.5))
        scene = Scene(size=size, frame=Frame.of(view), height_scale=height)
        lo, hi = scene.frame.corners(field)
        nodes = plane_nodes(lo, hi, *field.shape)
        levels = field.values.ravel() / 6000.0 * height
        scene.camera.frame((*lo, *hi, height), np.column_stack([nodes, levels]))
        hud = seen(scene, field, view)
        if size[0] > 480 or height == 2.0:  # else only ticks have room beside the panels
            assert texts(hud)[-1] in ("critic −Q", "−Q")
        for turn in range(24):
            scene.camera.azimuth = math.radians(15 * turn + 1)
            hud.prepare(scene, *drawn(field))
            if size[0] >= 1280:
                assert len(hud._value_marks) >= 3, "two ticks and a name, from all around"

    def test_without_room_on_one_side_it_is_clear_of_what_is_there(self) -> None:
        """On the other side, or within the surface where that lies along an edge with ticks."""
        scene, field = Scene(), field_of(VIEW)
        left = alone(scene, field)
        assert left._value_marks[0].right < lines(left)[0, 0]
        hud = seen(scene, field)
        hud.placed = {"wide": Rect(0, 0, 200, 700)}
        hud._draw_edges(scene, *drawn(field))
        hud._draw_scale(scene, drawn(field)[1])
        assert hud._value_marks and all(rect.x > 200 for rect in hud._value_marks)

    @pytest.mark.parametrize("size", [(640, 360), (480, 300), (1280, 720)])
    @pytest.mark.parametrize("elevation", [0.15, 0.4, 0.8])
    def test_it_does_not_jump_to_and_fro_while_the_camera_orbits(
        self, size: tuple[int, int], elevation: float
    ) -> None:
        scene, field = Scene(size=size), field_of(VIEW, 6000.0 * SADDLE)
        scene.camera.elevation = elevation
        hud = seen(scene, field)
        jumps, side = [], 0
        for azimuth in (*range(60), *np.arange(60, 90, 0.1), *range(90, 360)):
            scene.camera.azimuth = math.radians(azimuth)
            hud.prepare(scene, *drawn(field))
            assert hud.value_axis is not None
            upright = hud.value_axis._upright
            if upright is not None:
                if side == -upright.side:
                    jumps.append(azimuth)
                side = upright.side
        assert len(jumps) <= 8, "hardly more often than corners leave the outline"
        assert all(b - a > 5 for a, b in pairwise(jumps)), jumps

    def test_without_room_where_it_was_it_moves(self) -> None:
        scene, field = Scene(), field_of(VIEW)
        hud = alone(scene, field)
        for wide, side in (
            (Rect(0, 0, 200, 700), 1),
            (Rect(1270, 0, 5, 5), 1),
            (Rect(1000, 0, 280, 700), -1),
        ):
            hud.placed = {"wide": wide}
            hud._draw_edges(scene, *drawn(field))
            assert hud.value_axis is not None and hud.value_axis._upright is not None
            assert hud.value_axis._upright.side == side


class TestLeftOut:
    @pytest.mark.parametrize(
        "scene",
        [
            Scene(height_scale=0.0),
            Scene(height_scale=0.1),
            Scene(size=(120, 80)),
            Scene(camera=OrbitCamera(elevation=math.pi / 2)),
            Scene(camera=OrbitCamera(elevation=math.pi / 2), height_scale=8.0),
            Scene(camera=OrbitCamera(distance=1.0)),
        ],
        ids=["no height", "hardly any", "small window", "from above", "tall", "too near"],
    )
    def test_where_it_could_not_be_read(self, scene: Scene) -> None:
        hud = alone(scene, field_of(VIEW))
        assert not hud._value_marks and not hud.canvas.quads

    def test_of_a_flat_surface(self) -> None:
        hud = alone(Scene(), field_of(VIEW, np.full((3, 3), 7.0)))
        assert not hud._value_marks and not hud.canvas.quads


class Hill:
    """One agent at rest on a hill."""

    view = replace(VIEW, modes=("a",))

    def __init__(self) -> None:
        self.new: Heightfield | None = field_of(self.view)

    def step(self) -> Samples:
        return Samples.of([[0.0, 0.0]])

    def surface(self) -> Heightfield | None:
        new, self.new = self.new, None
        return new

    def close(self) -> None:
        pass


@pytest.mark.rendering
class TestDrawn:
    @pytest.mark.parametrize("look", [None, "ink", "topographic", "night"])
    def test_its_line_and_ticks_are_seen_on_any_ground(self, look: str | None) -> None:
        config = VisualizationConfig(size=(640, 360), headless=True, shaders=look, trail_length=20)
        with CALFApplication(config, source=Hill()) as app:
            app.draw()
            with_axis, host = app.screenshot().astype(float), app.host
            draws = host.frame_counts()
            marks, value_axis = list(app.hud._value_marks), app.hud.value_axis
            line = lines(app.hud, app.hud._edges_end[0])[0]
            app.hud.value_axis = ValueAxis()
            app.hud.value_axis.stand = value_axis.stand  # the plane's marks stay where they are
            app.hud._value_marks = []
            app.hud.redraw()
            app.draw()
            changed = np.abs(with_axis - app.screenshot()).max(axis=2)
            assert host.frame_counts()["hud_draws"] == draws["hud_draws"] == 1
        for part in np.linspace(0.05, 0.95, 19):
            x, y = (line[:2] + part * (line[2:] - line[:2])).astype(int)
            assert changed[y - 1 : y + 2, x - 2 : x + 3].max() > 40
        assert len(marks) >= 3
        for rect in marks:
            assert changed[rect.y : rect.bottom, rect.x : rect.right].max() > 60
        rows, columns = np.nonzero(changed > 8)
        around = Rect(
            min(r.x for r in marks) - 2, min(r.y for r in marks) - 4,
            int(max(line[0], line[2])) + 12 - min(r.x for r in marks),
            int(max(line[1], line[3])) + 12 - min(r.y for r in marks),
        )  # fmt: skip
        assert around.holds(columns.min(), rows.min()) and around.holds(columns.max(), rows.max())

    def test_of_two_looks_it_is_written_on_the_ground_that_it_stands_on(self) -> None:
        scene = Scene(background=(1.0, 1.0, 1.0))
        light = alone(scene, field_of(VIEW)).canvas.glyphs.texels.reshape(-1, 4)[0, 3]
        scene.second_ground = (0.0, (0.0, 0.0, 0.0))
        dark = alone(scene, field_of(VIEW)).canvas.glyphs.texels.reshape(-1, 4)[0, 3]
        assert (light, dark) == (LIGHT.quiet, DARK.quiet)


@pytest.mark.rendering
def test_axis_and_colour_bar_tell_what_a_morph_shows() -> None:
    source = Hill()
    config = VisualizationConfig(
        size=(800, 450), headless=True, trail_length=20, morph_frames=4, camera="plane"
    )
    with CALFApplication(config, source=source) as app:
        app.step()
        source.new = field_of(source.view, 100.0 * SADDLE + 50.0)
        highs, marks = [], []
        for _ in range(6):
            app.step()
            host = app.host
            low, high = host.shown_scale.ends
            said = bar_says(app.hud)
            assert low <= said[0] < said[-1] <= high and said[-1] - said[0] > 0.3 * (high - low)
            highs.append(high)
            marks.append(tuple(rect.y for rect in app.hud._value_marks))
        assert highs == sorted(highs) and highs[0] < 60.0 and highs[-1] == host.value_range[1]
        assert marks[-1] == marks[-2] != marks[0], "they move as long as the surface does"
