"""Panda3D and moderngl draw the same scenes alike, take the same shaders, and leave no GL error."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drivers import DRIVERS, driver_of
from opened_hosts import SMALL, opened, play
from render_probe import lasting_trails
from scene_folder import HOSTS, NAMES, OLDER, Agents, SceneFolder, Surface, rendered

from calf_viz.errors import UserError
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import load_program
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.heightfield import Heightfield
from calf_viz.hosts.panda import ring as panda_ring
from calf_viz.hosts.panda.context import PandaContext
from calf_viz.hosts.panda.shader import compile_program
from calf_viz.samples import Samples

pytestmark = pytest.mark.rendering


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_identical(name: str) -> None:
    panda, other = (rendered(kind) for kind in HOSTS)
    for drawn in (panda, other):
        assert name not in drawn.errors, drawn.errors[name]
    driver = driver_of(panda.renderer)
    if driver not in DRIVERS.values() or panda.renderer != other.renderer:
        pytest.skip(f"only Mesa's are exact; here are {panda.renderer} and {other.renderer}")
    apart = np.abs(panda.pictures[name].astype(int) - other.pictures[name].astype(int))
    assert apart.max() == 0, f"{(apart.max(axis=2) > 0).sum()} pixels differ, by {apart.max()}"


@pytest.mark.parametrize("kind", HOSTS)
class TestShaders:
    """An overlay's mistakes are told in its own file and line."""

    @pytest.mark.parametrize("file", ["trail_width.glsl", "surface_colour.glsl", "field.frag"])
    def test_does_not_compile(self, tmp_path: Path, kind: str, file: str) -> None:
        text = (shader_folder() / file).read_text()
        (tmp_path / file).write_text(f"{text}\nfloat broken() {{ return unknown_thing; }}\n")
        line = len(text.splitlines()) + 2
        with pytest.raises(UserError) as error:
            play(kind, SMALL, library=ShaderLibrary(tmp_path))
        assert str(error.value).startswith(f"{tmp_path / file}:{line}: ")
        assert "unknown_thing" in str(error.value)

    def test_overlay_is_drawn(self, tmp_path: Path, kind: str) -> None:
        text = (shader_folder() / "surface_colour.glsl").read_text()
        assert "return colour" in text
        changed = text.replace("return colour", "return vec3(1.0, 0.0, 0.0) + 0.0 * colour")
        (tmp_path / "surface_colour.glsl").write_text(changed)
        picture = play(kind, SMALL, library=ShaderLibrary(tmp_path))
        assert picture[45, 80].tolist() == [255, 0, 0]

    def test_works_after_a_failure(self, tmp_path: Path, kind: str) -> None:
        """A window that reloads its shaders must survive a mistake."""
        before = play(kind, SMALL)
        self.test_does_not_compile(tmp_path, kind, "field.frag")
        assert np.array_equal(play(kind, SMALL), before)


def test_same_mistake_twice_is_reported_twice(tmp_path: Path) -> None:
    """Panda gives the same text the same shader, and does not compile that again."""
    (tmp_path / "field.frag").write_text("#version 330\nvoid main() { nothing(); }\n")
    told = []  # held, as whoever shows them would
    with opened("panda", SMALL) as host:
        for _ in range(2):
            with pytest.raises(UserError) as error:
                compile_program(host.gsg, load_program(ShaderLibrary(tmp_path), "field"))
            told.append(error)
    for error in told:
        assert str(error.value).startswith(f"{tmp_path / 'field.frag'}:2: ")


def beside(*groups: Samples) -> Samples:
    """The agents of several, one after another."""
    names = ("positions", "modes", "first", "headings")
    return Samples(*(np.concatenate([getattr(one, name) for one in groups]) for name in names))


class TestRing:
    scene = SceneFolder(
        "ring",
        size=(240, 135),
        trail=60,
        steps=70,
        agents=[Agents(7, "circle", seed=1, reset_steps=31), Agents(3, "line", seed=2, modes=[2])],
    )

    def test_uploaded_ring_gives_the_same_picture(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        expected = play("panda", self.scene)
        monkeypatch.setattr(panda_ring, "_target", lambda *_: None)
        with caplog.at_level(logging.WARNING), opened("panda", self.scene) as host:
            assert isinstance(host.geometry.ring, panda_ring.UploadedRing)
            assert np.array_equal(self.scene.play(host), expected)
        assert "cannot render into float textures" in caplog.text

    def test_frames_that_are_left_out_lose_no_samples(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As Panda3D leaves them out while a window is moved or sized, at start too."""
        expected = play("panda", self.scene)
        monkeypatch.setattr(PandaContext, "steady", False)  # as a window's is not
        with opened("panda", self.scene) as host:
            render_frame, frames = host.context.engine.render_frame, 0

            class LeavesOut:
                def render_frame(self) -> None:
                    nonlocal frames
                    frames += 1
                    if frames % 3 == 0:
                        render_frame()

            monkeypatch.setattr(host.context, "engine", LeavesOut())
            for step in range(self.scene.steps):
                host.push(self.scene.samples(step))
                if step % 5 < 3:
                    host.draw()
            monkeypatch.undo()
            host.draw()
            assert np.array_equal(host.screenshot(), expected)
            assert frames > self.scene.steps

    @pytest.mark.parametrize("at_once", [2, 7, 50])
    @pytest.mark.parametrize("kind", [*HOSTS, "uploaded", *OLDER])
    def test_steps_pushed_together_look_as_one_by_one(
        self, monkeypatch: pytest.MonkeyPatch, kind: str, at_once: int
    ) -> None:
        """Round the ring's end too, with agents that come, and more steps than there are slots."""
        if kind == "uploaded":
            monkeypatch.setattr(panda_ring, "_target", lambda *_: None)
            kind = "panda"
        scene = replace(
            self.scene, trail=30, steps=150, agents=[*self.scene.agents, Agents(4, come=70)]
        )
        steps = [scene.samples(step) for step in range(scene.steps)]
        pictures = []
        for together in (1, at_once):
            with opened(kind, scene, slots=40) as host:
                for begin in range(0, scene.steps, together):
                    host.push(*steps[begin : begin + together])
                for trail in getattr(host.geometry, "trails", []) if kind == "per_agent" else []:
                    trail.rebuild()
                host.draw()
                pictures.append(host.screenshot())
        assert np.array_equal(*pictures)

    @pytest.mark.parametrize("kind", HOSTS)
    def test_steps_pushed_together_are_one_upload_and_one_draw(self, kind: str) -> None:
        with opened(kind, self.scene) as host:
            steps = [self.scene.samples(step) for step in range(self.scene.steps)]
            host.frame_counts()
            host.push(*steps[:5])
            counts = host.frame_counts()
            steps_uploaded = 8 if kind == "panda" else 5  # whole textures, of powers of two
            assert counts["upload_bytes"] == steps_uploaded * host.layout.row_bytes
            assert counts["ring_draws"] == (kind == "panda")

    def test_the_number_of_textures_does_not_grow_with_that_of_steps(self) -> None:
        """A live source has another number in each frame."""
        with opened("panda", self.scene) as host:
            for together in (3, 4, 5, 7, 8, 6, 1, 2, 3, 200):
                host.push(*[self.scene.samples(step) for step in range(together)])
                host.draw()
            assert sorted(host.geometry.ring._stagings) == [1, 2, 4, 8, 256]

    @pytest.mark.parametrize("kind", HOSTS)
    def test_a_gap_in_the_steps_breaks_trails(self, kind: str) -> None:
        """As if all agents had begun anew there, but for the old trails, which do not fade."""
        pictures, library = [], ShaderLibrary(lasting_trails())
        for gap in (False, True):
            with opened(kind, self.scene, library=library) as host:
                for step in range(40):
                    now = self.scene.samples(step)
                    if gap:
                        now = replace(now, step=step + 5 * (step >= 20))
                    elif step == 20:
                        now = replace(now, first=np.ones_like(now.first))
                    host.push(now)
                host.draw()
                pictures.append(host.screenshot())
        assert np.array_equal(*pictures)

    @pytest.mark.parametrize("uploaded", [False, True])
    @pytest.mark.parametrize("kind", HOSTS)
    def test_growth_keeps_trails(
        self, monkeypatch: pytest.MonkeyPatch, kind: str, uploaded: bool
    ) -> None:
        """Agents that come one group after another look as if there had always been room."""
        if uploaded:
            if kind == "moderngl":
                pytest.skip("moderngl has one kind of ring")
            monkeypatch.setattr(panda_ring, "_target", lambda *_: None)
        groups = [Agents(1, seed=3), Agents(2, seed=4, come=20), Agents(90, "line", come=50)]
        scene = SceneFolder("growth", size=(240, 135), trail=60, steps=70, agents=groups)
        expected = play(kind, scene, agents=150)
        with opened(kind, scene) as host:
            assert host.layout.agents == 1
            assert np.array_equal(scene.play(host), expected)
            assert host.layout.agents >= 93

    @pytest.mark.parametrize("kind", HOSTS)
    def test_several_rows_a_slot(self, kind: str) -> None:
        """More agents than a texture is wide draw the same picture, before and after they come."""
        crowd = Agents(400, "still", seed=5, come=40)
        scene = replace(self.scene, agents=[*self.scene.agents, crowd])
        expected = play(kind, scene, agents=500, slots=100)
        with opened(kind, scene, slots=100) as host:
            host.texture_limit = 320
            picture = scene.play(host)
            assert (host.layout.rows, host.layout.slots) == (2, 100)
            assert np.array_equal(picture, expected)

    @pytest.mark.parametrize("kind", HOSTS)
    def test_fewer_agents_leave_no_trace(self, kind: str) -> None:
        """Agents that went are not drawn, and those that stay look as if alone."""
        few, many = self.scene.samples, SceneFolder("m", agents=[Agents(40, seed=9)]).samples
        with opened(kind, self.scene) as host:
            for step in range(30):
                samples = few(step)
                if 10 <= step < 20:
                    samples = beside(samples, many(step))
                host.push(samples)
            host.draw()
            picture = host.screenshot()
        with opened(kind, self.scene, agents=60) as host:
            for step in range(30):
                host.push(few(step))
            host.draw()
            assert np.array_equal(host.screenshot(), picture)

    @pytest.mark.parametrize("kind", HOSTS)
    def test_invalid_positions_warn_once(self, kind: str, caplog: pytest.LogCaptureFixture) -> None:
        """Not a number, infinite and beyond float32 alike; the other agents stay as they were."""
        pictures = []
        for worst in (np.nan, np.inf, -np.inf, 1e300):
            with caplog.at_level(logging.WARNING), opened(kind, agents=2) as host:
                caplog.clear()
                for step in range(10):
                    bad = worst if step > 4 else 4.9
                    host.push(Samples.of([[bad, 4.9], [0.2 * step, 0.0]], 1, headings=0.5))
                host.draw()
                pictures.append(host.screenshot())
            assert [record.message for record in caplog.records] == [
                "positions that are not finite are not drawn (warned once)"
            ]
        assert all(np.array_equal(picture, pictures[0]) for picture in pictures[1:])


def colour_spread(picture: np.ndarray) -> float:
    """How far blue and yellow are mixed where the surface is, in levels."""
    middle = picture[30:60, 50:110].astype(float)
    return float(np.std(middle[..., 0] - middle[..., 2]))


@pytest.mark.parametrize("kind", HOSTS)
class TestHeightfield:
    """Surfaces that follow each other."""

    waves = Surface("waves").heightfield()
    flipped = Heightfield(-Surface("waves").heightfield().values, waves.lo, waves.hi)

    def drawn(self, kind: str, *surfaces: Heightfield, morph: float = 1.0) -> np.ndarray:
        """Surfaces that follow each other in one host, each drawn; the last picture."""
        with opened(kind, heightfield=None) as host:
            for surface in surfaces:
                host.set_heightfield(surface)
                host.draw()
            host.morph = morph
            host.draw()
            return host.screenshot()

    def test_range_is_each_surfaces_own_and_morphs_with_it(self, kind: str) -> None:
        def ramp(low: float, high: float) -> Heightfield:
            return Heightfield(np.array([[low, low], [high, high]]), (-5.0, -5.0), (5.0, 5.0))

        with opened(kind, heightfield=None) as host:

            def shown(morph: float) -> tuple[float, float]:
                host.morph = morph
                return host.uniforms()["u_value_range"]

            host.set_heightfield(ramp(100.0, 300.0))
            assert shown(1.0) == host.value_range == (100.0, 300.0)
            host.set_heightfield(ramp(200.0, 1200.0), morph=0.0)
            assert host.value_range == (200.0, 1200.0)
            assert shown(0.0) == (100.0, 300.0)
            assert shown(0.25) == (125.0, 525.0)
            # One that comes in the middle begins from what is shown.
            host.set_heightfield(ramp(0.0, 4.0), morph=0.0)
            assert shown(0.0) == (125.0, 525.0)
            assert shown(1.0) == (0.0, 4.0)

    def test_a_surface_that_is_a_million_times_higher_looks_the_same(self, kind: str) -> None:
        higher = Heightfield(1e6 * self.waves.values, self.waves.lo, self.waves.hi)
        once, twice = self.drawn(kind, self.waves), self.drawn(kind, self.waves, higher)
        assert np.abs(once.astype(int) - twice).max() <= 2

    def test_morph(self, kind: str) -> None:
        # -1 to 1 up to the grid's nodes, both.
        lo, hi = self.waves.range
        assert (lo, hi) == pytest.approx((-hi, hi))
        first, second = self.drawn(kind, self.waves), self.drawn(kind, self.flipped)
        assert not np.array_equal(first, second)
        surfaces = self.waves, self.flipped
        last = self.drawn(kind, *surfaces, morph=0.0)
        current = self.drawn(kind, *surfaces, morph=1.0)
        half = self.drawn(kind, *surfaces, morph=0.5)
        assert np.abs(last.astype(int) - first).max() <= 2
        assert np.abs(current.astype(int) - second).max() <= 2
        # Half way between waves and their opposite lies a plane: of one colour, but for lines.
        assert colour_spread(first) > 3 * colour_spread(half)

    def test_another_size(self, kind: str) -> None:
        """A grid of another size has no last surface to begin from, and is drawn whole."""
        lo, hi = self.waves.lo, self.waves.hi
        coarse = Heightfield(self.waves.values[::4, ::8], lo, hi)
        same_range = Heightfield(self.waves.values, lo, hi)
        assert np.array_equal(
            self.drawn(kind, coarse, morph=0.0), self.drawn(kind, coarse, coarse, morph=0.0)
        )
        picture = self.drawn(kind, same_range, coarse, morph=0.0)
        assert np.array_equal(picture, self.drawn(kind, same_range, coarse, morph=1.0))

    def test_upload_only_for_a_new_critic(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        uploads = []
        with opened(kind, heightfield=None) as host:
            upload = host._upload_heights
            monkeypatch.setattr(
                host, "_upload_heights", lambda texels: (uploads.append(1), upload(texels))
            )
            host.set_heightfield(self.waves)
            for step in range(5):
                host.push(SceneFolder("one", agents=[Agents(1)]).samples(step))
                host.draw()
            assert len(uploads) == 1


def test_many_hosts_one_after_another() -> None:
    """Contexts are given back: neither host disturbs the other, in whatever order."""
    pictures = [play(kind, SMALL) for kind in (*HOSTS, *HOSTS)]
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures[1:])


@pytest.mark.parametrize("kind", HOSTS)
def test_too_long_a_trail_is_refused(kind: str) -> None:
    with pytest.raises(UserError, match="at most"):
        SceneFolder("long", trail=4000).open(kind, agents=50_000_000 // 16)
