"""Recordings: what was pushed is read back to the last bit, whatever happened to the writer."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import until

from calf_viz.errors import FileDamaged, FileTrouble, UserError
from calf_viz.heightfield import Heightfield
from calf_viz.recording import files, stream
from calf_viz.recording.limits import Limits, read_size
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.recording.stream import Stream
from calf_viz.samples import Samples
from calf_viz.view import View

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

VIEW = View("walk", lo=(-1.0, -2.0), hi=(3.0, 4.0), modes=("one", "two"), goal=(0.0, 0.0, 0.5))
LO, HI = (-1.0, -2.0), (3.0, 4.0)


def walk(steps: int, agents: int = 3, seed: int = 0, **columns: int) -> list[Samples]:
    """Random steps. columns: further ones, and how many numbers each has."""
    rng = np.random.default_rng(seed)
    return [
        Samples(
            rng.normal(size=(agents, 2)).astype(np.float32),
            rng.integers(0, 2, agents).astype(np.uint8),
            rng.random(agents) < (1.0 if step == 0 else 0.1),
            rng.normal(size=agents),
            step,
            {name: rng.normal(size=(agents, width)) for name, width in columns.items()},
        )
        for step in range(steps)
    ]


def recorded(folder: Path, steps: list[Samples], limits: Limits | None = None) -> Recording:
    recorder = Recorder(folder, VIEW, limits=limits)
    for samples in steps:
        recorder.see(samples)
    recorder.close()
    assert recorder.acknowledged == len(range(0, len(steps), recorder.limits.every))
    return Recording(folder)


def assert_equal(found: Samples, expected: Samples) -> None:
    assert found.positions.dtype == expected.positions.dtype
    np.testing.assert_array_equal(found.positions, expected.positions)
    np.testing.assert_array_equal(found.modes, expected.modes)
    np.testing.assert_array_equal(found.first, expected.first)
    if expected.headings is None:
        assert found.headings is None
    else:
        np.testing.assert_array_equal(found.headings, expected.headings)
    assert found.columns.keys() == expected.columns.keys()
    for name, column in expected.columns.items():
        np.testing.assert_array_equal(found.columns[name], column)


@pytest.mark.parametrize("zstd", [False, True])
def test_what_was_pushed_is_read_back_to_the_last_bit(tmp_path: Path, zstd: bool) -> None:
    steps = walk(700, agents=5, state=3, action=1)
    steps[17].positions[2] = np.nan, np.inf
    recording = recorded(tmp_path / "a.calf", steps, Limits(zstd=zstd))
    assert recording.view == VIEW
    assert len(recording) == 700 and not recording.torn
    for found, expected in zip(recording.walk(), steps, strict=True):
        assert_equal(found, expected)
        assert found.step == expected.step
    for row in np.random.default_rng(1).permutation(700)[:100]:
        assert_equal(recording.samples(int(row)), steps[row])
        assert recording.row(int(row)) == row


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    agents=st.lists(st.integers(0, 7), min_size=1, max_size=5),
    wide=st.booleans(),
    headed=st.booleans(),
)
def test_agents_come_and_go(
    tmp_path_factory: pytest.TempPathFactory, seed: int, agents: list[int], wide: bool, headed: bool
) -> None:
    rng = np.random.default_rng(seed)
    steps = []
    for n in agents:
        for _ in range(3):
            places = rng.normal(size=(n, 2)).astype(np.float64 if wide else np.float32)
            headings = rng.normal(size=n) if headed else None
            steps.append(Samples.of(places, rng.integers(0, 2, n), False, headings))
    folder = tmp_path_factory.mktemp("some") / "a.calf"
    recording = recorded(folder, steps)
    for found, expected in zip(recording.walk(), steps, strict=True):
        assert_equal(found, expected)
    changes = [event.number for event in recording.events() if event.kind == "agents"]
    assert changes == [n for i, n in enumerate(agents) if i == 0 or n != agents[i - 1]]


def test_arrays_are_read_piece_by_piece(tmp_path: Path) -> None:
    steps = [*walk(100, state=3), Samples.of(np.zeros((9, 2)), step=100)]
    recording = recorded(tmp_path / "a.calf", steps)
    np.testing.assert_array_equal(
        recording.array("x", 20, 30), [one.positions[:, 0] for one in steps[20:30]]
    )
    assert recording.array("state", 0, 100).shape == (100, 3, 3)
    np.testing.assert_array_equal(recording.array("step"), np.arange(101))
    assert (np.diff(recording.array("time")) >= 0).all()
    assert recording.array("x", 50, 50).shape == (0,)
    with pytest.raises(UserError, match="3 agents became 9"):
        recording.array("x")
    with pytest.raises(UserError, match=r"no column q .*: it has step, time, x, y"):
        recording.array("q")


def test_step_numbers_may_jump_and_are_found(tmp_path: Path) -> None:
    numbers = [5, 6, 7, 100, 101, 5000]
    steps = [Samples.of(np.zeros((2, 2)), step=number) for number in numbers]
    recording = recorded(tmp_path / "a.calf", steps)
    assert [recording.step(row) for row in range(6)] == numbers
    found = {0: 0, 5: 0, 7: 2, 8: 2, 99: 2, 100: 3, 4999: 4, 5000: 5, 10**9: 5}
    assert {step: recording.row(step) for step in found} == found


def test_every_nth_step_loses_no_beginning_of_an_episode(tmp_path: Path) -> None:
    steps = walk(50)
    recording = recorded(tmp_path / "a.calf", steps, Limits(every=7))
    assert [recording.step(row) for row in range(len(recording))] == list(range(0, 50, 7))
    for row in range(1, len(recording)):
        between = [one.first for one in steps[7 * (row - 1) + 1 : 7 * row + 1]]
        np.testing.assert_array_equal(recording.samples(row).first, np.any(between, axis=0))


def test_the_critic_of_then(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    fields = [Heightfield(rng.normal(size=(4 + i, 5)), LO, HI) for i in range(4)]
    fields[2].values[1, 1] = np.nan
    fields[2] = Heightfield(fields[2].values, LO, HI)
    weights = rng.normal(size=11).astype(np.float32)
    steps = walk(40)
    for number, samples in enumerate(steps):
        if number % 10 == 0:
            known = weights if number else None
            recorder.critic(fields[number // 10], number or None, known)
        recorder.see(samples)
    recorder.close()
    recording = Recording(tmp_path / "a.calf")
    assert recording.critic_steps == [0, 10, 20, 30]
    assert [recording.critic_at(step) for step in (0, 9, 10, 39, 999)] == [0, 0, 1, 3, 3]
    for number, field in enumerate(fields):
        found = recording.critic(number)
        np.testing.assert_array_equal(found.field.values, field.values)
        np.testing.assert_array_equal(found.field.bad, field.bad)
        assert (found.field.lo, found.field.hi) == (LO, HI)
        assert found.trained == (10 * number or -1)
    assert recording.critic(0).weights is None
    np.testing.assert_array_equal(recording.critic(1).weights, weights)


def test_episodes_are_noted_with_their_returns(tmp_path: Path) -> None:
    first = np.array([[1, 1], [0, 0], [0, 1], [0, 0], [1, 0]], bool)
    reward = np.array([[0, 0], [1, 2], [4, 0], [8, 16], [0, 32]], float)
    ended = np.array([[0, 0], [0, 1], [0, 0], [2, 0], [0, 0]])
    steps = [
        Samples.of(np.zeros((2, 2)), first=first[i], reward=reward[i], ended=ended[i])
        for i in range(5)
    ]
    events = recorded(tmp_path / "a.calf", steps).events()
    found = [(e.step, e.agent, e.number, e.text) for e in events if e.kind == "episode"]
    assert found == [
        (1, 1, 2.0, "terminated after 1 steps"),
        (3, 0, 13.0, "truncated after 3 steps"),
    ]


def test_a_growing_recording_is_read_by_another(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    steps = [*walk(30), Samples.of(np.zeros((9, 2)), step=30)]
    recorder.see(steps[0])
    recorder.flush()
    recording = Recording(tmp_path / "a.calf")
    assert len(recording) == 1 and recording.torn
    for number, samples in enumerate(steps[1:], 1):
        recorder.see(samples)
        recorder.flush()
        assert recording.refresh() == 1
        assert_equal(recording.samples(number), samples)
    recorder.close()
    assert recording.refresh() == 0 and not recording.torn


def test_steps_reach_the_disk_by_themselves(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    recorder.see(walk(1)[0])
    until(lambda: recorder.acknowledged == 1)
    assert len(Recording(tmp_path / "a.calf")) == 1
    recorder.close()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A stream of a few rows in three blocks."""
    recorder = Recorder(tmp_path / "small.calf", VIEW)
    for number, samples in enumerate(walk(6, agents=1)):
        recorder.see(samples)
        if number % 2:
            recorder.flush()
    recorder.close()
    return tmp_path / "small.calf" / "agents-000000.arrows"


def test_a_tail_torn_at_any_byte_leaves_the_whole_blocks(small: Path) -> None:
    whole, data = Stream(small).blocks, small.read_bytes()
    for size in range(len(data)):
        small.write_bytes(data[:size])
        if size < whole[0].start:
            with pytest.raises(FileDamaged, match="schema"):
                Stream(small)
            continue
        found = Stream(small)
        assert list(found.blocks) == [block for block in whole if block.end <= size]
        assert not found.sealed and found.torn == (size > found.end)
        for number in range(len(found.blocks)):
            found.batch(number)


def test_damaged_bytes_are_found_or_harmless(small: Path) -> None:
    rng, data = np.random.default_rng(0), small.read_bytes()
    for _ in range(2000):
        bad = bytearray(data)
        for at in rng.integers(0, len(bad), rng.integers(1, 5)):
            bad[at] = rng.integers(256)
        small.write_bytes(bad)
        try:
            recording = Recording(small.parent)
            for samples in recording.walk():
                assert samples.positions.shape[1] == 2
        except UserError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 100, 5000])
def test_random_bytes_are_no_stream(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x.arrows"
    path.write_bytes(np.random.default_rng(size).bytes(size))
    with pytest.raises(FileDamaged, match=r"x\.arrows"):
        Stream(path)


def test_a_header_of_terabytes_takes_no_memory(small: Path) -> None:
    data = small.read_bytes()
    start = Stream(small).blocks[0].start
    for length in (2**31 - 1, stream.MOST_HEADER):
        small.write_bytes(data[: start + 4] + length.to_bytes(4, "little") + data[start + 8 :])
        try:
            assert not Stream(small).blocks
        except FileDamaged as error:
            assert f"byte {start}" in str(error)


def test_swapped_and_missing_segments_are_refused(tmp_path: Path) -> None:
    steps = [*walk(3), *(Samples.of(np.zeros((n, 2)), step=n) for n in (4, 5, 6))]
    recorded(tmp_path / "a.calf", steps).close()
    one, other, _, last = sorted((tmp_path / "a.calf").glob("agents-*"))
    moved = last.rename(tmp_path / "moved")
    one.rename(last)
    moved.rename(one)
    with pytest.raises(FileDamaged, match="not in its order"):
        Recording(tmp_path / "a.calf")
    other.unlink()
    with pytest.raises(FileDamaged, match=r"agents-000001\.arrows is missing"):
        Recording(tmp_path / "a.calf")


def odd_meta() -> Iterator[tuple[str, str]]:
    good = {"format": 1, "view": {}}
    yield "{", "not a recording's meta.json"
    yield "[]", "not a recording's meta.json"
    yield json.dumps({**good, "format": 99, "calf_viz": "9.0"}), "update calf_viz"
    yield json.dumps({**good, "format": "x"}), "format x"
    yield json.dumps(good), "labels is missing"
    yield json.dumps({**good, "format": None}), "format None"


@pytest.mark.parametrize(("text", "said"), list(odd_meta()))
def test_an_odd_meta_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    folder = tmp_path / "a.calf"
    recorded(folder, walk(1)).close()
    (folder / "meta.json").write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        Recording(folder)
    assert "\n" not in str(caught.value)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileTrouble, match="no such recording"):
        Recording(tmp_path / "none.calf")
    with pytest.raises(FileTrouble, match=r"meta\.json"):
        Recording(tmp_path)


def test_a_recording_is_never_written_over(tmp_path: Path) -> None:
    recorded(tmp_path / "a.calf", walk(2)).close()
    with pytest.raises(UserError, match="never written over"):
        Recorder(tmp_path / "a.calf", VIEW)
    assert len(Recording(tmp_path / "a.calf")) == 2


def test_a_full_disk_ends_it_and_keeps_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW)
    steps = walk(20)
    for samples in steps[:10]:
        recorder.see(samples)
    recorder.flush()
    write = os.write

    def full(file: int, data: memoryview) -> int:
        if len(data) > 100:
            return write(file, data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stream.os, "write", full)
    for samples in steps[10:]:
        recorder.see(samples)
    recorder.flush()
    assert recorder.ended is not None and "no room is left" in recorder.ended
    recorder.see(steps[-1])  # goes on without it
    monkeypatch.undo()
    recorder.close()
    recording = Recording(tmp_path / "a.calf")
    assert len(recording) == recorder.acknowledged == 10
    assert not recording.torn


def test_it_ends_at_its_limit(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.calf", VIEW, limits=Limits(most_bytes=100_000))
    for samples in walk(3000, agents=10):
        recorder.see(samples)
        if samples.step is not None and samples.step % 50 == 0:
            recorder.flush()
    recorder.close()
    assert recorder.ended is not None and "100,000 bytes" in recorder.ended
    assert 100_000 <= recorder.bytes < 150_000
    assert len(Recording(tmp_path / "a.calf")) == recorder.acknowledged < 3000


def test_streams_roll_and_sealed_ones_never_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SEGMENT_BYTES", 2000)
    now = [0.0]
    recorder = Recorder(tmp_path / "a.calf", VIEW, clock=lambda: now[0])
    steps = walk(60)
    sealed: dict[Path, bytes] = {}
    for number, samples in enumerate(steps):
        now[0] += 20.0 * (number > 40)
        recorder.see(samples)
        recorder.flush()
        paths = sorted((tmp_path / "a.calf").glob("agents-*"))
        assert all(path.read_bytes() == data for path, data in sealed.items())
        sealed |= {path: path.read_bytes() for path in paths[:-1]}
        assert all(data.endswith(stream.SEAL) for data in sealed.values())
    recorder.close()
    recording = Recording(tmp_path / "a.calf")
    assert len(sealed) > 3
    for found, expected in zip(recording.walk(), steps, strict=True):
        assert_equal(found, expected)


@pytest.mark.parametrize(
    ("text", "size"),
    [("500MB", 500_000_000), ("20GB", 2 * 10**10), ("1.5g", 15 * 10**8), ("10000000", 10_000_000),
     ("2 TB", 2 * 10**12), (None, None)],
)  # fmt: skip
def test_sizes(text: str | None, size: int | None) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "5", "100kB", "9.9MB", "5X", "-1GB", "nan", "1e9", "GB", "9" * 40]
)
def test_odd_sizes_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="record_limit"):
        read_size(text)


WRITER = """
import sys
from pathlib import Path
import numpy as np
from calf_viz.recording.recorder import Recorder
from calf_viz.samples import Samples
from calf_viz.view import View

recorder = Recorder(Path(sys.argv[1]), View("walk"))
rng, shown = np.random.default_rng(0), 0
for step in range(10**9):
    recorder.see(Samples.of(rng.normal(size=(20, 2)).astype(np.float32), step=step))
    if recorder.acknowledged != shown:
        shown = recorder.acknowledged
        print(shown, flush=True)
    if step % 16 == 15:
        recorder.flush()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kill -9 is of POSIX systems")
@pytest.mark.parametrize("seed", range(5))
def test_kill_9_loses_nothing_acknowledged(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    writer = subprocess.Popen(
        [sys.executable, "-P", "-c", WRITER, str(tmp_path / "a.calf")],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert writer.stdout is not None
    for _ in range(int(rng.integers(1, 60))):
        acknowledged = int(writer.stdout.readline())
    writer.kill()
    rest = writer.stdout.read().split("\n")
    acknowledged = int(next((line for line in reversed(rest[:-1]) if line), acknowledged))
    writer.wait()
    recording = Recording(tmp_path / "a.calf")
    assert len(recording) >= acknowledged and recording.torn
    rng = np.random.default_rng(0)
    for found in recording.walk():
        np.testing.assert_array_equal(found.positions, rng.normal(size=(20, 2)).astype(np.float32))
