"""The reference compiler links every program, as it is and as WebGL 2 and macOS take it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from calf_viz.cli.shaders import shaders
from calf_viz.glsl import variants
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.portable import TARGETS, Target, portable
from calf_viz.glsl.programs import INPUTS, LOOK, SCENE, ProgramSource, load_program
from calf_viz.glsl.shipped_shaders import look_names, shader_folder
from calf_viz.workbench import reference

COMPILER = reference.reference_compiler() or ""
needs_it = pytest.mark.skipif(not COMPILER, reason="no glslangValidator: install glslang-tools")

Pair = tuple[str, str]
translated = cache(portable)


def programs() -> Iterator[ProgramSource]:
    """The shipped ones in every variant, and those of each look."""
    for look in (None, *look_names()):
        overlay = None if look is None else shader_folder() / "looks" / look
        for name in LOOK if look else INPUTS:
            for variant in variants.combinations() if name in SCENE else ({},):
                yield load_program(ShaderLibrary(overlay, variant), name)


def chosen(texts: Callable[[ProgramSource], tuple[str, str]]) -> dict[Pair, ProgramSource]:
    """Pairs with each vertex shader, each fragment shader, and each way in which they meet at least
    once: of the other stage a linker sees the declarations."""
    seen: set[object] = set()
    pairs = {}
    for program in programs():
        vertex, fragment = pair = texts(program)
        new = {vertex, fragment, (_declared(vertex), _declared(fragment))} - seen
        if new:
            pairs[pair] = program
            seen |= new
    return pairs


@cache
def _declared(text: str) -> tuple[str, ...]:
    return tuple(sorted(re.findall(r"\b(?:flat |const )?(?:uniform|in|out) [^;(){}]*;", text)))


def unlinked(pairs: dict[Pair, ProgramSource]) -> list[str]:
    """What the compiler says about those that do not link."""
    told = []
    for program, one in zip(pairs.values(), reference.link(COMPILER, pairs), strict=True):
        told += [f"{program.name}: {p}" for p in reference.problems(program, one)]
    return told


@needs_it
def test_every_program_links_as_it_is() -> None:
    pairs = chosen(lambda program: program.texts)
    assert len(pairs) > 200
    assert unlinked(pairs) == []


@needs_it
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_program_links_in_another_language(target: Target) -> None:
    pairs = chosen(
        lambda p: (translated(p.vertex.text, target), translated(p.fragment.text, target))
    )
    assert len(pairs) > 200
    assert unlinked(pairs) == []


@pytest.mark.rendering
def test_what_only_the_reference_compiler_refuses_is_reported_with_its_name(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "look").mkdir()
    path = tmp_path / "look" / "field.frag"
    path.write_text((shader_folder() / "field.frag").read_text())
    monkeypatch.setattr(reference, "reference_compiler", lambda: str(stand_in))
    monkeypatch.setattr(variants, "combinations", lambda: iter([{}]))
    for script, code, words in (
        ("echo program.frag\necho 'ERROR: program.frag:3: no'\nexit 2",
         1, f"{path}:3: no (glslangValidator)"),
        ("exit 0", 0, "under Panda3D and moderngl; glslangValidator links them"),
    ):  # fmt: skip
        stand_in.write_text(f"#!/bin/sh\n{script}\n")
        done = CliRunner().invoke(shaders, ["check", str(path.parent)])
        assert done.exit_code == code and words in done.output


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """A compiler that does as its script says."""
    path = tmp_path / "glslangValidator"
    path.touch(mode=0o755)
    return path


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("kill -SEGV $$", "glslangValidator was ended by signal 11"),
        ("sleep 60", "glslangValidator did not end within 1 s"),
        ("echo 'ERROR: program.frag:3: no'; exit 2", "field.frag:3: no"),
        ("echo program.frag; echo 'ERROR: program.frag:3: x'; exit 2", "field.frag:3: x"),
        ("echo 'ERROR: Linking fragment stage: it lacks something'; exit 2", "it lacks something"),
    ],
)
def test_whatever_becomes_of_the_compiler_is_reported(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    stand_in.write_text(f"#!/bin/sh\necho program.vert\necho program.frag\n{script}\n")
    monkeypatch.setattr(reference, "LIMIT", 1.0)
    program = load_program(ShaderLibrary(), "field")
    (linked,) = reference.link(str(stand_in), [program.texts])
    (problem,) = reference.problems(program, linked)
    assert words in str(problem)


def test_a_compiler_that_cannot_be_run_is_reported(stand_in: Path) -> None:
    stand_in.write_text("no script")
    stand_in.chmod(0o644)
    (linked,) = reference.link(str(stand_in), [("", "")])
    assert not linked.good and "does not run: Permission denied" in linked.ended
