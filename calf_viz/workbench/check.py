"""An overlay compiled in every variant on every host, without a window."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from calf_viz.hosts.compilers import compilers
from calf_viz.hosts.programs import INPUTS, LOOK, SCENE, load_program
from calf_viz.render import variants
from calf_viz.render.problems import Problem, ShaderError
from calf_viz.render.sources import ShaderLibrary


@dataclass
class Report:
    """What was compiled, and what is wrong with it.

    Attributes:
        problems: one for each line, as compilers differ in their words, with where it was met:
            `host` or `host, NAME=VALUE`.
        unused: files of the overlay that replace nothing and that nothing includes.
    """

    hosts: list[str]
    compiled: int = 0
    problems: dict[Problem, list[str]] = field(default_factory=dict)
    unused: list[Path] = field(default_factory=list)

    def add(self, problem: Problem, where: str) -> None:
        """One more, or one more place where it is met."""
        key = (problem.path, problem.line or problem.text)
        first = next((p for p in self.problems if (p.path, p.line or p.text) == key), problem)
        self.problems.setdefault(first, []).append(where)

    def lines(self) -> list[str]:
        """`file:line: message` of each problem; behind it the variants, if not the default one."""
        told = []
        for problem, met in self.problems.items():
            usual = any(where in self.hosts for where in met)
            told.append(str(problem) if usual else f"{problem} ({met[0]})")
        return told


def check(overlay: Path | None, defines: Mapping[str, str]) -> Report:
    """Compile all programs; the scene's in every variant. Raises UserError without OpenGL."""
    with ExitStack() as closing:
        hosts = compilers(closing)
        report = Report(list(hosts))
        for program in INPUTS:
            for variant in variants.combinations() if program in SCENE else ({},):
                library = ShaderLibrary(overlay, {**variant, **defines})
                chosen = [f"{name}={value}" for name, value in variant.items()]
                for host, compile_one in hosts.items():
                    report.compiled += 1
                    try:
                        compile_one(library, program)
                    except ShaderError as error:
                        for problem in error.problems:
                            report.add(problem, ", ".join([host, *chosen]))
    report.unused = unused(ShaderLibrary(overlay, defines))
    return report


def unused(library: ShaderLibrary) -> list[Path]:
    """Files of the overlay that no program reads: misspelt, most likely."""
    read: set[Path] = set()
    for program in LOOK:
        try:
            source = load_program(library, program)
        except ShaderError:
            return []  # who knows what the rest would read
        for shader in (source.vertex, source.fragment):
            read.update(path for path, _ in shader.origins)
    found = (library.find(name) for name in library.own_files())
    return [path for path in found if path is not None and path not in read]
