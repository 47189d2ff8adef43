"""The window: its picture, which is the one without a window, and what is said of it.

In a child process under a virtual display, as Ursina has one application per process.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from virtual_display import needs_xdotool, under_display

from calf_viz.hosts import display_found
from calf_viz.hosts.panda.window import UNSEEN_RATE
from calf_viz.profiling.profile_file import load_profile
from calf_viz.scene.camera import USUAL


@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY"])
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have a display")
def test_display_found(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for each in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(each, raising=False)
    assert not display_found()
    monkeypatch.setenv(name, ":0")
    assert display_found()


# Says in JSON what a user of the window would see.
SCRIPT = """
import json, sys
import numpy as np
from calf_viz import CALFApplication, VisualizationConfig

small = dict(size=(400, 240), n_agents=6, grid=32, trail_length=80, hud=False)
app = CALFApplication(config=VisualizationConfig(**small))
host, camera, said = app.host, app.host.scene.camera, {}
said["has_window"] = host.has_window
for _ in range(60):
    app.step()
picture = app.screenshot()
said["shape"] = picture.shape
np.save(sys.argv[1], picture)

def press(event, frames=2):
    host.app.messenger.send(event)
    for _ in range(frames):
        app.step()

distance = camera.distance
press("wheel_up")
said["nearer"] = camera.distance < distance
press("t")
said["from_above"] = camera.elevation
press("r")
said["whole_plane"] = camera.distance

from panda3d.core import WindowProperties
host.app.win.request_properties(WindowProperties.size(320, 300))
for _ in range(10):
    app.step()
said["resized"] = host.scene.size, app.screenshot().shape

app.n_agents = 300
for _ in range(3):
    app.step()
said["agents"] = host.agents

for name in ("q", "escape"):
    drawn = app.frames
    host.app.messenger.send(name)
    app.run()
    said[name] = host.closed and app.frames == drawn
    host._closed = False

closing = WindowProperties()
closing.open = False
host.app.win.request_properties(closing)
app.run()
said["closed"] = host.closed
app.close()
print(json.dumps(said))
"""


RENDERER_SCRIPT = """
import sys
import numpy as np
from calf_viz import CALFApplication, VisualizationConfig

renderer, path, *headless = sys.argv[1:]
config = VisualizationConfig(size=(320, 200), n_agents=3, grid=32, trail_length=80,
                             renderer=renderer, headless=bool(headless))
app = CALFApplication(config)
for step in range(40):
    app.step()
app.n_agents = 20
for step in range(24):
    app.step()
assert app.host.design == renderer and app.host.has_window != bool(headless)
np.save(path, app.screenshot())
app.close()
"""


# Says what a window does that is taken off the screen and put back; its clock is the script's.
UNSEEN_SCRIPT = """
import json, subprocess, sys
import numpy as np
from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.pace import Pace

unseen = sys.argv[2] == "unseen"
app = CALFApplication(VisualizationConfig(size=(400, 240), n_agents=3, grid=16, trail_length=80,
                                          hud=False))
host, now, waited = app.host, 0.0, []

def sleep(seconds):
    global now
    now += seconds
    waited.append(seconds)

host.pace, host.sleep = Pace(lambda: now), sleep

def window(command):
    handle = host.app.win.get_window_handle().get_int_handle()
    subprocess.run(["xdotool", command, str(handle)], check=True)

def until(seen):
    for _ in range(10_000):
        app.draw()
        if host.unseen != seen:
            return
    raise SystemExit("never")

for _ in range(10):
    app.step()
if unseen:
    window("windowunmap")
    until(False)
for _ in range(20):
    app.draw()
waited.clear()
for _ in range(30):
    app.step()
said = {"waited": sum(waited), "size": host.scene.size}
app.advance()
app.n_agents = 40
app.advance()
if unseen:
    window("windowmap")
    until(True)
app.step()
np.save(sys.argv[1], app.screenshot())
app.close()
print(json.dumps(said))
"""


# Says in JSON what a look that is saved while the window draws makes of its picture.
SAVED_SCRIPT = """
import json, sys, time
from pathlib import Path
from calf_viz import CALFApplication, VisualizationConfig

look, said = Path(sys.argv[1]), {}
(look / "surface_colour.glsl").write_text(sys.argv[2])
small = dict(size=(320, 180), n_agents=3, grid=16, trail_length=40, hud=False, shaders=look)
app = CALFApplication(config=VisualizationConfig(**small))
live = app.live_shaders
red = lambda: bool((app.screenshot() == [255, 0, 0]).all(axis=2).mean() > 0.1)

def step_until(condition):
    end = time.monotonic() + 120
    app.step()
    while not condition() and time.monotonic() < end:
        app.step()

step_until(lambda: live.rebuilds)
said["red"], rebuilds = red(), live.rebuilds
(look / "surface_colour.glsl").write_text(sys.argv[3])
step_until(lambda: live.rebuilds > rebuilds)
said["problem"], said["still red"], rebuilds = str(live.problem), red(), live.rebuilds
(look / "surface_colour.glsl").unlink()
step_until(lambda: live.rebuilds > rebuilds)
said["fixed"], said["red at last"] = live.problem is None, red()
app.close()
print(json.dumps(said))
"""


class Seen(NamedTuple):
    picture: np.ndarray
    said: dict[str, Any]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The script's picture after 60 frames, and what it said."""
    path = tmp_path_factory.mktemp("window") / "picture.npy"
    done = under_display(sys.executable, "-c", SCRIPT, str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    return Seen(np.load(path), json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.rendering
class TestWindow:
    def test_shows_what_is_drawn_without_one(self, seen: Seen) -> None:
        from calf_viz import CALFApplication, VisualizationConfig

        config = VisualizationConfig(
            size=(400, 240), n_agents=6, grid=32, trail_length=80, headless=True, hud=False
        )
        app = CALFApplication(config=config)
        for _ in range(60):
            app.step()
        offscreen = app.screenshot()
        app.close()
        assert seen.picture.shape == offscreen.shape
        differs = np.abs(seen.picture.astype(int) - offscreen).max(axis=2) > 3
        assert differs.mean() < 0.002, f"{differs.sum()} pixels differ by more than 3"

    def test_keys_wheel_resizing_and_closing(self, seen: Seen) -> None:
        said = seen.said
        assert said["has_window"] and said["shape"] == [240, 400, 3]
        assert said["nearer"] and said["whole_plane"] == USUAL
        assert said["from_above"] == pytest.approx(math.pi / 2)
        assert said["resized"] == [[320, 300], [300, 320, 3]]
        assert said["agents"] == 300
        assert said["q"] and said["escape"] and said["closed"]

    def test_a_minimised_one_goes_on_in_step_with_time(self, tmp_path: Path) -> None:
        needs_xdotool()
        said, pictures = {}, {}
        for how in ("seen", "unseen"):
            path = tmp_path / f"{how}.npy"
            done = under_display(sys.executable, "-c", UNSEEN_SCRIPT, str(path), how)
            assert done.returncode == 0, done.stdout + done.stderr
            said[how], pictures[how] = json.loads(done.stdout), np.load(path)
        assert said["seen"] == {"waited": 0, "size": [400, 240]}
        assert said["unseen"]["waited"] == pytest.approx(30 / UNSEEN_RATE)
        assert said["unseen"]["size"] == [400, 240]
        # Steps that nobody saw are in the trails.
        assert (pictures["unseen"] == pictures["seen"]).all()

    def test_a_saved_shader_that_crashes_the_driver_is_reported_and_the_picture_stays(
        self, tmp_path: Path
    ) -> None:
        """A driver that does not crash draws it."""
        head = "vec3 surface_colour(vec3 c, vec2 point, float level, float light, bool bad)"
        texts = (
            f"{head} {{\n    return {colour};\n}}\n"
            for colour in ("vec3(1, 0, 0)", "vec3(0, float(-2147483648 / -1), 0)")
        )
        done = under_display(sys.executable, "-c", SAVED_SCRIPT, str(tmp_path), *texts)
        assert done.returncode == 0, done.stdout + done.stderr
        said = json.loads(done.stdout.splitlines()[-1])
        assert said["red"] and said["fixed"] and not said["red at last"]
        if said["problem"] != "None":
            line = f"{tmp_path / 'surface_colour.glsl'}:2: the driver crashed on it (signal "
            assert said["still red"] and said["problem"].startswith(line)

    def test_nothing_of_the_current_folder_runs(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ursina looks for its settings, a program, beside what was started."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "settings.py").write_text("open('PWNED', 'w').close()")
        code = (
            "from calf_viz import CALFApplication, VisualizationConfig; "
            "CALFApplication(VisualizationConfig(size=(160, 90), n_agents=2, grid=8)).step()"
        )
        done = under_display(sys.executable, "-P", "-c", code)
        assert done.returncode == 0, done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["settings.py"]

    @pytest.mark.parametrize("renderer", ["batched", "per_agent"])
    def test_older_renderers_draw_in_it(self, tmp_path: Path, renderer: str) -> None:
        pictures = []
        for headless in (False, True):
            path = tmp_path / f"{headless}.npy"
            command = [sys.executable, "-c", RENDERER_SCRIPT, renderer, str(path)]
            done = under_display(*command, *["headless"] * headless)
            assert done.returncode == 0, done.stdout + done.stderr
            pictures.append(np.load(path).astype(int))
        assert (np.abs(pictures[0] - pictures[1]).max(axis=2) > 3).mean() < 0.002

    def test_the_command_opens_one_and_says_so(self) -> None:
        done = under_display(
            sys.executable, "-m", "calf_viz", "--frames", "5", "--size", "160x90", "--grid", "8"
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("window, OpenGL by "), done.stdout
        assert done.stdout.count("\n") == 1

    def test_a_profile_in_one(self, tmp_path: Path) -> None:
        done = under_display(
            sys.executable, "-m", "calf_viz", "--profile", "--frames", "10", "--size", "160x90",
            "--grid", "8", "--output", str(tmp_path),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("window, OpenGL by "), done.stdout
        (path,) = tmp_path.iterdir()
        profile = load_profile(path)
        assert profile.configuration["window"] and profile.configuration["no_vsync"]
        assert [len(run) for run in profile.runs] == [10] * 3
        assert {"input", "draw"} <= profile.run.sections_ms.keys()
        assert (profile.run.counters["draw_calls"] == 1.0).all()

    def test_a_display_that_is_none_is_reported_in_one_line(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "calf_viz", "--frames", "2"],
            capture_output=True, text=True, timeout=300, check=False,
            env={**os.environ, "DISPLAY": ":987"},
        )  # fmt: skip
        assert done.returncode == 2
        (complaint,) = done.stderr.splitlines()
        assert complaint.startswith("calf-viz: no window can be opened (Could not open display")
        assert "--headless" in complaint and "set DISPLAY" in complaint
        assert "install" not in complaint, "nothing is missing"
