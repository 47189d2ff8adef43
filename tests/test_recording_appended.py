"""Recordings that are appended to, wherever their writers were killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from calf_viz.errors import FileDamaged, UserError
from calf_viz.heightfield import Heightfield
from calf_viz.recording import files, stream
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.recording.stream import SEAL, Block, Stream
from calf_viz.samples import Samples
from calf_viz.view import View

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

VIEW = View("walk", modes=("one", "two"))
STEPS, MORE = 9, 13
"""Of the recording that is cut, and of the same one when it goes on."""


def row(step: int, agents: int = 2) -> Samples:
    """Step 4 begins another episode of the second agent."""
    rng = np.random.default_rng(step)
    first = np.array([step == 0, step in (0, 4)])[:agents]
    return Samples.of(rng.normal(size=(agents, 2)).astype(np.float32), first=first, step=step)


def record(recorder: Recorder, steps: range) -> None:
    """The same whatever there is; critics before steps 0, 4, and 8."""
    for step in steps:
        if step % 4 == 0:
            field = Heightfield(np.full((2, 2), float(step)), VIEW.lo, VIEW.hi)
            recorder.critic(field, trained=step, step=step)
        recorder.see(row(step))
        if step % 3 == 2:
            recorder.flush()
    recorder.close()


@pytest.fixture(autouse=True)
def no_waiting_for_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody cuts the power here."""
    monkeypatch.setattr(stream.os, "fsync", lambda file: None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "a.calf"
    record(Recorder(folder, VIEW), range(STEPS))
    return folder


@pytest.fixture
def cut(whole: Path, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(whole, tmp_path / "a.calf")
    yield tmp_path / "a.calf"


def assert_rows(folder: Path, count: int) -> None:
    recording = Recording(folder)
    assert [samples.step for samples in recording.walk()] == list(range(count))
    for step, samples in enumerate(recording.walk()):
        np.testing.assert_array_equal(samples.positions, row(step).positions)
        np.testing.assert_array_equal(samples.first, row(step).first)
    assert (np.diff(recording.array("time")) >= 0.0).all()
    for step in range(0, count, 4):
        number = recording.critic_at(step)
        assert number is not None and recording.critic(number).trained == step
    episodes = [event.step for event in recording.events() if event.kind == "episode"]
    assert episodes == [3]
    recording.close()


def places(blocks: list[Block], size: int) -> list[int]:
    """Bytes to cut at: around all ends of blocks, and some within."""
    ends = {block.end + by for block in blocks for by in range(-9, 10, 3)}
    return sorted(at for at in {*ends, *range(0, size, 97)} if at < size)


@pytest.mark.parametrize("name", ["agents-000000.arrows", "critic-000000.arrows", "events.arrows"])
def test_a_recording_that_was_cut_is_appended_to(cut: Path, name: str) -> None:
    data, blocks = (cut / name).read_bytes(), Stream(cut / name).blocks
    kept = {path: path.read_bytes() for path in cut.glob("*.arrows")}
    for size in places(blocks, len(data)):
        for path in cut.glob("*.arrows"):
            path.write_bytes(kept[path]) if path in kept else path.unlink()
        (cut / name).write_bytes(data[:size])
        there = [block for block in blocks if block.end <= size]
        if name.startswith("agents"):
            assert len(Recording(cut)) == sum(block.rows for block in there)
        recorder = Recorder(cut, VIEW, append=True)
        for block in there:  # what was whole stays as it was
            assert (cut / name).read_bytes()[: block.end] == data[: block.end]
        if name.startswith("events"):
            assert recorder.earlier.noted.get("episode") == (3 if len(there) > 1 else None)
        record(recorder, range(MORE))
        assert_rows(cut, MORE)


def test_appending_again_and_again_is_one_recording(tmp_path: Path) -> None:
    folder = tmp_path / "a.calf"
    for end in (3, 3, 7, 8, MORE):
        recorder = Recorder(folder, VIEW, append=True)
        record(recorder, range(end))
        assert_rows(folder, end) if end > 4 else None
    recording = Recording(folder)
    assert not recording.torn
    assert [event.kind for event in recording.events()].count("agents") == 1


def test_who_watches_sees_what_is_appended(cut: Path) -> None:
    recording = Recording(cut)
    before = len(recording.events())
    record(Recorder(cut, VIEW, append=True), range(STEPS, MORE))
    assert recording.refresh() == MORE - STEPS
    assert len(recording.events()) == before
    recorder = Recorder(cut, VIEW, append=True)
    recorder.note("pause")
    recorder.close()
    recording.refresh()
    assert recording.events()[-1].kind == "pause"


def test_a_recording_has_one_recorder_at_a_time(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    with pytest.raises(UserError, match=r"a\.calf is being recorded by another process"):
        Recorder(tmp_path / "a.calf", VIEW, append=True)
    recorder.see(row(0))
    recorder.close()
    Recorder(tmp_path / "a.calf", VIEW, append=True).close()


def test_another_picture_is_not_appended(cut: Path) -> None:
    with pytest.raises(UserError, match="title walk, not run: move it away") as caught:
        Recorder(cut, View("run", modes=VIEW.modes), append=True)
    assert "\n" not in str(caught.value)
    Recorder(cut, VIEW, append=True).close()  # it is free again


def test_what_is_no_recording_is_not_appended_to(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match=r"meta\.json"):
        Recorder(tmp_path, VIEW, append=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "mine.txt"]


def test_a_segment_in_the_middle_that_was_cut_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SEGMENT_BYTES", 1)
    folder = tmp_path / "a.calf"
    record(Recorder(folder, VIEW), range(STEPS))
    first = sorted(folder.glob("agents-*"))[0]
    data = first.read_bytes()
    for size in (0, 10, len(data) - 100, len(data) - len(SEAL)):
        first.write_bytes(data[:size])
        with pytest.raises(FileDamaged, match=r"agents-000000\.arrows"):
            Recording(folder)


@pytest.mark.parametrize("kind", ["agents-*", "critic-*", "events*"])
@pytest.mark.parametrize("kept", ["all", "a header"])
def test_zeros_that_a_power_cut_leaves_are_a_torn_tail(cut: Path, kind: str, kept: str) -> None:
    path = sorted(cut.glob(kind))[-1]
    data, blocks = path.read_bytes(), Stream(path).blocks
    whole = data[: blocks[-1].end]
    if kept == "a header":  # whose rest was in the next sector
        whole += SEAL[:4] + b"\x10\x01\0\0" + b"\x08"
        whole += b"\x07" * (-len(whole) % stream.SECTOR)
    path.write_bytes(whole + bytes(5000))
    torn = Stream(path)
    assert list(torn.blocks) == list(blocks) and torn.torn and not torn.sealed
    torn.close()
    assert_rows(cut, STEPS)
    record(Recorder(cut, VIEW, append=True), range(MORE))
    assert_rows(cut, MORE)


def test_zeros_in_the_middle_are_damage(cut: Path) -> None:
    path = sorted(cut.glob("agents-*"))[-1]
    data, block = path.read_bytes(), Stream(path).blocks[1]
    path.write_bytes(data[: block.start] + bytes(5000) + data[block.start :])
    with pytest.raises(FileDamaged, match=f"byte {block.start}"):
        Recording(cut)
