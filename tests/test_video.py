"""Videos have the frames that were asked for: as many, as large, as long, of the right colours."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from applications import PICTURE, SMALL, record
from camera_poses import POSES
from click.testing import CliRunner
from PIL import Image

import calf_viz
from calf_viz import CALFApplication, UserError, VisualizationConfig
from calf_viz.children import python_child
from calf_viz.cli.main import calf_viz as command
from calf_viz.scene.camera_path import read_poses
from calf_viz.video.output import open_output
from calf_viz.video.reel import Reel

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
av: Any = pytest.importorskip("av", reason="the extra `video` is not installed")

STEPS = 40
SIZE = (192, 108)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("video") / "a.calf"
    record(folder, STEPS)
    return folder


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: object) -> tuple[int, str]:
    """Exit code, and what was said or raised. (The size is that of SMALL.)"""
    small = ("--size", "192x108", "--trail-length", "40", "--no-hud")
    found = CliRunner().invoke(command, ["render", *map(str, arguments), *small])
    error = "" if isinstance(found.exception, SystemExit) else str(found.exception or "")
    error = re.sub(r"`(\w+)`", r"--\1", error)  # as `run_command` writes settings
    return 2 if error else found.exit_code, found.output + error


def frames_of(path: Path, torn: bool = False) -> list[np.ndarray]:
    """All frames; torn: up to where it ends in the middle of one."""
    found = []
    with av.open(str(path)) as file, suppress(av.error.InvalidDataError if torn else ()):
        for frame in file.decode(video=0):
            found.append(frame.to_ndarray(format="rgb24"))
    return found


def drawn(count: int, size: tuple[int, int] = SIZE) -> Iterator[np.ndarray]:
    """Pictures that move: a square on a slope of colours."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    for number in range(count):
        picture = np.stack([x, y, 255 - x], axis=2).astype(np.uint8)
        picture[10:30, number : number + 20] = 255, 40, 0
        yield picture


def written(reel: Reel) -> list[Path]:
    output = open_output(reel)
    for picture in drawn(reel.frames, reel.size):
        output.write(picture)
    return output.finish()


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize("lossless", [False, True])
def test_a_video_has_all_frames_in_their_size_for_their_time(
    tmp_path: Path, suffix: str, lossless: bool
) -> None:
    path = tmp_path / f"a{suffix}"
    assert written(Reel(path, SIZE, 50, Fraction(25), lossless)) == [path]
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    found = frames_of(path)
    assert len(found) == 50
    assert {frame.shape for frame in found} == {(108, 192, 3)}
    with av.open(str(path)) as file:
        assert file.duration / av.time_base == pytest.approx(2.0, abs=0.002)
        assert file.streams.video[0].average_rate == 25
    for frame, picture in zip(found, drawn(50), strict=True):
        if lossless:
            np.testing.assert_array_equal(frame, picture)
        else:
            assert np.abs(frame.astype(int) - picture).mean() < 6.0


def test_colours_are_those_of_the_pictures_and_said_to_be_of_hdtv(tmp_path: Path) -> None:
    patches = [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (18, 22, 30),
        (128, 128, 128),
        (255, 255, 255),
    ]
    picture = np.repeat(np.array(patches, np.uint8), 32, axis=0)[None].repeat(96, axis=0)
    for suffix in (".mp4", ".webm"):
        output = open_output(Reel(tmp_path / f"c{suffix}", (192, 96), 5, Fraction(25)))
        for _ in range(5):
            output.write(np.ascontiguousarray(picture))
        (path,) = output.finish()
        with av.open(str(path)) as file:
            frame = next(file.decode(video=0))
            assert (frame.color_range, frame.colorspace) == (1, 1)  # 16 to 235, BT.709
            assert frame.format.name == "yuv420p"
            found = frame.to_ndarray(format="rgb24")
        for number, colour in enumerate(patches):
            mean = found[20:76, 32 * number + 8 : 32 * number + 24].reshape(-1, 3).mean(axis=0)
            assert np.abs(mean - colour).max() < 4.0, (suffix, colour, mean)


@pytest.mark.parametrize(("fps", "pauses"), [(25, [40] * 6), (30, [30, 40, 30, 30, 40, 30])])
def test_a_gif_has_all_frames_and_lasts_as_long(
    tmp_path: Path, fps: int, pauses: list[int]
) -> None:
    output = open_output(Reel(tmp_path / "a.gif", SIZE, 6, Fraction(fps)))
    pictures = list(drawn(5))
    pictures.insert(3, pictures[2])  # nothing changes: still a frame
    for picture in pictures:
        output.write(picture)
    (path,) = output.finish()
    with Image.open(path) as file:
        assert (file.n_frames, file.size, file.info["loop"]) == (6, SIZE, 0)
        found = []
        for number, picture in enumerate(pictures):
            file.seek(number)
            found.append(file.info["duration"])
            shown = np.asarray(file.convert("RGB")).astype(int)
            assert np.abs(shown - picture).mean() < 8.0
    assert sorted(found) == sorted(pauses) and sum(found) == pytest.approx(1000 * 6 / fps, abs=5)


def test_pictures_are_numbered_one_is_not(tmp_path: Path, recording: Path) -> None:
    code, said = run(recording, "--output", "one.png", "--from", "7", "--supersample", "1")
    assert code == 0, said
    code, said = run(recording, "--output", "many.png", "--from", "7", "--to", "9")
    assert code == 0 and "3 pictures" in said
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == ["many-000001.png", "many-000002.png", "many-000003.png", "one.png"]
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "many-000001.png").read_bytes()
    code, said = run(recording, "--output", "many.png", "--to", "1")
    assert code == 2 and "is there already" in said
    code, said = run(recording, "--output", "many.png", "--to", "1", "--overwrite")
    assert code == 2 and "many-000003.png is there already" in said
    code, said = run(recording, "--output", "one.png")
    assert code == 2 and "--overwrite" in said
    assert run(recording, "--output", "one.png", "--overwrite")[0] == 0


def test_a_recording_is_rendered_as_it_was_seen(tmp_path: Path, recording: Path) -> None:
    """Live, from a recording, and from the video: the same pixels."""
    shown = {"frames": 10, "start": 5, "camera": "plane", "hud": False, **PICTURE}
    live = calf_viz.render(n_agents=4, **shown)
    again = calf_viz.render(recording, **shown)
    assert live.shape == (10, 108, 192, 3) and live.dtype == np.uint8
    np.testing.assert_array_equal(live, again)
    assert len({hashlib.sha256(picture).digest() for picture in live}) == 10
    code, said = run(
        recording,
        "--output",
        "a.mp4",
        "--from",
        "5",
        "--to",
        "14",
        "--lossless",
        "--fps",
        "30",
        "--camera",
        "plane",
    )
    assert code == 0 and "10 frames of 192 x 108, 30 per second, 0.33 s" in said
    np.testing.assert_array_equal(frames_of(tmp_path / "a.mp4"), live)


def test_supersampled_frames_are_those_of_pictures(recording: Path) -> None:
    from calf_viz.recording.recording import Recording
    from calf_viz.sources.replay import Replay

    found = calf_viz.render(recording, start=9, stop=10, supersample=2, **PICTURE)
    config = VisualizationConfig(**SMALL)
    with CALFApplication(config, source=Replay(Recording(recording))) as app:
        app.seek(9)
        app.draw()
        np.testing.assert_array_equal(found[0], app.screenshot(2))


def test_the_rate_says_which_step_each_frame_shows(recording: Path) -> None:
    from calf_viz.recording.recording import Recording
    from calf_viz.viewer.film import Asked, read_fps

    def steps(**asked: Any) -> list[int]:
        asked["fps"] = read_fps(asked.pop("fps", "60"))
        speed = asked.pop("speed", 1)
        film = Asked(**asked).of_recording(Recording(recording), speed)
        return [film.row(frame) for frame in range(film.frames)]

    assert steps() == list(range(STEPS))
    assert steps(start="10", stop="14", speed=2) == [10, 12, 14]
    assert steps(start="10", stop="12", rate="20/s") == [10, 10, 10, 11, 11, 11, 12, 12, 12]
    assert steps(start="3", frames=4, rate="90/s") == [3, 4, 6, 7]
    dt = Recording(recording).view.dt
    assert dt is not None
    assert steps(start=f"{dt * 5:.3f}s", stop=f"{dt * 7:.3f}s", fps="29.97") == [4, 5, 6]
    assert steps(frames=3, rate="realtime", fps=str(1 / dt)) == [0, 1, 2]


@pytest.mark.parametrize("camera", ["orbit", "orbit:90,elevation=50", "follow:2,distance=5"])
def test_the_camera_moves(camera: str, recording: Path) -> None:
    found = calf_viz.render(recording, frames=6, camera=camera, hud=False, **PICTURE)
    again = calf_viz.render(recording, frames=6, camera=camera, hud=False, **PICTURE)
    np.testing.assert_array_equal(found, again)
    still = calf_viz.render(recording, frames=6, camera="plane", hud=False, **PICTURE)
    assert np.abs(found[5].astype(int) - still[5]).mean() > 1.0


def test_an_orbit_turns_once_and_a_video_of_it_repeats(recording: Path) -> None:
    """The frame after the last would be the first."""
    from calf_viz.recording.recording import Recording
    from calf_viz.viewer.camera_moves import read_camera
    from calf_viz.viewer.film import Asked
    from calf_viz.viewer.rendering import Rendering

    camera = read_camera("orbit")
    config = VisualizationConfig(**SMALL, camera=camera.setting)
    with Rendering(Recording(recording), config, Asked(frames=8), camera) as rendering:
        azimuths = []
        for _ in rendering.pictures():
            azimuths.append(rendering.app.host.scene.camera.azimuth)
    turns = np.diff([*azimuths, azimuths[0]]) % (2 * np.pi)
    np.testing.assert_allclose(turns, 2 * np.pi / 8)


def test_a_file_of_poses_moves_the_camera(tmp_path: Path, recording: Path) -> None:
    (tmp_path / "path.toml").write_text(POSES)
    poses = [{"at": 0, "camera": "top"}, {"at": 0.1, "camera": "-60,30,8,0.5,0.5"}]
    (tmp_path / "path.json").write_text(json.dumps({"pose": poses}))
    assert read_poses(Path("path.toml")) == read_poses(Path("path.json"))
    shown = {"frames": 7, "hud": False, **PICTURE}
    found = calf_viz.render(recording, camera="path.toml", **shown)
    np.testing.assert_array_equal(found, calf_viz.render(recording, camera="path.json", **shown))
    top = calf_viz.render(recording, camera="top", **shown)
    np.testing.assert_array_equal(found[0], top[0])
    close = calf_viz.render(recording, camera="-60,30,8,0.5,0.5", **shown)
    np.testing.assert_array_equal(found[6], close[6])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--output", "a.avi"), "ends in .mp4, .webm, .gif or .png"),
        (("--output", "a"), "ends in .mp4"),
        (("--output", "a.mp4", "--from", "40"), "the recording has steps 0 to 39"),
        (("--output", "a.mp4", "--from", "-1"), "the recording has steps 0 to 39"),
        (("--output", "a.mp4", "--to", "40"), "--to 40"),
        (("--output", "a.mp4", "--to", "99s"), "the recording has steps 0 to 39"),
        (("--output", "a.mp4", "--from", "9", "--to", "3"), "is before"),
        (("--output", "a.mp4", "--from", "soon"), "give a step, 200, or a time, 12.5s"),
        (("--output", "a.mp4", "--frames", "41"), "the recording has 40 at this speed"),
        (("--output", "a.mp4", "--frames", "4", "--to", "9"), "leave one out"),
        (("--output", "a.mp4", "--fps", "0"), "give frames per second"),
        (("--output", "a.mp4", "--fps", "fast"), "give frames per second"),
        (("--output", "a.mp4", "--fps", "1e9999999999"), "give frames per second"),
        (("--output", "a.mp4", "--fps", "9" * 100_000), "give frames per second"),
        (("--output", "a.mp4", "--fps", "1/0"), "give frames per second"),
        (("--output", "a.mp4", "--fps", "."), "give frames per second"),
        (("--output", "a.gif", "--fps", "60"), "50 frames per second"),
        (("--output", "a.gif", "--lossless"), "256 colours"),
        (("--output", "a.png", "--lossless"), "leave it out"),
        (("--output", "a.mp4", "--rate", "max"), "a video has a speed"),
        (("--output", "a.mp4", "--rate", "9/s", "--speed", "2"), "leave one out"),
        (("--output", "a.mp4", "--camera", "orbit:fast"), "'fast' is no such number"),
        (("--output", "a.mp4", "--camera", "follow"), "no such number"),
        (("--output", "a.mp4", "--camera", "follow:1.5"), "give the number of an agent"),
        (("--output", "a.mp4", "--camera", "follow:4"), "there are 4 agents"),
        (("--output", "a.mp4", "--camera", "around"), "give orbit"),
        (("--output", "a.mp4", "--camera", "none.toml"), "none.toml: cannot be read"),
        (("--output", "a.mp4", "--system", "pendulum"), "has no effect on a recording"),
        (("--output", "a.mp4", "--look", "night", "--shaders", "ink"), "leave one out"),
    ],
)
def test_what_cannot_be_rendered_is_said_in_one_line(
    tmp_path: Path, recording: Path, arguments: tuple[str, ...], said: str
) -> None:
    code, found = run(recording, *arguments)
    assert code == 2 and said in found, found
    assert not list(tmp_path.iterdir())


def test_odd_sizes_are_for_pictures(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="give 190x108"):
        open_output(Reel(tmp_path / "a.mp4", (191, 109), 1))
    assert written(Reel(tmp_path / "a.gif", (191, 109), 2, Fraction(25)))
    assert written(Reel(tmp_path / "b.mp4", (191, 109), 2, lossless=True))
    assert frames_of(tmp_path / "b.mp4")[0].shape == (109, 191, 3)


def test_nothing_is_replaced_silently_and_an_input_never(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"mine")
    with pytest.raises(UserError, match="is there already"):
        open_output(Reel(tmp_path / "a.mp4", SIZE, 1))
    with pytest.raises(UserError, match="is read, and would be replaced"):
        open_output(Reel(tmp_path / "a.mp4", SIZE, 1, overwrite=True), [tmp_path / "a.mp4"])
    assert (tmp_path / "a.mp4").read_bytes() == b"mine"
    (tmp_path / "b.part.mp4").write_bytes(b"of a render that was killed")
    with pytest.raises(UserError, match=r"b\.part\.mp4 is there already"):
        open_output(Reel(tmp_path / "b.mp4", SIZE, 1))
    written(Reel(tmp_path / "a.mp4", SIZE, 3, overwrite=True))
    assert len(frames_of(tmp_path / "a.mp4")) == 3


def test_without_pyav_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(UserError, match=r"install calf_viz\[video\]"):
        open_output(Reel(tmp_path / "a.mp4", SIZE, 1))
    written(Reel(tmp_path / "a.gif", SIZE, 2, Fraction(25)))


def test_a_full_disk_is_said_and_what_was_written_stays(
    tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from calf_viz.video.encoded import Encoded

    write, count = Encoded.write, iter(range(100))

    def full(self: Encoded, picture: np.ndarray) -> None:
        if next(count) == 20:
            raise OSError(28, "No space left on device")
        write(self, picture)

    monkeypatch.setattr(Encoded, "write", full)
    code, said = run(recording, "--output", "a.mp4")
    assert code == 2 and "No space left on device; make room" in said and "a.part.mp4" in said
    assert len(frames_of(tmp_path / "a.part.mp4")) == 20
    assert not (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize(
    ("suffix", "by"),
    [
        ("mp4", signal.SIGKILL),
        ("webm", signal.SIGKILL),
        ("gif", signal.SIGKILL),
        ("mp4", signal.SIGINT),
    ],
)
def test_a_render_that_is_ended_leaves_what_can_be_played(
    tmp_path: Path, suffix: str, by: signal.Signals
) -> None:
    start, environment = python_child("calf_viz")
    arguments = ("--output", f"a.{suffix}", "--frames", "100000", "--fps", "25", "--size",
                 "192x108", "--no-hud", "--trail-length", "20")  # fmt: skip
    child = subprocess.Popen(
        [*start, "render", *arguments], cwd=tmp_path, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    part = tmp_path / f"a.part.{suffix}"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 40_000) and time.monotonic() < deadline:
        assert child.poll() is None, child.stderr and child.stderr.read()
        time.sleep(0.05)
    os.kill(child.pid, by)
    _, said = child.communicate(timeout=60)
    if by == signal.SIGINT:
        assert child.returncode == 130 and b"a.part" in said
    if suffix == "gif":
        with Image.open(part) as file:
            assert file.n_frames > 1
    else:
        assert len(frames_of(part, torn=by == signal.SIGKILL)) >= 20
    assert not (tmp_path / f"a.{suffix}").exists()


def test_more_pictures_than_memory_are_refused(recording: Path) -> None:
    with pytest.raises(UserError, match="an array of 2,000,000 pictures takes"):
        calf_viz.render(frames=2_000_000, size=(3840, 2160))


def test_the_timeline_of_a_video_is_whole_from_its_first_frame(recording: Path) -> None:
    """In a window it is filled piece by piece."""
    from calf_viz.recording.recording import Recording
    from calf_viz.viewer.camera_moves import CameraMove
    from calf_viz.viewer.film import Asked
    from calf_viz.viewer.rendering import Rendering

    asked, config = Asked(frames=1), VisualizationConfig(**SMALL)
    with Rendering(Recording(recording), config, asked, CameraMove()) as rendering:
        next(rendering.pictures())
        source = rendering.app.playhead.seekable
        assert source is not None and source.contents.complete
