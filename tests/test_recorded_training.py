"""`calf-viz train --record`: a run keeps each step of its training, which stays what it was."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from applications import SMALL
from click.testing import CliRunner
from short_trainings import assert_same
from trainings import watched
from waiting import until

from calf_viz.agent.evaluation import strict_row
from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.files import exists
from calf_viz.recording import stream
from calf_viz.recording.folder import META
from calf_viz.recording.recording import Recording
from calf_viz.sources.replay import Replay
from calf_viz.training import recorded_trainee, views
from calf_viz.training import train as training
from calf_viz.training import trainer as trainers
from calf_viz.training.recorded import STRICT, TRAINEE
from calf_viz.training.trainer import Trainer
from calf_viz.verification.verify import verify
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.config import VisualizationConfig

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

TINY: dict[str, Any] = {
    "episodes": 5, "steps": 40, "batch": 16, "select_every": 2, "selection_episodes": 3,
    "replay": 150, "checkpoint_every": 1,
}  # fmt: skip
app_training = pytest.fixture(watched)


def train(root: Path, system: str = "pendulum", **changes: Any) -> tuple[Path, Trainer]:
    """A whole training; its folder."""
    given = {**TINY, "recording": True, **changes}
    trainer = training.train(system, "quick", 5, progress=False, runs=root, **given)
    (folder,) = root.glob(f"{system}-*")
    return folder, trainer


@pytest.fixture(scope="module", autouse=True)
def short_comparisons() -> Iterator[None]:
    """And no pictures."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(views, "write_pictures", lambda folder: None)
        patched.setattr(trainers, "strict_row", partial(strict_row, horizon=80))
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trainer]:
    return train(tmp_path_factory.mktemp("runs"))


def rows(path: Path) -> dict[str, np.ndarray]:
    """All that is in a recording, but for the time of day."""
    recording = Recording(path)
    names = recording.samples(0).columns
    found = {name: recording.array(name) for name in ("step", "x", "y", "mode", "first", *names)}
    events = [(e.step, e.agent, e.number, e.text) for e in recording.events()
              if e.kind == "episode"]  # fmt: skip
    recording.close()
    return {**found, "episodes": np.array(events)}


def assert_same_rows(one: Path, other: Path) -> None:
    a, b = rows(one), rows(other)
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_a_training_that_is_recorded_is_the_same_to_the_bit(
    whole: tuple[Path, Trainer], tmp_path: Path
) -> None:
    folder, trainer = whole
    other_folder, other = train(tmp_path, recording=False)
    for one in (trainer, other):
        one.config = one.config.changed(recording=False)
    assert_same(trainer, other)
    for name in ("metrics.csv", "agent.safetensors", "certificate.csv"):
        assert (folder / name).read_bytes() == (other_folder / name).read_bytes(), name
    assert not (other_folder / TRAINEE).exists()


def test_it_has_each_step_and_each_beginning(whole: tuple[Path, Trainer]) -> None:
    folder, trainer = whole
    found = rows(folder / TRAINEE)
    count = trainer.steps + trainer.done + 1
    np.testing.assert_array_equal(found["step"], np.arange(count))
    begins = np.flatnonzero(found["first"][:, 0])
    lengths = [episode.steps for episode in trainer.recent]
    np.testing.assert_array_equal(begins, np.cumsum([0, *lengths]) + np.arange(len(lengths) + 1))
    for episode, begin in zip(trainer.recent, begins, strict=False):
        of = slice(begin + 1, begin + 1 + episode.steps)
        modes = np.bincount(found["mode"][of, 0], minlength=3)
        assert modes.tolist() == episode.modes
        np.testing.assert_allclose(found["reward"][of].sum(), episode.ret, rtol=1e-5)
    returns = [float(number) for number in found["episodes"][:, 2]]
    assert returns == [episode.ret for episode in trainer.recent]
    margins, certified = found["margin"], found["mode"] == 0
    known = np.isfinite(margins)
    assert known.any() and ((margins >= 0.0) == certified)[known].all()


def test_both_recordings_pass_verification(whole: tuple[Path, Trainer]) -> None:
    folder, trainer = whole
    trainee, strict = (Recording(folder / name) for name in (TRAINEE, STRICT))
    found = verify(trainee)
    assert found.violations == [] and found.checked["motion"] == trainer.steps
    assert found.checked["q"] == 0  # the networks change with each step
    assert trainee.critic(0).trained == 0
    found = verify(strict)
    assert found.violations == [] and found.checked["q"] == found.checked["action"] > 100
    assert [strict.critic(number).trained for number in range(strict.critics)] == [
        sum(episode.steps for episode in list(trainer.recent)[:done]) for done in (2, 4, 5)
    ]


def test_strict_agents_end_where_they_arrive(whole: tuple[Path, Trainer]) -> None:
    found = rows(whole[0] / STRICT)
    starts = np.flatnonzero(found["first"].all(axis=1) & (np.diff(found["step"], prepend=-2) > 1))
    assert len(starts) == 3
    assert len(found["episodes"]) == 3 * TINY["selection_episodes"]
    for agent in range(TINY["selection_episodes"]):
        over = np.flatnonzero(found["ended"][:-1, agent] == 1)
        within = over[np.diff(found["step"])[over] == 1] + 1
        assert found["first"][within, agent].all() and np.isnan(found["x"][within, agent]).all()
    how = {str(text).split()[0] for text in found["episodes"][:, 3]}
    assert how == {"terminated", "truncated"}


def killing(last: int) -> Callable[[int, Any], int]:
    """As `os.write`, but in the middle of that call the process is killed."""
    write, numbers = os.write, itertools.count(1)

    def counted(file: int, data: Any) -> int:
        if next(numbers) == last:
            write(file, bytes(data)[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return write(file, data)

    return counted


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@pytest.mark.parametrize("seed", range(2))
def test_kill_9_and_going_on_leaves_the_recordings_of_one_training(
    whole: tuple[Path, Trainer], tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    folder: Path | None = None
    for _ in range(3):
        child = os.fork()
        if child == 0:
            try:
                monkeypatch.setattr(stream.os, "write", killing(chance.randint(1, 130)))
                train(tmp_path) if folder is None else training.train(
                    resume_from=folder, progress=False
                )
            finally:
                os._exit(0)
        chance.random()
        os.waitpid(child, 0)
        folder = next(iter(tmp_path.glob("pendulum-*")), None)
    assert folder is not None
    trainer = training.train(resume_from=folder, progress=False)
    assert trainer.finished
    for name in (TRAINEE, STRICT):
        assert_same_rows(folder / name, whole[0] / name)
        assert not Recording(folder / name).torn


def test_a_training_stopped_within_an_episode_goes_on_in_its_recording(
    whole: tuple[Path, Trainer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    took = recorded_trainee.TraineeRecording.took

    def interrupted(self: Any, *arguments: Any) -> None:
        took(self, *arguments)
        if self.trainer.steps == 57:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(recorded_trainee.TraineeRecording, "took", interrupted)
        folder, trainer = train(tmp_path)
    assert trainer.steps == 57
    training.train(resume_from=folder, progress=False)
    for name in (TRAINEE, STRICT):
        assert_same_rows(folder / name, whole[0] / name)


def test_a_longer_training_goes_on_in_its_recordings(
    whole: tuple[Path, Trainer], tmp_path: Path
) -> None:
    folder, _ = train(tmp_path, episodes=2)
    training.train(resume_from=folder, progress=False, episodes=5)
    assert_same_rows(folder / TRAINEE, whole[0] / TRAINEE)


def test_a_recording_begun_later_has_what_follows(tmp_path: Path) -> None:
    folder, before = train(tmp_path, recording=False, episodes=2)
    after = training.train(resume_from=folder, progress=False, episodes=4, recording=True)
    found = rows(folder / TRAINEE)
    np.testing.assert_array_equal(found["step"], np.arange(before.steps + 2, after.steps + 4 + 1))
    assert verify(Recording(folder / TRAINEE)).clean


def test_it_is_shown_like_any_other(whole: tuple[Path, Trainer]) -> None:
    for name in (TRAINEE, STRICT):
        config = VisualizationConfig(**SMALL)
        with CALFApplication(config, source=Replay(Recording(whole[0] / name))) as app:
            for _ in range(50):
                app.step()
            app.seek(10**6)
            assert app.failure is None
            app.step()


@pytest.mark.usefixtures("boards")
def test_a_watched_training_is_recorded_as_well(
    app_training: Callable[..., CALFApplication],
) -> None:
    app = app_training(hud=False, recording=True)
    assert app.live is not None
    folder = app.live.run.folder
    until(lambda: exists(folder / TRAINEE / META), app.step)
    until(lambda: len(Recording(folder / TRAINEE)) > 20, app.step)
    app.close()
    assert verify(Recording(folder / TRAINEE)).clean


def test_its_options(tmp_path: Path) -> None:
    tiny = [f"--{name.replace('_', '-')}={value}" for name, value in TINY.items()]
    run = ["train", "--system", "point_mass", "--preset", "quick", *tiny, "--no-progress"]
    run[run.index("--episodes=5")] = "--episodes=1"
    done = CliRunner().invoke(calf_viz, [*run, "--record", "--runs", str(tmp_path / "runs")])
    assert done.exit_code == 0, done.output
    (folder,) = (tmp_path / "runs").iterdir()
    assert "recording = true" in (folder / "config.toml").read_text()
    assert len(Recording(folder / TRAINEE)) > 10
    run.remove("--checkpoint-every=1")
    refused = CliRunner().invoke(calf_viz, [*run, "--record", "--output", str(tmp_path / "a")])
    assert isinstance(refused.exception, UserError)
    assert "--record requires a run: leave --output out" in str(refused.exception)
    later = ["train", "--resume", str(folder), "--no-record", "--no-progress", "--episodes", "2"]
    before = len(Recording(folder / TRAINEE))
    assert CliRunner().invoke(calf_viz, later).exit_code == 0
    assert len(Recording(folder / TRAINEE)) == before


def test_without_pyarrow_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"calf_viz\[record\]"):
        train(tmp_path)
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".")]


def test_a_damaged_recording_stops_a_training_before_it_begins(tmp_path: Path) -> None:
    folder, _ = train(tmp_path, episodes=1)
    (folder / STRICT / "agents-000000.arrows").write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"agents-000000\.arrows") as caught:
        training.train(resume_from=folder, progress=False, episodes=2)
    assert "\n" not in str(caught.value)
    training.train(resume_from=folder, progress=False, episodes=2, recording=False)


def test_a_full_disk_ends_the_recording_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write, end = os.write, time.monotonic() + 0.0

    def full(file: int, data: Any) -> int:
        if len(data) > 5000 and time.monotonic() > end:
            raise OSError(28, "No space left on device")
        return write(file, data)

    monkeypatch.setattr(stream.os, "write", full)
    _, trainer = train(tmp_path, recording=True)
    assert trainer.finished
    assert any("no room is left" in message for message in caplog.messages)
