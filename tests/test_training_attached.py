"""A training of this program's own, as other viewers find it."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from calf_attach import mapped_file, search
from calf_attach.layout import Word
from click.testing import CliRunner
from trainings import SMALL, board, watched
from waiting import until

from calf_viz import CALFApplication, VisualizationConfig
from calf_viz.cli.main import calf_viz
from calf_viz.sources.attached import Controlled, find, watch
from calf_viz.sources.publisher import PublishedTraining
from calf_viz.training.config import TrainingConfig
from calf_viz.training.trainer import Trainer

pytestmark = [pytest.mark.rendering, pytest.mark.usefixtures("boards")]
training = pytest.fixture(watched)


def test_other_viewers_list_a_training_and_see_its_critic_and_agent(
    training: Callable[..., CALFApplication],
) -> None:
    app = training(hud=False, episodes=1000, system="differential_drive")
    until(lambda: board(app)[Word.END] > 1 and board(app)[Word.SURFACE] > 1)
    app.playback.toggle()
    app.draw()
    name = app.live.run.folder.name
    said = CliRunner().invoke(calf_viz, ["attach"]).output.splitlines()[3].split()
    assert (said[0], said[1], said[-2]) == (name, str(app.live.process.process.pid), "critic")
    source = watch(find(name))
    assert not isinstance(source, Controlled), "only its own viewer pauses it"
    view = app.simulation.view
    assert source.view == replace(view, live=True)
    until(lambda: board(app).snapshot(0).steps == board(app)[Word.STEP])
    field, snapshot = source.surface(), board(app).snapshot(0)
    np.testing.assert_array_equal(field.values, snapshot.surface.values)
    samples = []
    while (found := source.step()) is not None:
        samples.append(found)
    steps = board(app).steps_since(0)
    assert len(samples) == len(steps.number) and source.taken == board(app)[Word.STEP]
    np.testing.assert_array_equal([each.positions[0, 0] for each in samples], steps.x)
    np.testing.assert_array_equal([each.headings[0] for each in samples], steps.heading)
    np.testing.assert_array_equal([each.first[0] for each in samples], steps.step == 0)
    assert len(source.ends()) == board(app)[Word.END]
    with CALFApplication(VisualizationConfig(**SMALL), source=watch(find(name))) as other:
        other.step()
        assert other.screenshot().any() and other.failure is None


def test_a_training_without_a_viewer_is_found_by_others_and_evaluates_its_critic_for_them_alone(
    boards: Path,
) -> None:
    config = TrainingConfig.from_preset("quick", system="point_mass", episodes=9, steps=40)
    trainer, writer, seen = Trainer(config), PublishedTraining(), []
    writer.start(trainer)
    source = watch(find("point_mass-0"))
    assert source.surface() is not None and source.surface() is None
    publisher = writer._publisher
    assert publisher is not None

    def each_episode(trainer: Trainer) -> None:
        publisher._next_snapshot = 0.0  # the time has come
        if trainer.done == 4:
            seen.append(source.board[Word.SURFACE])
            source.step()  # somebody looks

    trainer.run(each_episode)
    assert seen == [1] and source.board[Word.SURFACE] > 1
    assert source.board[Word.STEP] == trainer.steps and source.board[Word.END] == 9
    assert [end["ret"] for end in source.ends()] == [each.ret for each in trainer.recent]
    assert source.notice is None
    trainer.before_comparison()
    assert source.notice == "no steps while the agent is compared with the best so far"
    writer.close()
    assert source.notice == "the loop has ended" and not os.listdir(boards)


def test_a_training_goes_on_where_no_board_has_room(
    boards: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(mapped_file, "reserve", full)
    config = TrainingConfig.from_preset("quick", system="point_mass", episodes=1, steps=10)
    trainer, writer = Trainer(config), PublishedTraining()
    writer.start(trainer)
    trainer.run(writer.episode)
    writer.checkpoint(trainer), writer.close()
    (said,) = caplog.messages
    assert "No space left on device" in said and "\n" not in said and trainer.finished


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_killed_trainings_leave_nothing_to_see_and_nothing_that_accumulates(
    boards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def config(seed: int) -> TrainingConfig:
        return TrainingConfig.from_preset("quick", system="point_mass", seed=seed)

    def killed(seed: int) -> None:
        child = os.fork()
        if child == 0:
            PublishedTraining().start(Trainer(config(seed)))
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)

    for _ in range(3):
        killed(0)
        assert len(list(boards.iterdir())) == 1, "the next of its name takes its place"
    killed(1)
    assert len(list(boards.iterdir())) == 2
    said = CliRunner().invoke(calf_viz, ["attach"]).output
    assert said.startswith("no loops run here")
    monkeypatch.setattr(search, "KEPT", 0.0)  # ten minutes later
    writer = PublishedTraining()
    writer.start(Trainer(config(2)))
    assert len(list(boards.iterdir())) == 1
    writer.close()
    assert not list(boards.iterdir())
