"""Recorders that are killed, starved and doubled: a few, the same in each run, and the judge of
them. The hundred is `tools/torture_recording.py`."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
import torture_recording
from torture_recorder import STEPS, Writer

from calf_viz.recording.stream import Stream

KILLS, SEED = 20, 1


def test_no_interruption_loses_an_acknowledged_row() -> None:
    found = torture_recording.examine(list(torture_recording.WAYS), KILLS, SEED, shown=False)
    assert {way: one.lost for way, one in found.items()} == {way: [] for way in found}
    assert len(found) == 10
    for way in ("roll", "agents", "critic", "append", "full"):  # which do not depend on time
        assert found[way].interrupted, way


def damage(folder: Path, kind: str) -> None:
    last = sorted(folder.glob("agents-*"))[-1]
    data = last.read_bytes()
    if kind == "rows":
        last.write_bytes(data[: len(data) // 2])
    elif kind == "a bit":
        last.write_bytes(data[:-100] + bytes([data[-100] ^ 1]) + data[-99:])
    elif kind == "a segment":
        sorted(folder.glob("agents-*"))[0].unlink()
    else:
        path = sorted(folder.glob("critic-*"))[0]
        data, at = path.read_bytes(), Stream(path).blocks[3].end - 200
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("rows", rf"{STEPS} rows were acknowledged, and \d+ are there"),
        ("a bit", r"row \d+ is another"),
        ("a segment", r"agents-000000.arrows is missing"),
        ("a critic", r"the critic of step \d+ differs"),
    ],
)
def test_what_is_lost_is_found(tmp_path: Path, kind: str, said: str) -> None:
    def interrupt(folder: Path, chance: random.Random, whole: float) -> list[tuple[Writer, int]]:
        writer = Writer(folder)
        code = writer.wait()
        damage(folder, kind)
        return [(writer, code)]

    chance = random.Random(2)  # one interruption
    lost = torture_recording.torture(
        interrupt, tmp_path / "a.calf", chance, 1.0, torture_recording.Found()
    )
    assert re.search(said, lost), lost
