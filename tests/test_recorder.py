"""The recorder: whatever a source may give is recorded, or ends the recording in one line."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calf_viz.heightfield import Heightfield
from calf_viz.recording.export import export
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.samples import Samples
from calf_viz.view import View

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
parquet: Any = pytest.importorskip("pyarrow.parquet")

VIEW = View("walk")
FIELD = Heightfield(np.zeros((2, 2), np.float32), VIEW.lo, VIEW.hi)


def samples(step: int | None, columns: dict[Any, Any] | None = None, first: Any = False) -> Samples:
    places = np.arange(4, dtype=np.float32).reshape(2, 2)
    given = {name: np.asarray(value) for name, value in (columns or {}).items()}
    return Samples(places, np.zeros(2, int), np.full(2, first), None, step, given)


def recorded(folder: Path, *steps: Samples) -> Recording:
    recorder = Recorder(folder, VIEW)
    for one in steps:
        recorder.see(one)
    recorder.close()
    assert recorder.ended is None
    assert recorder.acknowledged == len(steps)
    return Recording(folder)


@pytest.mark.parametrize("name", ["step", "time", "x", "y", "mode", "first", "heading"])
def test_a_sources_column_replaces_none_of_the_recordings_own(tmp_path: Path, name: str) -> None:
    given = samples(5, {name: [7.0, 8.0], f"{name}_": [9.0, 9.0]})
    found = recorded(tmp_path / "a.calf", given).samples(0)
    assert found.step == 5 and found.headings is None
    np.testing.assert_array_equal(found.positions, given.positions)
    np.testing.assert_array_equal(found.modes, given.modes)
    np.testing.assert_array_equal(found.first, given.first)
    assert {key: value.tolist() for key, value in found.columns.items()} == {
        f"{name}__": [7.0, 8.0],
        f"{name}_": [9.0, 9.0],
    }


@pytest.mark.parametrize("name", ["\udc80", "a\0b", "", 3, "Größe", "  "])
def test_any_name_of_a_column_is_recorded(tmp_path: Path, name: Any) -> None:
    found = recorded(tmp_path / "a.calf", samples(0, {name: [1.0, 2.0]})).samples(0)
    assert [value.tolist() for value in found.columns.values()] == [[1.0, 2.0]]


def test_columns_without_numbers_are_not_recorded(tmp_path: Path) -> None:
    given = samples(0, {"nothing": np.zeros((2, 0)), "state": np.ones((2, 1))})
    assert list(recorded(tmp_path / "a.calf", given).samples(0).columns) == ["state"]


def test_what_has_another_shape_than_its_name_says_has_another_name(tmp_path: Path) -> None:
    wide = np.ones((2, 3))
    given = [
        samples(step, {"reward": wide, "ended": wide.astype(int), "q": wide}, first=step == 2)
        for step in range(4)
    ]
    recording = recorded(tmp_path / "a.calf", *given)
    assert list(recording.samples(0).columns) == ["reward_", "ended_", "q_"]
    episodes = [event for event in recording.events() if event.kind == "episode"]
    assert [event.text for event in episodes] == ["ended after 1 steps"] * 2
    assert np.isnan([event.number for event in episodes]).all()


@pytest.mark.parametrize("name", ["agent", "s_0"])
def test_tables_have_a_column_for_each_name(tmp_path: Path, name: str) -> None:
    columns = {"s": [[1.0, 2.0], [3.0, 4.0]], name: [5.0, 6.0], f"{name}_": [7.0, 8.0]}
    recording = recorded(tmp_path / "a.calf", samples(0, columns))
    export(recording, tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet").to_pydict()
    assert table["agent"] == [0, 1]
    assert table["s_1"] == [2.0, 4.0]
    assert table[f"{name}_"] == [7.0, 8.0]
    kept = "agent__" if name == "agent" else "s_0"
    assert table[kept] == [5.0, 6.0]
    assert table["s_0" if name == "agent" else "s_0__"] == [1.0, 3.0]


class Odd:
    """No array."""


def test_whatever_cannot_be_written_ends_the_recording_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    recorder.see(samples(0))
    recorder.flush()
    weights: Any = Odd()
    with caplog.at_level(logging.WARNING):
        recorder.critic(FIELD, weights=weights)
        recorder.see(samples(1))
        recorder.flush()
    assert recorder.ended is not None and "\n" not in recorder.ended
    assert "kept" in recorder.ended and len(caplog.records) == 1
    recorder.see(samples(2))
    recorder.close()
    recording = Recording(tmp_path / "a.calf")
    assert len(recording) == recorder.acknowledged == 1 and not recording.torn


def test_a_failure_while_gathering_ends_the_recording(tmp_path: Path) -> None:
    def gather() -> list[Any]:
        raise ValueError("no rows")

    recorder = Recorder(tmp_path / "a.calf", VIEW)
    recorder.gather = gather
    recorder.close()
    assert recorder.ended is not None and "no rows" in recorder.ended
