"""The programs that hosts compile: two shaders each, checked before a compiler sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calf_viz.glsl import contract, critic_contract, hud_contract, variants
from calf_viz.glsl import text as glsl
from calf_viz.glsl.controls import MARK, Control, read_annotation
from calf_viz.glsl.interfaces import mismatches
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.problems import Problem, ShaderError
from calf_viz.glsl.source import Source

MESHES = ("mesh_surface", "mesh_circle", "mesh_trail", "mesh_marker")
"""The older designs' programs: vertex shaders of their own, with the scene's fragment shader."""
SWATCH = "swatch"
"""The program that draws samples of a look's colours, with the scene's fragment shader."""
INPUTS: dict[str, dict[str, str]] = {
    "field": contract.types(),
    **dict.fromkeys(MESHES, contract.types()),
    SWATCH: contract.types(),
    "hud": contract.types(hud_contract.TEXTURES, hud_contract.UNIFORMS),
    **dict.fromkeys(
        critic_contract.PASSES,
        contract.types(critic_contract.TEXTURES, critic_contract.UNIFORMS),
    ),
    "difference": {"u_a": "sampler2D", "u_b": "sampler2D", "u_gain": "float"},
    "box_filter": {"u_fine": "sampler2D", "u_samples": "int"},
    "ring_copy": {
        "u_source": "sampler2D",
        "u_source_layout": "ivec3",
        "u_move": "vec4",
        "u_target_layout": "ivec3",
    },
}
"""GLSL type of every input of each program, by name."""
SCENE = ("field", *MESHES)
"""Programs that draw the scene, in every variant."""
MOST_CONTROLS = 200
LOOK = (*SCENE, "hud")
"""Programs that an overlay may replace; the others' files are `shipped.KEPT`."""
SHADED = (*SCENE, SWATCH)
"""Programs with the scene's fragment shader."""


@dataclass(frozen=True)
class ProgramSource:
    """A program's two shaders, expanded, and its controls by the uniforms' names."""

    name: str
    vertex: Source
    fragment: Source
    controls: dict[str, Control]

    @property
    def texts(self) -> tuple[str, str]:
        """The texts that compilers get; the same again for a source made of them.

        Mesa's cache identifies shaders by their text alone: one that compiled as a vertex shader
        would not be checked again as a fragment shader, and crash. Hence each ends differently;
        with a macro, since Panda3D leaves out comments.
        moderngl strips empty lines at the beginning, which would shift the line numbers.
        """
        return _marked(self.vertex.text, "VERTEX"), _marked(self.fragment.text, "FRAGMENT")


def _marked(text: str, stage: str) -> str:
    text = text if text.partition("\n")[0].strip() else f"//{text}"
    mark = f"#define CALF_VIZ_{stage}_SHADER\n"
    return text if text.endswith(mark) else text + mark


def load_program(library: ShaderLibrary, name: str) -> ProgramSource:
    """`name`.vert and `name`.frag; meshes have the scene's fragment shader, the critic's passes and
    the filter of pictures the ring's triangle over the whole target.

    Raises ShaderError if a file is missing, declares a uniform that nobody would set, or has an
    annotation that cannot be read, or if one shader reads what the other does not write. Only the
    scene's uniforms may be controls.
    """
    if name not in (*LOOK, SWATCH):
        library = ShaderLibrary()
    triangle = name in (*critic_contract.PASSES, "box_filter")
    vertex = library.load("ring_copy.vert" if triangle else f"{name}.vert")
    fragment = library.load("field.frag" if name in SHADED else f"{name}.frag")
    controls, problems = read_controls(name, (vertex, fragment))
    if not problems and library.overlay is not None:  # tests see to the shipped ones
        problems = mismatches(vertex, fragment)
    if problems:
        raise ShaderError(problems)
    return ProgramSource(name, vertex, fragment, controls)


def swatch_source(library: ShaderLibrary, drawn: ProgramSource) -> ProgramSource:
    """The program that draws samples of the colours of one that draws the scene.

    Raises ShaderError if the fragment shader reads what only a look's own vertex shader writes.
    """
    vertex = library.load(f"{SWATCH}.vert")
    problems = mismatches(vertex, drawn.fragment)
    if problems:
        raise ShaderError(problems)
    return ProgramSource(SWATCH, vertex, drawn.fragment, drawn.controls)


def read_controls(
    name: str, sources: Iterable[Source]
) -> tuple[dict[str, Control], tuple[Problem, ...]]:
    """A program's controls by the uniforms' names, and the problems of its other uniforms."""
    controls: dict[str, Control] = {}
    problems: dict[Problem, None] = {}
    for source in sources:
        for declared in glsl.uniforms(source.text):
            try:
                _declare(declared, source.line(declared.line), INPUTS[name], controls)
                if name not in SHADED and declared.name in controls:
                    raise ValueError(f"{declared.name}: only the scene has controls")
            except ValueError as error:
                problems[_problem(source, declared, str(error))] = None
    return controls, tuple(problems)


def _problem(source: Source, declared: glsl.Declaration, text: str) -> Problem:
    """Shipped uniforms can be read: if one cannot, the user has a macro with the name of something
    in it."""
    path, line = source.origin(declared.line)
    if declared.macro is None or source.is_overlays(path):
        return source.problem(declared.line, text)
    name, at = declared.macro
    return source.problem(
        at, f"{name} is used in {path.name}:{line}, in a uniform's declaration: choose another name"
    )


def _declare(
    declared: glsl.Declaration, written: str, inputs: dict[str, str], controls: dict[str, Control]
) -> None:
    """Accept a uniform that is an input, or add a control; ValueError for any other.

    A driver would accept that, and the host's values would be refused later, or missing.
    """
    type_, name = declared.type, declared.name
    if declared.wrong:
        raise ValueError(declared.wrong)
    mark = MARK.search(written)
    if mark and not declared.alone:
        raise ValueError("an annotation is for one uniform: give each a line of its own")
    expected = inputs.get(name)
    if expected is not None:
        if expected != type_ or declared.array:
            kind = f"{type_}[]" if declared.array else type_
            raise ValueError(f"{name} is a {expected}, not a {kind}")
        if mark:
            raise ValueError(f"{name} is set by the program: give a control a name of its own")
        return
    if mark is None:
        raise ValueError(
            f"nobody sets {name}: it is neither in lib/contract.glsl nor a control, such as "
            "// @slider 0..1"
        )
    if declared.array:
        raise ValueError(f"{name} is an array: a control is a single value")
    if len(controls) >= MOST_CONTROLS and name not in controls:
        raise ValueError(f"{name}: a look may have at most {MOST_CONTROLS} controls")
    control = read_annotation(type_, name, written[mark.start() :])
    if controls.setdefault(name, control) != control:
        raise ValueError(
            f"{name} is declared twice, annotated differently: put it in a file that both include"
        )


@dataclass(frozen=True)
class Candidate:
    """A program that may be used from now on.

    Attributes:
        library: where its files were found.
        before: the one that it replaces; None for the first of its name.
    """

    library: ShaderLibrary
    source: ProgramSource
    before: ProgramSource | None = None


Trial = Callable[[Sequence[Candidate]], None]
"""Tries programs before they reach this process's driver. Raises ShaderError for those that must
not reach it."""


class Programs:
    """A host's compiled programs by name; the last good ones if new ones are broken.

    Attributes:
        library: where their files are found.
        trial: tries them before the compiler; None if all are trusted.
        sources: the source of each.
    """

    def __init__(
        self,
        library: ShaderLibrary,
        compiler: Callable[[ProgramSource], Any],
        trial: Trial | None = None,
    ) -> None:
        """compiler: makes a program from its source; raises ShaderError."""
        self.library, self.compiler, self.trial = library, compiler, trial
        self.sources: dict[str, ProgramSource] = {}
        self._compiled: dict[str, Any] = {}
        self._before = self.sources, self._compiled

    def __getitem__(self, name: str) -> Any:
        """The current program. Raises ShaderError if its first version does not compile."""
        if name not in self._compiled:
            source = load_program(self.library, name)
            if self.trial is not None:
                self.trial([Candidate(self.library, source)])
            self._compiled[name] = self.compiler(source)
            self.sources[name] = source
        return self._compiled[name]

    @property
    def controls(self) -> dict[str, Control]:
        """Controls of all programs requested so far, by the uniforms' names."""
        found: dict[str, Control] = {}
        for source in self.sources.values():
            found |= source.controls
        return found

    @property
    def scene(self) -> ProgramSource | None:
        """The source of one that draws the scene; None if none is drawn."""
        return next((self.sources[name] for name in SCENE if name in self.sources), None)

    @property
    def trail_colour(self) -> str | None:
        """The variant that colours the scene's trails, or `BY_MARGIN`; None if no scene is
        drawn."""
        drawn = self.scene
        if drawn is None:
            return None
        chosen = variants.in_force(drawn.fragment.text)
        if chosen["TRAILS"] != "1":
            return None
        colour = chosen["TRAIL_COLOUR"]
        of_margins = colour == "BY_CERTIFICATE" and variants.has_margins(drawn.fragment.text)
        return variants.BY_MARGIN if of_margins else colour

    def read(self) -> dict[str, ProgramSource]:
        """The programs requested so far, as their files are now. Raises ShaderError as
        `load_program`, or if the overlay is gone."""
        self.library.check_overlay()
        return {
            name: load_program(self.library, name) if name in LOOK else source
            for name, source in self.sources.items()
        }

    def changes(self, sources: Mapping[str, ProgramSource]) -> list[Candidate]:
        """Programs whose text differs from the current one."""
        return [
            Candidate(self.library, source, self.sources[name])
            for name, source in sorted(sources.items())
            if source.texts != self.sources[name].texts
        ]

    def reload(self) -> set[str]:
        """Try the programs whose text changed, then use all of them or none; their names.

        Raises ShaderError if one cannot be used; the current ones stay.
        """
        sources = self.read()
        changes = self.changes(sources)
        if changes and self.trial is not None:
            self.trial(changes)
        return self.adopt(sources)

    def adopt(self, sources: Mapping[str, ProgramSource]) -> set[str]:
        """Compile, without a trial, all or none of the programs whose text changed; their names.
        Raises ShaderError if one does not compile; the current ones stay."""
        new = {change.source.name: self.compiler(change.source) for change in self.changes(sources)}
        if new:
            self._before = self.sources, self._compiled
            self.sources = {**self.sources, **sources}
            self._compiled = {**self._compiled, **new}
        return set(new)

    def revert(self) -> set[str]:
        """Undo the last change; names of the programs that it concerns."""
        after = self._compiled
        self.sources, self._compiled = self._before
        return {name for name, program in self._compiled.items() if program is not after[name]}
