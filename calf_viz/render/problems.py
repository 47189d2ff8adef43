"""What is wrong with shaders, told in the user's own files and lines.

Compilers count the lines of the expanded text; `Source.origin` turns them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from calf_viz.errors import UserError

if TYPE_CHECKING:
    from calf_viz.render.sources import Source


@dataclass(frozen=True)
class Problem:
    """One message; `line` from 1, `code` the offending line, None and empty where unknown."""

    path: Path
    line: int | None
    text: str
    code: str = ""

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.text}"


class ShaderError(UserError):
    """Shaders that cannot be used; the message is that of the first of `problems`.

    log: what a compiler said, where the problems were read from that.
    """

    def __init__(self, problems: Iterable[Problem], log: str = "") -> None:
        self.problems, self.log = tuple(problems), log
        super().__init__(str(self.problems[0]))


# Where a compiler says that it is:
#   Mesa      0:12(5): error: ...                 under Panda  created-shader:12(5): error: ...
#             0:12(5): preprocessor error: ...
#   NVIDIA    0(12) : error C1008: ...            under Panda  created-shader(12) : error C1008: ...
#   others    ERROR: 0:12: ...                    under Panda  ERROR: created-shader:12: ...
_MESA = re.compile(r"^[\w./-]+:(\d+)\(\d+\): (?:preprocessor )?(\w+): (.*)")
_NVIDIA = re.compile(r"^[\w./-]+\((\d+)\) : (?:fatal )?(\w+) ?\w*: (.*)")
_OTHER = re.compile(r"^(ERROR|WARNING): [\w./-]+:(\d+): (.*)")
# A function that is missing, or has other parameters.
_CALLED = re.compile(r"\bfunction\b[^`'\"]*[`'\"](\w+)")
# Which shader the lines that follow are about: Panda's log, and moderngl's.
_STAGE = re.compile(r"GLSL (vertex|fragment) shader|^(vertex|fragment)_shader$")


def explain(log: str, vertex: Source, fragment: Source) -> tuple[Problem, ...]:
    """The errors in a compiler's log, at least one; one for each line, as others follow from it."""
    found: dict[tuple[Path, int | None], Problem] = {}
    told: set[tuple[Path, int]] = set()
    source, spoken = vertex, []
    for text in log.splitlines():
        stage = _STAGE.search(text)
        if stage:
            source = fragment if "fragment" in stage.groups() else vertex
            continue
        line, level, message = _read(text)
        if line is None:
            if "error" in text.lower() and not text.startswith(":display:"):
                spoken.append(text.strip())
        elif level == "error" and source.origin(line) not in told:
            told.add(source.origin(line))
            problem = _problem(source, line, message.removesuffix("; candidates are:"))
            found.setdefault((problem.path, problem.line), problem)
    if found:
        return tuple(found.values())
    return (Problem(source.origins[0][0], None, spoken[0] if spoken else "does not compile"),)


def _problem(source: Source, line: int, message: str) -> Problem:
    """Shipped files compile: what a compiler finds in one is due to the overlay's file that lacks a
    function, or that ends unfinished before it."""
    path, number = source.origin(line)
    if not source.is_overlays(path):
        called = _CALLED.search(message)
        for mine, _ in source.origins:
            if called and mine.stem == called[1] and source.is_overlays(mine):
                return Problem(mine, None, f"defines no {called[1]} as it is called: {message}")
        for index in range(min(line, len(source.origins)) - 1, -1, -1):
            mine, last = source.origins[index]
            if source.is_overlays(mine):
                said = f"what follows does not compile ({path.name}:{number}: {message})"
                return Problem(mine, last, said, source.line(index + 1))
    return Problem(path, number, message, source.line(line))


def _read(text: str) -> tuple[int | None, str, str]:
    """(line, level in lower case, message) of a line of a log; line is None where it has none."""
    for pattern in (_MESA, _NVIDIA):
        match = pattern.match(text)
        if match:
            return int(match[1]), match[2].lower(), match[3].strip()
    match = _OTHER.match(text)
    if match:
        return int(match[2]), match[1].lower(), match[3].strip()
    return None, "", text
