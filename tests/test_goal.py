"""The goal's circle, a ring around an agent, and markers near the goal: numbers, then pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from applications import running
from render_probe import FlatCamera, Probe
from scene_folder import HOSTS, OLDER, SceneFolder, Surface
from torus import TORUS, TUBE

from calf_viz import systems
from calf_viz.agent.system_view import view_of
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.scene import circle, crowd
from calf_viz.scene.camera import OrbitCamera
from calf_viz.scene.frame import Frame
from calf_viz.scene.ring import RingLayout
from calf_viz.scene.scene import Scene
from calf_viz.view import View

KINDS = [*HOSTS, *OLDER]
SIZE = (1152, 720)
LEAST = 11.0


def make_probe(view: View, camera=None, trail: int = 20, rows: int = 3, hills=1.0, **fields):
    y, x = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, rows + 1), indexing="ij")
    field = Heightfield(hills * (np.sin(3 * x) + y * y), view.lo, view.hi)
    agents = fields.pop("agents", 2)
    scene = Scene(
        size=SIZE, camera=camera or FlatCamera(), trail=trail, frame=Frame.of(view),
        goal=view.goal_ellipse, **fields,
    )  # fmt: skip
    return Probe(scene, field, RingLayout.fit(agents, trail + 1))


def circles(probe: Probe) -> np.ndarray:
    """The vertices after surface and rim, (circles, spokes, 2, 8): as `Probe.vertices`."""
    found, surface = probe.vertices()
    strip = np.concatenate([found[0, :2], *(part[2:] for part in found[:surface])])
    rows, columns = probe.heightfield.shape
    rim = 4 * (rows + columns) + 3  # its last vertex is there twice
    strip = strip[(2 * columns + 2) * (rows - 1) + rim :]
    count = probe.scene.circles[1]
    assert len(strip) >= count * circle.VERTICES
    strip = strip[: count * circle.VERTICES].reshape(count, circle.VERTICES, 8)
    return strip[:, 1:-1].reshape(count, circle.SPOKES + 1, 2, 8)


def middles(found: np.ndarray) -> np.ndarray:
    """Pixels from the picture's centre, (circles, spokes, 2)."""
    pixels = found[..., :2] / found[..., 3:4] * (0.5 * np.array(SIZE))
    return pixels.mean(axis=2)


def near(away: float) -> float:
    """Factor on a marker's radius this far [px] from the goal's centre."""
    share = np.clip((away - 2.5 * LEAST) / (4.5 * LEAST), 0.0, 1.0)
    return float(0.42 + 0.58 * share * share * (3.0 - 2.0 * share))


def flat(found: np.ndarray, matrix: np.ndarray, goal, height: float) -> np.ndarray:
    """Sine and cosine of spokes as points of a horizontal ellipse, (2, circles, spokes), which they
    must be: rays from the eye, cut with its plane in float64."""
    pixels = middles(found) / (0.5 * np.array(SIZE))
    ends = []
    for depth in (-1.0, 1.0):
        clip = np.concatenate([pixels, np.full_like(pixels[..., :1], depth)], axis=-1)
        clip = np.concatenate([clip, np.ones_like(clip[..., :1])], axis=-1)
        scene = clip @ np.linalg.inv(matrix).T
        ends.append(scene[..., :3] / scene[..., 3:])
    near, far = ends
    part = (height - near[..., 2:]) / (far - near)[..., 2:]
    points = (near + part * (far - near))[..., :2]
    unit = (points - goal[:2]) / goal[2:]
    assert np.abs(np.hypot(unit[..., 0], unit[..., 1]) - 1.0).max() < 2e-3
    return np.moveaxis(unit, -1, 0)


def turns(points: np.ndarray) -> float:
    """How often a closed line goes round its middle."""
    angles = np.unwrap(np.arctan2(*(points - points[:-1].mean(axis=0)).T))
    return abs(angles[-1] - angles[0]) / (2 * math.pi)


@pytest.mark.rendering
class TestNumbers:
    @pytest.mark.parametrize("trail", [2, 20, 300])
    @pytest.mark.parametrize(
        "view",
        [
            View("disc", goal=(1.0, -2.0, 1.5)),
            View("wide", lo=(0, 0), hi=(400, 1e-3), goal=(100.0, 7e-4, 60.0, 1e-4)),
            View("far", lo=(1e6, -1e6), hi=(1e6 + 4, -1e6 + 2), goal=(1e6 + 1, -1e6 + 1, 0.5)),
            View("equal", hi=(15, 5), aspect="equal", goal=[1, 1, 2]),
        ],
        ids=lambda view: getattr(view, "title", str(view)),
    )
    def test_it_has_its_true_size_on_the_plane(self, view, trail) -> None:
        """However the strip is cut into instances."""
        found = circles(make_probe(view, trail=trail))
        assert len(found) == circle.EACH_GOAL
        x, y, rx, ry = view.goal_ellipse
        width, height = (h - lo for h, lo in zip(view.hi, view.lo, strict=True))
        if view.aspect == "equal":
            width = height = max(width, height)
        scale = np.array(SIZE) / (width, height)
        centre = (np.array([x, y]) - 0.5 * np.add(view.lo, view.hi)) * scale
        for points in middles(found):
            apart = (points - centre) / (np.array([rx, ry]) * scale)
            assert np.abs(np.hypot(*apart.T) - 1.0).max() < 1e-3
            assert abs(turns(points) - 1.0) < 1e-3 and np.allclose(points[0], points[-1], atol=0.01)
            gaps = np.hypot(*np.diff(apart, axis=0).T)
            assert gaps.max() < 0.2, "round to the eye"

    @pytest.mark.parametrize("goal", [(1.0, 1.0, 2.0, 1.0), (-3.0, 3.5, 0.5, 0.5)])
    def test_it_is_flat_at_the_height_of_its_centre(self, goal) -> None:
        """A funnel would bend one that follows it, and hide some of it."""
        camera = OrbitCamera(distance=12.0)
        probe = make_probe(View("hills", goal=goal), camera, rows=20, hills=5.0)
        low, high = probe.heightfield.range
        level = (probe.heightfield.heights([goal[:2]])[0] - low) / (high - low)
        matrix = camera.view_projection(SIZE[0] / SIZE[1]).astype(float)
        found = circles(probe)
        angles = np.arctan2(*flat(found, matrix, goal, probe.scene.height_scale * level))
        assert np.allclose(np.ptp(np.unwrap(angles, axis=1), axis=1), 2 * np.pi, atol=1e-3)

    @pytest.mark.parametrize("distance", [4.0, 12.0, 40.0])
    def test_slopes_up_to_twice_its_width_before_it_do_not_hide_it(self, distance) -> None:
        camera = OrbitCamera((0.0, 0.0, 0.0), distance)
        goal = (0.0, 0.0, 0.5, 0.3)
        probe = make_probe(View("hills", goal=goal), camera, rows=20, hills=0.0)
        centre = np.array([*goal[:2], 0.0])
        wall = centre + 2.0 * (2.0 * 0.5) * (camera.eye - centre) / distance
        matrix = camera.view_projection(SIZE[0] / SIZE[1]).astype(float)
        clip = np.array([[*centre, 1.0], [*wall, 1.0]]) @ matrix.T
        depths = clip[:, 2] / clip[:, 3]
        found = circles(probe)[:2, :-1]
        bias = 4.6 * crowd.DEPTH_BIAS  # in front of agents
        apart = (found[..., 2] / found[..., 3]).mean() + bias - depths[1]
        assert abs(apart) < 0.2 * (depths[0] - depths[1])

    @pytest.mark.parametrize("radius", [1e-12, 0.01, 0.1])
    @pytest.mark.parametrize("camera", [None, OrbitCamera()])
    def test_a_small_one_is_a_circle_that_is_large_enough(self, radius, camera) -> None:
        probe = make_probe(View("dot", goal=(2.0, 1.0, radius)), camera, rows=20)
        points = middles(circles(probe))
        away = np.hypot(*(points - points[:, :-1].mean(axis=1, keepdims=True)).T)
        seen = radius * probe.scene.camera.pixels_per_unit(SIZE)
        assert away.min() > LEAST - 0.01
        assert away.max() < LEAST + 0.65 * seen + 0.01, "longer than wide as on the plane"

    def test_one_seen_from_its_side_is_a_smooth_oval(self) -> None:
        probe = make_probe(View("side", goal=(2.0, 1.0, 0.8)), OrbitCamera(elevation=0.1), rows=20)
        for points in middles(circles(probe)):
            apart = points - 0.5 * (points.min(axis=0) + points.max(axis=0))
            steps = np.diff(points, axis=0)
            bends = np.diff(np.unwrap(np.arctan2(*steps.T)))
            assert np.abs(bends).max() < 0.7 and abs(bends.sum()) == pytest.approx(2 * np.pi, 0.1)
            assert (bends > 0).all() or (bends < 0).all(), "without a kink"
            away = np.hypot(*apart.T)
            assert away.min() > LEAST - 0.1 and away.max() > 2 * LEAST

    def test_it_is_seen_faintly_where_something_hides_it(self) -> None:
        """The last of its circles is nearer than all else; also if the camera is close to it."""
        view = View("deep", goal=(2.0, 1.0, 0.1))
        close = OrbitCamera((2.0, 1.0, 1.0), 6.0, elevation=0.2)
        found = circles(make_probe(view, close, rows=20))
        depth = found[..., 2] / found[..., 3]
        assert depth[2].min() > -1.0 and depth[2].max() < 0.0, "as if next to the eye"
        found = circles(make_probe(view, OrbitCamera(), rows=20))
        depth = found[..., 2] / found[..., 3]
        assert (depth[2] < depth[:2].min() - 0.1).all()

    @pytest.mark.parametrize(("axes", "copies"), [(TUBE, 2), (TORUS, 4), ((False, True), 2)])
    def test_over_the_edge_of_a_periodic_axis_it_goes_on_at_the_other(self, axes, copies) -> None:
        probe = make_probe(View("ring", periodic=axes, goal=(14.5 if axes[0] else 2.0, -5.5, 1.0)))
        found = circles(probe)
        assert len(found) == circle.EACH_GOAL * copies
        points = middles(found) / (np.array(SIZE) / 10.0)
        wide = np.abs(found[..., 6]).min(axis=2) > 0.0
        assert np.abs(points).max() < 5.0 + 1e-3, "on the plane"
        seen = points[wide]
        apart = seen - (4.5, 4.5)
        for axis in (0, 1):
            if axes[axis]:
                apart[:, axis] -= 10.0 * np.round(apart[:, axis] / 10.0)
                assert (seen[:, axis] > 4.0).any() and (seen[:, axis] < -4.0).any()
        if all(axes):
            assert np.abs(np.hypot(*apart.T) - 1.0).max() < 1e-3
            angles = np.sort(np.arctan2(*apart.T))
            assert np.diff(angles).max() < 0.3, "all of it, in parts"

    def test_what_is_beyond_the_plane_is_not_drawn(self) -> None:
        found = circles(make_probe(View("edge", goal=(4.5, 0.0, 1.0))))
        wide = np.abs(found[..., 6]).min(axis=2) > 0.0
        assert 0.2 < wide.mean() < 0.9
        assert np.abs(middles(found)[..., 0]).max() < 0.5 * SIZE[0] + 1e-3

    def test_a_source_without_a_goal_has_no_circle(self) -> None:
        probe = make_probe(View("none"))
        assert probe.scene.circles == (0, 0)
        with_goal = make_probe(View("one", goal=(0, 0, 1)))
        probe.push([[1.0, 1.0]])
        with_goal.push([[1.0, 1.0]])
        plain, surface = probe.vertices()
        assert not (plain[:surface, :, 4] == -1.0).any()
        assert (with_goal.vertices()[0][..., 4] == -1.0).any()

    @pytest.mark.parametrize("marker", ["sphere", "arrow"])
    def test_markers_shrink_towards_it(self, marker) -> None:
        probe = make_probe(View("shrink", goal=(1.0, 1.0, 0.2)), marker=marker)
        full = {"sphere": 7.0, "arrow": 12.0}[marker]
        for away in (0.0, 0.1, 0.3, 0.5, 2.0):
            probe.push([[1.0 + away, 1.0]])
            found, surface = probe.vertices()
            assert found[surface, -1, 6] == pytest.approx(full * near(115.2 * away), rel=1e-4)
        probe.scene.goal = None
        probe.push([[1.0, 1.0]])
        assert probe.vertices()[0][-1, -1, 6] == full

    @pytest.mark.parametrize("radius", [3.0, 20.0])
    def test_as_far_around_it_whatever_their_size(self, radius: float) -> None:
        """A crowd's are small, but agents gather in no smaller place."""
        probe = make_probe(View("small", goal=(1.0, 1.0, 0.2)), marker_radius=radius)
        for away in (0.2, 0.4, 0.6, 0.8):
            probe.push([[1.0 + away, 1.0]])
            found, surface = probe.vertices()
            assert found[surface, -1, 6] == pytest.approx(radius * near(115.2 * away), rel=1e-4)

    def test_a_crowd_s_shrink_as_far_around_it_as_a_few(self) -> None:
        probe = make_probe(View("crowd", goal=(1.0, 1.0, 0.2)), agents=400, marker="arrow")
        places = np.full((400, 2), 1.0)
        places[:, 0] += np.repeat([0.0, 0.3, 0.45, 2.0], 100)
        probe.push(places)
        found, surface = probe.vertices()
        radii = found[surface : surface + 400 : 100, -1, 6]
        assert radii[3] < 0.7 * 12.0, "a crowd"
        shares = [near(115.2 * away) for away in (0.0, 0.3, 0.45)]
        assert radii[:3] == pytest.approx(radii[3] * np.array(shares), rel=1e-3)

    def test_and_towards_its_copy_over_an_edge(self) -> None:
        probe = make_probe(View("shrink", periodic=TUBE, goal=(4.9, 0.0, 0.2)))
        probe.push([[-4.9, 0.0], [4.7, 0.0]])
        found, surface = probe.vertices()
        assert found[surface, -1, 6] == pytest.approx(found[surface + 1, -1, 6], rel=1e-3)
        assert found[surface, -1, 6] < 6.0

    def test_the_two_rings_are_around_their_agent(self) -> None:
        """While it is drawn; in front of all others; and its trail is wider."""
        probe = make_probe(View("ring"), hills=0.0, highlighted=1)
        for step in range(6):
            probe.push([[-2.0, 0.3 * step], [2.0 + 0.3 * step, 1.0]])
            dark_outer, dark, outer, bright = middles(circles(probe))
            centre = np.array([2.0 + 0.3 * step, 1.0]) * np.array(SIZE) / 10.0
            for points in (dark, bright):
                assert np.abs(np.hypot(*(points - centre).T) - (1.2 * 7.0 + 5.0)).max() < 0.02
            for points in (dark_outer, outer):  # with a gap of two pixels
                beyond = np.hypot(*(points - centre).T) - (1.2 * 7.0 + 5.0)
                assert beyond == pytest.approx(beyond[0], abs=0.04) and 3.0 < beyond[0] < 6.0
        vertices, surface = probe.vertices()
        depths = circles(probe)[..., 2].max(), vertices[surface + 1, -4:, 2].min()
        assert depths[0] < depths[1]
        widths = [np.abs(vertices[surface + k, :-5, 7]).max() for k in (0, 1)]
        assert widths[1] == pytest.approx(1.7 * widths[0])
        ids, _ = probe.ids()
        assert {*(ids[surface, :-5, 0].view(np.uint32) >> 30)} == {0}
        assert {*(ids[surface + 1, :-5, 0].view(np.uint32) >> 30)} == {3}
        probe.push([[-2.0, 2.0], [np.nan, 1.0]])
        assert (circles(probe)[..., 2] == 1.0).all(), "not drawn"


# --- pixels


def picture(kind: str, goal, periodic=(False, False), agent=(3.0, -3.0), highlighted=-1):
    scene = SceneFolder("t", size=(400, 400), trail=30, surface=Surface("flat"), periodic=periodic)
    host = scene.open(kind)
    host.scene.camera = FlatCamera(5.5)
    host.detail.stride = lambda *_: 1
    host.scene.goal, host.scene.highlighted = goal, highlighted
    for _ in range(3):
        host.push(Samples.of([agent, [-4.0, -4.0]]))
    host.draw()
    seen = host.screenshot().astype(int)
    host.close()
    return seen


def white(seen: np.ndarray) -> np.ndarray:
    """Places of white pixels on a plane of +-5.5, (n, 2)."""
    rows, columns = np.nonzero((seen > 200).all(axis=2))
    return np.column_stack([columns + 0.5, 399.5 - rows]) / 400 * 11.0 - 5.5


@pytest.mark.rendering
@pytest.mark.parametrize("kind", KINDS)
class TestPictures:
    def test_a_white_circle_within_dark_ones(self, kind) -> None:
        seen = picture(kind, (-1.0, 2.0, 1.5, 1.0))
        apart = (white(seen) - (-1.0, 2.0)) / (1.5, 1.0)
        assert np.abs(np.hypot(*apart.T) - 1.0).max() < 0.08 and len(apart) > 100
        assert np.diff(np.sort(np.arctan2(*apart.T))).max() < 0.2, "without a gap"
        assert not len(white(picture(kind, None)))
        rows, columns = np.nonzero((seen < 40).all(axis=2))
        dark = np.column_stack([columns + 0.5, 399.5 - rows]) / 400 * 11.0 - 5.5
        inside = np.hypot(*((dark - (-1.0, 2.0)) / (1.5, 1.0)).T)
        assert (np.abs(inside - 1.0) < 0.15).sum() > 100

    def test_over_a_periodic_edge_it_is_drawn_in_two_parts(self, kind) -> None:
        places = white(picture(kind, (4.7, 0.0, 1.0, 1.0), periodic=TUBE))
        assert (places[:, 0] > 3.0).sum() > 50 and (places[:, 0] < -3.0).sum() > 50
        assert np.abs(places).min(axis=1).min() < 1.0 and np.abs(places[:, 0]).max() < 5.05

    def test_a_ring_around_an_agent(self, kind) -> None:
        places = white(picture(kind, None, highlighted=0))
        away = np.hypot(*(places - (3.0, -3.0)).T)
        assert len(places) > 40 and away.max() < 0.5
        assert np.abs(places.mean(axis=0) - (3.0, -3.0)).max() < 0.05
        assert not len(white(picture(kind, None, agent=(np.nan, 0.0), highlighted=0)))

    def test_as_every_design_draws_them(self, kind) -> None:
        """Bounds between Panda3D and its own design: a rounding of vertices."""
        options = {"goal": (0.5, 1.0, 2.0, 0.4), "agent": (0.7, 1.1), "highlighted": 0}
        apart = np.abs(picture(kind, **options) - picture("panda", **options)).max(axis=2)
        assert (apart > 8).mean() < 1e-3


# --- who says so


@pytest.mark.parametrize("name", systems.names())
def test_the_goals_of_systems_are_what_they_call_reached(name) -> None:
    system = systems.get(name)
    x, y, rx, ry = view_of(system).goal_ellipse
    angles = np.linspace(0, 2 * np.pi, 40)
    edge = np.column_stack([rx * np.cos(angles), ry * np.sin(angles)])
    for part, reached in ((0.99, True), (1.01, False)):
        states = system.plane_states((x, y) + part * edge)
        assert (system.in_goal(states) == reached).all()


@pytest.mark.parametrize(
    "goal",
    [
        (0, 0), (0, 0, 1, 1, 1), (0, 0, -1), (0, 0, 0), (0, 0, math.nan), (math.inf, 0, 1), "abc",
        3.0, (0, 0, 1e9), ("0", 0, 1), (0, 0, True), {0, 1, 2},
    ],
    ids=str,
)  # fmt: skip
def test_a_goal_that_is_none_is_refused(goal) -> None:
    with pytest.raises(UserError, match=r"^view t: goal") as error:
        View("t", goal=goal)
    assert "\n" not in str(error.value)


def test_a_goal_may_be_an_array() -> None:
    assert View("t", goal=np.array([1, 2, 0.5])).goal == (1.0, 2.0, 0.5, 0.5)
    assert View("t", goal=[1, 2, 0.5, 3]).goal_ellipse == (1.0, 2.0, 0.5, 3.0)
    assert View("t").goal_ellipse is None


@pytest.mark.rendering
@pytest.mark.parametrize("theme", ["dark", "light", "high_contrast"])
def test_the_legend_shows_one_ring_for_the_goal_and_two_for_the_chosen_agent(theme) -> None:
    crossed = []
    for chosen in (None, 2):
        with running(size=(2560, 1440), n_agents=4, hud=True, chosen=chosen, theme=theme) as shown:
            shown.step()
            panel = shown.hud.placed["overview"]
            seen = shown.host.screenshot().astype(int)[panel.y : panel.bottom, ..., :3]
        # Rows through the swatches, left of the names.
        swatches = seen[-90:-8, panel.x + 18 : panel.x + 52]
        away = np.abs(swatches - seen[20, panel.x + 10]).sum(axis=2)
        strong = away > 0.6 * away.max()
        crossed.append(int((np.diff(strong.astype(int), axis=1) == 1).sum(axis=1).max()))
    assert crossed == [2, 4], "times that a line through the middle meets one"


@pytest.mark.rendering
def test_an_agent_stands_out_if_the_user_chose_it_or_a_look_is_about_it() -> None:
    with running(size=(320, 180), n_agents=4, hud=True) as shown:
        shown.step()
        assert shown.host.scene.highlighted == -1 and "chosen" not in shown.hud.values
        assert shown.hud.values["goal"] == ""
        shown.config.chosen = 2
        shown.step()
        assert shown.host.scene.highlighted == 2 and shown.hud.values["chosen"] == "2"
        shown.n_agents = 1
        shown.step()
        assert shown.host.scene.highlighted == 0, "the last one"
        shown.config.chosen = None
        shown.step()
        assert shown.host.scene.highlighted == -1 and "chosen" not in shown.hud.values
    for options in ({"shaders": "certificate"}, {"define": ("TRAIL_COLOUR=BY_CERTIFICATE",)}):
        with running(size=(320, 180), n_agents=4, **options) as shown:
            shown.step()
            assert shown.host.scene.highlighted == 0


@pytest.mark.parametrize(
    ("size", "scale"),
    [
        ((3840, 2160), 3.0), ((1280, 720), 1.0), ((1152, 720), 1.0), ((640, 400), 400 / 720),
        ((640, 360), 0.5), ((320, 180), 0.25), ((32, 18), 0.025),
    ],
)  # fmt: skip
def test_trails_markers_and_circles_follow_the_pictures_size(size, scale) -> None:
    """In proportion in large pictures, by the square root in small ones, as far as one half; lines,
    which are thin already, do not."""
    scene = Scene(size=size, goal=circle.NOWHERE)
    marks = scale if scale >= 1.0 else max(math.sqrt(scale), 0.5)
    field = Heightfield(np.zeros((3, 3)), (-5.0, -5.0), (5.0, 5.0))
    values = scene.uniforms(field, RingLayout.fit(1, 601), 1, 0, 1)
    assert values["u_trail_width"] == pytest.approx(2.6 * marks)
    assert values["u_marker_radius"] == pytest.approx(7.0 * marks)
    assert values["u_circle_radii"] == pytest.approx((11.0 * marks, 13.4 * marks))
    assert values["u_line_scale"] == pytest.approx(max(scale, 1.0))
