"""What compilers say, told in the user's own files and lines, with what to do where that is known.

Compilers count the lines of the expanded text; `Source.origin` turns them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from calf_viz.render.problems import MOST, Problem
from calf_viz.render.sources import Source

# Where a compiler says that it is:
#   Mesa      0:12(5): error: ...                 under Panda  created-shader:12(5): error: ...
#             0:12(5): preprocessor error: ...
#   NVIDIA    0(12) : error C1008: ...            under Panda  created-shader(12) : error C1008: ...
#   others    ERROR: 0:12: ...                    under Panda  ERROR: created-shader:12: ...
_MESA = re.compile(r"[\w./-]+:(\d+)\(\d+\): (?:preprocessor )?(\w+): (.*)")
_NVIDIA = re.compile(r"[\w./-]+\((\d+)\) : (?:fatal )?(\w+) ?\w*: (.*)")
_OTHER = re.compile(r"(ERROR|WARNING): [\w./-]+:(\d+): (.*)")
# A function that is missing, or has other parameters.
_CALLED = re.compile(r"\bfunction\b[^`'\"]*[`'\"](\w+)")
# Which shader the lines that follow are about: Panda's log, and moderngl's.
_STAGE = re.compile(r"GLSL (vertex|fragment) shader|^(vertex|fragment)_shader$")
# What Panda's own log begins its lines with.
_CHANNEL = re.compile(r"^:[\w:]+\(\w+\): ")
_QUOTED = re.compile(r"[`'\"]([A-Za-z_]\w*)(?:\([^`'\"]*\))?['\"]|\bmacro (\w+)")
_TWICE = re.compile(r"redefin|redeclar|already|conflicts with previous|overload", re.IGNORECASE)
_LONGEST_LINE = 2000
"""Characters of a line of a log that are read."""


def explain(log: str, vertex: Source, fragment: Source) -> tuple[Problem, ...]:
    """The errors in a compiler's log, at least one; one for each line, as others follow from it."""
    found: dict[tuple[Path, int | None], Problem] = {}
    told: set[tuple[Path, int]] = set()
    source, spoken = vertex, []
    for text in (line[:_LONGEST_LINE] for line in log.split("\n")):
        stage = _STAGE.search(text)
        if stage:
            source = fragment if "fragment" in stage.groups() else vertex
            continue
        line, level, message = _read(text)
        if line == 0 and level == "error":  # of the whole shader
            problem = _without_line([source], message)
            found.setdefault((problem.path, problem.line), problem)
        elif line is None:
            if "error" in text.lower() and not text.startswith(":display:"):
                spoken.append(_CHANNEL.sub("", text).strip().removeprefix("error: "))
        elif level == "error" and source.origin(line) not in told:
            told.add(source.origin(line))
            problem = _problem(source, line, message.removesuffix("; candidates are:"))
            found.setdefault((problem.path, problem.line), problem)
        if len(found) >= MOST:
            break
    if found:
        return tuple(found.values())
    return (_without_line([fragment, vertex], spoken[0] if spoken else "does not compile"),)


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


def _without_line(sources: list[Source], message: str) -> Problem:
    """What linkers say, and some compilers of the whole, is of the names that they quote: it is
    told where the overlay has one of them."""
    for name in _names(message):
        for source in sources:
            line = next(_lines_with(source, name), None)
            if line is not None:
                return source.problem(line, message)
    own = (path for source in sources for path, _ in source.origins if source.is_overlays(path))
    return Problem(next(own, sources[-1].origins[0][0]), None, message)


def _problem(source: Source, line: int, message: str) -> Problem:
    """Shipped files compile: what a compiler finds in one is due to the overlay's file that lacks a
    function, has one of the same name, or ends unfinished before it."""
    path, number = source.origin(line)
    twice = _told_twice(source, line, message)
    if twice is not None:
        return twice
    if not source.is_overlays(path):
        called = _CALLED.search(message)
        for mine in source.own:
            if called and mine.stem == called[1]:
                return Problem(mine, None, f"defines no {called[1]} as it is called: {message}")
        for index in range(min(line, len(source.origins)) - 1, -1, -1):
            mine, _ = source.origins[index]
            if source.is_overlays(mine):
                said = f"what follows does not compile ({path.name}:{number}: {message})"
                return source.problem(index + 1, said)
    foreign = next((c for c in source.code[line - 1 : line] for c in c if not c.isascii()), None)
    if foreign is not None:
        message += f"; {foreign} is not ASCII: outside of comments GLSL knows nothing else"
    return source.problem(line, message)


def _told_twice(source: Source, line: int, message: str) -> Problem | None:
    """What is said of a name that two files define, with what to do; None for anything else."""
    name = next(_names(message), None) if _TWICE.search(message) else None
    if name is None:
        return None
    path, _ = source.origin(line)
    first = next((n for n in _lines_defining(source, name) if source.origin(n)[0] != path), None)
    if first is None or first > line:
        return None
    other, at = source.origin(first)
    if str(other).startswith("--define "):
        return source.problem(line, f"{message}: {other} has it, too; leave one of them out")
    if source.is_overlays(path) and source.is_overlays(other):
        return source.problem(
            line,
            f"{message}: {other.name}:{at} has it, too; put it in a file that both include, "
            "which is taken once",
        )
    if source.is_overlays(path):
        return source.problem(line, f"{message}: {other.name}:{at} has it; choose another name")
    if source.is_overlays(other):
        where = f"{path.name}:{source.origin(line)[1]}"
        return source.problem(first, f"{name} is defined in {where} as well; choose another name")
    return None


def _names(message: str) -> Iterator[str]:
    """Names that a message quotes."""
    for match in _QUOTED.finditer(message):
        yield match[1] or match[2]


def _lines_with(source: Source, name: str) -> Iterator[int]:
    """Lines of the overlay, from 1, that have a name in their code."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    for number, code in enumerate(source.code, 1):
        if source.is_overlays(source.origin(number)[0]) and word.search(code):
            yield number


def _lines_defining(source: Source, name: str) -> Iterator[int]:
    """Lines, from 1, that look like they define a name: behind a type, or a macro."""
    defines = re.compile(rf"(?:^\s*#\s*define|\b(?!return\b)\w+(?:\s*\[[^\]]*\])?)\s+{name}\b")
    for number, code in enumerate(source.code, 1):
        if name in code and defines.search(code):
            yield number
