"""What compilers say, told in the user's own files and lines, with what to do where that is known.

Compilers count the lines of the expanded text; `Source.origin` turns them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from calf_viz.glsl.problems import MOST, Problem
from calf_viz.glsl.source import Source, is_define

# Where a compiler says that it is:
#   Mesa      0:12(5): error: ...                 under Panda  created-shader:12(5): error: ...
#             0:12(5): preprocessor error: ...
#   NVIDIA    0(12) : error C1008: ...            under Panda  created-shader(12) : error C1008: ...
#   others    ERROR: 0:12: ...                    under Panda  ERROR: created-shader:12: ...
#   AMD       ERROR: 0:12: error(#143) ...
# and where it does not know, of a text that ends too early or when it links:
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
"""A text that ends too early: some compilers give no line then, others one behind the last."""
_FOLLOWS = re.compile(r"\d+ compilation errors?\b|compilation terminated|No code generated")
"""What is said of errors, behind them."""
_MISSING = re.compile(r"\bfunction\b|\bundefined\b|\bundeclared\b|\bcall\b", re.IGNORECASE)
# Which shader the lines that follow are about: Panda's log and moderngl's, NVIDIA's and AMD's.
_SECTION = re.compile(
    r"GLSL (vertex|fragment) shader|^(vertex|fragment)(?:_shader$| info$| shader failed to)",
    re.IGNORECASE,
)
_LINKING = re.compile(r"\blinking GLSL|^GLSL Linker failed")
_STAGE = re.compile(r"\b(vertex|fragment) (?:shader|stage|program)\b", re.IGNORECASE)
# What Panda's own log begins its lines with.
_CHANNEL = re.compile(r"^:[\w:]+\(\w+\): ")
_QUOTED = re.compile(
    r"[`'\"]([A-Za-z_]\w*)(?:\([^`'\"]*\))?['\"]"
    r"|\bmacro (\w+)|\bcall to (\w+)|\b(gl_\w+)|: ([A-Za-z_]\w*)$"
)
_TWICE = re.compile(r"redefin|redeclar|already|conflicts with previous|overload", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\bat [\w./-]*\((\d+)\)")
_MACRO = re.compile(r"\s*+#\s*+define\s++(\w++)")
_LONGEST_LINE = 2000
"""Characters of a line of a log that are read."""


def explain(log: str, vertex: Source, fragment: Source) -> tuple[Problem, ...]:
    """The errors in a compiler's log, at least one; one for each line, as others follow from it."""
    found: dict[tuple[Path, int | None], Problem] = {}
    told: set[tuple[Path, int]] = set()
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
        elif source.origin(line) not in told:
            told.add(source.origin(line))
            message = _in_files(source, said.text.removesuffix("; candidates are:"))
            problem = _problem(source, min(line, len(source.origins)), message)
            found.setdefault((problem.path, problem.line), problem)
        if len(found) >= MOST:
            break
    own = vertex.own | fragment.own
    mine = tuple(p for p in found.values() if p.path in own or is_define(p.path))
    if found:  # what else is wrong with shipped files follows from what is with the user's
        return mine or tuple(found.values())
    return (spoken[0] if spoken else _without_line([fragment, vertex], "does not compile"),)


class _Said(NamedTuple):
    """A line of a log: its line of the text, None where it has none; level in lower case; message;
    whether that is known from its form."""

    line: int | None
    level: str
    text: str
    certain: bool = True


def _read(text: str) -> _Said | None:
    """What a line of a log says, None for no message."""
    for pattern in _PATTERNS:
        match = pattern.match(text)
        if match:
            line = int(match["line"] or 0)
            message = _NUMBERED.sub("", match["text"].strip())
            return _Said(line if line > 0 else None, match["level"].lower(), message)
    if "error" in text.lower() and not text.startswith(":display:"):
        return _Said(None, "error", _CHANNEL.sub("", text).strip(), False)
    return None


def _last_line(source: Source) -> int:
    """Number of the last line that has code."""
    return next((n for n in range(len(source.origins), 0, -1) if source.code[n - 1].strip()), 1)


def _in_files(source: Source, message: str) -> str:
    """A message with the files' lines for those of the whole that NVIDIA names in it."""

    def told(match: re.Match[str]) -> str:
        path, line = source.origin(int(match[1]))
        return f"at {path.name}:{line}"

    return _ELSEWHERE.sub(told, message)


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
    function, has one of the same name or a macro that is used there, or ends unfinished before it,
    or to a --define."""
    path, number = source.origin(line)
    twice = _told_twice(source, line, message)
    if twice is not None:
        return twice
    if not source.is_overlays(path):
        called = set(_names(message)) if _MISSING.search(message) else set()
        for mine in source.own:
            if mine.stem in called:
                return Problem(mine, None, f"defines no {mine.stem} as it is called: {message}")
        for name, at in _macros(source).items():
            if re.search(rf"\b{name}\b", source.code[line - 1]):
                said = f"{name} stands in {path.name}:{number}, too: {message}; choose another name"
                return source.problem(at, said)
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
    """Lines of the overlay's macros, and of those that --define brings, by name."""
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
