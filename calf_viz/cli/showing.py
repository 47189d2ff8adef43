"""Shows an application until its window is closed or, without one, its frames are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from calf_viz.cli.pictures import write_frame
from calf_viz.console import say, tracked
from calf_viz.files import make_folder

if TYPE_CHECKING:
    from calf_viz.viewer.app import CALFApplication


def show(app: CALFApplication, output: Path) -> None:
    """Run in a window or, without one, with a progress bar and a picture at the end."""
    host, config = app.host, app.config
    if host.has_window:
        say(f"window, OpenGL by {host.renderer}")
        app.run()
        return
    from calf_viz.viewer.app import HEADLESS_FRAMES

    make_folder(output)
    say(f"no window (EGL), OpenGL by {host.renderer}")
    frames = config.frames or HEADLESS_FRAMES
    for _ in tracked(range(frames), app.name):
        app.step()
    median = 1e3 * float(np.median(app.frame_times))
    write_frame(app, output, frames)
    say(f"median frame {median:.1f} ms, {app.n_agents} agents, {host.renderer}")
