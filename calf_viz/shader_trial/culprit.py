"""Finds which of the user's files make a program fail: each is tried with shipped ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

from calf_viz.glsl import variants
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.problems import Problem, ShaderError
from calf_viz.glsl.programs import Candidate, ProgramSource, load_program
from calf_viz.glsl.source import DEFINE

MOST_TRIES, LONGEST_SEARCH = 8, 25.0
"""Most programs tried, and seconds after which no further one is started."""
MOST_LINES = 12
"""Longest change, in lines, that is reported by its first line."""

Test = Callable[[ProgramSource], str | None]
Lines = dict[str, list[tuple[int, str]]]
"""For each part, by name, the number and text of its lines in a program."""


class Blame(NamedTuple):
    """Parts of which one makes a program fail, and how it fails."""

    parts: tuple[str, ...]
    fault: str


class Without(ShaderLibrary):
    """A library without some of the user's parts: with shipped files in place of the overlay's, and
    without macros."""

    def __init__(self, library: ShaderLibrary, parts: Collection[str]) -> None:
        """parts: names of files, such as `lib/ring.glsl`, and of macros."""
        kept = {name: value for name, value in library.defines.items() if name not in parts}
        super().__init__(library.overlay, kept)
        self._parts = frozenset(parts)

    def find(self, name: str) -> Path | None:
        return self.shipped / name if name in self._parts else super().find(name)


def is_known(name: str, value: str) -> bool:
    """Whether a macro belongs to a built-in variant."""
    known = (*variants.VARIANTS, *variants.GIVEN)
    return any(v.name == name and value in v.values for v in known)


def find_culprits(candidate: Candidate, fault: str, test: Test) -> list[Blame]:
    """The user's parts that make a program fail; several in one Blame if they cannot be told apart.

    Args:
        candidate: the program. Its parts are the overlay's files, by name, and the given macros.
        fault: how it fails.
        test: tries a program, and returns its fault or None.
    """
    changed = _changed(candidate)
    if len(changed) < 2:
        return [Blame(tuple(changed), fault)]
    suspects = removable(candidate, changed)
    found, end = [], time.monotonic() + LONGEST_SEARCH
    for part in suspects[:MOST_TRIES] if len(suspects) > 1 else ():
        if time.monotonic() > end:
            break
        others = [other for other in suspects if other != part]
        try:
            source = load_program(Without(candidate.library, others), candidate.source.name)
        except ShaderError:  # it needs the others
            continue
        its = test(source)
        if its is not None:
            found.append(Blame((part,), its))
    return found or [Blame(suspects or tuple(changed), fault)]


def removable(candidate: Candidate, parts: Collection[str]) -> tuple[str, ...]:
    """Those of `parts` that can be left out, as shipped files can replace them. If some of `parts`
    are additional files of the user's, all removable parts, as any may include those."""
    library, used = candidate.library, _lines(candidate.library, candidate.source)
    files = [name for name in library.own_files() if (library.shipped / name).is_file()]
    macros = [name for name, value in library.defines.items() if not is_known(name, value)]
    own = [part for part in (*files, *macros) if part in used]
    return tuple(own if set(parts) - set(own) else [part for part in own if part in parts])


def problem_of(candidate: Candidate, blame: Blame) -> Problem:
    """The problem, reported for the first part; with the line, if a small change to that file is
    all that is new."""
    library, source, fault = candidate.library, candidate.source, blame.fault
    if not blame.parts:
        return Problem(source.vertex.origins[0][0], None, f"{source.name}: {fault}")
    first, *others = (_path(library, part) for part in blame.parts)
    if others:
        return Problem(first, None, f"{fault}: this or {', '.join(path.name for path in others)}")
    part = blame.parts[0]
    line, text = _changed(candidate).get(part, (None, ""))
    return Problem(first, None if part in library.defines else line, fault, text)


def _path(library: ShaderLibrary, part: str) -> Path:
    if part in library.defines:
        return Path(f"{DEFINE}{part}={library.defines[part]}")
    return library.find(part) or Path(part)


def _changed(candidate: Candidate) -> dict[str, tuple[int | None, str]]:
    """The user's parts that differ from the program that this one replaces, or from the shipped
    one; with number and text of the first changed line, if the change is small."""
    library, source = candidate.library, candidate.source
    before = candidate.before or load_program(ShaderLibrary(), source.name)
    old, found = _lines(library, before), {}
    own = source.vertex.own | source.fragment.own
    for part, lines in _lines(library, source).items():
        mine = part in library.defines or (library.find(part) or Path(part)) in own
        if mine and lines != old.get(part):
            found[part] = _first_change(old.get(part, []), lines)
    return found


def _first_change(old: list[tuple[int, str]], new: list[tuple[int, str]]) -> tuple[int | None, str]:
    """The first of a few changed lines, of those with more than a comment if there is one."""
    was, texts = [text for _, text in old], [text for _, text in new]
    start = 0
    while start < min(len(was), len(texts)) and was[start] == texts[start]:
        start += 1
    end, rest = len(texts), len(was)
    while end > start and rest > start and texts[end - 1] == was[rest - 1]:
        end, rest = end - 1, rest - 1
    changed = new[start:end] if end <= start + MOST_LINES else []
    code = (line for line in changed if line[1] and not line[1].startswith("//"))
    return next(code, changed[0] if changed else (None, ""))


def _lines(library: ShaderLibrary, program: ProgramSource) -> Lines:
    """The lines of each part; one that is in both shaders is listed once."""
    names = {library.find(name): name for name in library.own_files()}
    found: Lines = {}
    for shader in (program.vertex, program.fragment):
        lines: Lines = {}
        for index, (path, number) in enumerate(shader.origins):
            name = names.get(path) or _name(library, path)
            lines.setdefault(name, []).append((number, shader.line(index + 1)))
        found = lines | found
    return found


def _name(library: ShaderLibrary, path: Path) -> str:
    text = str(path)
    if text.startswith(DEFINE):
        return text.removeprefix(DEFINE).partition("=")[0]
    return (
        path.relative_to(library.shipped).as_posix()
        if path.is_relative_to(library.shipped)
        else text
    )
