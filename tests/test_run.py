"""Runs: folders that a training writes, and that resume whenever it was killed."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from calf_viz import settings
from calf_viz.agent import checkpoint
from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.certificate import DEFAULTS
from calf_viz.agent.modes import CERTIFIED
from calf_viz.errors import FileTrouble, UserError
from calf_viz.training import plots, resume, run
from calf_viz.training import train as training
from calf_viz.training.config import TrainingConfig
from calf_viz.training.run import Run
from calf_viz.training.trainer import Trainer

# Small, but with everything in it: learning, selections, a replay that wraps, checkpoints dropped.
TINY = {
    "episodes": 9,
    "steps": 40,
    "batch": 16,
    "select_every": 3,
    "selection_episodes": 2,
    "replay": 150,
    "checkpoint_every": 2,
    "checkpoints": 2,
}


def config(**changes: Any) -> TrainingConfig:
    return TrainingConfig.from_preset("quick", system="point_mass", seed=5, **{**TINY, **changes})


def train(root: Path, **changes: Any) -> Path:
    """A whole training; its folder."""
    training.train("point_mass", "quick", 5, progress=False, runs=root, **{**TINY, **changes})
    (folder,) = root.iterdir()
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was never interrupted."""
    return train(tmp_path_factory.mktemp("runs"))


def test_a_run_has_configuration_metrics_checkpoints_and_the_best_agent(whole: Path) -> None:
    assert whole.name.startswith("point_mass-5-20")
    assert list(contents(whole)) == [
        ".lock",
        "agent.safetensors",
        "certificate.csv",
        "certificate.png",
        "checkpoints/000008.resume",
        "checkpoints/000009.resume",
        "config.toml",
        "metrics.csv",
        "training.png",
    ]
    assert run.read_config(whole) == config()
    assert len((whole / "metrics.csv").read_text().splitlines()) == 1 + 9
    last = resume.load(whole / "checkpoints" / "000009.resume")
    assert last.finished
    agent = CALFAgent.load(whole / "agent.safetensors", "point_mass")
    assert (agent.info.seed, agent.info.preset) == (5, "quick")
    for name, tensor in (last.best or {}).items():
        assert torch.equal(tensor, agent.tensors()[name])


def test_the_configuration_file_explains_itself(whole: Path) -> None:
    lines = (whole / "config.toml").read_text().splitlines()
    assert lines[0] == "[training]"
    at = lines.index("steps = 40")
    assert lines[at - 1] == "# Steps after which an episode is cut off."


def test_the_last_episodes_certificate_keeps_to_its_bounds(whole: Path) -> None:
    """And is the episode that the metrics tell of."""
    columns = plots.read(whole / "certificate.csv", plots.CERTIFICATE)
    metrics = plots.read(whole / "metrics.csv")
    modes = columns["mode"].astype(int)
    assert columns["step"].tolist() == list(range(int(metrics["steps"][-1])))
    assert [int((modes == m).sum()) for m in range(3)] == [metrics[n][-1] for n in plots.NAMES]
    assert columns["reward"].sum() == pytest.approx(metrics["return"][-1])
    q_plus, floor, certified = columns["q_plus"], columns["floor"], modes == CERTIFIED
    assert certified[0]
    rises = np.diff(q_plus[certified])
    assert (rises >= DEFAULTS.nu_bar).all(), "from one certified step to the next"
    assert not np.diff(q_plus)[~certified[1:]].any(), "and never else"
    np.testing.assert_allclose(
        floor, q_plus[0] + DEFAULTS.nu_bar * (np.cumsum(certified) - 1), rtol=1e-12
    )
    assert (q_plus >= floor).all()
    later = np.cumsum(certified) > 1
    assert (q_plus[later] <= columns["ceiling"][later]).all()


def test_pictures_show_something(whole: Path) -> None:
    for name in ("training.png", "certificate.png"):
        with Image.open(whole / name) as picture:
            assert (np.asarray(picture.convert("L")) < 200).mean() > 0.01


def test_metrics_are_there_as_soon_as_an_episode_ended(tmp_path: Path) -> None:
    trainer = Trainer(config())
    made = Run.create(trainer, config(), tmp_path)
    for episodes in (1, 2, 3):
        while trainer.done < episodes:
            trainer.step()
        made.episode(trainer)
        lines = made.metrics.read_text().splitlines()
        assert len(lines) == 1 + episodes and lines[-1].startswith(f"{episodes - 1},")


@pytest.mark.parametrize("cut", [17, 41, 230])
def test_a_resumed_run_equals_one_that_was_never_stopped(
    whole: Path, tmp_path: Path, cut: int
) -> None:
    """Byte for byte, whether it was stopped in good order or killed since its checkpoint."""
    for orderly in (True, False):
        trainer = Trainer(config())
        made = Run.create(trainer, config(), tmp_path / str(orderly))
        trainer.run(made.episode, stop=lambda t=trainer: t.steps >= cut)  # type: ignore[misc]
        if orderly:
            made.finish(trainer)
        made.close()
        training.train(resume_from=made.folder, progress=False)
        assert contents(made.folder) == contents(whole)


def test_metrics_beyond_the_checkpoint_and_torn_lines_are_dropped(tmp_path: Path) -> None:
    folder = train(tmp_path)
    whole = (folder / "metrics.csv").read_bytes()
    (folder / "metrics.csv").write_bytes(whole + b"9,40,-3")
    _, trainer = Run.open(folder)
    assert (folder / "metrics.csv").read_bytes() == whole
    assert trainer.done == 9


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = train(tmp_path)
    newest = folder / "checkpoints" / "000009.resume"
    newest.write_bytes(newest.read_bytes()[:1000])
    opened, trainer = Run.open(folder)
    opened.close()
    assert trainer.done == 8
    (record,) = caplog.records
    assert record.message == (
        f"{newest}: truncated or not a safetensors file (now 000009.damaged): "
        "going on from 000008.resume"
    )
    assert (folder / "checkpoints" / "000009.damaged").stat().st_size == 1000
    for path in (folder / "checkpoints").iterdir():
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"000008.resume: truncated"):
        Run.open(folder)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EMFILE, errno.ENFILE, errno.EIO])
def test_a_checkpoint_that_cannot_be_read_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    folder = train(tmp_path)
    before = contents(folder)
    newest, real = folder / "checkpoints" / "000009.resume", os.open

    def refuse(path: Any, *arguments: Any, **more: Any) -> int:
        if os.fspath(path) == str(newest):
            raise OSError(number, os.strerror(number))
        return real(path, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(FileTrouble, match=f"000009.resume: .*{os.strerror(number)}"):
            Run.open(folder)
    assert contents(folder) == before
    Run.open(folder)[0].close()


def out_of_memory(*_: Any) -> None:
    raise MemoryError


@pytest.mark.parametrize("kind", ["memory", "pipe", "loop", "folder", "newer"])
def test_nor_is_one_that_is_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = train(tmp_path)
    newest = folder / "checkpoints" / "000009.resume"
    if kind == "memory":
        monkeypatch.setattr(resume, "_restore", out_of_memory)
    elif kind == "newer":
        monkeypatch.setitem(checkpoint.FORMATS, "resume", 1)
    else:
        newest.unlink()
        if kind == "pipe":
            os.mkfifo(newest)
        elif kind == "folder":
            newest.mkdir()
        else:
            newest.symlink_to(newest)
    with pytest.raises(FileTrouble, match=r"000009.resume: ") as caught:
        Run.open(folder)
    assert kind != "newer" or str(caught.value).endswith("update calf_viz")
    assert os.path.lexists(newest) and not list(folder.rglob("*.damaged"))


def test_a_damaged_checkpoint_is_set_aside_beside_an_older_one(tmp_path: Path) -> None:
    folder = train(tmp_path)
    (folder / "checkpoints" / "000009.resume").write_bytes(b"new")
    (folder / "checkpoints" / "000009.damaged").write_bytes(b"old")
    Run.open(folder)[0].close()
    assert (folder / "checkpoints" / "000009.damaged").read_bytes() == b"old"
    assert (folder / "checkpoints" / "000009.damaged-2").read_bytes() == b"new"


def test_checkpoints_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """From episode 1 000 000 on their names are longer; what else is there is the user's."""
    made = Run.create(Trainer(config()), config(), tmp_path)
    folder = made.folder / "checkpoints"
    for name in ("999999.resume", "1000000.resume", "1000001.resume", "before lunch.resume"):
        shutil.copy(folder / "000000.resume", folder / name)
    assert [path.name for path in made.checkpoints()] == [
        "000000.resume", "999999.resume", "1000000.resume", "1000001.resume",
    ]  # fmt: skip
    trainer = Trainer(config())
    trainer.done = 1_000_002
    made.checkpoint(trainer)
    assert sorted(path.name for path in folder.iterdir()) == [
        "1000001.resume", "1000002.resume", "before lunch.resume",
    ]  # fmt: skip


def test_a_run_that_falls_back_to_its_beginning_can_be_stopped_there(tmp_path: Path) -> None:
    """Though files are there that tell of what came after."""
    trainer = Trainer(config())
    made = Run.create(trainer, config(checkpoints=2), tmp_path)
    trainer.run(made.episode, stop=lambda: trainer.done == 2)
    made.finish(trainer)
    (made.folder / "checkpoints" / "000002.resume").write_bytes(b"")
    opened, trainer = Run.open(made.folder)
    assert trainer.steps == 0 and not (made.folder / "certificate.csv").exists()
    trainer.step()
    opened.finish(trainer)
    opened, trainer = Run.open(made.folder)
    assert trainer.steps == 1, "and not the damaged one, as the newest, instead of this"


def test_runs_of_the_same_second_do_not_mix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 1, 2)
    monkeypatch.setattr(run, "datetime", SimpleNamespace(now=lambda: now))
    trainer = Trainer(config())
    folders = [Run.create(trainer, config(), tmp_path).folder.name for _ in range(3)]
    name = "point_mass-5-20260102_000000"
    assert folders == [name, f"{name}-2", f"{name}-3"]
    assert sorted(p.name for p in tmp_path.iterdir()) == folders, "nothing half made is left"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("missing", "is not a run"),
        ("no config", r"has no config.toml"),
        ("no checkpoint", "has no checkpoint"),
        ("not TOML", "not TOML: "),
        ("unknown", r"unknown setting 'bach' in .*config.toml: did you mean batch\?"),
        ("wrong type", "batch = 'big' in .*config.toml is of a wrong type: give a whole num"),
    ],
)
def test_what_is_no_run_is_refused_in_one_line(tmp_path: Path, damage: str, words: str) -> None:
    trainer = Trainer(config())
    made = Run.create(trainer, config(), tmp_path)
    made.close()
    folder = made.folder
    file = folder / "config.toml"
    if damage == "missing":
        folder = tmp_path
    elif damage == "no config":
        file.unlink()
    elif damage == "no checkpoint":
        (folder / "checkpoints" / "000000.resume").unlink()
    else:
        texts = {"not TOML": "[training", "unknown": "bach = 3", "wrong type": 'batch = "big"'}
        file.write_text(texts[damage] if damage == "not TOML" else f"[training]\n{texts[damage]}")
    with pytest.raises(UserError, match=words) as caught:
        training.train(resume_from=folder, progress=False)
    assert "\n" not in str(caught.value)


def test_options_that_contradict_each_other(tmp_path: Path) -> None:
    made = Run.create(Trainer(config()), config(), tmp_path)
    made.close()
    folder = made.folder
    for words, arguments in (
        ("leave `output` out", {"output": tmp_path / "a", "resume_from": folder}),
        ("with lr 0.0003, not 0.1: leave lr out", {"resume_from": folder, "lr": 0.1}),
        ("with seed 5, not 0: leave seed out", {"resume_from": folder, "seed": 0}),
        ("with preset quick, not th", {"resume_from": folder, "preset": "thorough"}),
        ("tensorboard is a run's", {"output": tmp_path / "a", "tensorboard": True}),
        ("checkpoints is a run's", {"output": tmp_path / "a", "checkpoints": 7}),
    ):
        with pytest.raises(UserError, match=words):
            training.train("point_mass", progress=False, **arguments)
    assert list(tmp_path.iterdir()) == [folder]


def test_a_run_can_be_lengthened(
    whole: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """To the same result as if it had been so long from the beginning."""
    folder = train(tmp_path, episodes=6)
    caplog.clear()
    training.train(resume_from=folder, progress=False)
    (record,) = caplog.records
    assert record.message == f"{folder} is finished, after 6 episodes: `episodes` gives it more"
    training.train(resume_from=folder, progress=False, episodes=9)
    assert contents(folder) == contents(whole)
    assert run.read_config(folder).episodes == 9
    with pytest.raises(UserError, match="episodes 8 is less than are done: give 9 or more"):
        training.train(resume_from=folder, progress=False, episodes=8)
    assert contents(folder) == contents(whole)


def test_an_edited_configuration_lengthens_or_is_refused(whole: Path, tmp_path: Path) -> None:
    folder = train(tmp_path, episodes=6)
    file = folder / "config.toml"
    text = file.read_text()
    file.write_text(text.replace("lr = 0.0003", "lr = 0.01"))
    words = r"config.toml says lr = 0.01, its checkpoint 0.0003: put that back, or train anew"
    with pytest.raises(UserError, match=words):
        training.train(resume_from=folder, progress=False)
    file.write_text(text.replace("episodes = 6", "episodes = 9"))
    training.train(resume_from=folder, progress=False)
    assert contents(folder) == contents(whole)


def test_a_run_that_diverges_keeps_its_checkpoints(tmp_path: Path) -> None:
    made = Run.create(Trainer(config()), config(checkpoints=1), tmp_path)
    before = contents(made.folder)
    trainer = Trainer(config())
    trainer.step()
    trainer.td3.flats["critic"].data[3] = float("inf")
    with pytest.raises(UserError, match=r"the training diverged, td3.flat.critic is not finite"):
        made.finish(trainer)
    assert contents(made.folder) == before
    made.close()
    Run.open(made.folder)[0].close()


def test_a_run_is_trained_by_one_process_at_a_time(tmp_path: Path) -> None:
    made = Run.create(Trainer(config()), config(), tmp_path)
    with pytest.raises(UserError, match="is being trained by another process"):
        Run.open(made.folder)
    made.close()
    Run.open(made.folder)[0].close()


# What dead processes left


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


# Kills


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


# TensorBoard


def test_without_tensorboard_the_option_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match=r"pip install 'calf_viz\[tensorboard\]'"):
        training.train("point_mass", "quick", 5, progress=False, runs=tmp_path, tensorboard=True)
    assert not list(tmp_path.iterdir()), "before a run is made"


def test_tensorboard_gets_each_episode_once(
    tmp_path: Path, tensorboard: dict[tuple[str, int], float]
) -> None:
    written = tensorboard
    folder = train(tmp_path, tensorboard=True)
    steps = {step for _, step in written}
    assert steps == set(range(9))
    opened, trainer = Run.open(folder)
    opened.close()
    for episode in trainer.recent:
        assert written["episode/return", episode.episode] == episode.ret
        shares = [written[f"modes/{name}", episode.episode] for name in training.NAMES]
        assert sum(shares) == pytest.approx(1.0)
    # Resumed from an earlier checkpoint, what was written beyond it is written again.
    (folder / "checkpoints" / "000009.resume").unlink()
    before = dict(written)
    training.train(resume_from=folder, progress=False)
    assert written == before


# The configuration


def test_a_training_configuration_reads_as_it_was_written() -> None:
    made = config(lr=1e-3, certificate=False)
    text = settings.document(training=settings.table(made))
    values = settings.tomllib.loads(text)["training"]
    assert TrainingConfig(**settings.convert(values, TrainingConfig)) == made


@pytest.mark.parametrize("preset", ["quick", "standard", "thorough"])
def test_the_preset_decides_the_size(preset: str) -> None:
    made = TrainingConfig.from_preset(preset)
    size = {"quick": (100, 500, 64), "standard": (500, 750, 64), "thorough": (1000, 1000, 128)}
    assert (made.preset, (made.episodes, made.steps, made.batch)) == (preset, size[preset])
    back = TrainingConfig.from_preset("thorough", lr=1e-3).changed(preset=preset)
    assert back == made.changed(lr=1e-3), "another preset brings its whole size along"


def test_a_checkpoint_keeps_every_setting(tmp_path: Path) -> None:
    changed = config(
        exploration=0.3, reward_scale=2.0, certificate=False, lambda_relax=0.9, lr=0.01,
        gamma=0.5, tau=0.1, target_noise=0.4, target_noise_clip=0.6, policy_delay=3,
    )  # fmt: skip
    changed = changed.changed(select_every=4, selection_episodes=3, replay=90, episodes=7)
    resume.save(Trainer(changed), tmp_path / "a.resume")
    found = resume.load(tmp_path / "a.resume").config
    # What a run keeps is said in its folder alone.
    assert found == changed.changed(checkpoint_every=10, checkpoints=3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epsiodes": 3}, r"unknown setting 'epsiodes' of a training: did you mean episodes\?"),
        ({"batch": 0}, "batch 0 is out of range: give 1 to"),
        ({"replay": 3}, "replay 3 is out of range: give 64 to"),
        ({"gamma": float("nan")}, "gamma nan is out of range"),
        ({"system": "no_such_system"}, "unknown system 'no_such_system'"),
    ],
)
def test_settings_that_make_no_sense(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        TrainingConfig.from_preset("quick", **changes)


def test_plain_td3_follows_its_actor_alone() -> None:
    trainer = Trainer(config(certificate=False))
    trainer.run()
    assert all(episode.modes[2] == 0 for episode in trainer.recent)
    assert trainer.p_relax < 1.0, "and not by a P_relax that never decays"


class Told:
    """A writer that notes what it is told; it raises where it is to."""

    def __init__(self, fails: str = "") -> None:
        self.told: list[tuple[str, int]] = []
        self.fails = fails

    def _note(self, name: str, done: int) -> None:
        self.told.append((name, done))
        if name == self.fails:
            raise UserError(f"no {name} today")

    def start(self, trainer: Trainer) -> None:
        self._note("start", trainer.done)

    def episode(self, trainer: Trainer) -> None:
        assert trainer.recent[-1].episode == trainer.done - 1
        self._note("episode", trainer.done)

    def checkpoint(self, trainer: Trainer) -> None:
        self._note("checkpoint", trainer.done)

    def close(self) -> None:
        self._note("close", -1)


@pytest.mark.parametrize("files", [False, True])
def test_a_writer_of_ones_own_is_told_of_each_episode(tmp_path: Path, files: bool) -> None:
    told, output = Told(), tmp_path / "agent" if files else None
    sizes = {**TINY, "episodes": 4, "select_every": 2}
    if files:  # which are written as agents are compared
        del sizes["checkpoint_every"], sizes["checkpoints"]
    where = {"runs": tmp_path, "output": output, "progress": False}
    training.train("point_mass", "quick", 5, writers=[told], **where, **sizes)
    begin = [("checkpoint", 0)] if files else []  # a run has its first one before it is started
    assert told.told == [
        ("start", 0), *begin, ("episode", 1), ("episode", 2), ("checkpoint", 2), ("episode", 3),
        ("episode", 4), ("checkpoint", 4), ("checkpoint", 4), ("close", -1),
    ]  # fmt: skip
    again = Told()
    made = output or next(path for path in tmp_path.iterdir())
    training.train(resume_from=made, progress=False, writers=[again], episodes=5)
    assert again.told[0] == ("start", 4) and ("episode", 5) in again.told
    assert again.told[-1] == ("close", -1)


@pytest.mark.parametrize("fails", ["start", "episode", "checkpoint", "close"])
def test_a_writer_that_fails_ends_the_training_and_the_run_can_be_resumed(
    tmp_path: Path, fails: str
) -> None:
    first, told = Told(), Told(fails)
    with pytest.raises(UserError, match=f"no {fails} today"):
        training.train(
            "point_mass", "quick", 5, progress=False, runs=tmp_path, writers=[first, told], **TINY
        )
    assert first.told[-1] == ("close", -1), "whatever the other does"
    assert (("close", -1) in told.told) == (fails != "start"), "what was started is closed"
    (made,) = tmp_path.iterdir()
    assert training.train(resume_from=made, progress=False).finished
