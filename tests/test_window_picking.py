"""The mouse in a real window: it points at agents, chooses them, and lets go of them."""

from __future__ import annotations

import json
import sys

from virtual_display import needs_xdotool, under_display

# Says in JSON what a mouse does to the agents of a paused scene.
SCRIPT = """
import json, sys
from functools import partial
sys.path.insert(0, "tests")
import numpy as np
from real_input import drawn_until, press, xdotool
from test_picking import middle
from calf_viz import CALFApplication, VisualizationConfig

app = CALFApplication(VisualizationConfig(size=(800, 500), n_agents=3, grid=16, trail_length=20,
                                          camera="top"))
app.display.readings.timed = False
host, said = app.host, {}
for _ in range(5):
    app.step()
app.playback.toggle()
left, top = host.app.win.get_properties().origin

until, key = partial(drawn_until, app), partial(press, app)

def move(x, y):
    xdotool("mousemove", left + x, top + y)

def drawn(frames=40):
    found = 0
    for _ in range(frames):
        app.draw()
        found += host.frame_counts()["pick_draws"]
    return found

places = [middle(app, agent) for agent in range(3)]
move(5, 495)
drawn()
said["at rest"] = drawn()
said["panel"] = "agent" in app.hud.placed
before = app.screenshot()
said["hovered"] = []
for agent, (x, y) in enumerate(places):
    move(x, y)
    said["hovered"].append(until(lambda: app.picker.hovered == agent))
    app.draw()
said["ring"] = host.scene.highlighted
said["hovered panel"] = "agent" in app.hud.placed
said["still chosen"] = app.config.chosen
host.frame_counts()
move(*places[0])
said["draws of a move"] = drawn()
xdotool("click", 1)
said["clicked"] = until(lambda: app.config.chosen == 0)
move(5, 495)
said["left"] = until(lambda: app.picker.hovered is None)
app.draw()
said["chosen"] = app.config.chosen, host.scene.highlighted, "agent" in app.hud.placed

key("w")
app.draw()
said["why"] = app.config.why, "why_actor" in app.hud.values
# A drag that begins at an agent is the camera's.
x, y = places[1]
move(x, y)
until(lambda: app.picker.hovered == 1)
azimuth = host.scene.camera.azimuth
xdotool("mousedown", 1)
until(lambda: host.mouse._button == "mouse1")
move(x + 40, y)
until(lambda: host.scene.camera.azimuth != azimuth)
xdotool("mouseup", 1)
until(lambda: host.mouse._button == "")
said["dragged"] = host.scene.camera.azimuth != azimuth, app.config.chosen
move(5, 495)
until(lambda: app.picker.hovered is None)
key("Escape")
app.draw()
said["escaped"] = app.config.chosen, host.closed, "agent" in app.hud.placed
app.camera = "top"
app.draw()
said["as before"] = bool((app.screenshot() == before).all())
key("Escape")
said["closed"] = host.closed
app.close()
print(json.dumps(said))
"""


def test_the_mouse_points_at_agents_and_chooses_them() -> None:
    needs_xdotool()
    child = under_display(sys.executable, "-c", SCRIPT)
    assert child.returncode == 0, child.stderr
    said = json.loads(child.stdout.splitlines()[-1])
    assert said["at rest"] == 0 and not said["panel"]
    assert said["hovered"] == [True] * 3
    assert (said["ring"], said["hovered panel"], said["still chosen"]) == (2, True, None)
    assert said["draws of a move"] == 1, "and not one more in each frame"
    assert said["clicked"] and said["left"]
    assert said["chosen"] == [0, 0, True]
    assert said["why"] == [True, True]
    assert said["dragged"] == [True, 0]
    assert said["escaped"] == [None, False, False]
    assert said["as before"], "nothing is left of it in the picture"
    assert said["closed"]
