"""Keys of the window: what they do, and that none does more than is documented."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from virtual_display import needs_xdotool, under_display

from calf_viz.hud.keys import KEYS

# Keys as they are pressed on a keyboard; says what they changed in the picture of a paused scene.
KEYS_SCRIPT = """
import json, sys
sys.path.insert(0, "tests")
from real_input import press, xdotool
from calf_viz import CALFApplication, VisualizationConfig

app = CALFApplication(VisualizationConfig(size=(400, 240), n_agents=3, grid=8, trail_length=20))
app.display.readings.timed = False
host = app.host
for _ in range(5):
    app.step()
app.playback.toggle()

origin = host.app.win.get_properties().origin
xdotool("mousemove", origin[0] + 200, origin[1] + 120)  # its keys are the window's below

def after(key):
    press(app, key)
    app.draw()
    return app.screenshot()

before = after("F13")
said = {"changed": [], "hides": bool((after("h") != before).any()), "closed": []}
after("h")
for key in sys.argv[1:]:
    if (picture := after(key)).shape != before.shape or (picture != before).any():
        said["changed"].append(key)
    if host.closed:
        said["closed"].append(key)
said["listens"] = sorted(host.app.messenger.get_events())
app.close()
print(json.dumps(said))
"""


# What keys do to the HUD and to its picture, in JSON.
HUD_SCRIPT = """
import json, sys
import numpy as np
from calf_viz import CALFApplication, VisualizationConfig

app = CALFApplication(VisualizationConfig(
    size=(800, 450), n_agents=6, grid=16, trail_length=40,
    camera="distance=40"))  # no surface below the panel
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


@pytest.mark.rendering
class TestKeys:
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
        others = "Insert Delete Return Print"
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
