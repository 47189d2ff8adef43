"""Keys and mouse that move through time, in a real window."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from virtual_display import needs_xdotool, under_display

from calf_viz.recording.recorder import Recorder
from calf_viz.samples import Samples
from calf_viz.view import View

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

# Says in JSON where keys and the mouse lead.
SCRIPT = """
import json, sys
from functools import partial
sys.path.insert(0, "tests")
from real_input import drawn_until, xdotool
from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.recording.recording import Recording
from calf_viz.sources.replay import Replay

config = VisualizationConfig(size=(800, 450), trail_length=20, chosen=0)
app = CALFApplication(config, source=Replay(Recording(sys.argv[1])))
host, head, said = app.host, app.playhead, {}
app.step()

settle = partial(drawn_until, app)
origin = host.app.win.get_properties().origin
xdotool("mousemove", origin[0] + 400, origin[1] + 100)

def press(key):
    before = head.at, app.playback.text, tuple(app.marks.rows)
    xdotool("key", key)
    settle(lambda: (head.at, app.playback.text, tuple(app.marks.rows)) != before)
    return head.at

app.seek(50)
said["keys"] = [press(key) for key in ("Left", "Left", "Right", "Home", "End")]
app.seek(30)
press("m")
said["marks"] = list(app.marks.rows)
said["jumps"] = [press("Home"), press("Down"), press("Next"), press("Prior")]
press("equal")
said["faster"] = app.playback.text
press("minus")
settle(lambda: "timeline" in app.hud.placed)
rect = app.hud.placed["timeline"]
unit = app.hud.canvas.metrics.unit
left, width = rect.x + 3 * unit, rect.width - 6 * unit
y = origin[1] + rect.y + 4 * unit + 1
at = head.at
xdotool("mousemove", origin[0] + left + width // 4, y)
settle(lambda: False, 3)
xdotool("mousedown", 1)
settle(lambda: head.at != at)
said["pressed"], at = head.at, head.at
xdotool("mousemove", origin[0] + left + 3 * width // 4, y)
settle(lambda: head.at > 70)
xdotool("mouseup", 1)
settle(lambda: False, 3)
said["dragged"] = head.at
pose = host.scene.camera.pose
xdotool("key", "g")
settle(lambda: app.following.on)
settle(lambda: False, 60)
said["followed"] = host.scene.camera.target[:2] != pose.target[:2]
said["distance"] = host.scene.camera.distance == pose.distance
app.close()
print(json.dumps(said))
"""


@pytest.mark.rendering
def test_keys_and_mouse_lead_through_a_recording(tmp_path: Path) -> None:
    needs_xdotool()
    recorder = Recorder(tmp_path / "a.calf", View("walk", lo=(-1.0, -1.0), hi=(1.0, 1.0)))
    for row in range(101):
        turn = 0.05 * row + np.arange(3.0)
        recorder.see(Samples.of(0.7 * np.stack([np.cos(turn), np.sin(turn)], axis=1)))
    recorder.close()
    done = under_display(sys.executable, "-c", SCRIPT, str(tmp_path / "a.calf"))
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["keys"] == [49, 48, 49, 0, 100]
    assert said["marks"] == [30] and said["jumps"][:2] == [0, 30]
    assert said["faster"] == "paused ▶ 2x"
    assert abs(said["pressed"] - 25) <= 1 and abs(said["dragged"] - 75) <= 1
    assert said["followed"] and said["distance"]
