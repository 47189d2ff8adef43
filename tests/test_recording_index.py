"""What a reader of long recordings needs: few files, little memory, and no look too many."""

from __future__ import annotations

import gc
import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calf_viz.errors import FileTrouble
from calf_viz.recording import files, open_files
from calf_viz.recording import folder as folder_of_recordings
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.recording.stream import Block, Blocks
from calf_viz.samples import Samples
from calf_viz.view import View

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

VIEW = View("walk", lo=(-1.0, -2.0), hi=(3.0, 4.0))
STREAMS = 150


def test_who_waits_at_the_end_does_not_list_the_folder_in_each_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a.calf"
    recorder = Recorder(folder, VIEW)
    recorder.see(Samples.of(np.zeros((2, 2)), step=0))
    recorder.close()
    os.utime(folder, (0, 0))  # it was made long ago
    listed, found = [], folder_of_recordings.names_in

    def counted(path: Any) -> list[str]:
        listed.append(path)
        return found(path)

    monkeypatch.setattr(folder_of_recordings, "names_in", counted)
    recording = Recording(folder)
    first = len(listed)
    for _ in range(1000):
        recording.refresh()
    assert len(listed) - first <= 4
    recorder = Recorder(folder, VIEW, append=True)
    recorder.see(Samples.of(np.zeros((2, 2)), step=1))
    recorder.close()
    recording.refresh()
    assert len(recording) == 2, "it sees at once that there is more"


@pytest.fixture
def few_files() -> Iterator[None]:
    """A system that allows some 40 files more than are open now."""
    resource = pytest.importorskip("resource", reason="the system has no such limit")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()
    os.close(free := os.dup(0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 40, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def many_streams(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of a row each."""
    monkeypatch.setattr(files, "SEGMENT_BYTES", 1)
    recorder = Recorder(folder, VIEW)
    for step in range(STREAMS):
        recorder.see(Samples.of(np.full((2, 2), float(step)), step=step))
        recorder.flush()
    recorder.close()


def test_a_recording_of_more_streams_than_files_may_be_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_files: None
) -> None:
    monkeypatch.setattr(open_files, "MOST_OPEN", 8)
    folder = tmp_path / "a.calf"
    many_streams(folder, monkeypatch)
    assert len(list(folder.glob("agents-*.arrows"))) > 100
    recording = Recording(folder)
    assert len(recording) == STREAMS
    rows = np.random.default_rng(0).permutation(STREAMS)
    assert [recording.samples(int(row)).positions[0, 0] for row in rows] == rows.tolist()
    recorder = Recorder(folder, VIEW, append=True)
    recorder.see(Samples.of(np.zeros((2, 2)), step=STREAMS))
    recorder.close()
    recording.refresh()
    assert len(recording) == STREAMS + 1
    recording.close()
    with pytest.raises(FileTrouble, match="closed"):
        recording.array("x")


def test_a_stream_whose_name_another_file_has_by_now_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_files, "MOST_OPEN", 1)
    folder = tmp_path / "a.calf"
    many_streams(folder, monkeypatch)
    recording = Recording(folder)
    path = folder / "agents-000003.arrows"
    (tmp_path / "other").write_bytes(path.read_bytes())
    os.replace(tmp_path / "other", path)
    with pytest.raises(FileTrouble, match=r"agents-000003\.arrows.*another file"):
        recording.samples(3)
    assert recording.samples(4).step == 4


def test_the_index_of_blocks_is_small(tmp_path: Path) -> None:
    blocks = Blocks()
    tracemalloc.start()
    for number in range(100_000):
        blocks.add(Block(100 * number, 100 * number + 100, 30, 30 * number))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 3_000_000
    assert blocks[77] == Block(7700, 7800, 30, 2310) and blocks[-1].end == 10_000_000


def test_an_array_takes_the_memory_of_its_column_alone(tmp_path: Path) -> None:
    """Of every column there is, and of the blocks that it is in, it would be ten times as much."""
    rng = np.random.default_rng(0)
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    for step in range(200):
        samples = Samples.of(rng.normal(size=(1000, 2)), step=step)
        wide = {"wide": rng.normal(size=(1000, 10)), "reward": rng.normal(size=1000)}
        recorder.see(replace(samples, columns=wide))
        if step % 10 == 9:
            recorder.flush()
    recorder.close()
    pyarrow = pytest.importorskip("pyarrow")
    recording = Recording(tmp_path / "a.calf")
    recording.array("reward", 0, 1)
    before = pyarrow.total_allocated_bytes()
    tracemalloc.start()
    found = recording.array("reward")
    size, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    kept = size + pyarrow.total_allocated_bytes() - before
    assert found.shape == (200, 1000) and kept < 1.2 * found.nbytes
    assert most < 3.5 * found.nbytes, "the column, and a block at a time"
    np.testing.assert_array_equal(found[150], recording.samples(150).columns["reward"])


def test_arrays_are_what_samples_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    for step in range(50):
        modes, first = rng.integers(0, 2, 3), rng.random(3) < 0.2
        samples = Samples.of(rng.normal(size=(3, 2)), modes=modes, first=first, step=step)
        recorder.see(replace(samples, columns={"s": rng.normal(size=(3, 2))}))
        if step % 7 == 0:
            recorder.flush()
    recorder.close()
    recording = Recording(tmp_path / "a.calf")
    for start, stop in ((0, None), (3, 30), (-5, None), (9, 10), (20, 22)):
        rows = range(50)[start:stop]
        there = [recording.samples(row) for row in rows]
        for name, expected in (
            ("x", [one.positions[:, 0] for one in there]),
            ("mode", [one.modes for one in there]),
            ("first", [one.first for one in there]),
            ("s", [one.columns["s"] for one in there]),
            ("step", list(rows)),
        ):
            found = recording.array(name, start, stop)
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == np.asarray(expected).dtype
            assert found.flags.writeable
