"""Compiles an overlay in every variant on every host, without a window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from calf_viz.glsl import variants
from calf_viz.glsl.controls import Control
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.problems import MOST, Problem, ShaderError
from calf_viz.glsl.programs import (
    INPUTS,
    LOOK,
    MESHES,
    SCENE,
    Candidate,
    load_program,
    read_controls,
)
from calf_viz.shader_trial.culprit import Without, removable
from calf_viz.shader_trial.examiner import Examiner
from calf_viz.shader_trial.trust import is_trusted
from calf_viz.workbench import reference
from calf_viz.workbench.look_file import look_file, read_look
from calf_viz.workbench.parts import nothing_there, unused


@dataclass
class Report:
    """What was compiled, and what is wrong with it.

    Attributes:
        hosts: names of the hosts.
        compiled: number of programs compiled.
        problems: one per line, as compilers differ in their wording, with where it occurred:
            `host` or `host, NAME=VALUE`.
        notes: things that are not errors, but may be unintended.
        linked_by: name of the reference compiler, if it is installed and linked all programs.
    """

    hosts: list[str]
    compiled: int = 0
    problems: dict[Problem, list[str]] = field(default_factory=dict)
    notes: list[Problem] = field(default_factory=list)
    linked_by: str | None = None

    def add(self, problem: Problem, where: str) -> None:
        """Add a problem, or another place where it occurs."""
        key = (problem.path, problem.line or problem.text)
        first = next((p for p in self.problems if (p.path, p.line or p.text) == key), problem)
        self.problems.setdefault(first, []).append(where)

    def lines(self) -> list[str]:
        """`file:line: message` for each problem; followed by the variant, if not the default."""
        lines = []
        for problem, met in self.problems.items():
            usual = any(where in self.hosts for where in met)
            lines.append(str(problem) if usual else f"{problem} ({met[0]})")
        return lines


DESIGNS = {
    "Panda3D": {**dict.fromkeys(INPUTS, "gpu"), **dict.fromkeys(MESHES, "batched")},
    "moderngl": dict.fromkeys(INPUTS, "moderngl"),
}
"""The design that draws (or at least compiles) each program under a host."""
THOROUGH = ("Panda3D",)
"""Hosts under which every variant is drawn; one is enough, as all use the same driver."""


def check(overlay: Path | None, defines: Mapping[str, str]) -> Report:
    """Compile all programs, the scene's in every variant, and draw with those of a look; in child
    processes, as a driver may crash. Raises UserError without OpenGL."""
    hosts = [host for host in DESIGNS if host != "moderngl" or find_spec("moderngl") is not None]
    report = Report(hosts)
    with closing(_Check(overlay, defines, report)) as checked:
        for program in INPUTS:
            for variant in variants.combinations() if program in SCENE else ({},):
                for host in hosts:
                    report.compiled += 1
                    checked.program(host, program, variant)
    library = ShaderLibrary(overlay, defines)
    report.notes += (Problem(path, None, text) for path, text in unused(library).items())
    reason = nothing_there(library)
    if reason is not None and library.overlay is not None:
        report.add(Problem(library.overlay, None, reason), report.hosts[0])
    _check_look(library, report)
    _link(overlay, defines, report)
    return report


def _link(overlay: Path | None, defines: Mapping[str, str], report: Report) -> None:
    """If everything compiles, link it with the reference compiler as well, if installed."""
    compiler = reference.reference_compiler()
    if compiler is None or report.problems:
        return
    programs = {
        (name, tuple(variant.items())): load_program(
            ShaderLibrary(overlay, {**variant, **defines}), name
        )
        for name in LOOK
        for variant in (variants.combinations() if name in SCENE else ({},))
    }
    linked = reference.link(compiler, [program.texts for program in programs.values()])
    for ((_, variant), program), one in zip(programs.items(), linked, strict=True):
        where = ", ".join([reference.NAME, *(f"{name}={value}" for name, value in variant)])
        for problem in reference.problems(program, one):
            report.add(problem, where)
    report.linked_by = reference.NAME


class _Check:
    """Tries the programs of a look one after another. A part on which the driver failed is reported
    once and left out of the others, so that they are checked as well."""

    def __init__(self, overlay: Path | None, defines: Mapping[str, str], report: Report) -> None:
        self.overlay, self.defines, self.report = overlay, defines, report
        used = {design for designs in DESIGNS.values() for design in designs.values()}
        self._examiners = {design: Examiner(design) for design in used}
        for examiner in self._examiners.values():
            examiner.launch()
        self._left_out: set[str] = set()
        self._given_up = False  # shipped files fail, and would in each program

    def program(self, host: str, name: str, variant: Mapping[str, str]) -> None:
        """Try a program under a host."""
        examiner = self._examiners[DESIGNS[host][name]]
        where = ", ".join([host, *(f"{macro}={value}" for macro, value in variant.items())])
        while not self._given_up:
            whole = ShaderLibrary(self.overlay, {**variant, **self.defines})
            library = Without(whole, self._left_out)
            try:
                candidate = Candidate(library, load_program(library, name))
            except ShaderError as error:
                self._add(error.problems, where)
                return
            drawn = not is_trusted(candidate.source) and (host in THOROUGH or not variant)
            found = examiner.examine(candidate, draw=drawn)
            self._add(found.problems, where)
            more = set(removable(candidate, found.culprits)) - self._left_out
            if not more:
                self._given_up |= found.fault
                return
            self._left_out |= more

    def _add(self, problems: Iterable[Problem], where: str) -> None:
        for problem in problems:
            self.report.add(problem, where)

    def close(self) -> None:
        for examiner in self._examiners.values():
            examiner.close()


def _check_look(library: ShaderLibrary, report: Report) -> None:
    """Check the look's file, and its values against the existing controls."""
    path = look_file(library.overlay)
    try:
        look = read_look(path)
        if not look.values:
            return
        controls, _ = find_controls(library)
        for name in [name for name in look.values if name not in controls][:MOST]:
            report.notes.append(look.problem(name, f"{name} is not a control of these shaders"))
        look.parsed(controls)
    except ShaderError as error:
        for problem in error.problems:
            report.add(problem, report.hosts[0])


def find_controls(library: ShaderLibrary) -> tuple[dict[str, Control], tuple[Problem, ...]]:
    """The scene's controls by uniform name, and problems with invalid ones."""
    try:
        sources = library.load("field.vert"), library.load("field.frag")
    except ShaderError as error:
        return {}, error.problems
    return read_controls("field", sources)
