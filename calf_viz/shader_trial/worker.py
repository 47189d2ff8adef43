"""The child of a trial: compiles a program, draws with it, and reports the outcome.

    python -m calf_viz.shader_trial.worker DESIGN

stdin   {"name": program, "vertex": text, "fragment": text, "draw": bool}    one per line
stdout  {"ready": renderer}, or {"unfit": why} and exit; then an answer to each line:
        {}                 it was drawn, or only compiled, as requested
        {"log": text}      the compiler refused it
        {"error": text}    it compiles, but cannot be drawn with
        {"slow": seconds}  time that a frame of a typical picture would take

A driver that crashes takes this process with it; one that hangs is killed from outside.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from calf_viz.errors import UserError
from calf_viz.glsl.controls import Control, Value
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.programs import ProgramSource, read_controls
from calf_viz.glsl.source import Source
from calf_viz.hosts.base import Host
from calf_viz.scene.scene import MARKER_RADII
from calf_viz.shader_trial import PATIENCE, SLOWER, SLOWEST_FRAME
from calf_viz.shader_trial.subject import PIXELS, VERTICES, open_host

MEMORY = 2**31
"""Bytes that compiling and drawing may take beyond what the host has at its start."""
NOWHERE = (0.0, 0.0, 1e4)
"""A camera target from which nothing of the scene is visible."""
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl


def examine(host: Host, request: dict[str, Any], allowed: float) -> dict[str, Any]:
    """The answer to a request. allowed: seconds that a frame of a typical picture may take."""
    source = _source(request)
    programs = host.programs
    if not request["draw"] or source.name not in programs.sources:
        try:
            programs.compiler(source)
        except ShaderError as error:
            return {"log": error.log}
        return {}
    try:
        host.adopt({source.name: source})
    except ShaderError as error:
        return {"log": error.log}
    try:
        seconds = _draw(host, allowed)
    except Exception as error:  # bindings raise anything
        return {"error": str(error)}
    finally:
        host.revert()
    return {"slow": seconds} if seconds > allowed else {}


def _source(request: dict[str, Any]) -> ProgramSource:
    vertex, fragment = (_shader(stage, request[stage]) for stage in ("vertex", "fragment"))
    controls, _ = read_controls(request["name"], (vertex, fragment))
    return ProgramSource(request["name"], vertex, fragment, controls)


def _shader(stage: str, text: str) -> Source:
    lines = text.split("\n")
    return Source(text, tuple((Path(stage), i + 1) for i in range(len(lines))), tuple(lines))


def _draw(host: Host, allowed: float) -> float:
    """Draw frames with both markers, and with controls at both ends. Returns the seconds that a
    frame of a typical picture would take; 0 if well below what is allowed."""
    scene, values = host.scene, host.controls
    for marker in sorted(MARKER_RADII):
        scene.marker = marker
        taken = _frame(host)
    if taken * max(PIXELS, VERTICES) > allowed:
        usual = usual_frame(host)
        if usual > allowed:
            return usual
    if values.controls:
        for end in (0, 1):
            for name, control in values.controls.items():
                values.set(name, _ends(control)[end])
            _frame(host)
    return 0.0


def usual_frame(host: Host) -> float:
    """Seconds that a frame of a typical picture would take, with more vertices and pixels."""
    camera = host.scene.camera
    taken = min(_frame(host) for _ in range(2))  # the first may include pending work
    centre, camera.target = camera.target, NOWHERE
    unseen = min(_frame(host), taken)
    camera.target = centre
    return unseen * VERTICES + (taken - unseen) * PIXELS


def _frame(host: Host) -> float:
    """Draw a frame; returns the seconds that it took."""
    start, work = time.perf_counter(), time.process_time()
    host.draw()
    host.screenshot()
    taken, work = time.perf_counter() - start, time.process_time() - work
    return min(taken, work) if host.software else taken  # less affected by a busy machine


def _ends(control: Control) -> tuple[Value, Value]:
    if control.kind == "color":
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if control.kind == "choice":
        return 0, len(control.words) - 1
    if control.type == "float":
        return control.low, control.high
    return round(control.low), round(control.high)


def _bound(software: bool) -> None:
    """Limit the memory, and write no core file."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # On a GPU only writable memory: its driver reserves any amount of address space.
        kinds = {"VmData": resource.RLIMIT_DATA, "VmSize": resource.RLIMIT_AS}
        for line in Path("/proc/self/status").read_text().splitlines():
            name, _, held = line.partition(":")
            if name in kinds and (software or name == "VmData"):
                limit = 1024 * int(held.split()[0]) + MEMORY
                resource.setrlimit(kinds[name], (limit, limit))
    except (ImportError, OSError, ValueError):
        return  # not supported on this system


def _follow_parent() -> None:
    """Die with the parent, even in the middle of a compilation."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def _alarm(seconds: float) -> None:
    """Make this process end after some seconds; 0 cancels that."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def serve(design: str, requests: IO[str], answers: IO[str]) -> None:
    """Answer requests until there are no more."""

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        host = open_host(design)
        _frame(host)
        allowed = max(SLOWEST_FRAME, SLOWER * usual_frame(host))
    except UserError as error:
        say({"unfit": str(error)})
        return
    _bound(host.software)
    say({"ready": host.renderer})
    for line in requests:
        _alarm(2.0 * PATIENCE)
        answer = examine(host, json.loads(line), allowed)
        _alarm(0.0)
        say(answer)


def main() -> None:
    _follow_parent()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # for drivers that print
    serve(sys.argv[1], sys.stdin, answers)


if __name__ == "__main__":
    main()
