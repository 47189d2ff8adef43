"""Planes of any size and place: what is shown on one looks as it does on the usual one, 10 wide
around 0, and what is told of it is in the units of its axes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compare_screenshots import Comparison
from drivers import DRIVERS
from render_probe import FlatCamera, Probe, middles, sides
from scene_folder import HOSTS, OLDER, Agents, SceneFolder

from calf_viz import CALFApplication, Samples, View, VisualizationConfig
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.hud import numbers
from calf_viz.hud.edges import edges_of
from calf_viz.scene.detail import DetailChooser
from calf_viz.scene.frame import Frame
from calf_viz.scene.height_texels import level_field
from calf_viz.scene.ring import RingLayout
from calf_viz.scene.scene import Scene
from calf_viz.value_scale import ValueScale
from calf_viz.view import NARROWEST, WIDEST

USUAL = View("usual")
PLANES = {
    "wide": View("wide", lo=(-100.0, -100.0), hi=(100.0, 100.0)),
    "mountain car": View("car", lo=(-1.2, -0.07), hi=(0.6, 0.07)),
    "narrow": View("narrow", lo=(0.0, 0.0), hi=(1e-4, 1e-4)),
    "far": View("far", lo=(1e6, 1e6), hi=(1e6 + 2, 1e6 + 2)),
    "narrowest": View("narrowest", lo=(0.0, 0.0), hi=(NARROWEST, NARROWEST)),
    "widest": View("widest", lo=(-WIDEST / 2, 0.0), hi=(WIDEST / 2, WIDEST)),
    "both": View("both", lo=(0.0, 0.0), hi=(NARROWEST, WIDEST)),
    "finest": View("finest", lo=(1.0, 1.0), hi=(1.0 + 2e-9, 1.0 + 2e-9)),
}
NAMES = list(PLANES)
SIZE = (640, 480)
NEAR = 5e-3
"""Pixels between a vertex in float32 and in float64, as on the usual plane."""

over_planes = pytest.mark.parametrize("name", NAMES)


def on(view: View, usual: np.ndarray) -> np.ndarray:
    """Points of the usual plane on another, (..., 2) float64."""
    lo, hi = np.array(view.lo), np.array(view.hi)
    return lo + (np.asarray(usual, np.float64) + 5.0) / 10.0 * (hi - lo)


def told_apart(view: View) -> float:
    """Units of the scene that float64 tells apart on a plane."""
    ends = np.abs([view.lo, view.hi]).max(axis=0)
    return float((10.0 * np.spacing(ends) / np.subtract(view.hi, view.lo)).max())


class TestFrame:
    def test_the_usual_plane_is_the_scene_itself(self) -> None:
        """So that nothing is rounded there: pictures stay as they are to the last bit."""
        for view in (USUAL, View("whole", lo=(-5, -5), hi=(5, 5))):
            frame = Frame.of(view)
            assert frame.same and replace(frame, plane=None) == Frame()
            assert frame.uniform == (0.0, 0.0, 1.0, 1.0) and frame.grid == (1.0, 1.0, 0.0, 0.0)
            points = np.random.default_rng(1).uniform(-9, 9, (20, 2)).astype(np.float32)
            assert frame.places(points) is points

    @over_planes
    def test_corners_are_those_of_the_square(self, name: str) -> None:
        view = PLANES[name]
        frame = Frame.of(view)
        field = Heightfield(np.eye(3), view.lo, view.hi)
        corners = np.array([[-5.0, -5.0], [5.0, 5.0]])
        assert np.allclose(frame.corners(field), corners, atol=1e-12 + told_apart(view))
        assert np.allclose(frame.surface(field).lo, -5.0) and frame.surface(field).bad is field.bad
        assert np.float32(frame.uniform).all() or 0.0 in frame.centre

    def test_with_one_scale_the_longer_axis_fills_it(self) -> None:
        view = View("long", lo=(0.0, 10.0), hi=(40.0, 20.0), aspect="equal")
        frame = Frame.of(view)
        assert frame.scale == (0.25, 0.25) and frame.lines == (5.0, 5.0)
        field = Heightfield(np.eye(3), view.lo, view.hi)
        assert frame.corners(field) == ((-5.0, -1.25), (5.0, 1.25))

    @pytest.mark.parametrize(
        ("width", "apart"),
        [(10.0, 1.0), (200.0, 20.0), (1.8, 0.2), (0.14, 0.01), (1e-4, 1e-5), (2.0, 0.2)],
    )
    def test_lines_are_at_round_numbers(self, width: float, apart: float) -> None:
        assert Frame.of(View("v", lo=(0.0, 0.0), hi=(width, 1.0))).lines[0] == apart

    @over_planes
    def test_its_grid_is_where_those_are(self, name: str) -> None:
        view = PLANES[name]
        frame = Frame.of(view)
        at = np.array([[k * step for step in frame.lines] for k in (-3, 0, 2)])
        at += np.rint(np.array(frame.centre) / frame.lines) * frame.lines
        places = frame.places(at)
        counted = places * frame.grid[:2] + frame.grid[2:]
        slack = 1e-9 + 20 * told_apart(view)
        assert np.abs(counted - np.rint(counted)).max() < slack


@pytest.mark.rendering
class TestVertices:
    """Read back by transform feedback, against float64."""

    def probe(self, view: View, camera: Any = None) -> Probe:
        scene = Scene(
            size=SIZE, camera=camera or FlatCamera(), trail=20, frame=Frame.of(view), height_scale=2
        )
        usual = plane_nodes((-5.0, -5.0), (5.0, 5.0), 9, 9)
        values = np.sin(usual[:, 0]) * np.cos(usual[:, 1])
        field = Heightfield(values.reshape(9, 9), view.lo, view.hi)
        return Probe(scene, field, RingLayout.fit(3, 24))

    def pushed(self, view: View) -> tuple[Probe, np.ndarray]:
        """Steps of agents (steps, agents, 2), as places in the scene."""
        rng = np.random.default_rng(3)
        path = np.cumsum(rng.uniform(-0.6, 0.6, (20, 3, 2)), axis=0)
        probe = self.probe(view)
        for step, places in enumerate(path):
            probe.push(on(view, places), first=np.full(3, step == 0))
        return probe, path

    @over_planes
    def test_samples_and_heights(self, name: str) -> None:
        view = PLANES[name]
        probe, path = self.pushed(view)
        near = NEAR + told_apart(view) * SIZE[0] / 10.0
        pixels, surface = probe.pixels()
        clip, _ = probe.vertices()
        for agent in range(3):
            strip = pixels[surface + agent]
            pairs = strip[: (len(strip) - 5) // 2 * 2].reshape(-1, 2, 3)
            found = middles(pairs[sides(pairs[..., 2])])
            expected = path[:, agent] / 5.0 * 0.5 * np.array(SIZE)
            apart = np.abs(found[:, None] - expected[None]).max(axis=2).min(axis=1)
            assert len(found) >= 20 and apart.max() < near
            marker = strip[-4:, :2].mean(axis=0)
            assert np.abs(marker - expected[-1]).max() < near
            # Depth tells the height: of all corners the same, less what a marker's layer adds.
            level = probe.levels.heights(on(view, path[-1, agent])[None])[0]
            depth = clip[surface + agent, -4:, 2].mean()
            layer = 1e-3 * 3.0 + 1e-3 * agent / 3.0
            assert depth == pytest.approx(-0.1 * 2 * level - layer, abs=1e-4)

    @over_planes
    def test_the_surface_is_the_square(self, name: str) -> None:
        clip, surface = self.pushed(PLANES[name])[0].vertices()
        usual, _ = self.pushed(USUAL)[0].vertices()
        assert np.abs(clip[:surface, :, :3] - usual[:surface, :, :3]).max() < 1e-5
        widest = np.abs(clip[:surface, :, :2]).max(axis=(0, 1))
        rim = 2.0 / np.array(SIZE)  # a pixel further out
        np.testing.assert_allclose(widest, 1.0 + rim, rtol=1e-6)

    @pytest.mark.parametrize("hi", [(40.0, 10.0), (1.0, 1.0), (1e-15, 1e15), (1e15, 1e-15)])
    def test_arrows_point_along_their_way(self, hi: tuple[float, float]) -> None:
        """A heading is one on the plane: where its axes are drawn unlike, it leans with them."""
        view = View("v", lo=(0.0, 0.0), hi=hi)
        probe = self.probe(view)
        probe.scene.marker = "arrow"
        turns = np.array([0.25, 0.4375, 1.25]) * np.pi  # of the 256 that a texel tells
        probe.push(on(view, np.zeros((3, 2))), headings=turns)
        clip, surface = probe.vertices()
        for agent, turn in enumerate(turns):
            along, across = clip[surface + agent, -1, 4:6]  # of the corner (1, 1) [px]
            found = np.array([along + across, along - across])
            way = np.array([np.cos(turn), np.sin(turn)]) * (hi[1], hi[0]) / max(hi)
            expected = way / np.abs(way).max() * SIZE
            found, expected = (v / np.linalg.norm(v) for v in (found, expected))
            assert np.abs(found - expected).max() < 1e-3

    def test_one_beyond_what_float32_holds_is_not_drawn(self) -> None:
        probe = self.probe(PLANES["narrow"])
        row = probe.packer.pack(Samples.of([[1e300, 0.0], [5e-5, 5e-5], [np.nan, 0.0]])).rows[0]
        assert row.drawn.tolist() == [False, True, False]


FOLDER = SceneFolder(
    "planes",
    size=(320, 180),
    trail=60,
    steps=70,
    agents=[Agents(6, "circle", seed=1, reset_steps=31, modes=[0, 2], mode_steps=5)],
)


@cache
def picture(kind: str, name: str, look: str | None = None, **defines: str) -> np.ndarray:
    """The same agents and values on a plane of any name."""
    view = PLANES.get(name, USUAL)
    scene = replace(FOLDER.scene(), frame=Frame.of(view))
    usual = FOLDER.surface.heightfield()
    field = Heightfield(usual.values, view.lo, view.hi)
    overlay = None if look is None else shader_folder() / "looks" / look
    library = ShaderLibrary(overlay, defines)
    host = FOLDER.open(kind, scene=scene, heightfield=field, library=library)
    host.frame_surface()
    for step in range(FOLDER.steps):
        samples = FOLDER.samples(step)
        host.push(replace(samples, positions=on(view, samples.positions)))
        if kind == "per_agent":
            host.draw()
    host.draw()
    found = host.screenshot()
    host.close()
    return found


SQUARE = [name for name in NAMES if name not in ("mountain car", "both")]
"""Planes whose grid's lines and whose speeds are those of the usual one."""
LEVEL, FRACTION = DRIVERS["llvmpipe"].level, DRIVERS["llvmpipe"].fraction


@pytest.mark.rendering
@pytest.mark.parametrize("kind", [*HOSTS, *OLDER])
class TestPictures:
    """Within the pixel tests' bounds, those of the usual plane."""

    @pytest.mark.parametrize("name", SQUARE)
    def test_are_the_usual_ones(self, kind: str, name: str) -> None:
        pair = Comparison(name, picture(kind, "usual"), picture(kind, name), LEVEL, FRACTION)
        assert pair.passes, pair.verdict

    @over_planes
    def test_in_ink_are_the_usual_ones(self, kind: str, name: str) -> None:
        """It has no grid, whose lines are at other numbers, but the plane's rim."""
        usual, actual = (picture(kind, n, "ink") for n in ("usual", name))
        pair = Comparison(name, usual, actual, LEVEL, FRACTION)
        assert pair.passes, pair.verdict

    @pytest.mark.parametrize("name", ["far", "widest"])
    def test_of_speed_are_the_usual_ones(self, kind: str, name: str) -> None:
        usual, actual = (picture(kind, n, TRAIL_COLOUR="BY_SPEED") for n in ("usual", name))
        pair = Comparison(name, usual, actual, LEVEL, FRACTION)
        assert pair.passes, pair.verdict
        assert not np.array_equal(usual, picture(kind, "usual"))


class OnePlane:
    """Two agents that go round on a plane, in a bowl."""

    def __init__(self, view: View) -> None:
        self.view = view
        usual = plane_nodes((-5.0, -5.0), (5.0, 5.0), 21, 21)
        values = (usual**2).sum(axis=1).reshape(21, 21)
        self.bowl: Heightfield | None = Heightfield(values, view.lo, view.hi)
        self.asked = 0

    def step(self) -> Samples:
        self.asked += 1
        turn = 0.01 * self.asked + np.arange(2)
        return Samples.of(on(self.view, 3.0 * np.stack([np.cos(turn), np.sin(turn)], axis=1)))

    def surface(self) -> Heightfield | None:
        bowl, self.bowl = self.bowl, None
        return bowl

    def close(self) -> None:
        pass


def showing(view: View, **changes: Any) -> CALFApplication:
    asked: dict[str, Any] = {"size": (640, 360), "trail_length": 60, "headless": True}
    return CALFApplication(VisualizationConfig(**{**asked, **changes}), source=OnePlane(view))


def corner_pixels(app: CALFApplication) -> np.ndarray:
    """Where the plane's corners are in the picture, (4, 2)."""
    scene, field = app.host.scene, app.host.heightfield
    corners = np.array(
        [(x, y) for x in (field.lo[0], field.hi[0]) for y in (field.lo[1], field.hi[1])]
    )
    points = np.ones((4, 4))
    points[:, :2], points[:, 2] = scene.frame.places(corners), scene.height_scale
    width, height = scene.size
    clip = points @ scene.camera.view_projection(width / height).astype(np.float64).T
    return (0.5 + 0.5 * clip[:, :2] / clip[:, 3:] * (1.0, -1.0)) * scene.size


@cache
def corners_seen(name: str) -> dict[str, np.ndarray]:
    """A plane's corners in the picture: at start, from above, and after a reset."""
    with showing(PLANES.get(name, USUAL), hud=False) as app:
        camera, found = app.host.scene.camera, {"start": corner_pixels(app)}
        camera.top_view(640 / 360)
        found["top"] = corner_pixels(app)
        camera.zoom(0.1)
        camera.orbit(1.0, 0.2)
        camera.reset()
        found["reset"] = corner_pixels(app)
    return found


@pytest.mark.rendering
class TestShown:
    @over_planes
    @pytest.mark.parametrize("seen", ["start", "top", "reset"])
    def test_its_corners_are_where_the_usual_planes_are(self, name: str, seen: str) -> None:
        usual, found = (corners_seen(n)[seen] for n in ("usual", name))
        assert np.abs(usual - found).max() < 1e-2
        assert (found > 0.0).all() and (found < (640, 360)).all()

    @pytest.mark.parametrize("name", [name for name in NAMES if name != "finest"])
    def test_hooks_get_true_positions(self, name: str, tmp_path: Path) -> None:
        """Red and green tell where on the plane each fragment is, by the hook's own point."""
        (tmp_path / "surface_colour.glsl").write_text(
            "vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad) {\n"
            "    vec2 width = max(u_plane.zw - u_plane.xy, 1e-30);\n"
            "    return vec3(clamp((point - u_plane.xy) / width, 0.0, 1.0), 0.0);\n"
            "}\n"
        )
        view = PLANES[name]
        with showing(view, hud=False, shaders=tmp_path, height_scale=0.0) as app:
            app.host.scene.camera.top_view(640 / 360)
            app.draw()
            drawn = app.screenshot().astype(float)
            corners = corner_pixels(app)
        # float32 tells this much of the plane apart, in its widths.
        ends = np.abs([view.lo, view.hi]).max(axis=0).astype(np.float32)
        coarse = float((np.spacing(ends) / np.subtract(view.hi, view.lo)).max())
        lo, hi = corners.min(axis=0), corners.max(axis=0)
        for part in (0.25, 0.5, 0.75):
            x, y = (lo + part * (hi - lo)).astype(int)
            expected = np.array([part, 1.0 - part]) * 255
            assert np.abs(drawn[y, x, :2] - expected).max() < 4 + 255 * coarse

    @over_planes
    def test_ticks_are_in_true_units(self, name: str) -> None:
        view = PLANES[name]
        with showing(view) as app:
            scene = app.host.scene
            edges = edges_of(scene, app.host.levels, view.labels)
            scene.camera.top_view(640 / 360)
            from_above = edges_of(scene, app.host.levels, view.labels)
            corners = corner_pixels(app)
            for _ in range(3):
                app.step()
            assert app.screenshot().any() and app.failure is None
        for axis in (0, 1):
            values = numbers.nice_ticks(view.lo[axis], view.hi[axis], 5)
            texts = [mark.text for mark in edges[axis].ticks]
            assert texts == numbers.tick_texts(values) and len(set(texts)) == len(texts)
            lo, hi = corners[0], corners[-1]
            for value, mark in zip(values, from_above[axis].ticks, strict=True):
                part = (value - view.lo[axis]) / (view.hi[axis] - view.lo[axis])
                place = lo[axis] + part * (hi[axis] - lo[axis])
                # They lie on the surface, at its height there: lower ones nearer to the middle.
                middle = 0.5 * (lo[axis] + hi[axis])
                found = (mark.x, mark.y)[axis]
                assert abs(found - middle) <= abs(place - middle) + 1e-3
                assert abs(found - place) < 30.0

    @over_planes
    def test_the_mean_value_is_the_usual_one(self, name: str) -> None:
        means = []
        for view in (USUAL, PLANES[name]):
            with showing(view) as app:
                for _ in range(4):
                    app.step()
                app.screenshot()
                means.append(app.hud.values["mean_value"])
        assert means[0] == means[1]

    @over_planes
    def test_the_level_of_detail_is_the_usual_one(self, name: str) -> None:
        strides = []
        for view in (USUAL, PLANES[name]):
            scene = Scene(frame=Frame.of(view), trail=60)
            chooser, source = DetailChooser(scene), OnePlane(view)
            bowl = source.surface()
            chooser.surface = scene.frame.surface(
                level_field(bowl, ValueScale("linear", *bowl.range))
            )
            for step in range(120):
                chooser.see(
                    np.asarray(scene.frame.samples(source.step().positions)), np.full(2, step == 0)
                )
            strides.append(chooser.stride())
        assert strides[0] == strides[1] > 1

    def test_with_one_scale_it_is_as_long_as_its_axes(self) -> None:
        view = View("road", lo=(0.0, 10.0), hi=(400.0, 110.0), labels=("x [m]", "y [m]"))
        with showing(replace(view, aspect="equal")) as app:
            app.host.scene.camera.top_view(640 / 360)
            size = np.ptp(corner_pixels(app), axis=0)
            assert size[0] == pytest.approx(4.0 * size[1])
            app.step()
            assert app.screenshot().any()


class TestTicks:
    @pytest.mark.parametrize(
        ("lo", "hi", "texts"),
        [
            (-5.0, 5.0, "−4 −2 0 2 4"),
            (-100.0, 100.0, "−50 0 50"),
            (-1.2, 0.6, "−1 −0.5 0 0.5"),
            (-0.07, 0.07, "−0.05 0 0.05"),
            (0.0, 1e-4, "2e−5 4e−5 6e−5 8e−5"),
            (1e6, 1e6 + 2.0, "1000000.5 1000001 1000001.5"),
            (1.7e9, 1.7e9 + 3600.0, "1700001000 1700002000 1700003000"),
            (0.0, 5e5, "1e5 2e5 3e5 4e5"),
            (0.0, 1e15, "2e14 4e14 6e14 8e14"),
            (-1e-15, 1e-15, "−5e−16 0 5e−16"),
            (1e15, 1e15 + 1e7, "1.000000002e15 1.000000004e15 1.000000006e15 1.000000008e15"),
        ],
    )
    def test_have_the_digits_that_tell_them_apart(self, lo: float, hi: float, texts: str) -> None:
        assert numbers.tick_texts(numbers.nice_ticks(lo, hi, 5)) == texts.split()

    def test_none_and_one(self) -> None:
        assert numbers.tick_texts([]) == []
        assert numbers.tick_texts([0.0]) == ["0"] and numbers.tick_texts([20.0]) == ["20"]
