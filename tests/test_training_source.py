"""A training that is watched: its critic's versions, its agent, its pauses, and runs resumed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calf_attach.layout import Word
from trainings import SMALL, board, configured, new_board, watched
from waiting import LONG, until

from calf_viz import AppConfig, CALFApplication, VisualizationConfig
from calf_viz.errors import UserError
from calf_viz.glsl.variants import TRAINEE_COLOURS
from calf_viz.heightfield import Grid, plane_nodes
from calf_viz.pace import Pace
from calf_viz.samples import Samples
from calf_viz.sources import trainer_handle as process
from calf_viz.sources import worker
from calf_viz.sources.publisher import Publisher
from calf_viz.sources.training import TRAINEE
from calf_viz.training.run import Run
from calf_viz.training.train import follow
from calf_viz.training.trainer import Trainer

pytestmark = [pytest.mark.rendering, pytest.mark.usefixtures("boards")]
training = pytest.fixture(watched)


def at_rest(training: Callable[..., CALFApplication]) -> CALFApplication:
    """Shows all snapshots that there will be; a morph takes 10 frames."""
    app = training(hud=False, morph_frames=10, train_rate="0.001/s")
    until(lambda: app.live.version == 2, app.step)  # before and after the only step
    for _ in range(10):
        app.step()
    assert app.host.morph == 1.0
    return app


def test_a_new_version_is_uploaded_once_and_morphed_to(
    training: Callable[..., CALFApplication], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = training(hud=False, morph_frames=4, train_rate="0.001/s")
    live, host = app.live, app.host
    assert live is not None
    until(lambda: live.version == 2, app.step)  # before and after the only step
    uploads: list[int] = []
    upload = host._upload_heights
    monkeypatch.setattr(host, "_upload_heights", lambda t: (uploads.append(1), upload(t)))
    for _ in range(6):
        app.step()
    assert not uploads and host.morph == 1.0
    before = host._texels[..., 1].copy()
    weights = app.agent.flat_weights() * 2.0
    values = np.linspace(0, 9, 17 * 17, dtype=np.float32)
    board(app).publish_agent(5, 0.5, values, weights)
    morphs = []
    for _ in range(6):
        app.step()
        morphs.append(host.morph)
    assert uploads == [1]
    assert morphs == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(host._texels[..., 0], before)
    np.testing.assert_array_equal(host.heightfield.values.ravel(), values)
    np.testing.assert_array_equal(app.agent.flat_weights(), weights)
    # An older one, though it lies there, is not taken up.
    live.version = 9
    for _ in range(3):
        app.step()
    assert uploads == [1]


def test_a_snapshot_in_the_middle_of_a_morph_goes_on_from_what_is_seen(
    training: Callable[..., CALFApplication],
) -> None:
    app = at_rest(training)
    host, weights = app.host, app.agent.flat_weights()
    low, high = (np.full(17 * 17, v, np.float32) for v in (1.0, 2.0))
    low[0], high[0] = 0.0, 9.0
    board(app).publish_agent(1, 0.5, low, weights)
    for _ in range(5):
        app.step()
    from calf_viz.scene.height_texels import shown_heights

    seen = shown_heights(host._texels, host.morph)
    board(app).publish_agent(2, 0.5, high, weights)
    app.step()
    np.testing.assert_allclose(host._texels[..., 0], seen, atol=1e-6)


def test_a_morph_ends_though_the_next_snapshot_comes_early(
    training: Callable[..., CALFApplication],
) -> None:
    """With slow frames there are fewer between two snapshots than a morph was to have."""
    app = at_rest(training)
    host, weights = app.host, app.agent.flat_weights()
    reached = []
    for number in range(4):
        values = np.arange(17 * 17, dtype=np.float32) + number
        board(app).publish_agent(number, 0.5, values, weights)
        for _ in range(3):
            app.step()
        reached.append(host.morph)
    assert reached == pytest.approx([0.3, 1.0, 1.0, 1.0])


def test_the_range_begins_with_the_trainings_own_critic(
    training: Callable[..., CALFApplication],
) -> None:
    app = training(hud=False, train_rate="0.001/s")
    assert app.host.value_range == app.host.heightfield.range


@pytest.mark.parametrize("renderer", ["gpu", "batched"])
@pytest.mark.parametrize("mode", range(3))
def test_the_agent_in_training_is_drawn_in_its_own_colour(
    training: Callable[..., CALFApplication], mode: int, renderer: str
) -> None:
    """Whatever the rule, so that it can be found at all times."""
    app = training(hud=False, size=(320, 180), colour_map="gray", renderer=renderer)
    until(lambda: board(app)[Word.ROW] > 3, app.step)
    assert app.host.agents == 3 and app.simulation.states.shape == (2, 2)
    yellow = app.host.scene.mode_colours[TRAINEE_COLOURS, :3] * 255
    positions = app.simulation.states[:, :2]
    live = app.live
    # At a place where no other agent is.
    app.host.push(
        Samples(
            np.concatenate([[(-2.0, 2.0)], np.full_like(positions, 4.0)]).astype(np.float32),
            np.full(3, mode, np.uint8), np.ones(3, bool), None,
        )
    )  # fmt: skip
    app.host.draw()
    picture = app.host.screenshot().astype(float)
    near = np.abs(picture - yellow).max(axis=2) < 60
    assert near.sum() > 10
    app.host.scene.training_agent = -1
    app.host.draw()
    plain = np.abs(app.host.screenshot().astype(float) - yellow).max(axis=2) < 60
    assert plain.sum() < near.sum() / 2
    assert live is not None and TRAINEE == 0


def test_the_training_agents_samples_lead_the_others(
    training: Callable[..., CALFApplication],
) -> None:
    app = training(hud=False, train_rate="0.001/s")
    # The only step that this rate allows is taken: none of its own comes between.
    until(lambda: board(app)[Word.ROW] >= 1)
    add = board(app).add_step
    add(7, 0, 2, 1.5, -0.5, 0.0, -3.0, -4.0, -0.2, -1.5)
    add(7, 1, 1, 1.0, -0.25, 0.0, -3.0, -4.0, -0.2, -1.5)
    joined = app.live.step()
    assert joined.positions.shape == (3, 2)
    np.testing.assert_allclose(joined.positions[0], [1.0, -0.25])
    assert (joined.modes[0], bool(joined.first[0])) == (1, True)
    again = app.live.step()
    np.testing.assert_allclose(again.positions[0], [1.0, -0.25])
    assert not again.first[0], "nothing new: it stays where it was"
    add(7, 2, 0, 0.5, -0.1, 0.0, -3.0, -4.0, -0.2, -1.5)
    assert not app.live.step().first[0]
    add(8, 0, 0, 0.5, -0.1, 0.0, -3.0, -4.0, -0.2, -1.5)
    assert app.live.step().first[0], "another episode"


def test_pause_and_single_steps_act_on_both_sides(
    training: Callable[..., CALFApplication], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "MOMENT", LONG)
    app = training(hud=False, episodes=1000, steps=500)
    until(lambda: board(app)[Word.STEP] > 5, app.step)

    def single_step() -> None:
        app.playback.single_step()
        assert app.playback.take()
        app.step()

    app.playback.toggle()
    app.draw()
    single_step()  # a trainer that takes one has heard of the pause
    steps = board(app)[Word.STEP]
    shown = app.simulation.states.copy()
    for expected in (1, 2, 3):
        single_step()
        assert app.live._seen == board(app)[Word.ROW], "its marker too is a step further"
        time.sleep(0.05)
        assert board(app)[Word.STEP] == steps + expected
    assert not np.array_equal(app.simulation.states, shown)
    # The step's networks are on the board, though no half second has passed.
    until(lambda: board(app).snapshot(0).steps == steps + 3)
    app.playback.toggle()
    until(lambda: board(app)[Word.STEP] > steps + 20, app.draw)


def test_the_rate_is_kept(training: Callable[..., CALFApplication]) -> None:
    app = training(hud=False, episodes=1000, train_rate="20/s")
    until(lambda: board(app)[Word.STEP] > 0)
    start, before = time.monotonic(), board(app)[Word.STEP]
    until(lambda: board(app)[Word.STEP] > before + 15)
    taken, seconds = board(app)[Word.STEP] - before, time.monotonic() - start
    assert taken <= 20 * (seconds + Pace.PATIENCE) + 1, "never faster"


def test_train_shows_and_ends_with_what_is_shown(tmp_path: Path) -> None:
    app = CALFApplication(configured(tmp_path, hud=False, episodes=1000, frames=12))
    frames: list[int] = []
    try:
        app.train(lambda: frames.append(app.frames))
        assert frames == list(range(1, 13))
        assert not app.live.process.running and app.training_failure is None
    finally:
        app.close()
    Run.open(app.live.run.folder)[0].close()


def test_a_run_is_resumed_where_it_was(tmp_path: Path) -> None:
    first = CALFApplication(configured(tmp_path, hud=False, episodes=3, steps=40))
    folder = first.start_training()
    until(lambda: board(first)[Word.STEP] > 15)
    first.close()
    steps = board(first)[Word.STEP]
    second = CALFApplication(resuming(folder, episodes=4))
    second.start_training()
    try:
        assert (second.training.episodes, second.training.steps) == (4, 40)
        until(lambda: not second.live.process.running, second.step)
    finally:
        second.close()
    assert board(second)[Word.STEP] > steps
    run, trainer = Run.open(folder)
    run.close()
    assert trainer.finished and trainer.done == 4


def resuming(folder: Path, **changes: Any) -> AppConfig:
    return AppConfig.from_preset("low", **{**SMALL, "resume": folder, "hud": False, **changes})


def test_a_run_of_another_system_is_refused(tmp_path: Path) -> None:
    app = CALFApplication(configured(tmp_path, hud=False))
    try:
        folder = app.start_training()
    finally:
        app.close()
    with pytest.raises(UserError, match="system point_mass, not differential_drive"):
        resuming(folder, system="differential_drive")
    # Nor where nothing is said of the training.
    shown = VisualizationConfig(**SMALL, resume=folder, system="differential_drive")
    app = CALFApplication(shown)
    try:
        with pytest.raises(UserError, match="trains point_mass, not differential_drive"):
            app.start_training()
    finally:
        app.close()


def test_what_is_shown_may_resume_without_saying_more(tmp_path: Path) -> None:
    config = configured(tmp_path).training
    run = Run.create(Trainer(config), config, tmp_path)
    run.close()
    app = CALFApplication(VisualizationConfig(**SMALL, resume=run.folder))
    try:
        app.start_training()
        assert app.training == config
    finally:
        app.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_training_is_the_same_to_the_bit_whether_it_is_watched(tmp_path: Path, seed: int) -> None:
    config = configured(tmp_path, seed=seed, episodes=5, steps=80).training
    found = []
    for seen in (False, "by a viewer of its own", "by others"):
        trainer = Trainer(config)
        run = Run.create(trainer, config, tmp_path / str(seen))
        if seen == "by a viewer of its own":
            plane = trainer.system.plane
            made = new_board(
                Grid((65, 65), plane.lo, plane.hi),
                len(trainer.agent.flat_weights()),
                [0.0] * trainer.system.state_dim,
            )
            worker.Worker(run, trainer, made).work()
        else:
            follow(trainer, run, progress=False)
        run.close()
        random_state = trainer.rng.bit_generator.state
        found.append(
            (trainer.agent.flat_weights().tobytes(), run.metrics.read_bytes(), random_state)
        )
    assert found[0] == found[1] == found[2]


def test_tensorboard_is_written_by_the_trainers_process(
    tmp_path: Path, tensorboard: dict[tuple[str, int], float]
) -> None:
    config = configured(tmp_path, tensorboard=True).training
    trainer = Trainer(config)
    run = Run.create(trainer, config, tmp_path / "run")
    made = new_board(weights=len(trainer.agent.flat_weights()))
    worker.Worker(run, trainer, made).work()
    assert {step for _, step in tensorboard} == set(range(4))


def test_snapshots_hold_the_critic_on_the_grid(tmp_path: Path) -> None:
    config = configured(tmp_path, system="differential_drive").training
    trainer = Trainer(config)
    plane = trainer.system.plane
    grid = Grid((9, 9), plane.lo, plane.hi)
    made = new_board(grid, len(trainer.agent.flat_weights()), [7.0, 7.0, 0.5])
    Publisher(trainer, made).publish()
    snapshot = made.snapshot(0)
    nodes = plane_nodes(plane.lo, plane.hi, 9, 9)
    expected = trainer.agent.lyapunov(trainer.system.plane_states(nodes, 0.5))
    assert (snapshot.surface.lo, snapshot.surface.hi) == (plane.lo, plane.hi)
    np.testing.assert_array_equal(snapshot.surface.values.ravel(), expected)
    np.testing.assert_array_equal(snapshot.weights, trainer.agent.flat_weights())
