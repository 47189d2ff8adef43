"""A training that was cut and resumed is the training that never stopped, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from short_trainings import SHORT, assert_same, save, short_trainer

from calf_viz import systems
from calf_viz.agent.calf import CALFAgent
from calf_viz.errors import UserError
from calf_viz.files import hold
from calf_viz.training import metrics, resume
from calf_viz.training import train as training
from calf_viz.training.trainer import Trainer


@pytest.fixture(scope="module", params=systems.own())
def uninterrupted(request: pytest.FixtureRequest) -> Trainer:
    trainer = short_trainer(request.param)
    trainer.run()
    return trainer


def test_a_resumed_training_equals_the_uninterrupted_one(
    uninterrupted: Trainer, tmp_path: Path
) -> None:
    total = uninterrupted.steps
    random = np.random.default_rng(total)
    # Before learning, at an episode's last step and its first, after the replay wrapped, anywhere.
    cuts = {3, 59, 60, 61, 200, *random.integers(1, total, 3).tolist()}
    trainer = short_trainer(uninterrupted.system.name)
    for cut in sorted(cuts):
        while trainer.steps < cut:
            trainer.step()
        path = tmp_path / f"{cut}.resume"
        resume.save(trainer, path)
        resumed = resume.load(path)
        assert_same(resumed, trainer)
        trainer = resumed
    trainer.run()
    assert trainer.steps == total and trainer.td3.updates == total - SHORT.batch + 1
    assert_same(trainer, uninterrupted)
    # So are the files, to the byte.
    for name, t in (("a", trainer), ("b", uninterrupted)):
        save(t, tmp_path / f"{name}.safetensors")
    for end in ("", ".resume"):
        a, b = (tmp_path / f"{name}.safetensors{end}" for name in "ab")
        assert a.read_bytes() == b.read_bytes()


def test_the_uninterrupted_training_did_learn(uninterrupted: Trainer) -> None:
    fresh = short_trainer(uninterrupted.system.name).agent.tensors()
    assert all(not torch.equal(t, fresh[n]) for n, t in uninterrupted.agent.tensors().items())
    assert uninterrupted.best is not None and uninterrupted.finished
    assert uninterrupted.replay.added > SHORT.replay


def test_saving_changes_nothing(tmp_path: Path) -> None:
    quiet, saved = short_trainer("point_mass"), short_trainer("point_mass")
    for _ in range(50):
        quiet.step()
        saved.step()
        resume.save(saved, tmp_path / "a.resume")
        saved.result()
    assert_same(quiet, saved)


def test_metrics_have_a_line_for_each_episode(uninterrupted: Trainer, tmp_path: Path) -> None:
    metrics.write(tmp_path / "a.safetensors.metrics.csv", uninterrupted.recent)
    lines = (tmp_path / "a.safetensors.metrics.csv").read_text().splitlines()
    assert lines[0] == "episode,steps,return,goal,certified,relax,nominal,p_relax"
    assert len(lines) == 1 + SHORT.episodes
    for i, line in enumerate(lines[1:]):
        episode, steps, ret, _, *modes, p_relax = line.split(",")
        assert int(episode) == i and sum(map(int, modes)) == int(steps)
        assert float(ret) < 0 and 0 < float(p_relax) < 1


def test_the_checkpoint_holds_the_best_agent(uninterrupted: Trainer, tmp_path: Path) -> None:
    save(uninterrupted, tmp_path / "a.safetensors")
    agent = CALFAgent.load(tmp_path / "a.safetensors")
    assert agent.info.steps == uninterrupted.best_info["steps"]
    assert (agent.info.seed, agent.info.preset) == (7, "quick")
    for name, tensor in agent.tensors().items():
        assert torch.equal(tensor, uninterrupted.best[name])


def test_train_writes_at_once_and_resumes_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "a.safetensors"
    trainer = short_trainer("point_mass")
    trainer.run(stop=lambda: trainer.steps >= 100)
    save(trainer, output)
    finished = training.train(resume_from=output, progress=False)
    assert finished.finished and finished.config == SHORT
    assert resume.load(resume.resume_path(output)).finished
    assert (
        len((tmp_path / "a.safetensors.metrics.csv").read_text().splitlines()) == 1 + SHORT.episodes
    )
    # Nothing is left to do, which is no error.
    assert training.train("point-mass", "quick", 7, None, output, progress=False).steps


def test_train_refuses_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: Trainer) -> bool:
        raise AssertionError("a step was taken")

    output = tmp_path / "a.safetensors"
    save(short_trainer("point_mass"), output)
    monkeypatch.setattr(Trainer, "step", never)
    (tmp_path / "file").write_text("")
    for arguments, words in (
        (("no_such_system", "quick", 0, output), "unknown system 'no_such_system'"),
        (("point_mass", "huge", 0, output), "unknown preset 'huge'.*quick, standard, thorough"),
        ((None, "quick", 0, output), "give `system`"),
        (("point_mass", "quick", 0, tmp_path / "file" / "a"), "cannot write"),
        (("differential_drive", None, None, None, output), "with system point_mass, not diff"),
        ((None, None, 3, None, output), "with seed 7, not 3: leave seed out"),
        (
            (None, None, None, None, tmp_path / "none"),
            "none: neither a run's folder nor a .*none.resume",
        ),
    ):
        with pytest.raises(UserError, match=words) as caught:
            training.train(*arguments, progress=False)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("taken", ["", ".resume", ".metrics.csv"])
@pytest.mark.parametrize("resumed", [False, True])
def test_no_file_of_an_older_training_is_replaced_unasked(
    tmp_path: Path, taken: str, resumed: bool
) -> None:
    """Any of the three, whether a new training or a resumed one is to be written there."""
    output, source = tmp_path / "a.safetensors", None
    if resumed:
        source = tmp_path / "other.safetensors"
        save(short_trainer("point_mass"), source)
    older = tmp_path / f"a.safetensors{taken}"
    older.write_text("older")
    new = None if resumed else "point_mass"
    with pytest.raises(UserError, match=f"{older} exists: .* or `overwrite=True`"):
        training.train(new, output=output, resume_from=source, progress=False)
    assert older.read_text() == "older"
    assert not list(tmp_path.glob("*.lock")), "nothing is left of what was refused"
    size = {} if resumed else {"episodes": 1, "steps": 5, "selection_episodes": 1}
    training.train(new, output=output, resume_from=source, progress=False, overwrite=True, **size)
    assert older.read_bytes() != b"older"


@pytest.mark.parametrize("resumed", [False, True])
def test_one_training_at_a_time_writes_a_file(tmp_path: Path, resumed: bool) -> None:
    output = tmp_path / "a.safetensors"
    save(short_trainer("point_mass"), output)
    before = output.read_bytes()
    other = hold(output)  # as another process does
    given = {"resume_from": output} if resumed else {"system": "point_mass", "output": output}
    with pytest.raises(UserError, match="is being trained by another process: end that"):
        training.train(**given, progress=False, overwrite=True)  # type: ignore[arg-type]
    assert output.read_bytes() == before
    other.release()
    if resumed:
        training.train(**given, progress=False)  # type: ignore[arg-type]
        hold(output).release()


def test_a_training_replaces_nothing_that_it_reads(tmp_path: Path) -> None:
    config, source = tmp_path / "mine.toml", tmp_path / "a.safetensors"
    config.write_text("seed = 3\n")
    save(short_trainer("point_mass"), source)
    state = resume.resume_path(source)
    for given in (
        {"system": "point_mass", "output": config, "config_file": config},
        {"resume_from": source, "output": state},
    ):
        with pytest.raises(UserError, match="is read, and would be replaced"):
            training.train(**given, overwrite=True, progress=False)  # type: ignore[arg-type]
    assert config.read_text() == "seed = 3\n"
    resume.load(state)


def test_a_folder_is_no_output(tmp_path: Path) -> None:
    for output in (tmp_path, tmp_path / ".", "/", ".."):
        with pytest.raises(UserError, match="is a folder: name a file in it"):
            training.train("point_mass", output=output, overwrite=True, progress=False)


def test_a_new_training_does_not_replace_an_older_ones_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "agent.safetensors"
    old.write_bytes(b"a week's work")
    with pytest.raises(UserError, match=r"exists: give another `output`, `resume`"):
        training.train("point_mass", "quick", 0, old, progress=False)
    assert old.read_bytes() == b"a week's work"
    monkeypatch.setattr(Trainer, "run", lambda *_, **__: None)
    training.train("point_mass", "quick", 0, old, progress=False, overwrite=True)
    assert CALFAgent.load(old).system.name == "point_mass"
