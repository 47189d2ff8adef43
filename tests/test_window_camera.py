"""The camera in a window, moved with a real mouse and real keys."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from virtual_display import needs_xdotool, under_display

SCRIPT = """
import json, sys
sys.path.insert(0, "tests")
from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.scene.glide import FRAMES
from real_input import drawn_until, heard, xdotool

app = CALFApplication(VisualizationConfig(size=(480, 300), n_agents=3, grid=8, trail_length=20))
host, camera, said = app.host, app.host.scene.camera, {}
for _ in range(3):
    app.step()
app.playback.toggle()
x0, y0 = host.app.win.get_properties().origin

def until(event, act):
    with heard(app) as events:
        act()
        if not drawn_until(app, lambda: event in events, 500):
            raise SystemExit(f"{event} never came, but {events}")

def drag(button, by, held=None):
    before, point = camera.pose, ground(240, 150)
    xdotool("mousemove", x0 + 240, y0 + 150)
    if held:
        xdotool("keydown", held)
    pressed = f"shift-mouse{button}" if held else f"mouse{button}"
    until(pressed, lambda: xdotool("mousedown", button))
    if held:
        xdotool("keyup", held)
    xdotool("mousemove", x0 + 240 + by[0], y0 + 150 + by[1])
    until(f"mouse{button}-up", lambda: xdotool("mouseup", button))
    after = camera.pose
    return [before, after, pixel(point)]

def ground(x, y):
    # The point at the target's height below a pixel, and where a point is in the picture.
    import numpy as np
    inverse = np.linalg.inv(camera.view_projection(1.6).astype(float))
    ends = [inverse @ [2 * x / 480 - 1, 1 - 2 * y / 300, z, 1] for z in (-1, 1)]
    a, b = (end[:3] / end[3] for end in ends)
    return a + (camera.target[2] - a[2]) / (b[2] - a[2]) * (b - a)

def pixel(point):
    x, y, _, w = camera.view_projection(1.6).astype(float) @ [*point, 1]
    return [(0.5 + 0.5 * x / w) * 480, (0.5 - 0.5 * y / w) * 300]

said["middle"] = drag(2, (40, 25))
app.camera = "home"
said["right"] = drag(3, (-30, 20))
app.camera = "home"
said["shift"] = drag(1, (25, -30), "shift")
app.camera = "plane"
said["left"] = drag(1, (30, 0))
turned = camera.pose
until("time-f-up", lambda: xdotool("key", "f"))
poses = [camera.pose]
for _ in range(FRAMES + 2):
    app.draw()
    poses.append(camera.pose)
said["f"] = [turned, *poses]
until("time-r-up", lambda: xdotool("key", "r"))
said["r"] = camera.distance
app.camera = "corner"
text = app.camera
until("time-c-up", lambda: xdotool("key", "c"))
said["c"] = [text, app.actions.notice]
app.close()
print(json.dumps(said))
"""


@pytest.mark.rendering
def test_panning_framing_and_reading_back() -> None:
    needs_xdotool()
    done = under_display(sys.executable, "-c", SCRIPT)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    for way, (x, y) in {"middle": (280, 175), "right": (210, 170), "shift": (265, 120)}.items():
        before, after, pixel = said[way]
        assert before[1:] == after[1:], f"{way}: pans, and does not turn"
        assert before[0] != after[0]
        assert np.abs(np.subtract(pixel, (x, y))).max() < 8, f"{way}: the ground follows the mouse"
    before, after, _ = said["left"]
    assert before[:2] == after[:2] and before[2] != after[2], "the left button turns"
    turned, *frames = said["f"]
    distances = [pose[1] for pose in frames]
    assert all(pose[2:] == pytest.approx(turned[2:]) for pose in frames), "from the same side"
    assert distances[-1] < turned[1] and distances == sorted(distances, reverse=True)
    assert len(set(distances)) > 5, "in steps"
    assert distances[-1] == distances[-2], "and then it rests"
    assert said["r"] >= 16.5, "as far as panels require"
    text, notice = said["c"]
    assert notice == f"`camera` {text}"
