"""Pictures that the command line writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from calf_viz.console import say
from calf_viz.errors import UserError, shown
from calf_viz.files import check_writable, is_folder, make_folder

if TYPE_CHECKING:
    from calf_viz.viewer.app import CALFApplication

SUFFIX = ".png"
OTHERS = {".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".svg", ".pdf", ".eps", ".ppm"}
"""Suffixes of pictures that are not written."""
MOVING = {".gif", ".mp4", ".webm", ".mkv", ".mov", ".avi"}
"""Suffixes of what is not a single picture."""


def picture_of(output: Path | None) -> Path | None:
    """It, if it is a picture's name rather than a folder's. Raises UserError for a picture of
    another kind."""
    if output is None or is_folder(output):
        return None
    if output.suffix.lower() in MOVING:
        raise UserError(
            f"--output {shown(output)}: give it to calf-viz render, which writes videos"
        )
    if output.suffix.lower() in OTHERS:
        better = output.with_suffix(SUFFIX).name
        raise UserError(f"--output {shown(output)}: pictures are PNG: give {shown(better)}")
    return output if output.suffix.lower() == SUFFIX else None


def check_picture(file: Path) -> None:
    """Raise UserError for a place where no picture can be written, before the work is done."""
    make_folder(file.parent)
    check_writable(file)


def write_picture(app: CALFApplication, file: Path) -> None:
    """Write the picture after the configured number of frames."""
    from calf_viz.viewer.app import HEADLESS_FRAMES

    make_folder(file.parent)
    _go_on(app, app.config.frames or HEADLESS_FRAMES)
    _write(app, file.parent, file.stem, file.suffix)


def write_now(app: CALFApplication, file: Path) -> None:
    """Write the picture of what is shown."""
    make_folder(file.parent)
    app.draw()
    _write(app, file.parent, file.stem, file.suffix)


def write_screenshots(app: CALFApplication, folder: Path) -> None:
    """Write pictures of a few fixed frames."""
    from calf_viz.viewer.app import SCREENSHOT_FRAMES

    make_folder(folder)
    done = 0
    for frame in SCREENSHOT_FRAMES:
        _go_on(app, frame - done)
        done = frame
        write_frame(app, folder, frame)


def write_frame(app: CALFApplication, folder: Path, frame: int) -> None:
    """Write the last frame's picture, named after what it shows."""
    _write(app, folder, f"{app.name}_{app.n_agents}_{frame}")


def _go_on(app: CALFApplication, frames: int) -> None:
    """Take that many steps, and draw the last."""
    for _ in range(frames - 1):
        app.advance()
    app.step()


def _write(app: CALFApplication, folder: Path, stem: str, suffix: str = SUFFIX) -> None:
    """Write the last frame's picture; with two looks, one of each and their difference."""
    compare = app.host.compare
    for mode in ("",) if compare is None else ("a", "b", "difference"):
        if compare is not None:
            compare.view.mode = mode
            app.draw()
        say(app.save_screenshot(folder / f"{stem}{'_' if mode else ''}{mode}{suffix}"))
