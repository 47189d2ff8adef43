"""The recorder: whatever a source may give is recorded, or ends the recording in one line."""

from __future__ import annotations

import errno
import logging
import os
import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.recording import recorder as recorder_module
from calf_viz.recording import stream
from calf_viz.recording.agents import MOST_ROWS
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


def test_numbers_that_go_back_are_counted_on(tmp_path: Path) -> None:
    steps = [samples(7), samples(8), samples(3), samples(4), samples(0, first=True), samples(1)]
    recording = recorded(tmp_path / "a.calf", *steps)
    # Agents that go on after a step back are not joined with where they were.
    assert recording.array("step").tolist() == [7, 8, 10, 11, 12, 13]


def test_numbers_beyond_those_of_files_are_counted_on(tmp_path: Path) -> None:
    steps = [samples(step) for step in (0, 1 << 70, (1 << 70) + 1, 1 << 71)]
    assert recorded(tmp_path / "a.calf", *steps).array("step").tolist() == [0, 2, 3, 5]


def test_paths_that_are_no_text_are_kept(tmp_path: Path) -> None:
    about = {"configuration": {"checkpoint": "/net/\udcff.npz"}}
    Recorder(tmp_path / "a.calf", VIEW, about).close()
    assert Recording(tmp_path / "a.calf").meta["configuration"] == about["configuration"]


def test_a_mark_is_at_the_step_that_was_shown_then(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    for step in (0, 10, 20, 30):
        recorder.see(samples(step))
    assert all(recorder.note("mark", back=back) for back in (2, 0, 9))
    recorder.close()
    marks = [
        event.step for event in Recording(tmp_path / "a.calf").events() if event.kind == "mark"
    ]
    assert marks == [10, 30, 0]


class Hung(NamedTuple):
    """A disk that takes nothing until it is told to go on."""

    hangs: threading.Event
    goes_on: threading.Event


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch) -> Hung:
    """Memory for less than a block of rows."""
    disk, write = Hung(threading.Event(), threading.Event()), os.write

    def wait(file: int, data: memoryview) -> int:
        disk.hangs.set()
        assert disk.goes_on.wait(60)
        return write(file, data)

    monkeypatch.setattr(stream.os, "write", wait)
    monkeypatch.setattr(recorder_module, "WAITING_BYTES", 10_000)
    return disk


def test_steps_that_a_slow_disk_does_not_take_are_told_of(
    tmp_path: Path, hung: Hung, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    recorder.see(samples(0))
    assert hung.hangs.wait(60)
    for step in range(1, 4 * MOST_ROWS):
        recorder.see(samples(step))
    left_out = recorder.left_out
    assert left_out > 0
    recorder.see(samples(4 * MOST_ROWS, first=True))
    hung.goes_on.set()
    recorder.flush()
    recorder.see(samples(4 * MOST_ROWS + 1))
    recorder.close()
    assert recorder.ended is None and len(caplog.records) == 1
    recording = Recording(tmp_path / "a.calf")
    assert recorder.left_out == left_out + 2, "a step, and the events of ends"
    assert len(recording) + left_out == 4 * MOST_ROWS + 1
    told = [event.number for event in recording.events() if event.kind == "left_out"]
    assert sum(told) == recorder.left_out
    assert recording.samples(len(recording) - 1).first.all(), "no beginning is lost"


def test_critics_and_events_on_a_hung_disk_take_bounded_memory(tmp_path: Path, hung: Hung) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    recorder.see(samples(0))
    assert hung.hangs.wait(60)
    for step in range(1, 300):
        recorder.critic(FIELD, trained=step, step=step)
        recorder.note("mark")
        assert recorder.waiting < 10_000 + 2000
    assert not recorder.note("mark") and recorder.left_out > 0
    hung.goes_on.set()
    recorder.flush()
    recorder.see(samples(300))
    recorder.close()
    recording = Recording(tmp_path / "a.calf")
    number = recording.critic_at(300)
    assert number is not None and recording.critic(number).trained == 299, "the critic of then"
    assert sum(e.kind == "mark" for e in recording.events()) + recorder.left_out == 300


def test_all_streams_are_sealed_though_one_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    recorder.critic(FIELD)
    recorder.see(samples(0))
    recorder.flush()
    write, failures = os.write, [OSError(errno.EIO, "Input/output error")]

    def fail_once(file: int, data: memoryview) -> int:
        if failures:
            raise failures.pop()
        return write(file, data)

    monkeypatch.setattr(stream.os, "write", fail_once)
    recorder.close()
    assert recorder.ended is not None and "Input/output error" in recorder.ended
    paths = sorted((tmp_path / "a.calf").glob("*.arrows"))
    assert len(paths) == 3
    assert sum(path.read_bytes().endswith(stream.SEAL) for path in paths) == 2
    assert len(Recording(tmp_path / "a.calf")) == 1


@pytest.mark.parametrize("odd", [Odd(), np.float32(1.0), float("nan"), {("a",): 1}])
def test_what_a_source_says_of_itself_is_json_or_refused(tmp_path: Path, odd: Any) -> None:
    with pytest.raises(UserError, match=r"meta\.json") as caught:
        Recorder(tmp_path / "a.calf", VIEW, {"agent": {"odd": odd}})
    assert "\n" not in str(caught.value)
