"""Compilers' messages in terms of the user's own files and lines, with a remedy where known.

Compilers count the lines of the expanded text; `Source.origin` maps them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from calf_viz.glsl.problems import MOST, Problem
from calf_viz.glsl.source import Source, is_define

# How compilers give a position:
#   Mesa      0:12(5): error: ...                 under Panda  created-shader:12(5): error: ...
#             0:12(5): preprocessor error: ...
#   NVIDIA    0(12) : error C1008: ...            under Panda  created-shader(12) : error C1008: ...
#   others    ERROR: 0:12: ...                    under Panda  ERROR: created-shader:12: ...
#   AMD       ERROR: 0:12: error(#143) ...
# and without one, when a text ends too early or linking fails:
#   Mesa      0:0(0): error: ...                  error: ...
#   NVIDIA    (0) : error C0000: ...              error: ...
#   others    ERROR: 0:-1: ...                    ERROR: ...
#   AMD       ERROR: error(#273) ...              error(#280) ...
_PATTERNS = (
    re.compile(r"[\w./-]+:(?P<line>\d+)\(\d+\): (?:preprocessor )?(?P<level>\w+): (?P<text>.*)"),
    re.compile(r"[\w./-]*\((?P<line>\d+)\) : (?:fatal )?(?P<level>\w+) ?\w*: (?P<text>.*)"),
    re.compile(r"(?P<level>ERROR|WARNING): [\w./-]+:(?P<line>-?\d+): (?P<text>.*)"),
    re.compile(
        r"(?:fatal )?(?P<level>error|warning)(?P<line>)(?: C\d+)?(?::|(?=\(#))(?P<text>.*)", re.I
    ),
)
_NUMBERED = re.compile(r"(?:error|warning)\(#\d+\):? *")
_UNFINISHED = re.compile(
    r"(?<!expecting )(?:\$end\b|\bend of (?:file|input|source)|<eof>)|mature eof", re.IGNORECASE
)
"""A text that ends too early: some compilers then give no line, others one after the last."""
_FOLLOWS = re.compile(r"\d+ compilation errors?\b|compilation terminated|No code generated")
"""Summaries that follow the errors."""
_MISSING = re.compile(r"\bfunction\b|\bundefined\b|\bundeclared\b|\bcall\b", re.IGNORECASE)
# Which shader the following lines are about: Panda's log and moderngl's, NVIDIA's and AMD's.
_SECTION = re.compile(
    r"GLSL (vertex|fragment) shader|^(vertex|fragment)(?:_shader$| info$| shader failed to)",
    re.IGNORECASE,
)
_LINKING = re.compile(r"\blinking GLSL|^GLSL Linker failed")
_STAGE = re.compile(r"\b(vertex|fragment) (?:shader|stage|program)\b", re.IGNORECASE)
# Prefix of lines in Panda's own log.
_CHANNEL = re.compile(r"^:[\w:]+\(\w+\): ")
_QUOTED = re.compile(
    r"[`'\"]([A-Za-z_]\w*)(?:\([^`'\"]*\))?['\"]"
    r"|\bmacro (\w+)|\bcall to (\w+)|\b(gl_\w+)|: ([A-Za-z_]\w*)$"
)
_TWICE = re.compile(r"redefin|redeclar|already|conflicts with previous|overload", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\bat [\w./-]*\((\d+)\)")
_MACRO = re.compile(r"\s*+#\s*+define\s++(\w++)")
_LONGEST_LINE = 2000
"""Characters read of each line of a log."""


def explain(log: str, vertex: Source, fragment: Source) -> tuple[Problem, ...]:
    """The errors in a compiler's log, at least one; one per line, as others follow from it."""
    found: dict[tuple[Path, int | None], Problem] = {}
    reported: set[tuple[Path, int]] = set()
    stages = {"vertex": vertex, "fragment": fragment}
    stage: str | None = None
    spoken: list[Problem] = []
    for text in (line[:_LONGEST_LINE].rstrip() for line in log.split("\n")):
        section = _SECTION.search(text)
        if section:
            stage = next(filter(None, section.groups())).lower()
            continue
        if _LINKING.search(text):
            stage = None
        said = _read(text)
        if said is None or said.level != "error":
            continue
        of = next(filter(None, [stage, *_STAGE.findall(said.text)]), "fragment").lower()
        source, other = stages[of], stages["vertex" if of == "fragment" else "fragment"]
        line = said.line
        if _UNFINISHED.search(said.text):
            line = _last_line(source)
        if line is None:
            problem = _without_line([source, other], said.text)
            if _FOLLOWS.search(said.text) or not said.certain:
                spoken.append(problem)
            else:
                found.setdefault((problem.path, problem.line), problem)
        elif source.origin(line) not in reported:
            reported.add(source.origin(line))
            message = _in_files(source, said.text.removesuffix("; candidates are:"))
            problem = _problem(source, min(line, len(source.origins)), message)
            found.setdefault((problem.path, problem.line), problem)
        if len(found) >= MOST:
            break
    own = vertex.own | fragment.own
    mine = tuple(p for p in found.values() if p.path in own or is_define(p.path))
    if found:  # errors in shipped files follow from those in the user's
        return mine or tuple(found.values())
    return (spoken[0] if spoken else _without_line([fragment, vertex], "does not compile"),)


class _Message(NamedTuple):
    """A message in a log: line of the text or None; level in lower case; message; whether its form
    identifies it as one."""

    line: int | None
    level: str
    text: str
    certain: bool = True


def _read(text: str) -> _Message | None:
    """The message in a line of a log, None if it is not one."""
    for pattern in _PATTERNS:
        match = pattern.match(text)
        if match:
            line = int(match["line"] or 0)
            message = _NUMBERED.sub("", match["text"].strip())
            return _Message(line if line > 0 else None, match["level"].lower(), message)
    if "error" in text.lower() and not text.startswith(":display:"):
        return _Message(None, "error", _CHANNEL.sub("", text).strip(), False)
    return None


def _last_line(source: Source) -> int:
    """Number of the last line that has code."""
    return next((n for n in range(len(source.origins), 0, -1) if source.code[n - 1].strip()), 1)


def _in_files(source: Source, message: str) -> str:
    """A message in which NVIDIA's line numbers of the expanded text become the files' lines."""

    def mapped(match: re.Match[str]) -> str:
        path, line = source.origin(int(match[1]))
        return f"at {path.name}:{line}"

    return _ELSEWHERE.sub(mapped, message)


def _without_line(sources: list[Source], message: str) -> Problem:
    """Linkers, and some compilers, name no line: report their message where the overlay has one of
    the names that it quotes."""
    for name in _names(message):
        for source in sources:
            line = next(_lines_with(source, name), None)
            if line is not None:
                return source.problem(line, message)
    own = (path for source in sources for path, _ in source.origins if source.is_overlays(path))
    return Problem(next(own, sources[-1].origins[0][0]), None, message)


def _problem(source: Source, line: int, message: str) -> Problem:
    """Shipped files compile: an error in one is due to a --define, or to a file of the overlay that
    lacks a function, defines one or a macro of a name used there, or ends unfinished before it."""
    path, number = source.origin(line)
    twice = _defined_twice(source, line, message)
    if twice is not None:
        return twice
    if not source.is_overlays(path):
        called = set(_names(message)) if _MISSING.search(message) else set()
        for mine in source.own:
            if mine.stem in called:
                return Problem(mine, None, f"defines no {mine.stem} as it is called: {message}")
        for name, at in _macros(source).items():
            if re.search(rf"\b{name}\b", source.code[line - 1]):
                said = f"{name} is also in {path.name}:{number}: {message}; choose another name"
                return source.problem(at, said)
        for index in range(min(line, len(source.origins)) - 1, -1, -1):
            mine, _ = source.origins[index]
            if source.is_overlays(mine):
                said = f"what follows does not compile ({path.name}:{number}: {message})"
                return source.problem(index + 1, said)
    foreign = next((c for c in source.code[line - 1 : line] for c in c if not c.isascii()), None)
    if foreign is not None:
        message += f"; {foreign} is not ASCII: outside comments GLSL allows nothing else"
    return source.problem(line, message)


def _defined_twice(source: Source, line: int, message: str) -> Problem | None:
    """The problem, with a remedy, if a message is about a name that two files define."""
    name = next(_names(message), None) if _TWICE.search(message) else None
    if name is None:
        return None
    path, _ = source.origin(line)
    first = next((n for n in _lines_defining(source, name) if source.origin(n)[0] != path), None)
    if first is None or first > line:
        return None
    other, at = source.origin(first)
    if is_define(other):
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


def _macros(source: Source) -> dict[str, int]:
    """Lines of the macros of the overlay and of --define, by name."""
    found: dict[str, int] = {}
    for number, code in enumerate(source.code, 1):
        path, _ = source.origin(number)
        macro = _MACRO.match(code)
        if macro and (source.is_overlays(path) or is_define(path)):
            found.setdefault(macro[1], number)
    return found


def _names(message: str) -> Iterator[str]:
    """Names that a message quotes."""
    for match in _QUOTED.finditer(message):
        yield next(filter(None, match.groups()))


def _lines_with(source: Source, name: str) -> Iterator[int]:
    """Lines of the overlay, from 1, whose code contains a name."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    for number, code in enumerate(source.code, 1):
        if source.is_overlays(source.origin(number)[0]) and word.search(code):
            yield number


def _lines_defining(source: Source, name: str) -> Iterator[int]:
    """Lines, from 1, that seem to define a name: as a macro, or after a type."""
    defines = re.compile(rf"(?:^\s*#\s*define|\b(?!return\b)\w+(?:\s*\[[^\]]*\])?)\s+{name}\b")
    for number, code in enumerate(source.code, 1):
        if name in code and defines.search(code):
            yield number
