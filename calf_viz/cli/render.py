"""`calf-viz render`: a video, an animation or pictures of a recording, or of a simulation."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from calf_viz import systems
from calf_viz.cli.attach import OF_A_SIMULATION
from calf_viz.cli.config_options import config_options
from calf_viz.cli.option_types import GIVEN_PATH, GIVEN_RECORDING, option_name, typed
from calf_viz.cli.showing import PRESET, changed_preset
from calf_viz.cli.signals import ended_as_by_ctrl_c
from calf_viz.console import on_terminal, say, tracked
from calf_viz.errors import UserError, shown
from calf_viz.glsl.library import overlay_path
from calf_viz.hosts.pictured import MOST_SAMPLES
from calf_viz.video.behind import Behind
from calf_viz.video.output import open_output
from calf_viz.video.reel import Reel, check_suffix, usual_fps
from calf_viz.viewer.config import RECORDING_ONLY

if TYPE_CHECKING:
    from calf_viz.recording.recording import Recording
    from calf_viz.viewer.rendering import Rendering

log = logging.getLogger("calf_viz")

NOT_HERE = (
    "train", "train_rate", "resume", "runs", "detach", "record", *RECORDING_ONLY, "headless",
    "no_vsync", "watch",
)  # fmt: skip
"""Settings of trainings, recordings and windows."""
TOLD = {
    "frames": "Frames of the video.  [default: up to the recording's end; 300 of a simulation; 1 "
    "of a .png]",
    "camera": "Where the camera is: a viewpoint, as elsewhere; orbit (turns once), orbit:30 "
    "(degrees per second), follow:7 (an agent), or a file of poses: docs/video.md.",
    "supersample": f"Samples per pixel along each axis, 1 to {MOST_SAMPLES}.  [default: 1; of a "
    "single .png, as of other pictures]",
    "speed": "Steps from a frame to the next.",
    "morph_frames": "Frames of the morph to a new critic.",
}


def _config_options(command: Any) -> Any:
    return config_options(command, NOT_HERE, TOLD, of_preset=PRESET)


@click.command()
@click.argument("folder", metavar="[RECORDING]", type=GIVEN_RECORDING, required=False)
@click.option("--output", type=GIVEN_PATH, required=True,
              help="FILE.mp4, .webm, .gif or .png; several pictures are FILE-000001.png and so "
              "on.")  # fmt: skip
@click.option("--fps", help="Frames per second.  [default: 60; of a .gif 25]")
@click.option("--from", "start", help="First step, or a time such as 2.5s.  [default: the first]")
@click.option("--to", "stop", help="Last step, or a time.  [default: the last]")
@click.option("--rate", help="Steps per second of the video: realtime, or such as 20/s.  [default: "
              "--speed steps a frame]")  # fmt: skip
@click.option("--look", help="A look, as --shaders takes it.")
@click.option("--lossless", is_flag=True, help="Keep every pixel of a video as it is.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@_config_options
@click.pass_context
def render(
    context: click.Context,
    folder: Path | None,
    output: Path,
    fps: str | None,
    start: str | None,
    stop: str | None,
    rate: str | None,
    look: str | None,
    lossless: bool,
    overwrite: bool,
    **changes: Any,
) -> None:
    """Write a video of a RECORDING, a folder *.calf or, without one, of a simulation."""
    from calf_viz.viewer.camera_moves import read_camera
    from calf_viz.viewer.film import Asked, read_fps
    from calf_viz.viewer.rendering import Rendering

    _check(context, folder)
    suffix = check_suffix(output)
    move = read_camera(changes.pop("camera") or "home")
    if look is not None:
        overlay_path(Path(look), "--look")  # raises under its own name
        changes["shaders"] = Path(look)
    per_second = usual_fps(output) if fps is None else read_fps(fps)
    asked = Asked(start, stop, changes.get("frames"), rate, per_second)
    usual = 1 if suffix == ".png" else None
    single = usual is not None and stop is None and changes.get("frames") in (None, 1)
    given = {name: value for name, value in changes.items() if value not in (None, ())}
    usual_samples = {} if single else {"supersample": 1}
    changes = {**usual_samples, **move.settings, **given, "headless": True}
    config = changed_preset(context, changes, screenshot=False)
    with ended_as_by_ctrl_c(), _opened(folder) as recording:
        rendering = Rendering(recording, config, asked, move, usual)
        reel = Reel(output, config.size, rendering.film.frames, per_second, lossless, overwrite)
        inputs = [path for path in (config.checkpoint, *move.inputs) if path is not None]
        if not _write(rendering, reel, inputs):
            context.exit(1)


def _check(context: click.Context, folder: Path | None) -> None:
    """Raise UserError for options that have no effect beside the others."""
    given = typed(context)
    if folder is not None:
        used = ["speed"] if context.params["system"] in systems.own() else ["speed", "system"]
        for name in given:
            if name in OF_A_SIMULATION and name not in used:
                raise UserError(
                    f"{option_name(name)} has no effect on a recording, which shows what was: "
                    "leave it out"
                )
    for one, other in (("rate", "speed"), ("look", "shaders")):
        if one in given and other in given:
            raise UserError(f"--{one} and --{other} say the same: leave one out")


@contextmanager
def _opened(folder: Path | None) -> Iterator[Recording | None]:
    if folder is None:
        yield None
        return
    from calf_viz.recording.recording import Recording

    with closing(Recording(folder)) as recording:
        yield recording


def _write(rendering: Rendering, reel: Reel, inputs: Iterable[Path]) -> bool:
    """Write it; returns whether all of it could be drawn. If not, the reason was reported."""
    output = Behind(open_output(reel, inputs))
    done = 0
    try:
        with rendering:
            for picture in tracked(
                rendering.pictures(), reel.path.name, reel.frames, shown=on_terminal()
            ):
                output.write(picture)
                done += 1
        paths = output.finish()
    except BaseException as error:
        kept = output.give_up()
        left = "" if kept is None else f"{done} of {reel.frames} frames are in {shown(kept)}"
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise UserError(
                f"cannot write {shown(reel.path)}: {shown(reason)}; make room or choose another "
                f"place{left and ': '}{left}"
            ) from error
        if left:
            log.warning("%s", left)
        if isinstance(error, UserError) and "app" in vars(rendering) and rendering.app.failure:
            return False
        raise
    _say(reel, paths)
    return True


def _say(reel: Reel, paths: list[Path]) -> None:
    if reel.suffix == ".png":
        say(paths[0] if len(paths) == 1 else f"{len(paths):,} pictures, {paths[0]} to {paths[-1]}")
        return
    width, height = reel.size
    said = f"{reel.frames:,} frames of {width} x {height}, {float(reel.fps):g} per second"
    say(f"{said}, {reel.seconds:.2f} s, in {paths[0]}")
