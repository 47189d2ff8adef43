"""Broken and hostile shaders swapped in while frames are drawn: 200 mutants and one of each hostile
kind, the same in each run, and the judge of them. The many are `tools/fuzz_shaders.py`."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import fuzz_shaders as fuzz
import hostile_shaders
import numpy as np
import pytest
from scene_folder import _opengl

from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import LOOK, MESHES, load_program
from calf_viz.glsl.shipped_shaders import shader_folder

COUNT, SEED = 100, 20  # under each of the two hosts
GOOD = fuzz.Mutant(
    "trail_lift.glsl", "none", b"float trail_lift(float age) { return 0.5 * age; }\n"
)


@pytest.mark.rendering
@pytest.mark.parametrize("kind", fuzz.HOSTS)
def test_every_mutant_is_survived(kind: str) -> None:
    outcomes = set()
    for mutant, verdict in fuzz.verdicts(kind, SEED, fuzz.LIMIT, range(COUNT)):
        assert verdict.survived, f"{mutant.name} ({mutant.damage}): {verdict}"
        outcomes.add(verdict.outcome)
    assert outcomes == {"refused", "drawn"}


@pytest.mark.rendering
@pytest.mark.parametrize("kind", fuzz.HOSTS)
def test_what_drivers_crash_on_is_survived(kind: str) -> None:
    """Another seed for each host: each kind has several forms."""
    rounds = range(len(hostile_shaders.KINDS))
    seed = SEED + fuzz.HOSTS.index(kind)
    found = fuzz.verdicts(kind, seed, fuzz.LIMIT, rounds, "hostile", patience=2.0)
    for mutant, verdict in found:
        assert verdict.survived, f"{mutant.name} ({mutant.damage}): {verdict}"


class TestMutants:
    def test_are_the_same_for_a_seed(self) -> None:
        first, again = (list(islice(fuzz.mutants(SEED), COUNT)) for _ in range(2))
        assert first == again != list(islice(fuzz.mutants(SEED + 1), COUNT))

    def test_every_damage_and_many_files_occur(self) -> None:
        drawn = list(islice(fuzz.mutants(SEED), COUNT))
        assert {mutant.damage for mutant in drawn} == set(fuzz.DAMAGES)
        assert len({mutant.name for mutant in drawn}) > 10

    def test_hostile_ones_are_each_kind_in_turn_and_go_to_a_child_whole(self) -> None:
        kinds = len(hostile_shaders.KINDS)
        drawn = list(islice(fuzz.mutants(SEED, "hostile"), 2 * kinds))
        assert drawn == list(islice(fuzz.mutants(SEED, "hostile"), 2 * kinds))
        assert [mutant.damage for mutant in drawn] == 2 * list(hostile_shaders.KINDS)
        assert any(mutant.beside for mutant in drawn) and any(m.instead for m in drawn)
        for mutant in drawn:
            assert fuzz.Mutant.of_line(json.loads(json.dumps(mutant.line))) == mutant

    @pytest.mark.parametrize("instead", ["pipe", "device", "folder", "gigabytes", ""])
    def test_what_is_saved_instead_of_a_file(self, tmp_path: Path, instead: str) -> None:
        mutant = fuzz.Mutant("a.glsl", "none", b"a", {"chain/b.glsl": b"b"}, instead)
        mutant.save(tmp_path)
        path = tmp_path / "a.glsl"
        assert (tmp_path / "chain" / "b.glsl").read_bytes() == b"b"
        assert path.is_fifo() is (instead == "pipe") and path.is_dir() is (instead == "folder")
        assert path.is_symlink() is (instead == "device")
        size = path.stat().st_size if path.is_file() else 0
        assert size == {"gigabytes": 2**32, "": 1}.get(instead, 0)

    def test_nearly_all_are_damaged(self) -> None:
        drawn = list(islice(fuzz.mutants(SEED), COUNT))
        same = [m for m in drawn if m.data == (shader_folder() / m.name).read_bytes()]
        assert len(same) < 5, "now and then a token is replaced by its like"

    def test_files_are_those_that_take_part(self) -> None:
        read = set()
        for program in set(LOOK) - set(MESHES):
            source = load_program(ShaderLibrary(), program)
            for shader in (source.vertex, source.fragment):
                read |= {path for path, _ in shader.origins}
        assert {shader_folder() / name for name in fuzz.files()} == read


@pytest.mark.rendering
class TestJudge:
    @pytest.fixture(params=fuzz.HOSTS)
    def subject(self, request: pytest.FixtureRequest, tmp_path: Path) -> fuzz.Subject:
        return fuzz.Subject(request.param, tmp_path)

    def test_a_good_file_is_drawn(self, subject: fuzz.Subject) -> None:
        verdict = subject.try_(GOOD)
        assert verdict.outcome == "drawn" and verdict.survived

    def test_a_picture_that_is_lost_is_noticed(self, subject: fuzz.Subject) -> None:
        subject.first = np.zeros_like(subject.first)
        broken = fuzz.Mutant("trail_lift.glsl", "none", b"broken")
        verdict = subject.try_(broken)
        assert (verdict.outcome, verdict.kept, verdict.restored) == ("refused", False, False)
        assert not verdict.survived and "trail_lift.glsl:1: " in verdict.said

    def test_an_error_of_opengl_is_noticed(self, subject: fuzz.Subject) -> None:
        draw = subject.host.draw

        def draw_and_err() -> None:
            draw()
            _opengl().glEnable(0x1)  # no such capability

        subject.host.draw = draw_and_err
        verdict = subject.try_(GOOD)
        assert verdict.errors and not verdict.survived
        subject.host.draw = draw
        subject.try_(GOOD)
        assert subject.try_(GOOD).survived

    def test_a_child_that_does_not_end_is_no_survivor(self) -> None:
        child = fuzz.Child("moderngl", limit=1e-3)
        verdict = child.try_(GOOD)
        assert verdict.outcome == "endless" and not verdict.survived
        child.limit = fuzz.LIMIT
        assert child.try_(GOOD).survived, "a new child goes on"
        child.close()

    def test_a_child_that_crashes_is_no_survivor(self) -> None:
        child = fuzz.Child("moderngl")
        assert child.try_(GOOD).survived
        assert child.child is not None
        child.child._process.kill()
        verdict = child.try_(GOOD)
        assert verdict.outcome == "crashed" and not verdict.survived
        assert child.try_(GOOD).survived
        child.close()


@pytest.mark.parametrize(
    ("verdict", "survived"),
    [
        (fuzz.Verdict("refused", True, True), True),
        (fuzz.Verdict("drawn", True, True), True),
        (fuzz.Verdict("refused", False, True), False),
        (fuzz.Verdict("drawn", True, False), False),
        (fuzz.Verdict("drawn", True, True, ("GL error 0x502",)), False),
        (fuzz.Verdict("endless", True, True), False),
    ],
)
def test_what_counts_as_survived(verdict: fuzz.Verdict, survived: bool) -> None:
    assert verdict.survived is survived
