"""The window: its picture, its keys and its mouse.

In a child process under a virtual display, as Ursina has one application per process.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from calf_viz.hosts import display_found
from calf_viz.hosts.panda.mouse import TURN, WHEEL, OrbitControls
from calf_viz.hosts.panda.window import UNSEEN_RATE
from calf_viz.hud.keys import KEYS
from calf_viz.profiling.profile_file import load_profile
from calf_viz.scene.scene import Scene


class Pointer:
    def __init__(self, x: float, y: float, inside: bool = True) -> None:
        self.x, self.y, self.inside = x, y, inside

    def get_x(self) -> float:
        return self.x

    def get_y(self) -> float:
        return self.y

    def get_in_window(self) -> bool:
        return self.inside


class Application:
    """What the controls ask of Ursina: a window's pointer, and events."""

    def __init__(self) -> None:
        self.events: dict[str, Any] = {}
        self.win = self
        self.pointer = Pointer(0, 0)

    def accept(self, name: str, method: Any, arguments: Any = ()) -> None:
        self.events[name] = lambda: method(*arguments)

    def get_pointer(self, _: int) -> Pointer:
        return self.pointer


class TestControls:
    @pytest.fixture
    def app(self) -> Application:
        return Application()

    @pytest.fixture
    def scene(self) -> Scene:
        return Scene()

    @pytest.fixture(autouse=True)
    def controls(self, app: Application, scene: Scene) -> OrbitControls:
        return OrbitControls(app, scene)

    def test_drag_turns_what_is_seen_with_the_mouse(
        self, app: Application, scene: Scene, controls: OrbitControls
    ) -> None:
        azimuth, elevation = scene.camera.azimuth, scene.camera.elevation
        app.pointer = Pointer(100, 100)
        app.events["mouse1"]()
        app.pointer = Pointer(130, 90)
        controls.update()
        controls.update()  # nothing more was dragged
        assert scene.camera.azimuth == pytest.approx((azimuth - 30 * TURN) % (2 * math.pi))
        assert scene.camera.elevation == pytest.approx(elevation - 10 * TURN)
        app.pointer = Pointer(999, 999, inside=False)
        app.events["mouse1-up"]()
        app.pointer = Pointer(500, 500)
        controls.update()  # released: the mouse only moves
        assert scene.camera.elevation == pytest.approx(elevation - 10 * TURN)

    def test_wheel(self, app: Application, scene: Scene) -> None:
        start = scene.camera.distance
        app.events["wheel_up"]()
        assert scene.camera.distance == pytest.approx(WHEEL * start)
        app.events["wheel_down"]()
        assert scene.camera.distance == pytest.approx(start)

    def test_what_captures_the_mouse_keeps_the_camera_still(
        self, app: Application, scene: Scene
    ) -> None:
        controls = OrbitControls(app, scene, lambda x, y: x < 100)
        before = replace(scene.camera)
        app.pointer = Pointer(50, 50)
        for event in ("mouse1", "wheel_up", "wheel_down"):
            app.events[event]()
        app.pointer = Pointer(200, 90)  # dragged out of it: still the panel's
        controls.update()
        assert scene.camera == before
        app.events["mouse1-up"]()
        app.events["mouse1"]()
        app.pointer = Pointer(50, 90)  # and into it: still the camera's
        controls.update()
        assert scene.camera != before

    def test_what_captures_the_mouse_is_told_of_it(self, app: Application, scene: Scene) -> None:
        heard: list[tuple[str, float, float]] = []

        class Listener:
            def press(self, x: float, y: float) -> None:
                heard.append(("press", x, y))

            def drag(self, x: float, y: float) -> None:
                heard.append(("drag", x, y))

            def release(self) -> None:
                heard.append(("release", 0, 0))

        controls = OrbitControls(app, scene, lambda x, y: x < 100, Listener())
        app.pointer = Pointer(200, 90)
        app.events["mouse1"]()
        controls.update()
        app.events["mouse1-up"]()
        assert heard == [], "the camera's"
        app.pointer = Pointer(50, 90)
        app.events["mouse1"]()
        app.pointer = Pointer(300, 95)
        controls.update()
        app.events["mouse1-up"]()
        app.pointer = Pointer(50, 95)
        controls.update()
        assert heard == [("press", 50, 90), ("drag", 300, 95), ("drag", 300, 95), ("release", 0, 0)]


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
said["view_changed_back"] = camera.distance == distance

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


ONE_WINDOW_SCRIPT = """
import signal
from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.errors import UserError

def opened():
    return CALFApplication(VisualizationConfig(size=(200, 120), n_agents=2, grid=8))

before = signal.getsignal(signal.SIGINT)
app = opened()
app.step()
app.host.app.task_mgr.add(lambda task: signal.raise_signal(signal.SIGINT), "ctrl-c")
try:
    app.run()
except KeyboardInterrupt:
    print("interrupted")
try:
    opened()
except UserError as error:
    print(error)
app.close()
assert signal.getsignal(signal.SIGINT) is before, "as it was"
with opened() as again:
    again.step()
    print(again.screenshot().shape)
"""


BESIDE_SCRIPT = """
import sys
import numpy as np
from calf_viz import CALFApplication, VisualizationConfig

others = {"gpu": {}, "batched": {"renderer": "batched"}, "ab": {"ab": "night"},
          "critic": {"critic_on_gpu": True}}
path, *order = sys.argv[1:]

def opened(name):
    changes = others.get(name, {"headless": False, "size": (240, 160)})
    return CALFApplication(VisualizationConfig(**{
        "n_agents": 6, "size": (320, 180), "grid": 16, "trail_length": 40, "headless": True,
        "hud": name == "gpu", **changes}))

applications = [opened(name) for name in order]
for step in range(30):
    if step == 15:
        for shown in applications:
            shown.host.reload()
            shown.n_agents = 40
    for shown in applications:
        shown.step()
np.savez(path, *[shown.screenshot() for shown in applications])
for shown in applications:
    shown.close()
"""


# Keys as they are pressed on a keyboard; says what they changed in the picture of a paused scene.
KEYS_SCRIPT = """
import json, subprocess, sys
import numpy as np
from calf_viz import CALFApplication, VisualizationConfig

app = CALFApplication(VisualizationConfig(size=(400, 240), n_agents=3, grid=8, trail_length=20))
app.display.readings.timed = False
host = app.host
for _ in range(5):
    app.step()
app.playback.toggle()

def xdotool(*arguments):
    subprocess.run(["xdotool", *arguments], check=True)

origin = host.app.win.get_properties().origin
xdotool("mousemove", str(origin[0] + 200), str(origin[1] + 120))  # its keys are the window's below

def press(key):
    events = []
    host.app.messenger.send = lambda event, *more, send=sending, **named: (
        events.append(event), send(event, *more, **named))
    xdotool("key", key)
    for _ in range(200):
        app.draw()
        if any(event.startswith("time-") and event.endswith("up") for event in events):
            break
    app.draw()
    return app.screenshot()

sending = host.app.messenger.send
before = press("F13")
said = {"changed": [], "hides": bool((press("h") != before).any()), "closed": []}
press("h")
for key in sys.argv[1:]:
    if (picture := press(key)).shape != before.shape or (picture != before).any():
        said["changed"].append(key)
    if host.closed:
        said["closed"].append(key)
said["listens"] = sorted(host.app.messenger.get_events())
app.close()
print(json.dumps(said))
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


def under_display(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    xvfb = shutil.which("xvfb-run")
    if xvfb is None:
        pytest.skip("xvfb-run is missing: `make test` installs it on Debian and Ubuntu")
    return subprocess.run(
        [xvfb, "-a", "-s", "-screen 0 1280x720x24", *command],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )


# The same of one with a HUD.
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
said["mended"], said["red at last"] = live.problem is None, red()
app.close()
print(json.dumps(said))
"""

HUD_SCRIPT = """
import json, sys
import numpy as np
from calf_viz import CALFApplication, VisualizationConfig

app = CALFApplication(VisualizationConfig(size=(800, 450), n_agents=6, grid=16, trail_length=40))
host, hud, said = app.host, app.hud, {}
for _ in range(40):
    app.step()
said["values"], said["placed"] = sorted(hud.values), sorted(hud.placed)
shown = app.screenshot()

def press(event, frames=2):
    host.app.messenger.send(event)
    drawn, budget = app.frames, iter(range(frames))
    app.config.frames = None
    while next(budget, None) is not None:
        app.step() if app.playback.take() else app.draw()
    return app.frames - drawn

said["paused"] = press("space", 3), hud.values.get("state")
said["single"] = press("n", 3), press(".", 3)
still = app.screenshot()
said["still"] = bool((app.screenshot() == still).all())
said["step"] = hud.values["step"]
press("h")
without = app.screenshot()
said["hidden"] = bool((without != still).any()), hud.hit(40, 40)
press("h")
said["shown_again"] = bool((app.screenshot() == still).all()), hud.hit(40, 40)
said["goes_on"] = press("space", 3), hud.values.get("state")
press("t")
said["from_above"] = host.scene.camera.elevation
said["captured"] = host._captured(40, 40), host._captured(400, 225)
np.savez(sys.argv[1], shown=shown, without=without)

from panda3d.core import WindowProperties
host.app.win.request_properties(WindowProperties.size(480, 320))
for _ in range(10):
    app.step()
said["resized"] = sorted(hud.placed), all(r.within((480, 320)) for r in hud.rectangles())
app.close()
print(json.dumps(said))
"""


BOUND = {event for key in KEYS for event in key.events}


def needs_xdotool() -> None:
    if shutil.which("xdotool") is None:
        pytest.skip("xdotool is missing: `make test` installs it on Debian and Ubuntu")


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
        assert said["nearer"] and said["view_changed_back"]
        assert said["from_above"] == pytest.approx(math.pi / 2)
        assert said["resized"] == [[320, 300], [300, 320, 3]]
        assert said["agents"] == 300
        assert said["q"] and said["escape"] and said["closed"]

    def test_its_hud_and_the_keys_for_it(self, tmp_path: Path) -> None:
        path = tmp_path / "pictures.npz"
        done = under_display(sys.executable, "-c", HUD_SCRIPT, str(path))
        assert done.returncode == 0, done.stdout + done.stderr
        said = json.loads(done.stdout.splitlines()[-1])
        assert {"fps", "step", "mode_0"} <= set(said["values"])
        assert said["placed"] == ["keys", "overview", "value"]
        assert said["paused"] == [0, "paused"]
        assert said["single"] == [1, 1] and said["step"] == "42"
        assert said["still"]
        assert said["hidden"] == [True, None] and said["shown_again"] == [True, "overview"]
        assert said["goes_on"] == [3, None]
        assert said["from_above"] == pytest.approx(math.pi / 2)
        assert said["captured"] == [True, False]
        assert said["resized"] == [["overview", "value"], True]
        pictures = np.load(path)
        panel = pictures["shown"][16:100, 16:100].astype(int)
        assert panel.max() > 200, "text over its backing"
        assert (pictures["without"][16:100, 16:100] == [14, 17, 22]).all()

    def test_keys_that_are_not_documented_change_nothing(self) -> None:
        """Ursina's and Panda3D's own among them, with and without shift, control and alt."""
        needs_xdotool()
        functions = [f"F{number}" for number in range(4, 13)]
        others = "Insert Delete Home End Prior Next Left Right Up Down Return BackSpace Print"
        held = [
            f"{by}+{key}" for by in ("shift", "ctrl", "alt") for key in ("F10", "F12", "q", "h")
        ]
        letters = [
            letter for letter in "abcdefghijklmnopqrstuvwxyz0123456789" if letter not in BOUND
        ]
        pressed = [*functions, *held, *others.split(), *letters]
        done = under_display(sys.executable, "-c", KEYS_SCRIPT, *pressed)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("\n") == 1, "Ursina would print what it does"
        said = json.loads(done.stdout)
        assert said["hides"], "keys do arrive"
        assert said["changed"] == said["closed"] == []
        assert {"buttonDown", "buttonUp", "buttonHold", "keystroke"}.isdisjoint(said["listens"])

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

    def test_a_saved_shader_that_crashes_the_driver_is_told_and_the_picture_stays(
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
        assert said["red"] and said["mended"] and not said["red at last"]
        if said["problem"] != "None":
            line = f"{tmp_path / 'surface_colour.glsl'}:2: the driver crashed on it (signal "
            assert said["still red"] and said["problem"].startswith(line)

    def test_ctrl_c_ends_it_silently_and_there_is_one_at_a_time(self) -> None:
        done = under_display(sys.executable, "-c", ONE_WINDOW_SCRIPT)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            "interrupted",
            "a process has one window at a time: close the other, or use headless",
            "(120, 200, 3)",
        ]

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

    def test_beside_headless_ones_each_draws_what_it_draws_alone(self, tmp_path: Path) -> None:
        """Opened before and after it, closed before and after it, and nothing is complained of."""

        def drawn(*order: str) -> dict[str, np.ndarray]:
            path = tmp_path / "pictures.npz"
            done = under_display(sys.executable, "-c", BESIDE_SCRIPT, str(path), *order)
            assert done.returncode == 0, done.stdout + done.stderr
            said = [line for line in done.stderr.splitlines() if not line.startswith("Xlib: ")]
            assert not said
            return dict(zip(order, np.load(path).values(), strict=True))

        together = drawn("gpu", "window", "batched") | drawn("window", "ab", "critic")
        for name, picture in together.items():
            alone = drawn(name)[name]
            assert picture.shape == alone.shape
            assert (picture != alone).any(axis=2).sum() == 0, name

    def test_agents_that_come_leave_no_texture_bound_that_is_gone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Panda looks for errors now and then only; Mesa tells of each, if it is asked to."""
        monkeypatch.setenv("MESA_DEBUG", "1")
        done = under_display(
            sys.executable, "-c", BESIDE_SCRIPT, str(tmp_path / "pictures.npz"), "gpu", "window"
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "glBindTexture" not in done.stderr

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

    def test_a_display_that_is_none_is_told_in_one_line(self) -> None:
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


@pytest.mark.rendering
def test_an_application_that_nobody_closes_is_closed_when_the_process_ends() -> None:
    """Before Panda takes apart what its window is closed by. One headless beside it, too."""
    script = """
from calf_viz import CALFApplication, VisualizationConfig
small = dict(size=(64, 64), grid=8, n_agents=2)
beside = CALFApplication(VisualizationConfig(**small, headless=True))
shown = CALFApplication(VisualizationConfig(**small))
shown.step()
beside.step()
raise SystemExit(3)
"""
    done = under_display(sys.executable, "-c", script)
    assert done.returncode == 3, done.stderr
    said = [line for line in done.stderr.splitlines() if not line.startswith("Xlib: ")]
    assert said == [] and done.stdout == ""


LOST_SCRIPT = """
import ctypes
from calf_viz import CALFApplication, UserError, VisualizationConfig
from calf_viz.hosts.panda import context

context.PATIENCE = context.PAUSE = 0.01
small = dict(size=(64, 64), grid=8, n_agents=2)
shown = CALFApplication(VisualizationConfig(**small))
shown.step()
gl = ctypes.CDLL("libGL.so.1")
for name in ("glXGetCurrentDisplay", "glXGetCurrentContext"):
    getattr(gl, name).restype = ctypes.c_void_p
with shown.host.context:
    lost = gl.glXGetCurrentDisplay(), gl.glXGetCurrentContext()
    gl.glXDestroyContext(*map(ctypes.c_void_p, lost))
beside = CALFApplication(VisualizationConfig(**small, headless=True))
beside.step()  # so that the window's context is made current anew

def frames():
    for _ in range(100):
        shown.step()

for use in (shown.screenshot, frames):
    try:
        use()
        print("nothing")
    except UserError as error:
        print(error)
beside.step()
print(bool(beside.screenshot().any()))
shown.close()
"""


@pytest.mark.rendering
def test_a_window_whose_driver_fails_is_an_error_and_no_black_picture() -> None:
    done = under_display(sys.executable, "-c", LOST_SCRIPT)
    if "cannot open shared object" in done.stderr:
        pytest.skip("there is no GLX")
    assert done.returncode == 0, done.stderr
    *told, beside = done.stdout.splitlines()
    assert len(told) == 2 and beside == "True", done.stdout
    assert all("draws no frame any more (" in line for line in told), told
    assert "Traceback" not in done.stderr
