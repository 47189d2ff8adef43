"""Odd command lines: 42, the same in each run, and the judge of them. The hundreds are
`tools/fuzz_commands.py`."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import fuzz_commands as fuzz
import pytest

COUNT, SEED = 42, 20


@pytest.mark.rendering
def test_every_command_line_is_survived() -> None:
    outcomes = set()
    for _, line, verdict in fuzz.verdicts(SEED, fuzz.LIMIT, range(COUNT)):
        assert verdict.survived, f"{[text[:80] for text in line]!a}: {verdict}"
        outcomes.add(verdict.outcome)
    assert outcomes == {"accepted", "refused"}


def test_they_are_the_same_for_a_seed() -> None:
    first, again = (list(islice(fuzz.command_lines(SEED), COUNT)) for _ in range(2))
    assert first == again != list(islice(fuzz.command_lines(SEED + 1), COUNT))
    assert {kind for kind, _ in first} == set(fuzz.CLASSES)


def test_none_can_write_outside_its_folder() -> None:
    for path in fuzz.PATHS:
        assert not path.startswith("/") or path.startswith("/proc/"), "nobody can write there"
        assert ".." not in Path(path).parts[1:]


class TestJudge:
    def test_one_line_or_what_was_asked(self) -> None:
        child = fuzz.Child()
        try:
            assert child.try_(["config", "--seed", "3"]).outcome == "accepted"
            verdict = child.try_(["config", "--config", "\udcff[b]"])
            assert verdict.outcome == "refused" and "[b]: cannot be read" in verdict.said
            assert child.try_(["--no-such"]).outcome == "refused"
        finally:
            child.close()

    def test_one_that_does_not_end(self) -> None:
        child = fuzz.Child(limit=0.0)
        try:
            verdict = child.try_(["config"])
            assert verdict.outcome == "HANG" and not verdict.survived
        finally:
            child.close()
