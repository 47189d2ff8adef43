"""Counts a program's OpenGL calls in each frame, from a trace rather than by the program.

    python tools/count_gl.py [--frames 10] [--json FILE] [-- PROGRAM ARGS...]

Runs PROGRAM (by default `python -m calf_viz --headless --frames N`) under apitrace and prints, for
each frame: draws of the scene, draws of the pass that writes the ring and of the HUD (apart),
dispatches, copies between framebuffers, program changes, readbacks, waits for completion (the one
at a frame's end is made by PyOpenGL, which apitrace does not see), and the bytes uploaded into each
texture, buffer and into uniforms. Frames with the same counts share a line; the first frame
includes the set-up.

    upload --> samples --ring pass--> ring --+
                                             +--> scene --> picture  | end of the frame
                              heightfield ---+

Without a window there is no eglSwapBuffers in a trace. A frame then ends when the picture's
framebuffer, cleared and drawn into, is left or cleared again. The ring's framebuffer is identified
by its texture, which the scene's shader samples as `u_ring`, the HUD's draws by their samplers
`u_hud_...`; every other draw, into any framebuffer, counts as the scene's, so that none goes
unnoticed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from itertools import groupby
from pathlib import Path
from typing import Any

import click
from gl_trace import HUD, Event, Framebuffer, Tracer, parse
from rich.table import Table

from calf_viz.children import python_child
from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.console import say, tables
from calf_viz.errors import UserError, shown
from calf_viz.files import is_file, write_aside
from calf_viz.run_command import run_command

SETTLED = 2
"""Frames after which the set-up is complete."""


@dataclass
class Counts:
    """The calls of one frame. Uploads are bytes by texture, buffer or `uniforms`."""

    scene_draws: int = 0
    ring_draws: int = 0
    hud_draws: int = 0
    dispatches: int = 0
    copies: int = 0
    programs: int = 0
    readbacks: int = 0
    waits: int = 0
    uploads: dict[str, int] = field(default_factory=dict)

    @property
    def hud_bytes(self) -> int:
        """Bytes uploaded into textures that only the HUD reads."""
        return sum(size for name, size in self.uploads.items() if name.startswith(HUD))

    @property
    def upload_bytes(self) -> int:
        """Bytes uploaded into textures and buffers, without uniforms."""
        return sum(size for name, size in self.uploads.items() if name != "uniforms")


def count(events: list[Event]) -> Counts:
    """The counts of the events of one frame."""
    kinds = Counter(event.kind for event in events)
    ring = sum(event.kind == "draw" and event.framebuffer.is_ring for event in events)
    hud = sum(event.kind == "draw" and event.is_hud for event in events)
    uploads: Counter[str] = Counter()
    for event in events:
        if event.kind == "upload":
            uploads[str(event.target)] += event.bytes
    return Counts(
        kinds["draw"] - ring - hud, ring, hud, kinds["dispatch"], kinds["copy"],
        kinds["program"], kinds["readback"], kinds["wait"], dict(sorted(uploads.items())),
    )  # fmt: skip


@dataclass
class Report:
    """Counts of each frame, and of the calls after the last one (such as reading the picture)."""

    frames: list[Counts]
    afterwards: Counts

    @property
    def steady(self) -> Counts:
        """The most of each in any frame after the set-up.

        Raises UserError if the trace is too short.
        """
        frames = self.frames[SETTLED:]
        if not frames:
            raise UserError(f"{len(self.frames)} frames are too few: trace more than {SETTLED}")
        names = [f.name for f in fields(Counts) if f.name != "uploads"]
        most = {name: max(getattr(frame, name) for frame in frames) for name in names}
        targets = sorted({target for frame in frames for target in frame.uploads})
        uploads = {t: max(frame.uploads.get(t, 0) for frame in frames) for t in targets}
        return Counts(**most, uploads=uploads)


def picture(events: list[Event]) -> Framebuffer | None:
    """The framebuffer that frames end with: of those cleared and drawn into most often, the last
    one; a picture that is saved has others."""
    cleared: set[Framebuffer] = set()
    times: dict[Framebuffer, int] = {}
    for event in events:
        if event.kind == "clear":
            cleared.add(event.framebuffer)
        elif event.kind == "draw" and event.framebuffer in cleared:
            cleared.discard(event.framebuffer)
            if not event.framebuffer.is_ring:
                times[event.framebuffer] = times.pop(event.framebuffer, 0) + 1
    return max(reversed(times), key=times.__getitem__, default=None)


def split(events: list[Event]) -> tuple[list[list[Event]], list[Event]]:
    """The events of each frame, and those after the last."""
    swaps = any(event.kind == "swap" for event in events)
    target = picture(events)
    frames: list[list[Event]] = []
    now: list[Event] = []
    cleared = drawn = False
    for event in events:
        here = event.framebuffer is target
        left = here and event.kind in ("leave", "clear") and cleared and drawn
        if event.kind == "swap" or (left and not swaps):
            frames.append(now)
            now, cleared, drawn = [], False, False
        now.append(event)
        cleared |= here and event.kind == "clear"
        drawn |= here and event.kind == "draw" and cleared
    return frames, now


def report(lines: Iterable[str]) -> Report:
    """The counts from the lines of an `apitrace dump`. Raises UserError if it has no frames."""
    tracer = Tracer()
    for call in parse(lines):
        tracer.see(call)
    frames, rest = split(tracer.events)
    if not frames:
        raise UserError("the trace shows no frame: give a program that draws under EGL")
    return Report([count(frame) for frame in frames], count(rest))


def trace(program: list[str], environment: Mapping[str, str] | None = None) -> Report:
    """Run a program under apitrace and count; `environment` in place of this process's.

    Raises:
        UserError: apitrace is missing, the program failed, or it drew nothing.
    """
    apitrace = shutil.which("apitrace")
    if apitrace is None:
        raise UserError("apitrace is missing: install the package apitrace (Debian, Ubuntu)")
    with tempfile.TemporaryDirectory(prefix="count_gl") as folder:
        file = Path(folder) / "program.trace"
        command = [apitrace, "trace", "--api=egl", "-o", str(file), *program]
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, env=environment
        )
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if not line.startswith("apitrace:")]
            last = said[-1].strip() if said else "no message"
            raise UserError(
                f"{shown(program[0])} ended with {done.returncode} under apitrace: {last}"
            )
        if not is_file(file):
            raise UserError(f"{shown(program[0])} used no OpenGL through EGL: nothing to count")
        dump = [apitrace, "dump", "--color=never", str(file)]
        with subprocess.Popen(dump, stdout=subprocess.PIPE, text=True, errors="replace") as process:
            assert process.stdout is not None
            return report(process.stdout)


def show(counts: Report) -> None:
    """Print a line for each run of frames with the same counts."""
    table = Table(title=f"{len(counts.frames)} frames")
    heads = (
        "scene\ndraws",
        "ring\ndraws",
        "HUD\ndraws",
        "dispatches",
        "copies",
        "programs",
        "readbacks",
        "waits",
    )
    table.add_column("frame")
    for head in heads:
        table.add_column(head, justify="right")
    table.add_column("uploads [bytes]")
    first = 1
    for frame, same in groupby(counts.frames):
        last = first + len(list(same)) - 1
        table.add_row(str(first) if first == last else f"{first} - {last}", *_cells(frame))
        first = last + 1
    table.add_row("after", *_cells(counts.afterwards))
    tables(120).print(table)


def _cells(frame: Counts) -> list[str]:
    values: dict[str, Any] = asdict(frame)
    uploads = values.pop("uploads")
    return [*map(str, values.values()), "\n".join(f"{n}: {size}" for n, size in uploads.items())]


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--frames", default=10, show_default=True, type=click.IntRange(3),
              help="Frames of the default program.")  # fmt: skip
@click.option("--json", "output", type=GIVEN_PATH, help="Write the counts here.")
@click.argument("program", nargs=-1, type=click.UNPROCESSED)
def main(frames: int, output: Path | None, program: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory(prefix="count_gl") as pictures:
        default = ("--headless", "--frames", str(frames), "--output", pictures)
        command, environment = python_child("calf_viz", *default)
        counts = trace(list(program) or command, None if program else environment)
    show(counts)
    if output is not None:
        with write_aside(output) as part:
            part.write_text(json.dumps(asdict(counts), indent=1) + "\n", encoding="utf-8")
        say(f"wrote {output}")


if __name__ == "__main__":
    run_command(main, "count_gl", "count_gl: ")
