"""`calf-viz record NAME`: a loop is recorded beside its viewers, or without any."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attached_loops import board_of
from calf_attach import Handle, attach
from calf_attach.layout import Word
from click.testing import CliRunner, Result
from waiting import until

from calf_viz.cli import recordings
from calf_viz.cli.main import calf_viz
from calf_viz.recording import stream
from calf_viz.recording.recording import Recording
from calf_viz.samples import Samples
from calf_viz.view import View

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
pytestmark = pytest.mark.usefixtures("boards")

N = 3


def step(viz: Handle, size: float, margin: bool = True) -> None:
    none, obs = np.zeros(N, bool), np.full((N, 2), size)
    viz.step(obs, np.ones(N), none, none, {}, margin=np.array([1.0, 0.0, -2.0]) * margin)


def recorded(folder: Path, loop: Callable[[Handle], None], *options: str) -> Recording:
    """What the command records of a loop, which goes on when it is being recorded."""

    def run() -> None:
        with attach(rate=1e9, name="walk", critic=lambda obs: obs[:, 0], nodes=3) as viz:
            viz.reset(np.zeros((N, 2)))
            step(viz, 0.5)
            ready.set()
            until(lambda: bool(board_of(viz)[Word.LOOKED]))
            loop(viz)
            time.sleep(0.1)

    ready = threading.Event()
    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(20)
        done = CliRunner().invoke(calf_viz, ["record", "walk", str(folder), *options])
    finally:
        thread.join()
    assert done.exit_code == 0, done.output
    return Recording(folder)


def test_steps_margins_and_critics_are_in_it(tmp_path: Path) -> None:
    def loop(viz: Handle) -> None:
        for _ in range(20):
            step(viz, 0.5)
        viz.refresh()
        step(viz, 0.25)

    recording = recorded(tmp_path / "a.calf", loop)
    assert len(recording) in (22, 23)  # the first observations may be one
    assert recording.samples(len(recording) - 1).columns["margin"].tolist() == [1.0, 0.0, -2.0]
    assert recording.critics >= 1 and not recording.torn


def test_pauses_and_bounds_are_noted_as_in_a_viewer(tmp_path: Path) -> None:
    def loop(viz: Handle) -> None:
        board = board_of(viz)
        for paused in (1, 0):
            board[Word.PAUSED] = paused
            time.sleep(0.2)
            step(viz, 0.5)
        step(viz, 100.0)
        viz.refresh()

    recording = recorded(tmp_path / "a.calf", loop)
    kinds = [event.kind for event in recording.events()]
    assert [kind for kind in kinds if kind in ("pause", "resume")] == ["pause", "resume"]
    (bounds,) = [event for event in recording.events() if event.kind == "bounds"][-1:]
    lo, hi = np.array(json.loads(bounds.text)).reshape(2, 2)
    assert (lo <= 0.0).all() and (hi >= 100.0).all()


class Failing:
    """A loop whose third step fails."""

    view, paused, running = View("walk"), False, True

    def __init__(self) -> None:
        self.steps = 0

    def step(self) -> Samples:
        self.steps += 1
        if self.steps == 3:
            raise ValueError("no third step")
        return Samples.of(np.zeros((N, 2)))

    def surface(self) -> None:
        return None

    def close(self) -> None:
        pass


def record_of(source: Any, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setattr(recordings, "find", lambda name: name)
    monkeypatch.setattr(recordings, "watch", lambda found: source)
    return CliRunner().invoke(calf_viz, ["record", "walk", *arguments])


def test_a_loop_that_fails_is_recorded_up_to_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = record_of(Failing(), monkeypatch, str(tmp_path / "a.calf"))
    assert done.exit_code == 1 and "2 rows" in done.output
    assert len(Recording(tmp_path / "a.calf")) == 2


def test_a_full_disk_is_a_failure_and_a_limit_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = Failing()
    endless.steps = 3
    monkeypatch.setattr("calf_viz.recording.limits.LEAST_BYTES", 1000)
    done = record_of(endless, monkeypatch, str(tmp_path / "a.calf"), "--limit", "100KB")
    assert done.exit_code == 0, done.output

    def full(file: int, data: memoryview) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stream.os, "write", full)
    done = record_of(endless, monkeypatch, str(tmp_path / "b.calf"))
    assert done.exit_code == 1 and "0 rows" in done.output


WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from calf_viz.recording.recorder import Recorder
from calf_viz.samples import Samples
from calf_viz.view import View

recorder = Recorder(Path(sys.argv[1]), View("walk"))
for step in range(10**9):
    n = 2 + step // 50 % 2
    recorder.see(Samples.of(np.full((n, 2), float(step), np.float32), step=step))
    time.sleep(0.001)
"""


def test_a_recording_is_watched_while_another_process_writes_it(tmp_path: Path) -> None:
    folder = tmp_path / "a.calf"
    with subprocess.Popen([sys.executable, "-P", "-c", WRITER, str(folder)]) as writer:
        try:
            until(lambda: any(folder.glob("agents-*")))
            recording, seen, grew = Recording(folder), 0, 0
            while seen < 200 or grew < 2:
                grew += recording.refresh() > 0
                for samples in recording.walk(seen):
                    assert samples.step == seen and (samples.positions == seen).all()
                    assert len(samples) == 2 + seen // 50 % 2
                    seen += 1
                time.sleep(0.01)
        finally:
            writer.kill()
    recording.refresh()
    assert len(recording) == len(Recording(folder))
