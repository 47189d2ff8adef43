"""Where the camera starts and goes by itself: agents are in the picture, on planes of any size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from framed import SMALL, seen, showing
from hypothesis import given
from hypothesis import strategies as st

from calf_viz import systems
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.scene.camera import USUAL
from calf_viz.scene.whereabouts import RECENT
from calf_viz.view import View
from calf_viz.viewer.app import CALFApplication

PLANES = {
    "usual": View("usual"),
    "car": View("car", lo=(-1.2, -0.07), hi=(0.6, 0.07)),
    "tiny": View("tiny", lo=(0.0, 0.0), hi=(1e-4, 1e-4)),
    "far": View("far", lo=(1e6, 1e6), hi=(1e6 + 2, 1e6 + 2)),
    "wide": View("wide", lo=(-1e15 / 2, 0.0), hi=(1e15 / 2, 1e15)),
    "finest": View("finest", lo=(1.0, 1.0), hi=(1.0 + 2e-9, 1.0 + 2e-9)),
    "road": View("road", lo=(0.0, 10.0), hi=(400.0, 110.0), aspect="equal"),
    "torus": View("torus", lo=(-3.0, -3.0), hi=(3.0, 3.0), periodic=(True, True)),
}


class Given:
    """Agents at given parts of the plane's width, (steps, n, 2); they stay at the last."""

    def __init__(self, view: View, parts: Any, foresees: bool = False) -> None:
        self.view, self.parts, self.steps = view, np.asarray(parts, np.float64), 0
        x, y = np.meshgrid(np.linspace(-1, 1, 17), np.linspace(-1, 1, 17))
        self.bowl: Heightfield | None = Heightfield(x * x + y * y, view.lo, view.hi)
        if foresees:
            self.foresee = lambda steps: self.places(self.parts[:steps].reshape(-1, 2))

    def places(self, parts: np.ndarray) -> np.ndarray:
        lo, hi = np.array(self.view.lo), np.array(self.view.hi)
        return lo + parts * (hi - lo)

    def step(self) -> Samples:
        self.steps += 1
        return Samples.of(self.places(self.parts[min(self.steps, len(self.parts)) - 1]))

    def surface(self) -> Heightfield | None:
        bowl, self.bowl = self.bowl, None
        return bowl

    def close(self) -> None:
        pass


def corners(app: CALFApplication) -> np.ndarray:
    (a, b), (c, d) = app.director.view.lo, app.director.view.hi
    return np.array([(a, b), (a, d), (c, b), (c, d)])


@pytest.mark.parametrize("name", PLANES)
@pytest.mark.parametrize("camera", ["home", "agents"])
@pytest.mark.parametrize("size", [(640, 360), (1920, 400), (200, 500)])
def test_agents_start_in_the_picture_on_a_plane_of_any_size(
    name: str, camera: str, size: tuple[int, int]
) -> None:
    parts = [[(0.2, 0.3), (0.35, 0.25), (0.3, 0.4)]]
    with showing(Given(PLANES[name], parts), camera=camera, size=size) as app:
        app.step()
        inside = np.abs(seen(app, app.source.places(np.array(parts[0]))))
        assert inside.max() < 0.96
        if size == (640, 360):
            assert (
                np.ptp(seen(app, app.source.places(np.array(parts[0]))), axis=0).max()
                > {"home": 0.25, "agents": 0.5}[camera]
            )


@pytest.mark.parametrize("system", systems.own())
@pytest.mark.parametrize("agents", [1, 20, 1000])
def test_simulated_agents_stay_in_a_picture_that_stays(system: str, agents: int) -> None:
    with showing(system=system, n_agents=agents) as app:
        app.step()
        start = app.camera
        for _ in range(149):
            app.step()
            outside = np.abs(seen(app, app.simulation.view.wrapped(app.source.states[:, :2]))) > 1
            assert outside.any(axis=1).mean() <= 0.02
        assert app.camera == start, "where they go was foreseen"


def test_what_is_foreseen_is_what_happens_and_disturbs_nothing() -> None:
    with showing(n_agents=5) as app, showing(n_agents=5, camera="plane") as other:
        ahead = app.simulation.foresee(40).reshape(40, 5, 2)
        for step in range(40):
            app.step(), other.step()
            np.testing.assert_array_equal(app.simulation.states[:, :2], ahead[step])
        np.testing.assert_array_equal(app.simulation.states, other.simulation.states)


def test_one_that_stands_still_is_not_zoomed_to_a_point() -> None:
    with showing(Given(PLANES["usual"], [[(0.5, 0.5)]])) as app:
        for _ in range(60):
            app.step()
        places = app.source.places(np.array([(0.43, 0.43), (0.57, 0.57), (0.43, 0.57)]))
        assert np.abs(seen(app, places)).max() < 1.0
        app.director.look_at_agents()
        assert np.abs(seen(app, places)).max() < 1.0


def area(quads: np.ndarray) -> float:
    """Area of a grid of points in the picture, (m, m, 2), as a fraction of the picture; where it
    folds, as seen."""
    a, b, c, d = quads[:-1, :-1], quads[1:, :-1], quads[1:, 1:], quads[:-1, 1:]
    (x, y), (u, v) = np.moveaxis(c - a, -1, 0), np.moveaxis(d - b, -1, 0)
    return float(abs((0.5 * (x * v - y * u)).sum()) / 4.0)  # the picture is 2 x 2


def hidden(app: CALFApplication, positions: np.ndarray) -> np.ndarray:
    """Whether positions (n, 2) on the surface have a clearly higher part of it before them."""
    scene, ground = app.host.scene, app.host.ground
    at = scene.frame.places(np.asarray(positions, np.float64))
    starts = np.column_stack([at, ground.heights(at) + 0.02 * scene.height_scale])
    found = np.zeros(len(at), bool)
    for part in np.linspace(0.001, 1.0, 1000):
        way = starts + part * (scene.camera.eye - starts)
        over = ((way[:, :2] >= ground.lo) & (way[:, :2] <= ground.hi)).all(axis=1)
        found |= over & (ground.heights(way[:, :2]) > way[:, 2])
    return found


@pytest.mark.parametrize("system", systems.own())
@pytest.mark.parametrize("agents", [5, 20, 1000])
def test_where_agents_are_and_go_takes_a_quarter_of_the_picture_and_is_seen(
    system: str, agents: int
) -> None:
    settings = {"grid": 64, "trail_length": 300, "size": (1280, 720)}
    with showing(system=system, n_agents=agents, **settings) as app:
        view = app.director.view
        ahead = view.wrapped(app.simulation.foresee(300)).astype(np.float64)
        app.step()
        goal = np.array(view.goal_ellipse)
        lo = np.minimum(ahead.min(axis=0), goal[:2] - goal[2:])
        hi = np.maximum(ahead.max(axis=0), goal[:2] + goal[2:])
        x, y = np.meshgrid(np.linspace(lo[0], hi[0], 33), np.linspace(lo[1], hi[1], 33))
        region = seen(app, np.column_stack([x.ravel(), y.ravel()]))
        assert area(region.reshape(33, 33, 2)) >= 0.25
        assert np.abs(region).max() <= 0.96
        assert not hidden(
            app, goal[:2] + goal[2:] * [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
        ).any()
        assert hidden(app, ahead[:: len(ahead) // 400 + 1]).mean() <= 0.12
        assert math.degrees(app.host.scene.camera.elevation) <= 75.0 + 1e-6


def test_a_goal_behind_the_near_wall_of_a_bowl_is_seen_though_agents_are() -> None:
    view = View("deep", goal=(0.0, 0.0, 0.2))
    source = Given(view, [[(0.3, 0.85), (0.7, 0.85), (0.5, 0.45)]])
    x, y = np.meshgrid(np.linspace(-5, 5, 65), np.linspace(-5, 5, 65))
    source.bowl = Heightfield(1.0 - np.exp(-(x * x + y * y)), view.lo, view.hi)
    with showing(source, height_scale=4.0) as app:
        app.step()
        assert not hidden(app, np.array([(0.0, 0.0), (0.2, 0.0), (0.0, -0.2)])).any()
        app.camera = "home,elevation=40"
        assert hidden(app, np.array([(0.0, 0.0), (0.2, 0.0), (0.0, -0.2)])).any()


def test_one_at_a_corner_or_beyond_it_is_seen_with_the_plane_before_it() -> None:
    for part in (1.0, 7.0):
        with showing(Given(PLANES["usual"], [[(part, part)]])) as app:
            app.step()
            assert np.abs(seen(app, corners(app)[-1:])).max() < 1.0


def test_few_that_are_lost_do_not_shrink_a_thousand() -> None:
    rng = np.random.default_rng(0)
    parts = rng.uniform(0.45, 0.55, (1, 1000, 2))
    distances = []
    for lost in (0, 5):
        parts[0, :lost] = 0.02
        with showing(Given(PLANES["usual"], parts.copy())) as app:
            app.step()
            distances.append(app.host.scene.camera.distance)
    assert distances[1] == pytest.approx(distances[0], rel=0.02)


def test_none_that_is_drawn_shows_the_plane() -> None:
    for parts in ([np.full((3, 2), np.nan)], [np.empty((0, 2))]):
        with showing(Given(PLANES["usual"], parts)) as app:
            app.step()
            assert USUAL <= app.host.scene.camera.distance < 1.01 * USUAL
            assert np.abs(seen(app, corners(app))).max() < 1.0


class TestFollowing:
    wander = tuple([(0.5 + 0.004 * step, 0.5)] for step in range(100))

    def test_it_follows_outwards_and_rarely(self) -> None:
        with showing(Given(PLANES["usual"], self.wander)) as app:
            cameras = []
            for step in range(100):
                app.step()
                cameras.append(app.camera)
                at = app.source.places(np.array(self.wander[step]))
                assert np.abs(seen(app, at)).max() < 1.0
            assert 1 < len(set(cameras)) < 6

    def test_what_is_foreseen_is_there_from_the_start(self) -> None:
        with showing(Given(PLANES["usual"], self.wander, foresees=True), trail_length=100) as app:
            app.step()
            start = app.camera
            for _ in range(99):
                app.step()
            assert app.camera == start

    @pytest.mark.parametrize("how", ["orbit", "zoom", "pan"])
    def test_not_once_the_user_moved_it(self, how: str) -> None:
        with showing(Given(PLANES["usual"], self.wander)) as app:
            app.step()
            camera = app.host.scene.camera
            getattr(camera, how)(*{"zoom": (0.9,)}.get(how, (0.1, 0.05)))
            moved = camera.pose
            for _ in range(99):
                app.step()
            assert camera.pose == moved

    def test_not_from_a_view_of_the_plane_until_asked_for_agents(self) -> None:
        with showing(Given(PLANES["usual"], self.wander), camera="top") as app:
            app.step()
            start = app.camera
            for _ in range(59):
                app.step()
            assert app.camera == start
            app.camera = "agents"
            near = app.camera
            for _ in range(40):
                app.step()
            assert app.camera != near
            assert np.abs(seen(app, app.source.places(np.array(self.wander[-1])))).max() < 1.0

    def test_framing_agents_keeps_the_side_that_is_seen(self) -> None:
        with showing(n_agents=3) as app:
            app.step()
            camera = app.host.scene.camera
            camera.orbit(1.0, 0.2)
            angles = camera.azimuth, camera.elevation
            app.director.look_at_agents()
            assert (camera.azimuth, camera.elevation) == pytest.approx(angles)
            assert np.abs(seen(app, app.simulation.states[:, :2])).max() < 0.96

    def test_a_failing_foresight_is_the_sources_fault(self) -> None:
        source = Given(PLANES["usual"], [[(0.5, 0.5)]])
        source.foresee = lambda steps: 1 / 0
        with showing(source) as app:
            assert "failed in foresee: ZeroDivisionError" in app.failure


class TestPresets:
    @pytest.mark.parametrize("name", PLANES)
    @pytest.mark.parametrize("camera", ["plane", "top", "front", "side", "corner"])
    @pytest.mark.parametrize("height", [0.0, 2.0, 20.0])
    def test_all_of_the_plane_is_in_the_picture(
        self, name: str, camera: str, height: float
    ) -> None:
        with showing(
            Given(PLANES[name], [[(0.5, 0.5)]]), camera=camera, height_scale=height
        ) as app:
            app.step()
            assert np.abs(seen(app, corners(app))).max() < 1.0

    @pytest.mark.parametrize(
        ("camera", "right", "up"),
        [("top", (1, 0), (0, 1)), ("front", (1, 0), (0, 1)), ("side", (0, 1), (-1, 0))],
    )
    def test_which_axis_goes_to_the_right_and_upwards(
        self, camera: str, right: tuple[int, int], up: tuple[int, int]
    ) -> None:
        with showing(Given(PLANES["usual"], [[(0.5, 0.5)]]), camera=camera, height_scale=0) as app:
            app.step()
            middle, to_right, upwards = seen(app, np.array([(0, 0), right, up]))
            assert to_right[0] > middle[0] and to_right[1] == pytest.approx(middle[1], abs=1e-5)
            assert upwards[1] > middle[1] and upwards[0] == pytest.approx(middle[0], abs=1e-5)

    def test_numbers_of_ones_own(self) -> None:
        view = PLANES["far"]
        text = f"30,20,7,{view.lo[0] + 0.5},{view.lo[1] + 1.5},0.25"
        with showing(Given(view, [[(0.5, 0.5)]]), camera=text) as app:
            app.step()
            camera = app.host.scene.camera
            assert math.degrees(camera.azimuth) == pytest.approx(30)
            assert math.degrees(camera.elevation) == pytest.approx(20)
            assert camera.distance == 7 and camera.target == pytest.approx((-2.5, 2.5, 0.25))

    def test_a_target_without_a_height_is_on_the_surface(self) -> None:
        with showing(Given(PLANES["usual"], [[(0.5, 0.5)]]), camera="home,x=5,y=5") as app:
            assert app.host.scene.camera.target == pytest.approx((5.0, 5.0, 2.0))


class TestTall:
    @pytest.mark.parametrize("height", [2.0, 6.0, 20.0, 100.0])
    @pytest.mark.parametrize("size", [(640, 360), (120, 200)])
    def test_an_orbit_keeps_the_surface_in_the_picture(
        self, height: float, size: tuple[int, int]
    ) -> None:
        parts = [np.random.default_rng(0).uniform(0.3, 0.7, (9, 2))]
        camera = "home" if height > 6.0 else "plane"
        source = Given(PLANES["usual"], parts)
        with showing(source, height_scale=height, size=size, camera=camera) as app:
            app.step()
            points = app.host.ground.points[:, :2]
            for _ in range(24):
                assert np.abs(seen(app, points)).max() < 1.0
                app.host.scene.camera.orbit(math.radians(15), 0.0)

    def test_agents_behind_a_wall_are_seen_from_higher(self) -> None:
        y = np.broadcast_to(np.linspace(-5, 5, 41)[:, None], (41, 41))
        source = Given(PLANES["usual"], [[(0.5, 0.5), (0.52, 0.5)]])
        source.bowl = Heightfield(np.exp(-((y + 2.5) ** 2)), (-5, -5), (5, 5))
        with showing(source, height_scale=6.0, camera="agents") as app:
            app.step()
            raised = math.degrees(app.host.scene.camera.elevation)
            assert 50 <= raised <= 75
            app.camera = "agents,elevation=40"
            assert math.degrees(app.host.scene.camera.elevation) == pytest.approx(40)


@pytest.mark.parametrize("live", [False, True])
def test_of_a_live_source_agents_that_became_few_places_are_large_again(live: bool) -> None:
    wide = np.tile([[(0.2, 0.2), (0.8, 0.8)]], (50, 1, 1))
    narrow = np.tile([[(0.45, 0.45), (0.55, 0.55)]], (2 * RECENT * SMALL["trail_length"], 1, 1))
    view = View("usual", live=live)

    class Coming(Given):
        """Its steps come by themselves, one a frame."""

        due = False

        def step(self) -> Samples | None:
            self.due = not (self.due and live)
            return super().step() if self.due else None

    with showing(Coming(view, np.concatenate([wide, narrow]))) as app:
        for _ in range(50):
            app.step()
        first = app.camera
        for _ in range(len(narrow)):
            app.step()
        assert (app.camera != first) == live
        size = np.ptp(seen(app, app.source.places(narrow[0])), axis=0).max()
        assert (size > 0.25) == live
        settled = app.camera
        for _ in range(len(narrow)):
            app.step()
        assert app.camera == settled


class TestText:
    @given(
        st.sampled_from(sorted(PLANES)),
        st.floats(-3.0, 3.0),
        st.floats(-1.0, 1.0),
        st.floats(0.05, 20.0),
        st.floats(-9.0, 9.0),
        st.floats(-9.0, 9.0),
    )
    def test_what_the_camera_says_gives_the_same_picture(
        self, name: str, turn: float, lift: float, zoom: float, right: float, up: float
    ) -> None:
        app = APPS.setdefault(name, showing(Given(PLANES[name], [[(0.5, 0.5)]])))
        app.camera = "home"
        camera = app.host.scene.camera
        camera.orbit(turn, lift)
        camera.zoom(zoom)
        camera.pan(right, up)
        text, matrix = app.camera, camera.view_projection(1.6)
        app.camera = "top"
        app.camera = text
        assert np.abs(camera.view_projection(1.6) - matrix).max() < 1e-4 * np.abs(matrix).max()
        assert app.camera == text

    @pytest.mark.parametrize("text", ["none-such", "nan", "0,40,0", "x=7", "y=-5.01", "0,90.1"])
    def test_what_is_none_is_refused_and_changes_nothing(self, text: str) -> None:
        with showing() as app:
            before = app.camera
            with pytest.raises(UserError):
                app.camera = text
            assert app.camera == before
        with pytest.raises(UserError):
            showing(camera=text)

    def test_a_configuration_in_force_says_what_to_assign(self) -> None:
        with showing() as app, pytest.raises(UserError, match=r"app\.camera"):
            app.config.camera = "top"


def test_a_change_of_scale_keeps_agents_in_the_picture_but_not_a_camera_that_was_moved() -> None:
    source = Given(PLANES["usual"], [[(0.1, 0.1), (0.3, 0.1), (0.2, 0.3)]])
    with showing(source, value_scale="linear", height_scale=8.0, camera="agents") as app:
        app.step()
        before = app.camera
        app.config.value_scale = "rank"
        app.step()
        assert app.camera != before
        assert np.abs(seen(app, app.source.places(source.parts[0]))).max() < 0.96
        app.host.scene.camera.orbit(0.1, 0.1)
        moved = app.camera
        app.config.value_scale = "linear"
        app.step()
        assert app.camera == moved


APPS: dict[str, CALFApplication] = {}


@pytest.fixture(scope="module", autouse=True)
def closed() -> Any:
    yield
    for app in APPS.values():
        app.close()
