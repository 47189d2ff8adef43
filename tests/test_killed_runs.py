"""Runs whose process was killed: what it left is swept, and they go on as if it had not been."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from runs import TINY, config, contents, train, uninterrupted

from calf_viz.agent.calf import CALFAgent
from calf_viz.training import run
from calf_viz.training import train as training
from calf_viz.training.run import Run
from calf_viz.training.trainer import Trainer

whole = pytest.fixture(uninterrupted, scope="module")


def _stop_halfway(root: str) -> None:
    """A process that dies when it is about to give a run its name."""
    run.os.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
    Run.create(Trainer(config()), config(), root)


def test_folders_of_processes_that_died_are_swept_when_a_later_run_starts(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    for _ in range(2):  # the second sweeps what the first left
        dying = fork.Process(target=_stop_halfway, args=(str(tmp_path),))
        dying.start()
        dying.join()
    empty = tmp_path / ".point_mass-5-20260102_000000-abcdefgh"
    empty.mkdir()
    living = Run(
        Path(tempfile.mkdtemp(prefix=".point_mass-5-20260102_000000-", dir=tmp_path)), config()
    )
    (tmp_path / ".git-1-20260102_000000").mkdir()
    (tmp_path / ".notes").mkdir()
    assert len(list(tmp_path.iterdir())) == 5
    made = Run.create(Trainer(config()), config(), tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(
        [made.folder, living.folder, tmp_path / ".git-1-20260102_000000", tmp_path / ".notes"]
    )
    made.close(), living.close()


def test_a_folder_that_was_swept_before_it_was_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = tempfile.mkdtemp

    def swept(**places: Any) -> str:
        made.append(make(**places))
        if len(made) == 1:
            os.rmdir(made[0])
        if len(made) == 2:
            held.append(Run(Path(made[1]), config()))
        return made[-1]

    held: list[Run] = []
    monkeypatch.setattr(run.tempfile, "mkdtemp", swept)
    Run.create(Trainer(config()), config(), tmp_path).close()
    assert len(list(tmp_path.glob("point_mass-*"))) == 1 and len(made) >= 2


def test_parts_that_a_dead_process_left_are_swept_when_the_run_goes_on(
    whole: Path, tmp_path: Path
) -> None:
    folder = train(tmp_path, episodes=6)
    for name in ("", "checkpoints/"):
        for end in ("agent.safetensors", "metrics.csv", "training.png", "000004.resume"):
            (folder / f"{name}.{end}.0123abcd.part").write_bytes(b"half of it")
    kept = (".agent.safetensors.mine.part", ".figure.png.0123abcd.part", "agent.part")
    for name in kept:
        (folder / name).write_bytes(b"the user's")
    training.train(resume_from=folder, progress=False, episodes=9)
    found = contents(folder)
    assert [found.pop(name) for name in kept] == [b"the user's"] * 3
    assert found == contents(whole)


def _keep_writing(root: str) -> None:
    made = config()
    trainer = Trainer(made)
    written = Run.create(trainer, made, root)
    while True:
        trainer.step()
        if trainer.steps % 3 == 0:
            written.checkpoint(trainer)


def test_a_writer_killed_at_random_points_leaves_runs_that_resume(tmp_path: Path) -> None:
    """From the making of the folder on."""
    random = np.random.default_rng(0)
    fork = multiprocessing.get_context("fork")  # a new interpreter would take seconds each time
    found = 0
    for attempt in range(50):
        root = tmp_path / str(attempt)
        writer = fork.Process(target=_keep_writing, args=(str(root),))
        writer.start()
        assert writer.pid is not None
        while writer.is_alive() and not any(root.glob("point_mass-*")):
            time.sleep(0.001)
        time.sleep(float(random.uniform(0.0, 0.08)))
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        for folder in root.glob("point_mass-*"):
            found += 1
            _, trainer = Run.open(folder)
            twin = Trainer(config())
            while twin.steps < trainer.steps:
                twin.step()
            assert torch.equal(trainer.td3.flats["critic"], twin.td3.flats["critic"])
            CALFAgent.load(folder / "agent.safetensors", "point_mass")
    assert found == 50


def test_the_command_killed_and_resumed_equals_the_one_that_was_not(
    whole: Path, tmp_path: Path
) -> None:
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in TINY.items()]
    command = [sys.executable, "-m", "calf_viz", "train", "--no-progress"]
    new = ["--system=point_mass", "--preset=quick", "--seed=5", f"--runs={tmp_path}", *flags]
    started = subprocess.Popen([*command, *new], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        while not list(tmp_path.glob("point_mass-*/checkpoints/000002.resume")):
            assert started.poll() in (None, 0), started.communicate()
            time.sleep(0.002)
    finally:
        started.kill()
        started.communicate()
    (folder,) = tmp_path.glob("point_mass-*")
    done = subprocess.run(
        [*command, f"--resume={folder}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(folder / "agent.safetensors")]
    assert contents(folder) == contents(whole)
