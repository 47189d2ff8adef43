"""glslangValidator, the GLSL reference compiler, which reports what some drivers accept and others
refuse. It is optional; Debian has it in glslang-tools.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from calf_viz.glsl.compiler_log import explain
from calf_viz.glsl.problems import Problem
from calf_viz.glsl.programs import ProgramSource

NAME = "glslangValidator"
LIMIT = 20.0
"""Seconds for a program; the shipped ones take some 0.02."""
_FILES = ("program.vert", "program.frag")
_STAGES = dict(zip(_FILES, ("vertex_shader", "fragment_shader"), strict=True))


class Linked(NamedTuple):
    """The result for a program: whether it links, and the compiler's log. `ended` says how the
    compiler ended if it failed itself; else it is empty."""

    good: bool
    log: str
    ended: str = ""


def reference_compiler() -> str | None:
    """Its path, if it is on PATH."""
    return shutil.which(NAME)


def link(compiler: str, texts: Iterable[tuple[str, str]]) -> Iterator[Linked]:
    """Link each program's vertex and fragment shader, in order, on all cores."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        yield from pool.map(lambda pair: _link(compiler, pair), texts)


def _link(compiler: str, texts: tuple[str, str]) -> Linked:
    with tempfile.TemporaryDirectory(prefix="calf_viz-") as folder:
        for name, text in zip(_FILES, texts, strict=True):
            Path(folder, name).write_text(text, encoding="utf-8")
        try:
            done = subprocess.run(
                [compiler, "-l", *_FILES],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Linked(False, "", f"{NAME} did not end within {LIMIT:.0f} s")
        except OSError as error:
            return Linked(False, "", f"{NAME} does not run: {error.strerror}")
    ended = f"{NAME} was ended by signal {-done.returncode}" if done.returncode < 0 else ""
    return Linked(done.returncode == 0, done.stdout, ended)


def problems(program: ProgramSource, linked: Linked) -> tuple[Problem, ...]:
    """A program's problems, located in the user's files and lines; none if it links."""
    if linked.good:
        return ()
    if linked.ended:
        return (Problem(program.fragment.origins[0][0], None, linked.ended),)
    log = "\n".join(_STAGES.get(line.strip(), line) for line in linked.log.splitlines())
    return explain(log, program.vertex, program.fragment)
