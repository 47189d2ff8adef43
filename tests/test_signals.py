"""Signals to a training: it ends with a checkpoint that resumes, and the second one at once."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from short_trainings import assert_same, short_trainer

from calf_viz.agent.calf import CALFAgent
from calf_viz.training import resume
from calf_viz.training import train as training
from calf_viz.training.trainer import Trainer

TRAIN = """
import sys
from calf_viz.training import train as training, trainer

step = trainer.Trainer.step

def told(self):
    ended = step(self)
    if self.steps == 150:
        print("running", flush=True)
    return ended

trainer.Trainer.step = told
training.train("point_mass", "quick", 3, sys.argv[1], progress=False)
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`calf-viz train` in a process of its own, some 150 steps in."""
    command = [sys.executable, "-c", TRAIN, str(tmp_path / "a.safetensors")]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_leaves_a_checkpoint_that_resumes(
    running: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    output = tmp_path / "a.safetensors"
    assert f"go on with `resume` {output}" in out
    assert "Traceback" not in err
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix != ".lock") == [
        "a.safetensors",
        "a.safetensors.metrics.csv",
        "a.safetensors.resume",
    ]
    assert CALFAgent.load(output, "point_mass").info.seed == 3
    resumed = resume.load(resume.resume_path(output))
    assert resumed.steps >= 150 and not resumed.finished
    # What was cut is what an uninterrupted training is at this step; and it goes on alike.
    twin = Trainer(resumed.config)
    while twin.steps < resumed.steps:
        twin.step()
    for _ in range(20):
        assert_same(resumed, twin)
        resumed.step()
        twin.step()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_stops_the_hard_way_and_the_handler_is_put_back(
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)
    with training._interruptible() as caught:
        signal.raise_signal(number)
        assert caught == [number]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_terminal_that_is_gone_may_say_so_twice() -> None:
    """As the kernel and a shell do."""
    with training._interruptible() as caught:
        for _ in range(3):
            signal.raise_signal(signal.SIGHUP)
        assert set(caught) == {signal.SIGHUP}
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_behind_nohup_a_terminal_that_is_gone_stops_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with training._interruptible() as caught:
            signal.raise_signal(signal.SIGHUP)
        assert not caught and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_connection_that_breaks_leaves_a_checkpoint(tmp_path: Path) -> None:
    """With a progress bar that cannot be drawn any more."""
    code = TRAIN.replace("progress=False", "progress=True")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", code, str(tmp_path / "a.safetensors")])
    said = b""
    while b"running" not in said:
        said += os.read(terminal, 4096)
    os.close(terminal)
    os.waitpid(pid, 0)
    output = tmp_path / "a.safetensors"
    resumed = resume.load(resume.resume_path(output))
    assert resumed.steps >= 150 and not resumed.finished
    assert CALFAgent.load(output, "point_mass").info.seed == 3


def test_ctrl_c_does_not_cut_the_last_files_short() -> None:
    done: list[str] = []

    class Records:
        def start(self, trainer: Trainer) -> None: ...
        def episode(self, trainer: Trainer) -> None: ...
        def finish(self, trainer: Trainer) -> None:
            signal.raise_signal(signal.SIGINT)
            done.append("all written")

    training.follow(short_trainer("point_mass"), Records(), progress=False)
    assert done == ["all written"]
