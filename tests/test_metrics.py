"""The metrics file: appended to, and taken up again where a training was."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calf_viz.errors import FileTrouble, UserError
from calf_viz.training import metrics, resume
from calf_viz.training import train as training
from calf_viz.training.columns import METRICS
from calf_viz.training.config import TrainingConfig
from calf_viz.training.trainer import RECENT, Episode, Trainer

SHORT = TrainingConfig(preset="quick", episodes=4, steps=30, batch=16, select_every=2)


def trainer_after(done: int) -> Trainer:
    """A trainer that is said to have so many episodes behind it."""
    made = Trainer(SHORT.changed(seed=1, replay=100))
    made.done = done
    made.recent.extend(map(episode, range(max(0, done - RECENT), done)))
    made.episode.episode = done
    return made


def episode(number: int) -> Episode:
    steps = 1 + number % 30
    ret = -float(np.float32(number) / 7)
    return Episode(number, steps, ret, number % 3 == 0, [steps - 1, 0, 1], 0.9)


def resumed(trainer: Trainer, folder: Path) -> Trainer:
    resume.save(trainer, folder / "a.resume")
    return resume.load(folder / "a.resume")


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """The metrics of 200 episodes."""
    metrics.write(tmp_path / "whole.csv", map(episode, range(200)))
    return (tmp_path / "whole.csv").read_bytes()


def test_a_checkpoint_costs_the_same_after_700_000_episodes(tmp_path: Path) -> None:
    sizes = []
    for done in (RECENT, 700_000):
        trainer = trainer_after(done)
        found = resumed(trainer, tmp_path)
        assert (found.done, found.recent[-1]) == (done, episode(done - 1))
        assert list(found.recent) == list(trainer.recent)[-resume.TAIL :]
        sizes.append((tmp_path / "a.resume").stat().st_size)
    assert sizes[1] - sizes[0] < 1000, "a few digits"


def test_a_training_goes_on_after_700_000_episodes(tmp_path: Path) -> None:
    trainer, path = trainer_after(700_000), tmp_path / "m.csv"
    metrics.write(path, map(episode, range(700_003)))
    lines = path.read_bytes().splitlines(keepends=True)
    found = resumed(trainer, tmp_path)
    metrics.go_on(path, found)
    assert path.read_bytes() == b"".join(lines[:700_001])
    assert found.recent == trainer.recent
    metrics.append(path, episode(700_000))
    assert path.read_bytes() == b"".join(lines[:700_002])


@pytest.mark.parametrize("kept", ["all", "more", "torn", "fewer", "a torn line", "header", "none"])
def test_lines_are_dropped_or_put_back_to_what_was_done(
    tmp_path: Path, whole: bytes, kept: str, caplog: pytest.LogCaptureFixture
) -> None:
    lines, path = whole.splitlines(keepends=True), tmp_path / "m.csv"
    contents = {
        "all": lines[:61], "more": lines[:90], "torn": [*lines[:90], b"89,4"],
        "fewer": lines[:40], "a torn line": [*lines[:40], lines[40][:9]], "header": lines[:1],
    }  # fmt: skip
    if kept in contents:
        path.write_bytes(b"".join(contents[kept]))
    trainer = resumed(trainer_after(60), tmp_path)
    metrics.go_on(path, trainer)
    assert path.read_bytes() == b"".join(lines[:61])
    assert list(trainer.recent) == list(map(episode, range(60)))
    assert not caplog.records and sorted(p.name for p in tmp_path.iterdir()) == [
        "a.resume", "m.csv", "whole.csv",
    ]  # fmt: skip


@pytest.mark.parametrize("left", [0, 1, 30])
def test_lines_that_are_lost_are_reported_and_the_training_goes_on(
    tmp_path: Path, whole: bytes, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    lines, path = whole.splitlines(keepends=True), tmp_path / "m.csv"
    if left:
        path.write_bytes(b"".join(lines[: 1 + left]))
    trainer = resumed(trainer_after(200), tmp_path)
    metrics.go_on(path, trainer)
    tail = 200 - resume.TAIL
    assert path.read_bytes() == b"".join([*lines[: 1 + left], *lines[1 + tail :]])
    (record,) = caplog.records
    assert record.message == f"{path} lacks {tail - left} of 200 episodes: going on"
    metrics.append(path, episode(200))
    trainer.done += 1
    trainer.recent.append(episode(200))
    before = path.read_bytes()
    metrics.go_on(path, trainer)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (1, b"episode;steps\r\n"), (3, b"\0\0\0\0\r\n"), (3, b"1,2,x,1,0,0,0,0.5\r\n"),
        (180, b"178,2,-0.5,1,1,0,1,0.5\r\n"),
        (100, b"7" * 5000 + b"\r\n"), (60, b"\0" * 1000 + b"\r\n"),
        (60, b"\0" * 3_000_000 + b"\r\n"), (190, b"a,b\r\n" * 3),
    ],
)  # fmt: skip
def test_a_damaged_file_is_set_aside_and_its_lines_kept(
    tmp_path: Path, whole: bytes, line: int, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    lines, path = whole.splitlines(keepends=True), tmp_path / "m.csv"
    damaged = b"".join([*lines[: line - 1], text, *lines[line:]])
    path.write_bytes(damaged)
    metrics.go_on(path, resumed(trainer_after(200), tmp_path))
    assert (tmp_path / "m.damaged").read_bytes() == damaged
    assert caplog.records[0].message == f"{path}:{line}: not a line of metrics; it is now m.damaged"
    kept = path.read_bytes().splitlines(keepends=True)
    assert kept[0] == lines[0] and set(lines[1:]) - set(kept) <= {lines[line - 1]}
    assert set(kept) <= set(lines)


def test_metrics_that_cannot_be_read_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.mkdir()
    with pytest.raises(FileTrouble, match=r"m.csv: it is a folder, not a regular file"):
        metrics.go_on(path, trainer_after(3))
    assert [p.name for p in tmp_path.iterdir()] == ["m.csv"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_in_the_file_a_training_goes_on(
    tmp_path: Path, whole: bytes, data: st.DataObject
) -> None:
    """And what goes on has its newest lines, in their order."""
    path = tmp_path / "m.csv"
    at = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(at, min(len(whole), at + 200)))
    path.write_bytes(whole[:at] + data.draw(st.binary(max_size=60)) + whole[end:])
    trainer = trainer_after(150)
    tail = list(trainer.recent)[-resume.TAIL :]
    trainer.recent.clear()
    trainer.recent.extend(tail)
    metrics.go_on(path, trainer)
    rows = [line.split(",") for line in path.read_text().splitlines()]
    assert rows[0] == list(METRICS)
    numbers = [int(row[0]) for row in rows[1:]]
    assert numbers == sorted(set(numbers)) and numbers[-1] == 149
    assert list(trainer.recent)[-1] == tail[-1]
    for path in tmp_path.glob("m.damaged*"):
        path.unlink()


def test_a_file_that_is_gone_is_reported_before_a_line_is_lost(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot write .*m.csv: No such file.*then `resume`"):
        metrics.append(tmp_path / "m.csv", episode(0))
    assert not list(tmp_path.iterdir())


def test_a_pipe_in_its_place_is_reported_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.csv")
    for write in (lambda p: metrics.append(p, episode(0)), metrics.to_disk):
        with pytest.raises(UserError, match=r"cannot write .*m.csv: .*then `resume`"):
            write(tmp_path / "m.csv")


def test_files_beside_each_other_are_as_of_a_training_that_never_stopped(tmp_path: Path) -> None:
    """Resumed in place, or to another place."""

    def started(name: str) -> tuple[Trainer, training.Files]:
        trainer = Trainer(SHORT.changed(seed=7, selection_episodes=2))
        records = training.Files(tmp_path / name)
        records.start(trainer)
        return trainer, records

    trainer, records = started("whole")
    trainer.run(records.episode)
    records.finish(trainer)
    trainer, records = started("a")
    trainer.run(records.episode, stop=lambda: trainer.steps >= 100)
    records.finish(trainer)
    trainer.run(records.episode)  # and then it was killed
    for output in ("b", "a"):
        training.train(resume_from=tmp_path / "a", output=tmp_path / output, progress=False)
        for end in ("", ".resume", ".metrics.csv"):
            one, other = (tmp_path / f"{name}{end}" for name in ("whole", output))
            assert one.read_bytes() == other.read_bytes(), end
