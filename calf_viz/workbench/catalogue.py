"""Describes each shader file from its head comment, its functions and the inputs it uses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from calf_viz.errors import shown
from calf_viz.glsl import text as glsl
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.problems import Problem, ShaderError
from calf_viz.glsl.programs import INPUTS
from calf_viz.glsl.shader_file import Line, read
from calf_viz.glsl.shipped_shaders import shipped_files

_FUNCTION = re.compile(r"^(\w++\s++(\w++)\([^()]*+\))\s*+\{", re.MULTILINE)
_CALL = re.compile(r"\b(\w++)\s*+\(")
_HOOK = "(Hook"


@dataclass(frozen=True)
class ShaderFile:
    """A shader file in the library: where it comes from, and what it is for."""

    name: str
    path: Path
    about: str
    """The first sentence of its head comment."""
    hook: str | None
    """Signature of the function that overlays are meant to replace."""
    inputs: tuple[str, ...]
    """Names of the contract's inputs that it reads."""
    problem: Problem | None = None
    """Why the file cannot be read; then nothing else is known about it."""


def describe(library: ShaderLibrary) -> list[ShaderFile]:
    """The files in force, hooks first, then those that an overlay adds to the shipped ones."""
    called: set[str] = set()
    for name in ("field.vert", "field.frag"):
        with suppress(ShaderError):  # an unreadable one is reported below
            if path := library.find(name):
                called.update(_CALL.findall(_code(read(path))))
    names = dict.fromkeys([*shipped_files(), *library.own_files()])
    files = [_describe(name, path, called) for name in names if (path := library.find(name))]
    return sorted(files, key=lambda file: (file.hook is None, file.name))


def hooks() -> list[str]:
    """Names of the shipped files that are meant to be replaced."""
    return [file.name for file in describe(ShaderLibrary()) if file.hook is not None]


def _code(lines: Sequence[Line]) -> str:
    return "\n".join(line.code for line in lines)


def _describe(name: str, path: Path, called: Collection[str]) -> ShaderFile:
    try:
        lines = read(path)
    except ShaderError as error:
        return ShaderFile(name, path, error.problems[0].text, None, (), error.problems[0])
    code = _code(lines)
    comments = (re.match(r"//[ \t]?(.*)", line.written) for line in _first_paragraph(lines))
    head = " ".join(comment[1] for comment in comments if comment)
    mine = (f for f in _FUNCTION.finditer(code) if f[2] in called)
    hook = next((" ".join(f[1].split()) for f in mine), None) if _HOOK in head else None
    known = {name for inputs in INPUTS.values() for name in inputs}
    used = dict.fromkeys(word for word in re.findall(r"\bu_\w+", code) if word in known)
    declares = {declared.name for declared in glsl.uniforms(code)}
    inputs = tuple(word for word in used if word not in declares)
    return ShaderFile(name, path, shown(_sentence(head)), hook, inputs)


def _first_paragraph(lines: Iterable[Line]) -> Iterator[Line]:
    return takewhile(lambda line: line.written, lines)


def _sentence(head: str) -> str:
    """The first sentence, without the marker for hooks."""
    return re.split(r"\s*\(Hook|\.(?:\s|$)|:\s*$|\s{3}", head, maxsplit=1)[0].strip().rstrip(".")
