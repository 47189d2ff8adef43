"""Shows an application until its window is closed or, without one, its frames are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from calf_viz.cli.option_types import GIVEN_PATH, options_named, typed
from calf_viz.cli.pictures import picture_of, write_frame, write_picture, write_screenshots
from calf_viz.cli.without_effect import refuse_without_effect
from calf_viz.console import say, tracked
from calf_viz.files import make_folder
from calf_viz.viewer.config import VisualizationConfig

if TYPE_CHECKING:
    from calf_viz.viewer.app import CALFApplication


PRESET = "medium"
"""Of commands that show a loop or a recording."""


def picture_options(command: Any) -> Any:
    """Add those by which a command is asked for pictures, as `config_of` and `show_as_asked` take
    them."""
    for name, settings, told in (
        ("--output", {"type": GIVEN_PATH}, "Folder for pictures, or FILE.png for the picture "
         "after --frames, without a window.  [default: pictures]"),
        ("--screenshot", {"is_flag": True}, "Write pictures of a few fixed frames and exit."),
    ):  # fmt: skip
        command = click.option(name, help=told, **settings)(command)
    return command


def config_of(context: click.Context, changes: dict[str, Any]) -> VisualizationConfig:
    """The configuration of a command that shows a loop or a recording: its preset, changed by
    options. Its `screenshot`, if it has that, and `output` ask for pictures, which have no window.
    Raises UserError."""
    screenshot, output = context.params.get("screenshot", False), context.params["output"]
    picture = picture_of(output) is not None
    if screenshot or picture:
        changes = {**changes, "headless": True}
    return changed_preset(context, changes, screenshot=screenshot and not picture)


def changed_preset(
    context: click.Context, changes: dict[str, Any], screenshot: bool
) -> VisualizationConfig:
    """The preset, changed by options. screenshot: as in `refuse_without_effect`. Raises UserError,
    also for options without effect."""
    given = typed(context)
    found = {key: value for key, value in changes.items() if value not in (None, ())}
    with options_named(given):
        config = VisualizationConfig.from_preset(PRESET, **found)
    idle = [name for name in given if name != "morph_frames"]  # their critics morph as well
    refuse_without_effect(idle, config, screenshot=screenshot, profile=False)
    return config


def show_as_asked(app: CALFApplication, screenshot: bool, output: Path | None) -> None:
    """Write the picture that `output` names, or those of a few fixed frames, or `show`."""
    file, folder = picture_of(output), output or Path("pictures")
    if file is not None:
        write_picture(app, file)
    elif screenshot:
        write_screenshots(app, folder)
    else:
        show(app, folder)


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
