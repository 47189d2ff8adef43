"""Pictures with several samples per pixel, and the rim that smooths the surface's edge in all."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from applications import apart, running
from applications import opened as application
from click.testing import CliRunner
from opened_hosts import opened
from PIL import Image
from scene_folder import HOSTS, Agents, SceneFolder, Surface
from written_looks import surface, write

from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.hosts import memory
from calf_viz.hosts.base import Host
from calf_viz.hosts.pictured import usual_samples
from calf_viz.scene.scene import LEAST_MARKS, Scene
from calf_viz.viewer.config import LARGEST_SIDE

pytestmark = pytest.mark.rendering

SCENE = SceneFolder("fine", size=(160, 90), trail=60, steps=40, agents=[Agents(4, seed=3)])


class Large(Scene):
    """A scene whose pictures, three times as large, show what others do."""

    mark_scale = LEAST_MARKS

    def uniforms(self, *args: object, **options: object) -> dict[str, object]:
        values = super().uniforms(*args, **options)
        for name in ("u_line_scale", "u_trail_width", "u_marker_radius", "u_casing"):
            values[name] = 3 * values[name]
        return values


def mean(picture: np.ndarray, samples: int) -> np.ndarray:
    height, width, _ = picture.shape
    blocks = picture.reshape(height // samples, samples, width // samples, samples, 3)
    return blocks.astype(float).mean(axis=(1, 3))


def largest_texture(kind: str) -> int:
    """Of this driver: 16384 of software renderers, 32768 of many cards."""
    with opened(kind) as host:
        return host.texture_limit


@pytest.mark.parametrize("kind", HOSTS)
def test_is_the_mean_of_a_picture_as_much_larger(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(kind, SCENE) as host:
        SCENE.play(host)
        stride, picture = host.scene.stride, host.screenshot(3)
    large = SceneFolder("large", size=(480, 270), trail=60, steps=40, agents=[Agents(4, seed=3)])
    with opened(kind, large) as host:
        host.scene.__class__ = Large
        monkeypatch.setattr(host.detail, "stride", lambda *_: stride)
        expected = mean(large.play(host), 3)
    assert np.abs(picture - expected).max() <= 1.0


@pytest.mark.parametrize("kind", HOSTS)
def test_repeats_to_the_byte_and_leaves_the_frame_as_it_was(kind: str) -> None:
    with opened(kind, SCENE) as host:
        frame = SCENE.play(host)
        counts = host.frame_counts()
        first, second = host.screenshot(2), host.screenshot(2)
        assert np.array_equal(first, second) and apart(first, frame) < 0.2
        assert not np.array_equal(first, frame)
        assert np.array_equal(host.screenshot(), frame) and not host.frame_counts(), counts
        host.draw()
        assert np.array_equal(host.screenshot(), frame)
    assert np.array_equal(frame.shape, first.shape)


@pytest.mark.parametrize("renderer", ["gpu", "batched", "per_agent"])
def test_every_design_saves_it_with_a_sharp_hud(renderer: str, tmp_path: Path) -> None:
    with application(renderer=renderer, size=(320, 180)) as shown:
        for _ in range(5):
            shown.step()
        frame = shown.screenshot()
        picture = np.asarray(Image.open(shown.save_screenshot(tmp_path / "a.png")))
        assert np.array_equal(picture, shown.screenshot(3)) and not np.array_equal(picture, frame)
        shown.config.supersample = 1
        assert np.array_equal(Image.open(shown.save_screenshot(tmp_path / "b.png")), frame)
        place = shown.hud.placed["overview"]
        panel = np.s_[place.y + 8 : place.y + 24, place.x + 8 : place.x + place.width - 8]
        assert np.abs(picture[panel].astype(int) - frame[panel]).max() <= 12, "text is sharp"


@pytest.mark.parametrize("mode", ["split", "a", "b", "difference"])
def test_two_looks(mode: str) -> None:
    with application(ab=Path("night"), size=(240, 136)) as shown:
        shown.step()
        compare = shown.host.compare
        compare.view.mode = mode
        shown.draw()
        frame, picture = shown.screenshot(), shown.screenshot(2)
        assert not np.array_equal(frame, picture)
        amplified = compare.view.gain if mode == "difference" else 1.0
        assert np.abs(frame.mean(axis=(0, 1)) - picture.mean(axis=(0, 1))).max() < 6.0 * amplified
        line = (frame == [242, 194, 79]).all(axis=2), (picture == [242, 194, 79]).all(axis=2)
        assert np.array_equal(*line)
        shown.draw()
        assert np.array_equal(shown.screenshot(), frame)


@pytest.mark.parametrize(
    ("size", "samples"),
    [((480, 300), 3), ((1280, 720), 3), ((2560, 1440), 3), ((3840, 2160), 2), ((7680, 4320), 1)],
)
def test_the_usual_number_follows_the_size(size: tuple[int, int], samples: int) -> None:
    assert usual_samples(size) == samples


class TestLimits:
    def test_the_driver_s_are_told_and_the_usual_number_keeps_to_them(self) -> None:
        with running() as shown:
            shown.host.texture_limit = 400
            with pytest.raises(
                UserError, match=r"`supersample` 3 for 192 x 108: .* 400 x 400: give 2"
            ):
                shown.host.screenshot(3)
            assert shown.host.check_samples(None) == 2
            assert shown.screenshot(None).shape == (108, 192, 3)

    @pytest.mark.parametrize("kind", HOSTS)
    def test_memory_that_is_missing_lessens_the_usual_number(
        self, kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        with opened(kind, SCENE) as host:
            SCENE.play(host)
            if not host.software:
                pytest.skip("the memory is the driver's own")
            fewer = host.screenshot(2)
            needed = {"panda": 20, "moderngl": 8}[kind] * 4 * 160 * 90
            monkeypatch.setattr(memory, "left", lambda: needed)
            with caplog.at_level(logging.WARNING):
                assert np.array_equal(host.screenshot(None), fewer)
            assert "2 x 2 samples per pixel" in caplog.text
            with pytest.raises(UserError, match="smaller `size` or `supersample`"):
                host.screenshot(3)

    def test_a_host_without_it_says_so(self) -> None:
        from calf_viz.hosts.stub import StubHost

        with running() as shown:
            host = StubHost(shown.host.setup)
            host.set_heightfield(shown.host.heightfield)
            assert host.screenshot(None).shape == (108, 192, 3)
            with pytest.raises(UserError, match="stub host takes one sample per pixel: give 1"):
                host.screenshot(2)
            host.close()

    def test_they_are_told_before_anything_is_drawn(self) -> None:
        limit = largest_texture("panda")
        width = min(limit, LARGEST_SIDE)
        said = rf"`supersample` 8 for {width} x 16: .* {limit} x {limit}: give {limit // width}"
        with pytest.raises(UserError, match=said):
            running(size=(width, 16), supersample=8).close()

    @pytest.mark.parametrize("value", ["0", "9", "-1", "two"])
    def test_other_numbers_are_refused(self, value: str) -> None:
        done = CliRunner().invoke(calf_viz, ["--supersample", value, "--screenshot"])
        assert done.exit_code != 0 and "supersample" in f"{done.output} {done.exception}"

    @pytest.mark.parametrize("kind", HOSTS)
    def test_a_size_beyond_the_driver_is_told(self, kind: str) -> None:
        limit = largest_texture(kind)
        wide = SceneFolder("wide", size=(limit + 1, 90), trail=60, steps=1)
        said = rf"`size` {limit + 1}x90: pictures here are at most {limit} x {limit}: give less"
        with pytest.raises(UserError, match=said):
            wide.open(kind)


# The rim


def shown_white(host: Host, azimuth: float) -> np.ndarray:
    """How much of each pixel the surface covers, from above at an angle."""
    host.background = (0.0, 0.0, 0.0)
    camera = host.scene.camera
    camera.azimuth, camera.elevation, camera.distance = azimuth, 0.9, 25.0
    host.draw()
    return host.screenshot()[..., 0] / 255.0


def covered(host: Host) -> np.ndarray:
    """The same, exactly, of the plane grown by half of what its edge takes to cross a pixel."""
    width, height = host.scene.size
    matrix = host.scene.camera.view_projection(width / height)
    corners = np.array([(-5, -5, 0, 1), (5, -5, 0, 1), (5, 5, 0, 1), (-5, 5, 0, 1)]) @ matrix.T
    corners = (0.5 + 0.5 * corners[:, :2] / corners[:, 3:] * (1, -1)) * (width, height)
    (a, b), (c, d) = corners[1:3] - corners[0]
    if a * d < b * c:
        corners = corners[::-1]
    steps = (np.arange(16) + 0.5) / 16
    x, y = np.meshgrid((np.arange(width)[:, None] + steps).ravel(),
                       (np.arange(height)[:, None] + steps).ravel())  # fmt: skip
    inside = np.ones_like(x, bool)
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        normal = np.array([-(b - a)[1], (b - a)[0]]) / np.linalg.norm(b - a)
        inside &= (x - a[0]) * normal[0] + (y - a[1]) * normal[1] > -0.5 * np.abs(normal).sum()
    return inside.reshape(height, 16, width, 16).mean(axis=(1, 3))


FLAT = SceneFolder("flat", size=(120, 90), trail=4, steps=0, surface=Surface("flat"))


@pytest.mark.parametrize("kind", HOSTS)
@pytest.mark.parametrize("azimuth", [0.05, 0.3, 0.8, 2.0])
def test_the_edge_covers_pixels_as_a_box_filter_would(
    kind: str, azimuth: float, look: Path
) -> None:
    library = write(look, surface_colour__glsl=surface("vec3(1.0)"))
    with opened(kind, FLAT, library=library) as host:
        FLAT.play(host)
        picture = shown_white(host, azimuth)
        expected = covered(host)
    off = np.abs(picture - expected)
    assert ((expected > 0.02) & (expected < 0.98)).sum() > 100
    assert off.max() < 0.3 and (off > 0.15).sum() <= 8, "more than a corner's pixels are off"


@pytest.mark.parametrize("renderer", ["batched", "per_agent"])
def test_older_designs_have_the_same_rim(renderer: str, look: Path) -> None:
    library = write(look, surface_colour__glsl=surface("vec3(1.0)"))
    pictures = []
    for kind in ("panda", renderer):
        with opened(kind, FLAT, library=library) as host:
            FLAT.play(host)
            pictures.append(shown_white(host, 0.4))
    assert np.array_equal(*pictures)
