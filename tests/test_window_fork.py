"""The key that forks a recording, pressed in a window."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from simulations import simulated
from virtual_display import needs_xdotool, under_display

from calf_viz.heightfield import Heightfield
from calf_viz.recording.recorder import Recorder

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

SCRIPT = """
import json, sys
sys.path.insert(0, "tests")
from real_input import drawn_until, xdotool
from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.recording.recording import Recording
from calf_viz.sources.replay import Replay

source = Replay(Recording(sys.argv[1]))
config = VisualizationConfig(size=(400, 240), chosen=1, trail_length=20)
with CALFApplication(config, source=source) as app:
    app.seek(10)
    app.playback.toggle()
    app.draw()
    origin = app.host.app.win.get_properties().origin
    xdotool("mousemove", origin[0] + 200, origin[1] + 120)
    camera, found = app.camera, []
    for _ in range(4):
        shown = source.ghosts
        xdotool("key", "shift+f")
        drawn_until(app, lambda: source.ghosts is not shown)
        ghosts = source.ghosts
        found.append((ghosts and list(ghosts.policies), app.host.agents, source.at))
    print(json.dumps({"found": found, "camera": app.camera == camera}))
"""


@pytest.mark.rendering
def test_shift_and_f_fork_where_the_picture_is(tmp_path: Path) -> None:
    needs_xdotool()
    simulation = simulated("pendulum", 3)
    recorder = Recorder(tmp_path / "a.calf", simulation.view, {"agent": simulation.about()})
    flat = Heightfield(np.zeros((2, 2)), simulation.view.lo, simulation.view.hi)
    recorder.critic(flat, 0, simulation.weights())
    for _ in range(30):
        recorder.see(simulation.step())
    recorder.close()
    done = under_display(sys.executable, "-c", SCRIPT, str(tmp_path / "a.calf"))
    said = json.loads(done.stdout.splitlines()[-1])
    ways = [["nominal"], ["actor"], ["calf"], None]
    assert said["found"] == [[way, 4 if way else 3, 10] for way in ways]
    assert said["camera"]  # `f` alone frames agents
