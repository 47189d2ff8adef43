"""A run's folder: what a training writes into it, and that it goes on from there."""

from __future__ import annotations

import errno
import os
import shutil
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from runs import config, contents, train, uninterrupted

from calf_viz.agent import checkpoint
from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.certificate import DEFAULTS
from calf_viz.agent.modes import CERTIFIED
from calf_viz.errors import FileTrouble, UserError
from calf_viz.training import plots, resume, run
from calf_viz.training import train as training
from calf_viz.training.run import Run
from calf_viz.training.trainer import Trainer

whole = pytest.fixture(uninterrupted, scope="module")


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
        ("wrong type", "batch = 'big' in .*config.toml has the wrong type: give a whole num"),
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
        ("`tensorboard` requires a run", {"output": tmp_path / "a", "tensorboard": True}),
        ("`checkpoints` requires a run", {"output": tmp_path / "a", "checkpoints": 7}),
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
