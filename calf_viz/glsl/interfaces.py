"""Checks a fragment shader's inputs against its vertex shader's outputs.

Drivers should compare the two when they link, but not all do: an input that is not written is
undefined, and shows as noise. Here it is reported at the line that reads it.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from calf_viz.glsl.preprocessor import PreprocessorError, expanded
from calf_viz.glsl.problems import Problem
from calf_viz.glsl.source import Source

DESKTOP = {"__VERSION__": "330", "GL_core_profile": "1"}
"""Macros that a compiler of `#version 330` defines."""

_QUALIFIERS = (
    "flat", "smooth", "noperspective", "centroid", "invariant", "const", "highp", "mediump", "lowp",
    "in", "out", "varying", "attribute",
)  # fmt: skip
_INTERPOLATION = ("flat", "noperspective")
_LAYOUT = re.compile(r"\blayout\s*\([^()]*\)")
_DIRECTIVE = re.compile(r"^[ \t]*#.*", re.MULTILINE)
_WORD = re.compile(r"\w+")
_NAME = re.compile(r"(\w+)\s*((?:\[[^\]]*\]\s*)*)")
_BUILT_IN = "gl_"


class Variable(NamedTuple):
    """An input or output of a shader: type, sizes of arrays, `flat` or the like, line in the
    expanded text, from 1."""

    name: str
    type: str
    sizes: str
    interpolation: str
    line: int


def mismatches(vertex: Source, fragment: Source) -> tuple[Problem, ...]:
    """Inputs of the fragment shader that the vertex shader does not write, or declares differently.

    Empty also if the text cannot be parsed: compilers then report it.
    """
    try:
        outs = {v.name: v for v in _variables(vertex.text, "out")}
        ins = _variables(fragment.text, "in")
    except PreprocessorError:
        return ()
    problems = []
    for read in ins:
        written = outs.get(read.name)
        alike = written is not None and _alike(written, read)
        if (alike and _is_used(vertex.text, read)) or not _is_used(fragment.text, read):
            continue
        writer = vertex.origins[0][0].name
        if written is None:
            text = f"{read.name} is read here, but {writer} does not write it: declare "
            text += f"`{_statement(read, 'out')}` there and set it"
        elif alike:
            text = f"{read.name} is read here, but {writer} only declares it: set it there"
        else:
            text = f"{read.name} is read here as `{_statement(read, 'in')}`, but {writer} writes "
            text += f"`{_statement(written, 'out')}`: make them alike"
        problems.append(_at_reader(vertex, written, fragment, read, text))
    return tuple(problems)


def _at_reader(
    vertex: Source, written: Variable | None, fragment: Source, read: Variable, text: str
) -> Problem:
    """The problem at the line that reads, if that is the overlay's; else at the overlay's vertex
    shader."""
    path, line = fragment.origin(read.line)
    if fragment.is_overlays(path):
        return fragment.problem(read.line, text)
    reader = f"{path.name}:{line}"
    text = text.replace("is read here", f"is read in {reader}")
    if written is not None and vertex.is_overlays(vertex.origin(written.line)[0]):
        return vertex.problem(written.line, text)
    mine = (file for file, _ in vertex.origins if vertex.is_overlays(file))
    return Problem(next(mine, path), None, text)


def _is_used(text: str, variable: Variable) -> bool:
    """Whether a shader does more with a variable than declare it."""
    return _words(text)[variable.name.rpartition(".")[2]] > 1


def _alike(written: Variable, read: Variable) -> bool:
    if (written.type, written.interpolation) != (read.type, read.interpolation):
        return False
    sizes = written.sizes, read.sizes
    # A size may be a constant's name, of unknown value.
    return sizes[0] == sizes[1] or any(re.search("[a-zA-Z_]", size) for size in sizes)


def _statement(variable: Variable, way: str) -> str:
    block, _, name = variable.name.rpartition(".")
    member = f"{variable.type} {name}{variable.sizes};"
    words = variable.interpolation, way, f"{block} {{ {member} }};" if block else member
    return " ".join(word for word in words if word)[:120]


@lru_cache(maxsize=32)
def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(_expanded(text)))


@lru_cache(maxsize=32)
def _expanded(text: str) -> str:
    return _DIRECTIVE.sub("", expanded(text, DESKTOP))


@lru_cache(maxsize=32)
def _variables(text: str, way: str) -> tuple[Variable, ...]:
    """The variables that a shader declares outside functions as `in` or `out`."""
    found: list[Variable] = []
    for line, statement, members in _declarations(_expanded(text)):
        words = _LAYOUT.sub(" ", statement).split(None, 12)
        at = next((i for i, word in enumerate(words) if word not in _QUALIFIERS), len(words))
        qualifiers, rest = words[:at], " ".join(words[at:])
        if way not in qualifiers:
            continue
        interpolation = next((word for word in qualifiers if word in _INTERPOLATION), "")
        if members is None:
            found += _named(rest, interpolation, line, "")
        else:  # a block: its members are matched by the block's name
            for member in members.split(";"):
                inner = member.split(None, 12)
                own = [word for word in inner if word in _QUALIFIERS]
                kept = next((w for w in own if w in _INTERPOLATION), interpolation)
                text_ = " ".join(word for word in inner if word not in _QUALIFIERS)
                found += _named(text_, kept, line, rest.strip() + ".")
    return tuple(v for v in found if not v.name.startswith(_BUILT_IN))


def _named(text: str, interpolation: str, line: int, prefix: str) -> Iterator[Variable]:
    """The variables of `type name, name[2]`."""
    type_, _, names = text.partition(" ")
    base = _NAME.match(type_)
    if base is None:
        return
    names = names.strip()
    if names.startswith("["):  # type [2] name
        size, _, names = names.partition("]")
        type_ += size + "]"
    for part in names.split(","):
        name = _NAME.match(part.strip())
        if name is not None:
            sizes = "".join((type_[base.end(1) :] + name[2]).split())
            yield Variable(prefix + name[1], base[1], sizes, interpolation, line)


def _declarations(code: str) -> Iterator[tuple[int, str, str | None]]:
    """Statements outside functions: line, text, and for a block the text in its brackets."""
    breaks = [match.start() for match in re.finditer("\n", code)]

    def line(end: int) -> int:
        word = _WORD.search(code, start, end)
        return bisect(breaks, word.start() if word else start) + 1

    depth, start, opened = 0, 0, 0
    for match in re.finditer(r"[{};]", code):
        character = match[0]
        if character == "{":
            if depth == 0:
                opened = match.start()
            depth += 1
        elif character == "}":
            depth -= 1
            if depth < 0:  # it closes nothing
                depth, start = 0, match.end()
            elif depth == 0:
                if ")" not in _LAYOUT.sub("", code[start:opened]):
                    yield line(match.start()), code[start:opened], code[opened + 1 : match.start()]
                start = match.end()
        elif depth == 0:
            yield line(match.start()), code[start : match.start()], None
            start = match.end()
