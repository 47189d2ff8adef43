"""Broken files of every kind: 150 mutants, the same in each run, and the judge of them. The
thousands are `tools/fuzz_files.py`."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from pathlib import Path

import fuzz_files as fuzz
import pytest
from damages import TOML
from fuzzed_files import KINDS, PLACES, Kind, bases
from fuzzing import Verdict, judged

from calf_viz.errors import UserError

COUNT, SEED = 150, 20
NONE = 10**9


def test_every_mutant_is_survived() -> None:
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in KINDS}
    for mutant, verdict in fuzz.verdicts(SEED, fuzz.LIMIT, range(COUNT), share=NONE):
        assert verdict.survived, f"{mutant.kind} ({mutant.damage}): {verdict}"
        outcomes[mutant.kind][verdict.outcome] += 1
    for name, found in outcomes.items():
        assert found["refused"] and sum(found.values()) == COUNT // len(KINDS), name


@pytest.mark.parametrize("kind", ["config", "shader", "checkpoint"])
def test_a_command_survives_one(kind: str) -> None:
    verdict = fuzz.by_command(fuzz.Mutant(kind, "none", "bytes", b"\xff\xfe\0"))
    assert verdict.outcome in ("refused", "accepted"), verdict  # shaders list tells and goes on


def test_the_files_themselves_are_accepted() -> None:
    child = fuzz.Child()
    try:
        for name, kind in KINDS.items():
            data = (bases() / name / kind.name).read_bytes()
            whole = fuzz.Mutant(name, "none", "bytes", data)
            assert child.try_(whole) == Verdict("accepted"), name
    finally:
        child.close()


class TestMutants:
    def test_are_the_same_for_a_seed(self) -> None:
        first, again = (list(islice(fuzz.mutants(SEED), COUNT)) for _ in range(2))
        assert first == again != list(islice(fuzz.mutants(SEED + 1), COUNT))

    def test_every_damage_and_place_occurs(self) -> None:
        drawn = list(islice(fuzz.mutants(SEED), 2000))
        damages = {d.__doc__.rstrip(".") for kind in KINDS.values() for d in kind.damages}
        assert {mutant.damage for mutant in drawn} == damages | set(PLACES)

    def test_only_those_asked_for(self) -> None:
        assert {m.kind for m in islice(fuzz.mutants(SEED, ["look"]), 20)} == {"look"}


class TestJudge:
    """What is no survivor is told as such."""

    @pytest.fixture
    def read(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
        def judge(reader) -> Verdict:
            whole = tmp_path / "config"
            whole.mkdir(exist_ok=True)
            (whole / "a.toml").write_text("seed = 1\n")
            kind = Kind("a.toml", TOML, reader)
            monkeypatch.setitem(KINDS, "config", kind)
            asked = {"kind": "config", "damage": "", "what": "bytes", "data": ""}
            return Verdict(**fuzz._try(tmp_path, asked))

        return judge

    def test_one_line(self, read) -> None:
        def refuse(_: Path) -> None:
            raise UserError("no such thing: give another")

        assert read(refuse) == Verdict("refused", "no such thing: give another")
        assert read(lambda _: None) == Verdict("accepted")

    @pytest.mark.parametrize(
        "error", [ValueError("no"), MemoryError(), RecursionError(), SystemExit(3)]
    )
    def test_whatever_else_is_raised(self, read, error: BaseException) -> None:
        def fail(_: Path) -> None:
            raise error

        verdict = read(fail)
        assert verdict.outcome == "TRACEBACK" and type(error).__name__ in verdict.said
        assert not verdict.survived

    def test_memory(self, read) -> None:
        verdict = read(lambda _: bytearray(fuzz.MOST_MEMORY + 2**27).count(1))
        assert verdict.outcome == "MEMORY" and not verdict.survived
        assert read(lambda _: bytearray(2**26)).survived, "memory that was given back is no longer"

    def test_a_child_that_does_not_end(self) -> None:
        child = fuzz.Child(limit=1e-3)
        mutant = fuzz.Mutant("config", "none", "bytes", b"seed = 1\n")
        assert child.try_(mutant).outcome == "HANG"
        child.limit = fuzz.LIMIT
        assert child.try_(mutant).outcome == "accepted", "a new child goes on"
        assert child.child is not None
        child.child._process.kill()
        assert child.try_(mutant).outcome == "CRASH"
        child.close()


@pytest.mark.parametrize(
    ("code", "stderr", "outcome"),
    [
        (0, "", "accepted"),
        (1, "it is worse\n", "accepted"),
        (2, "calf-viz: no: give another\n", "refused"),
        (2, "a warning\ncalf-viz: no\n", "refused"),
        (2, "", "TRACEBACK"),
        (2, "calf-viz: \x1b[2J\n", "TRACEBACK"),
        (2, "calf-viz: " + "a" * 3000, "TRACEBACK"),
        (1, "Traceback (most recent call last):\n", "TRACEBACK"),
        (70, "", "TRACEBACK"),
        (-11, "", "CRASH"),
    ],
)
def test_what_a_command_says_is_judged(code: int, stderr: str, outcome: str) -> None:
    assert judged(code, stderr).outcome == outcome


def test_places_are_as_they_are_called(tmp_path: Path) -> None:
    for name in PLACES:
        folder = tmp_path / re.sub(r"\W", "_", name)
        path = fuzz.place(fuzz.Mutant("look", name, name), folder, bases())
        assert path.is_symlink() == name.startswith("a link")
        assert path.exists() == (
            name not in ("nothing there", "a link to itself", "a link to nothing")
        )
