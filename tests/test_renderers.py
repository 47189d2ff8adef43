"""The older designs draw what the program's own does, and ask of OpenGL what they say.

Some things differ by design, and are compared around:

- Trails of meshes pass through every sample, so that they are compared with the gpu renderer's
  through every sample, within each scene's own tolerance; and with its level of detail, within
  what that may show.
- Where a marker lies over other agents its anti-aliased rim is mixed with what was drawn before
  it: there an agent after another, here all trails and then all markers. Rims are left out.
- A trail of the per_agent renderer is made anew after 8 points, and until then ends behind its
  agent. Here all are made anew before the last frame; test_per_agent_renderer.py says how far
  they lag.
- Only the gpu renderer looks back. The scene that does is compared at its newest step.
"""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compare_screenshots import Comparison
from drivers import DRIVERS
from opened_hosts import SMALL
from scene_folder import NAMES, OLDER, Agents, SceneFolder, Surface, gl_error
from test_pixels import INVISIBLE
from written_looks import NO_CASING

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.errors import UserError
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.shipped_shaders import shader_folder
from calf_viz.heightfield import Heightfield

pytestmark = pytest.mark.rendering

EACH = 7  # steps between frames: what is written between them must reach the driver


def play(kind: str, scene: SceneFolder, host: Any) -> np.ndarray:
    """As `SceneFolder.play`, looking at frames on the way, and never back."""
    for step in range(scene.steps):
        samples = scene.samples(step)
        if samples is not None:
            host.push(samples)
        if step % EACH == 0 and kind in OLDER:
            host.draw()
    return last_frame(kind, host)


def last_frame(kind: str, host: Any) -> np.ndarray:
    """A picture in which no trail lags."""
    if kind == "per_agent":
        for trail in host.geometry.trails:
            trail.rebuild()
    host.draw()
    return host.screenshot()


@cache
def picture(name: str, kind: str, every_sample: bool = True) -> np.ndarray:
    scene = SceneFolder.read(name)
    host = scene.open(kind)
    if every_sample:
        host.detail.stride = lambda *_: scene.stride
    result = play(kind, scene, host)
    assert gl_error() == 0
    host.close()
    return result


SAME = 8  # levels of 255, where all draw every sample
RIM = 1.5  # px inside a marker's outline


@cache
def rims(name: str) -> np.ndarray:
    """Pixels within 2.5 px of the outline of a marker that is seen there."""
    shape = (shader_folder() / "marker_shape.glsl").read_text()
    start = shape.rindex("return vec4(")
    assert "float pixels = inside * radius;" in shape[:start]
    files = {
        "marker_shape.glsl": shape[:start]
        + f"return vec4(vec3(pixels < {RIM}), pixels > -1.0);\n}}",
        "trail_colour.glsl": "vec4 trail_colour(vec3 c, int mode, float age, float edge) "
        "{ return vec4(vec3(0.0), 1.0); }",
        "trail_casing.glsl": NO_CASING,
        "surface_colour.glsl": "vec3 surface_colour(vec3 c, vec2 p, float level, float light, "
        "bool bad) { return vec3(0.0); }",
    }
    with tempfile.TemporaryDirectory() as folder:
        for file, text in files.items():
            Path(folder, file).write_text(text + "\n")
        scene = SceneFolder.read(name)
        host = scene.open("panda", library=ShaderLibrary(Path(folder)))
        found = play("panda", scene, host)[..., 0] > 100
        host.close()
    shifts = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return np.any([np.roll(found, shift, (0, 1)) for shift in shifts], axis=0)


def share_apart(name: str, actual: np.ndarray, expected: np.ndarray, level: int = SAME) -> float:
    """Share of the pixels that differ by more than the level, those on rims apart."""
    rim = rims(name)[..., None]
    return Comparison(name, np.where(rim, 0, actual), np.where(rim, 0, expected), level).share


@pytest.mark.parametrize("kind", OLDER)
@pytest.mark.parametrize("name", NAMES)
class TestSameScene:
    def test_through_every_sample(self, name: str, kind: str) -> None:
        scene = SceneFolder.read(name)
        level, fraction = scene.bounds(DRIVERS["llvmpipe"])  # all draw with one and the same
        share = share_apart(name, picture(name, kind), picture(name, "panda"), level)
        assert share <= fraction, f"{100 * share:.3f} % of pixels differ by more than {level}"

    def test_as_it_is_shown(self, name: str, kind: str) -> None:
        shown = picture(name, "panda", every_sample=False)
        share = share_apart(name, picture(name, kind), shown, INVISIBLE)
        said = f"{100 * share:.3f} % of pixels differ by more than {INVISIBLE}"
        assert share <= SceneFolder.read(name).detail_fraction, said


@pytest.mark.parametrize("kind", OLDER)
@pytest.mark.parametrize("missing", ["trail", "marker", "surface"])
def test_the_comparison_would_notice(kind: str, missing: str) -> None:
    """Rims hide neither trails nor markers, unless these are as small as in a crowd."""
    name = "growth"
    scene = SceneFolder.read(name)
    host = scene.open(kind)
    host.node.find(f"**/{missing}").hide()
    actual = play(kind, scene, host)
    host.close()
    share = share_apart(name, actual, picture(name, "panda"))
    # Markers are small in small pictures.
    assert share > (1 if missing == "marker" else 10) * scene.bounds(DRIVERS["llvmpipe"])[1]


GROUP = Agents(6, "circle", seed=1, reset_steps=31, modes=[0, 2], mode_steps=5)


@pytest.mark.parametrize("kind", OLDER)
class TestHost:
    def test_a_new_critic_carries_the_trails_along(self, kind: str) -> None:
        """They neither hang in the air nor sink, from its first frame on."""
        scene = SceneFolder("critics", size=(240, 135), trail=60, steps=64, agents=[GROUP])
        waves, bowl = Surface("waves").heightfield(), Surface("bowl").heightfield()
        bowl = Heightfield(0.04 * bowl.values - 1.0, bowl.lo, bowl.hi)  # of the waves' range
        pictures = []
        for design in ("panda", kind):
            host = scene.open(design, heightfield=waves)
            host.detail.stride = lambda *_: 1
            play(design, scene, host)
            host.set_heightfield(bowl)
            host.draw()
            pictures.append(host.screenshot())
            host.close()
        assert Comparison(kind, *pictures, SAME).share <= 2e-3

    def test_samples_before_the_first_critic_lie_on_it_too(self, kind: str) -> None:
        scene = SceneFolder("late", size=(240, 135), trail=60, steps=64, agents=[GROUP])
        early = scene.open(kind)
        expected = play(kind, scene, early)
        late = scene.open(kind, heightfield=None)
        for step in range(scene.steps):
            late.push(scene.samples(step))
        late.set_heightfield(scene.surface.heightfield())
        late.draw()
        assert np.abs(late.screenshot().astype(int) - expected).max() <= 1
        early.close()
        late.close()

    def test_looking_back_is_declined_once(
        self, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        scene = SceneFolder("back", size=(160, 90), trail=60, steps=64, agents=[GROUP])
        host = scene.open(kind)
        newest = play(kind, scene, host)
        with caplog.at_level(logging.WARNING):
            for _ in range(2):
                host.draw()
            assert not caplog.records
            host.scrub = 20
            for _ in range(2):
                host.draw()
        assert [r.message for r in caplog.records] == [
            f"the {kind} renderer cannot look back: it shows the newest step"
        ]
        assert np.array_equal(host.screenshot(), newest)
        host.close()

    def test_overlays_of_the_fragments_hooks_are_drawn(self, kind: str, tmp_path: Path) -> None:
        text = (shader_folder() / "surface_colour.glsl").read_text()
        changed = text.replace("return colour", "return vec3(1.0, 0.0, 0.0) + 0.0 * colour")
        (tmp_path / "surface_colour.glsl").write_text(changed)
        host = SMALL.open(kind, library=ShaderLibrary(tmp_path))
        assert SMALL.play(host)[45, 80].tolist() == [255, 0, 0]
        host.close()

    @pytest.mark.parametrize("colour", ["BY_MODE", "BY_AGE", "BY_SPEED", "BY_CERTIFICATE"])
    def test_lifted_trails_and_their_colours_are_as_the_gpu_renderers(
        self, kind: str, colour: str, tmp_path: Path
    ) -> None:
        lift = "float trail_lift(float age) { return 2.0 * age; }\n"
        (tmp_path / "trail_lift.glsl").write_text(lift)
        scene = SceneFolder("lifted", size=(240, 135), trail=60, agents=[Agents(3, seed=2)])
        pictures = []
        for each, overlay in (("panda", tmp_path), (kind, tmp_path), (kind, None)):
            host = scene.open(each, library=ShaderLibrary(overlay, {"TRAIL_COLOUR": colour}))
            host.detail.stride = lambda *_: scene.stride
            pictures.append(play(each, scene, host))
            host.close()
        lifted, actual, flat = pictures
        assert Comparison(kind, lifted, actual, SAME).share <= 2e-3
        assert Comparison(kind, flat, actual, SAME).share > 5e-3, "the lift is to be seen"

    def test_saved_shaders_are_drawn_with(self, kind: str, tmp_path: Path) -> None:
        host = SMALL.open(kind, library=ShaderLibrary(tmp_path))
        before = SMALL.play(host)
        (tmp_path / "surface_colour.glsl").write_text(
            "vec3 surface_colour(vec3 colour, vec2 point, float level, float light, bool bad) "
            "{ return vec3(0.0, 0.0, 1.0); }\n"
        )
        assert host.reload()
        host.draw()
        assert host.screenshot()[45, 80].tolist() == [0, 0, 255]
        (tmp_path / "trail_width.glsl").write_text("broken\n")
        with pytest.raises(UserError, match=r"trail_width.glsl:1: "):
            host.reload()
        host.draw()
        assert host.screenshot()[45, 80].tolist() == [0, 0, 255], "the last good ones stay"
        for file in tmp_path.iterdir():
            file.unlink()
        assert host.reload()
        host.draw()
        assert np.array_equal(host.screenshot(), before)
        assert gl_error() == 0
        host.close()

    def test_steps_that_begin_anew_leave_no_trace(
        self, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Stamps are exact to 2^24 steps and then begin anew: nothing older is drawn."""
        from calf_viz.scene import ring

        scene = SceneFolder("anew", size=(160, 90), trail=60, agents=[Agents(3, seed=2)])
        pictures = []
        for last in (29, 2**24):
            monkeypatch.setattr(ring, "LAST_STEP", last)
            host = scene.open(kind)
            for step in range(0 if last == 29 else 30, 46):
                host.push(scene.samples(step))
                host.draw()
            pictures.append(last_frame(kind, host))
            host.close()
        assert np.abs(pictures[0].astype(int) - pictures[1]).max() <= 1


@pytest.mark.parametrize("kind", ["gpu", *OLDER])
def test_counts_are_those_of_a_trace(kind: str) -> None:
    """What a host says that a frame asked of OpenGL is what apitrace saw."""
    if shutil.which("apitrace") is None:
        pytest.skip("apitrace is missing")
    import count_gl

    frames = 19  # while trails are filling, so that meshes of one trail are made anew
    asked: dict[str, Any] = {"n_agents": 3, "grid": 8, "trail_length": 12, "size": (64, 64)}
    config = VisualizationConfig(renderer=kind, headless=True, hud=False, **asked)
    app = CALFApplication(config)
    told = []
    for _ in range(frames):
        app.host.push(app.simulation.step())
        app.host.draw()
        told.append(app.host.frame_counts())
    app.close()
    options = [f"--{name}={'64x64' if name == 'size' else value}" for name, value in asked.items()]
    with tempfile.TemporaryDirectory() as folder:
        program = [
            sys.executable,
            "-m",
            "calf_viz",
            "--headless",
            "--no-hud",
            f"--renderer={kind}",
            *options,
        ]
        seen = count_gl.trace([*program, f"--frames={frames}", f"--output={folder}"]).frames
    assert len(seen) == frames
    for frame, (counts, trace) in enumerate(zip(told, seen, strict=True)):
        assert counts["draw_calls"] == trace.scene_draws, frame
        assert counts["ring_draws"] == trace.ring_draws or frame == 0  # the first clears the ring
        assert trace.waits == 0, "nothing is waited for within a frame"
        if frame >= count_gl.SETTLED:
            assert counts["upload_bytes"] == trace.upload_bytes, frame
