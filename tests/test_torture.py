"""Trainings that are killed, starved and doubled: a few, the same in each run, and the judge of
them. The hundred is `tools/torture.py`."""

from __future__ import annotations

import os
import random
import re
import signal
from pathlib import Path

import pytest
import torture

KILLS, SEED = 5, 4


def test_no_interruption_loses_anything() -> None:
    found = torture.examine(list(torture.WAYS), KILLS, SEED, shown=False)
    assert {way: f.lost for way, f in found.items()} == {way: [] for way in torture.WAYS}
    assert found["call"].interrupted, "which does not depend on time"


@pytest.fixture(scope="module")
def whole() -> torture.Uninterrupted:
    return torture.uninterrupted(as_run=True)


def damage(place: torture.Place, kind: str) -> None:
    assert place.run is not None
    newest = place.run / "checkpoints" / "000006.resume"
    if kind == "a setting":
        config = place.run / "config.toml"
        config.write_text(config.read_text() + "# mine\n")
    elif kind == "a checkpoint":
        newest.unlink()
    elif kind == "a damaged checkpoint":
        newest.write_bytes(newest.read_bytes()[:-1])
    else:
        (place.run / "checkpoints" / ".mine.part").touch()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("a setting", "config.toml differs"),
        ("a checkpoint", "steps were saved, and .* are there"),
        ("a damaged checkpoint", "000006.resume: truncated"),
        ("a part", r"checkpoints/.mine.part is left over"),
    ],
)
def test_what_is_lost_is_found(
    tmp_path: Path, whole: torture.Uninterrupted, kind: str, said: str
) -> None:
    def interrupt(
        place: torture.Place, chance: random.Random, whole: torture.Uninterrupted
    ) -> list[tuple[torture.Child, int]]:
        child = torture.Child(place, lambda: None)
        code = child.wait()
        damage(place, kind)
        return [(child, code)]

    chance = random.Random(2)  # one interruption
    lost = torture.torture(interrupt, torture.Place(tmp_path, True), chance, whole, torture.Found())
    assert re.search(said, lost), lost


@pytest.mark.parametrize(
    ("code", "wrong"), [("1 / 0", "a traceback"), ("print('a\\nb'); fail()", "more than a line")]
)
def test_a_process_that_ends_badly_is_found(tmp_path: Path, code: str, wrong: str) -> None:
    place = torture.Place(tmp_path, True)

    def train(self: torture.Place) -> None:
        exec(code, {"fail": fail})

    def fail() -> None:
        raise torture.UserError("no")

    patched = type("Broken", (torture.Place,), {"train": train})(tmp_path, True)
    child = torture.Child(patched, lambda: None)
    assert torture.complaint(place, child, child.wait()).startswith(wrong)


def test_a_process_that_is_killed_is_no_complaint(tmp_path: Path) -> None:
    place = torture.Place(tmp_path, True)
    child = torture.Child(place, lambda: os.kill(os.getpid(), signal.SIGKILL))
    code = child.wait()
    assert (code, torture.complaint(place, child, code)) == (-signal.SIGKILL, "")
