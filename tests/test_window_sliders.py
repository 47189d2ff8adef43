"""The mouse moves the sliders of an attached loop in a real window, and the loop heeds them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from virtual_display import needs_xdotool, under_display

# Says in JSON what a drag from a quarter to three quarters of the second slider does.
SCRIPT = """
import json, sys
from functools import partial
sys.path.insert(0, "tests")
from real_input import drawn_until, xdotool
from test_attached_choices import Loop, source_of
from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.hud.control_panel import ControlPanel

loop, said = Loop(), {}
loop.go_on()
app = CALFApplication(VisualizationConfig(size=(900, 600)), source=source_of(loop.viz))
host = app.host
for _ in range(5):
    app.step()
panel = next(w for w in app.hud.widgets if isinstance(w, ControlPanel) and w.name == "sliders")
left, top = host.app.win.get_properties().origin
part = next(part for part in panel.parts if part.name == "3")
control = panel.controls.controls["3"]
said["label"], said["ends"] = control.label, (control.low, control.high)

until = partial(drawn_until, app)

def move(share):
    rect = part.rect
    xdotool("mousemove", left + round(rect.x + share * rect.width),
            top + round(rect.y + rect.height / 2))

azimuth = host.scene.camera.azimuth
move(0.25)
xdotool("mousedown", 1)
said["pressed"] = until(lambda: panel.controls.values["3"] != control.default)
quarter = panel.controls.values["3"]
move(0.75)
said["dragged"] = until(lambda: panel.controls.values["3"] > quarter)

xdotool("mouseup", 1)
until(lambda: host.mouse._button == "")
app.draw()
value = panel.controls.values["3"]
said["values"] = quarter, value
said["of the loop"] = loop.go_on().tolist()
said["camera"] = host.scene.camera.azimuth == azimuth
app.close()
loop.viz.close()
print(json.dumps(said))
"""


def test_a_slider_is_dragged_and_the_critic_gets_its_value(tmp_path: Path) -> None:
    needs_xdotool()
    child = under_display(sys.executable, "-c", SCRIPT, CALF_BOARDS=str(tmp_path))
    assert child.returncode == 0, child.stderr
    said = json.loads(child.stdout.splitlines()[-1])
    (low, high), (quarter, value) = said["ends"], said["values"]
    assert said["label"] == "y'" and said["pressed"] and said["dragged"]
    assert (quarter - low) / (high - low) == pytest.approx(0.25, abs=0.1)
    assert (value - low) / (high - low) == pytest.approx(0.75, abs=0.1)
    assert said["of the loop"][1] == pytest.approx(value, rel=1e-6)
    assert said["camera"], "a drag on a panel is not the camera's"
    assert not list(tmp_path.iterdir())
