"""Opens what writes a reel, by its file's suffix."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from calf_viz.errors import UserError
from calf_viz.files import check_absent, check_writable, not_over
from calf_viz.video.encoded import Encoded
from calf_viz.video.gif import Gif
from calf_viz.video.reel import MOST_GIF_FPS, Output, Reel, check_suffix
from calf_viz.video.stills import Stills


def open_output(reel: Reel, inputs: Iterable[Path] = ()) -> Output:
    """What writes that. inputs: files that are read, and must not be replaced.

    Raises UserError: it cannot be written like this, or there, or what writes it is missing.
    """
    suffix, path = check_suffix(reel.path), reel.path
    if suffix in (".gif", ".png") and reel.lossless:
        kept = "is lossless anyway" if suffix == ".png" else "has 256 colours a frame"
        raise UserError(f"`lossless`: {suffix} {kept}: leave it out, or give .mp4 or .webm")
    if suffix == ".gif" and reel.fps > MOST_GIF_FPS:
        raise UserError(
            f"`fps` {float(reel.fps):g}: viewers show a GIF with {MOST_GIF_FPS} frames per second "
            "at most: give less, or .mp4"
        )
    several = suffix == ".png" and reel.frames > 1
    not_over(path, inputs)
    if not several:
        check_writable(path)
        check_absent(path, reel.overwrite)
    if suffix == ".png":
        return Stills(reel)
    return Gif(reel) if suffix == ".gif" else Encoded(reel)
