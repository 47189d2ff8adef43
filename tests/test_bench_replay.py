"""tools/bench_replay.py measures what it says, on small recordings."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

TOOLS = Path(__file__).resolve().parents[1] / "tools"


@pytest.mark.rendering
def test_sizes_are_measured_one_after_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    import bench_replay

    said: list[str] = []
    found = bench_replay.run([(3, 120), (40, 60)], 10, 4, tmp_path, said.append)
    assert [line.split(",")[0] for line in said] == ["3 agents", "40 agents"]
    assert set(found) == {(3, 120), (40, 60)}
    for measured in found.values():
        kinds = ("anywhere", "dragged", "dragged_back", "back_by_one", "within_the_ring")
        assert {f"{kind}_ms" for kind in kinds} <= set(measured)
        assert all(value >= 0.0 for value in measured.values())
    again: list[str] = []
    bench_replay.run([(3, 120)], 10, 2, tmp_path, again.append)
    assert len(again) == 1, "a recording that is there is measured again"
    sys.modules.pop("bench_replay")
