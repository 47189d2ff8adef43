"""What each shader file is for: read from its head, its functions and the inputs it names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from calf_viz.hosts.programs import INPUTS
from calf_viz.render import glsl
from calf_viz.render.sources import ShaderLibrary, shipped_files

_FUNCTION = re.compile(r"^(\w+\s+(\w+)\([^)]*\))\s*\{", re.MULTILINE)
_HOOK = "(Hook"


@dataclass(frozen=True)
class ShaderFile:
    """A shader of the library: where it comes from, and what one may want to know of it."""

    name: str
    path: Path
    about: str
    """The first sentence of its head."""
    hook: str | None
    """The function that an overlay is welcome to replace."""
    inputs: tuple[str, ...]
    """Names of the contract that it reads."""


def describe(library: ShaderLibrary) -> list[ShaderFile]:
    """The files in force, hooks first, then those that an overlay adds to the shipped ones."""
    main = "".join(
        _text(path) for name in ("field.vert", "field.frag") if (path := library.find(name))
    )
    names = dict.fromkeys([*shipped_files(), *library.own_files()])
    files = [_describe(name, path, main) for name in names if (path := library.find(name))]
    return sorted(files, key=lambda file: (file.hook is None, file.name))


def hooks() -> list[str]:
    """Names of the shipped files that are there to be replaced."""
    return [file.name for file in describe(ShaderLibrary()) if file.hook is not None]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _describe(name: str, path: Path, main: str) -> ShaderFile:
    text = _text(path)
    code = glsl.without_comments(text)
    head = " ".join(re.findall(r"^//[ \t]?(.*)$", text.split("\n\n")[0], re.MULTILINE))
    called = (f for f in _FUNCTION.finditer(code) if re.search(rf"\b{f[2]}\s*\(", main))
    hook = next((" ".join(f[1].split()) for f in called), None) if _HOOK in head else None
    known = {name for inputs in INPUTS.values() for name in inputs}
    used = dict.fromkeys(word for word in re.findall(r"\bu_\w+", code) if word in known)
    declares = {declared.name for declared in glsl.uniforms(code)}
    inputs = tuple(word for word in used if word not in declares)
    return ShaderFile(name, path, _sentence(head), hook, inputs)


def _sentence(head: str) -> str:
    """The first sentence, without the mark of hooks."""
    return re.split(r"\s*\(Hook|\.(?:\s|$)|:\s*$|\s{3}", head, maxsplit=1)[0].strip().rstrip(".")
