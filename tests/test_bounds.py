"""A source's bounds may change while it is shown: everything stays where it is on the plane."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from compare_screenshots import Comparison
from drivers import DRIVERS
from render_probe import FlatCamera, Probe, middles, sides
from scene_folder import HOSTS, OLDER, Agents, SceneFolder

from calf_viz import CALFApplication, Samples, View, VisualizationConfig, systems
from calf_viz.agent import shipped_agents as shipped
from calf_viz.agent.system_view import view_of
from calf_viz.heightfield import Heightfield
from calf_viz.hosts.panda import ring as panda_ring
from calf_viz.hud import numbers
from calf_viz.hud.edges import edges_of
from calf_viz.scene.detail import WINDOW, DetailChooser
from calf_viz.scene.frame import Frame, Move
from calf_viz.scene.ring import RingLayout, move
from calf_viz.scene.scene import Scene
from calf_viz.sources.simulation import Simulation

FIRST = View("first", lo=(-1.0, -1.0), hi=(1.0, 1.0))
CHANGES = {
    "twice as wide": [((-2.0, -2.0), (2.0, 2.0))],
    "grown in steps": [((-(2.0**k), -1.0), (2.0**k, 1.0 + 2.0**k)) for k in range(1, 12)],
    "there and back": [((-64.0, -8.0), (64.0, 8.0)), ((-1.0, -1.0), (1.0, 1.0))] * 10,
    "narrower": [((0.0, -0.25), (0.5, 0.25))],
    "aside": [((0.25, 0.0), (2.25, 1e3))],
    "sliding": [((-1.0 + k / 64, -1.0), (1.0 + k / 64, 1.0)) for k in range(60)],
}
FAR = 1e6
SIZE = (640, 480)


def views(name: str, offset: float = 0.0) -> list[View]:
    """The first view and those that come, all so far from zero."""
    bounds = [(FIRST.lo, FIRST.hi), *CHANGES[name]]
    return [
        replace(FIRST, lo=tuple(offset + x for x in lo), hi=tuple(offset + x for x in hi))
        for lo, hi in bounds
    ]


def field_of(view: View) -> Heightfield:
    """The same function of the plane on each: its heights there."""
    return Heightfield.of(lambda x, y: np.sin(x) + y, view.lo, view.hi, 9)


over_changes = pytest.mark.parametrize("name", CHANGES)


class TestMove:
    @over_changes
    @pytest.mark.parametrize("offset", [0.0, FAR])
    def test_is_the_way_from_one_frame_to_another(self, name: str, offset: float) -> None:
        first, *_, last = views(name, offset)
        points = np.random.default_rng(1).uniform(first.lo, first.hi, (50, 2))
        old, new = Frame.of(first), Frame.of(last)
        places = new.moved_from(old)(np.asarray(old.places(points)))
        assert np.abs(places - new.places(points)).max() < 1e-7 * max(
            1.0, *new.moved_from(old).scale
        )
        assert old.moved_from(old) == Move()

    def test_what_goes_beyond_float32_is_at_its_end(self) -> None:
        texels = np.array([[1e30, 2.0, 5.0, 7.0]], np.float32)
        with np.errstate(all="raise"):
            move(texels, Move((1e20, 1.0), (0.0, 1.0)))
        assert np.isfinite(texels).all() and texels[0].tolist()[1:] == [3.0, 5.0, 7.0]


@pytest.mark.rendering
class TestVertices:
    @over_changes
    @pytest.mark.parametrize("offset", [0.0, FAR])
    def test_samples_stay_where_they_are(self, name: str, offset: float) -> None:
        """Read back by transform feedback, against float64."""
        first, *others = views(name, offset)
        scene = Scene(size=SIZE, camera=FlatCamera(), trail=20, frame=Frame.of(first))
        probe = Probe(scene, field_of(first), RingLayout.fit(3, 24))
        rng = np.random.default_rng(3)
        path = np.cumsum(rng.uniform(-0.06, 0.06, (20, 3, 2)), axis=0) + 0.25 + offset
        for step in range(10):
            probe.push(path[step], first=np.full(3, step == 0))
        for view in others:
            frame = Frame.of(view)
            texels = np.frombuffer(probe.ring.read(), np.float32).reshape(-1, 4).copy()
            move(texels, frame.moved_from(scene.frame))
            probe.ring.write(texels)
            scene.frame = frame
            probe.packer.reframe(frame)
        probe.heightfield = field_of(others[-1])
        for step in range(10, 20):
            probe.push(path[step])
        pixels, surface = probe.pixels()
        for agent in range(3):
            strip = pixels[surface + agent]
            pairs = strip[: (len(strip) - 5) // 2 * 2].reshape(-1, 2, 3)
            found = middles(pairs[sides(pairs[..., 2])])
            expected = scene.frame.places(path[:, agent]) / 5.0 * 0.5 * np.array(SIZE)
            apart = np.abs(found[:, None] - expected[None]).max(axis=2).min(axis=1)
            assert len(found) >= 20 and apart.max() < 5e-3
            assert np.abs(strip[-4:, :2].mean(axis=0) - expected[-1]).max() < 5e-3


FOLDER = SceneFolder(
    "bounds",
    size=(320, 180),
    trail=40,
    steps=50,
    agents=[Agents(6, "circle", seed=1, reset_steps=31, modes=[0, 2], mode_steps=5)],
)
BEFORE, AFTER = View("b", lo=(-5.0, -5.0), hi=(5.0, 5.0)), View("a", lo=(-8.0, -4.0), hi=(4.0, 6.0))
LEVEL, FRACTION = DRIVERS["llvmpipe"].level, DRIVERS["llvmpipe"].fraction
RINGS = [*HOSTS, *OLDER, "uploaded"]


def picture(kind: str, *changes: tuple[int, View], more: int = 0) -> np.ndarray:
    """Of FOLDER's agents; at each step told the bounds become others. more: agents at the end."""
    view = BEFORE if not changes or changes[0][0] else changes[0][1]
    scene = replace(FOLDER.scene(), frame=Frame.of(view))
    host = FOLDER.open(
        "panda" if kind == "uploaded" else kind, scene=scene, heightfield=hills(view)
    )
    host.frame_surface()
    if kind == "uploaded":
        assert isinstance(host.ring, panda_ring.UploadedRing)
    for step in range(FOLDER.steps):
        for when, other in changes:
            if when == step > 0:
                host.reframe(Frame.of(other))
                host.set_heightfield(hills(other), restart=True)
                host.frame_surface()
        if more and step == FOLDER.steps - 5:
            host.make_room(more)
        host.push(FOLDER.samples(step))
        if kind == "per_agent":
            host.draw()
    host.draw()
    found = host.screenshot()
    host.close()
    return found


@cache
def expected(kind: str) -> np.ndarray:
    return picture(kind, (0, AFTER))


def hills(view: View) -> Heightfield:
    return Heightfield.of(lambda x, y: np.sin(x) * np.cos(0.7 * y), view.lo, view.hi, 33)


@pytest.mark.rendering
@pytest.mark.parametrize("kind", RINGS)
class TestPictures:
    """In all designs, within the pixel tests' bounds, as with those bounds from the start."""

    @pytest.fixture(autouse=True)
    def ring(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        if kind == "uploaded":
            monkeypatch.setattr(panda_ring, "_target", lambda *_: None)

    @pytest.mark.parametrize("step", [30, 49])
    def test_are_those_of_the_bounds_that_came(self, kind: str, step: int) -> None:
        pair = Comparison("bounds", expected(kind), picture(kind, (step, AFTER)), LEVEL, FRACTION)
        assert pair.passes, pair.verdict

    def test_before_more_agents_come(self, kind: str) -> None:
        actual = picture(kind, (20, FIRST), (30, AFTER), more=40)
        pair = Comparison("bounds", expected(kind), actual, LEVEL, FRACTION)
        assert pair.passes, pair.verdict


@pytest.mark.rendering
def test_bounds_that_change_all_the_time_keep_no_textures() -> None:
    host = FOLDER.open("panda", scene=replace(FOLDER.scene(), frame=Frame.of(BEFORE)))
    for step in range(3):
        host.push(FOLDER.samples(step))
        host.draw()
    counts = []
    for k in range(12):
        lo, hi = (tuple(x + 0.1 * k for x in corner) for corner in (BEFORE.lo, BEFORE.hi))
        host.reframe(Frame.of(replace(BEFORE, lo=lo, hi=hi)))
        host.draw()
        counts.append(host.gsg.prepared_objects.get_num_prepared_textures())
    assert max(counts[2:]) <= counts[2]
    host.close()


@pytest.mark.rendering
def test_two_looks_follow_both() -> None:
    pictures = []
    for final in (False, True):
        with showing(Growing(final=final), ab="ink", size=(320, 180)) as app:
            for _ in range(45):
                app.step()
            pictures.append(app.screenshot())
    assert Comparison("two looks", pictures[1], pictures[0], LEVEL, FRACTION).passes


def test_the_newest_positions_for_the_level_of_detail_go_along() -> None:
    far = replace(BEFORE, lo=(-50.0, -50.0), hi=(50.0, 50.0))
    strides = []
    for change in (False, True):
        scene = Scene(frame=Frame.of(BEFORE if change else far), trail=60)
        chooser = DetailChooser(scene)
        for step in range(4 * WINDOW):
            if change and step == 3 * WINDOW - 5:
                frame = Frame.of(far)
                chooser.move(frame.moved_from(scene.frame))
                scene.frame = frame
            turn = 0.02 * step + np.arange(2)
            places = 3.0 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
            chooser.see(np.asarray(scene.frame.samples(places)), np.full(2, step == 0))
        strides.append(chooser.stride())
    assert strides[0] == strides[1] > 1


class Growing:
    """An agent that goes away from zero, on bounds that double once it would leave them."""

    def __init__(self, view: View = BEFORE, final: bool = False) -> None:
        self.view, self.asked = view, 0
        self.new: Heightfield | None = hills(view)
        if final:
            self.grow()

    def grow(self) -> None:
        lo, hi = (tuple(2.0 * x for x in corner) for corner in (self.view.lo, self.view.hi))
        self.view = replace(self.view, lo=lo, hi=hi)
        self.new = hills(self.view)

    def step(self) -> Samples | None:
        self.asked += 1
        at = 0.15 * self.asked
        if at > self.view.hi[0]:
            self.grow()
        return Samples.of([[at, 0.5 * at], [-0.5 * at, 2.0]])

    def surface(self) -> Heightfield | None:
        new, self.new = self.new, None
        return new

    def close(self) -> None:
        pass


class Wider(Simulation):
    """A simulation of the point mass that may show more of the plane."""

    wide = False

    @property
    def view(self) -> View:
        whole = view_of(self.system)
        return replace(whole, lo=(-10.0, -10.0), hi=(10.0, 10.0)) if self.wide else whole


def showing(source: Any, **changes: Any) -> CALFApplication:
    # Not "home", which depends on where agents were before.
    asked = {"size": (480, 300), "trail_length": 80, "headless": True, "hud": False}
    asked["camera"] = "plane"
    return CALFApplication(VisualizationConfig(**{**asked, **changes}), source=source)


@pytest.mark.rendering
class TestShown:
    @pytest.mark.parametrize("hud", [False, True])
    @pytest.mark.parametrize("renderer", ["gpu", "batched"])
    def test_it_looks_as_with_its_last_bounds_from_the_start(
        self, renderer: str, hud: bool
    ) -> None:
        pictures = []
        for final in (False, True):
            with showing(Growing(final=final), renderer=renderer, hud=hud) as app:
                for _ in range(50):
                    app.step()
                pictures.append(app.screenshot())
                assert app.failure is None
        pair = Comparison("growing", pictures[1], pictures[0], LEVEL, FRACTION)
        assert pair.passes, pair.verdict

    def test_the_next_frame_has_all_of_it(self) -> None:
        source = Growing()
        with showing(source, hud=True, define=("TRAIL_COLOUR=BY_SPEED",)) as app:
            app.step()
            before = app.host.uniforms()
            source.grow()
            app.step()
            host, after = app.host, app.host.uniforms()
            assert after["u_plane"] == (-10.0, -10.0, 10.0, 10.0)
            assert after["u_corners"] == before["u_corners"]
            assert after["u_frame"][2:] == (2.0, 2.0)
            assert host.scene.frame.lines == (2.0, 2.0)
            marks = edges_of(host.scene, host.levels, source.view.labels)
            assert [m.text for m in marks[0].ticks] == ["−5", "0", "5"]
            legend = next(w for w in app.hud.widgets if w.name == "trails")
            assert legend.crossing == 20.0

    def test_several_steps_a_frame_that_end_far_away_lose_nothing(self) -> None:
        """They are packed for the bounds that they came with, not for those before."""

        class Leaping(Growing):
            def step(self) -> Samples:
                self.asked += 1
                if self.asked == 4:
                    lo, hi = (tuple(x + 1e6 for x in corner) for corner in (BEFORE.lo, BEFORE.hi))
                    self.view = replace(BEFORE, lo=lo, hi=hi)
                return Samples.of([[self.view.lo[0] + 0.1 * self.asked, self.view.lo[1] + 1.0]])

        with showing(Leaping(), speed=8) as app:
            rows = []
            pack = app.host.packer.pack
            app.host.packer.pack = lambda *samples, **how: (
                rows.append(pack(*samples, **how)),
                rows[-1],
            )[1]
            app.step()
            placed = [row.positions[0] for row in rows[0].rows[3:]]
        expected = [(-5.0 + 0.1 * step, -4.0) for step in range(4, 9)]
        np.testing.assert_allclose(placed, expected, atol=1e-5)

    def test_the_camera_stays_where_its_user_moved_it(self) -> None:
        source = Growing(replace(BEFORE, hi=(5.0, 0.0), aspect="equal"))
        with showing(source) as app:
            app.step()
            camera = app.host.scene.camera
            home = camera.home
            camera.orbit(0.3, 0.1)
            pose = camera.pose
            source.view = replace(source.view, hi=(5.0, 5.0))
            source.new = hills(source.view)
            app.step()
            assert camera.pose == pose
            app.camera = "plane"
            assert camera.home != home and camera.box[:4] == (-5.0, -5.0, 5.0, 5.0)
            source.view = replace(source.view, hi=(5.0, -2.0))
            source.new = hills(source.view)
            app.step()
            assert app.director.in_charge and camera.box[3] == pytest.approx(1.5)

    def test_networks_are_evaluated_where_the_plane_is_now(self) -> None:
        pictures = []
        for final in (False, True):
            source = Wider(shipped.load(systems.get("point_mass"), None), 3)
            source.wide = final
            with showing(source, critic_on_gpu=True) as app:
                for step in range(12):
                    source.wide |= step == 4
                    if step == 4:
                        source.critic_changed()
                    app.step()
                while app.surface.evaluating:
                    app.draw()
                app.draw()
                app.host.morph = 1.0
                app.host.draw()
                assert app.failure is None and app.host.grid.hi == (10.0, 10.0)
                pictures.append(app.host.screenshot())
        pair = Comparison("networks", pictures[1], pictures[0], LEVEL, FRACTION)
        assert pair.passes, pair.verdict

    def test_before_the_first_surface_the_plane_is_flat_there(self) -> None:
        source = Growing()
        source.new = None
        with showing(source) as app:
            app.step()
            source.grow()
            source.new = None
            app.step()
            assert (app.host.heightfield.lo, app.host.heightfield.hi) == ((-10, -10), (10, 10))
            assert app.failure is None

    def test_a_surface_of_the_old_bounds_stays_in_its_place_until_one_comes(self) -> None:
        source = Growing()
        with showing(source) as app:
            app.step()
            source.grow()
            source.new = None
            app.step()
            corners = app.host.uniforms()["u_corners"]
            assert corners == pytest.approx((-2.5, -2.5, 2.5, 2.5)) and app.failure is None

    def test_ticks_are_those_of_the_new_bounds_before_their_surface_comes(self) -> None:
        source = Growing(replace(BEFORE, hi=(5.0, 0.0), aspect="equal"))
        with showing(source, hud=True) as app:
            app.step()
            for hi in (9.0, 5.0):  # the second moves neither the camera nor the frame's centre
                lo, end = (-5.0, -hi), (5.0, hi)
                source.view = replace(source.view, lo=lo, hi=end)
                app.step()
                host = app.host
                edges = edges_of(host.scene, host.levels, ("x", "y"))
                for axis, edge in enumerate(edges):
                    values = numbers.nice_ticks(lo[axis], end[axis], 5)
                    assert [mark.text for mark in edge.ticks] == numbers.tick_texts(values)
                written = app.hud.canvas.glyphs.texels.copy()
                app.hud.redraw()
                app.draw()
                np.testing.assert_array_equal(app.hud.canvas.glyphs.texels, written)
            assert app.failure is None

    def test_a_surface_of_other_bounds_than_the_views_is_a_fault(self) -> None:
        source = Growing()
        with showing(source) as app:
            app.step()
            source.new = hills(AFTER)
            app.step()
            assert "failed in surface" in app.failure and "the view's from" in app.failure

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"modes": ("a", "b")}, "modes ('agents',) became ('a', 'b')"),
            ({"labels": ("p", "q")}, "labels ('x', 'y') became ('p', 'q')"),
            ({"marker": "arrow"}, "marker sphere became arrow"),
            ({"value": "other"}, "value value became other"),
        ],
    )
    def test_what_else_of_a_view_changes_is_reported_once(
        self, changes: dict[str, Any], says: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        source = Growing()
        with showing(source, hud=True) as app, caplog.at_level(logging.ERROR):
            app.step()
            source.view = replace(source.view, **changes)
            for _ in range(3):
                app.step()
            assert says in app.failure and "failed in view" in app.failure
            assert says in app.hud.values["notice"]
        assert len(caplog.records) == 1

    def test_a_view_that_is_none_is_reported(self) -> None:
        source = Growing()
        with showing(source) as app:
            app.step()
            source.view, source.step = None, lambda: Samples.of([[0.0, 0.0]])
            app.step()
            assert "NoneType, where View is wanted" in app.failure
