"""A training that is watched: versions, the two sides' pauses, deaths of either side."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from scene_folder import POINT_MASS

from calf_viz import AppConfig, CALFApplication, VisualizationConfig
from calf_viz.agent.modes import NAMES
from calf_viz.cli import main as cli
from calf_viz.errors import UserError
from calf_viz.heightfield import Grid, plane_nodes
from calf_viz.hud.overview import overview
from calf_viz.hud.plots import Plots
from calf_viz.hud.series import SAMPLES
from calf_viz.hud.shape import packed
from calf_viz.pace import Pace
from calf_viz.samples import Samples
from calf_viz.scene.colours import mode_colours
from calf_viz.sources import process, worker
from calf_viz.sources.board import Board, Phase, Word
from calf_viz.sources.training import TRAINEE
from calf_viz.training.columns import METRICS
from calf_viz.training.config import TrainingConfig
from calf_viz.training.run import Run
from calf_viz.training.trainer import Trainer
from calf_viz.viewer.stats_cache import StatsCache
from calf_viz.viewer.training_panel import TrainingPanel

pytestmark = pytest.mark.rendering

TINY = {
    "training_preset": "quick",
    "episodes": 4,
    "steps": 50,
    "batch": 16,
    "select_every": 2,
    "selection_episodes": 2,
}
SMALL = {"size": (192, 108), "grid": 16, "trail_length": 40, "headless": True, "n_agents": 2}


def lasts(episodes: int) -> TrainingConfig:
    return TrainingConfig(episodes=episodes, steps=50)


def configured(runs: Path, **changes: Any) -> AppConfig:
    return AppConfig.from_preset("low", **{**SMALL, **TINY, "runs": runs, "stride": 1, **changes})


@pytest.fixture
def training(tmp_path: Path) -> Iterator[Callable[..., CALFApplication]]:
    """Applications that train, closed in the end."""
    made: list[CALFApplication] = []

    def start(**changes: Any) -> CALFApplication:
        app = CALFApplication(configured(tmp_path, **changes))
        made.append(app)
        app.start_training()
        return app

    yield start
    for app in made:
        app.close()


LONG = 600.0
"""Seconds after which what takes one or two never comes, however busy the machine is."""


def until(met: Callable[[], bool], each: Callable[[], Any] = lambda: None) -> None:
    """Wait for something to be so."""
    end = time.monotonic() + LONG
    while not met():
        assert time.monotonic() < end, "it took too long"
        each()
        time.sleep(0.002)


def board(app: CALFApplication) -> Any:
    assert app.live is not None
    return app.live.process.board


# What is shown


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
    board(app).publish(5, 0.5, values, weights)
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
    board(app).publish(1, 0.5, low, weights)
    for _ in range(5):
        app.step()
    from calf_viz.scene.scene import shown_heights

    seen = shown_heights(host._texels, host.morph)
    board(app).publish(2, 0.5, high, weights)
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
        board(app).publish(number, 0.5, values, weights)
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
    until(lambda: board(app)[Word.SAMPLES] > 3, app.step)
    assert app.host.agents == 3 and app.simulation.states.shape == (2, 2)
    yellow = app.host.scene.mode_colours[3, :3] * 255
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
    until(lambda: board(app)[Word.SAMPLES] >= 1)
    add = board(app).add_sample
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


def test_the_panel_tells_what_the_board_does(training: Callable[..., CALFApplication]) -> None:
    app = training(hud=True, size=(960, 540), system="differential_drive")
    until(lambda: board(app)[Word.PHASE] == Phase.FINISHED, app.step)
    for _ in range(10):
        app.step()
    values, run = app.hud.values, app.live.run
    rows = [line.split(",") for line in run.metrics.read_text().splitlines()]
    assert rows[0] == list(METRICS) and len(rows) == 5
    steps = sum(int(row[1]) for row in rows[1:])
    assert values["train_steps"] == str(steps)
    assert values["train_episode"] == "4 / 4"
    assert values["train_notice"] == "the training is finished"
    assert {"training", "plots", "training_notice"} <= app.hud.placed.keys()
    series = app.hud.canvas.series
    np.testing.assert_allclose(series.values("reward"), [float(r[2]) for r in rows[1:]], rtol=1e-6)
    mean = np.cumsum([float(r[2]) for r in rows[1:]]) / np.arange(1, 5)
    np.testing.assert_allclose(series.values("mean_reward"), mean, rtol=1e-6)
    for i, name in enumerate(("certified", "relax", "nominal")):
        shares = [int(r[4 + i]) / int(r[1]) for r in rows[1:]]
        np.testing.assert_allclose(series.values(f"share_{name}"), shares, rtol=1e-6)
    samples = board(app).samples(0)
    last = samples[samples["episode"] == 3]
    np.testing.assert_allclose(series.values("q_plus"), last["q_plus"], rtol=1e-6)


# Pausing


def test_pause_and_single_steps_act_on_both_sides(
    training: Callable[..., CALFApplication], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "MOMENT", LONG)
    app = training(hud=False, episodes=1000, steps=500)
    until(lambda: board(app)[Word.STEPS] > 5, app.step)

    def single_step() -> None:
        app.playback.single_step()
        assert app.playback.take()
        app.step()

    app.playback.toggle()
    app.draw()
    single_step()  # a trainer that takes one has heard of the pause
    steps = board(app)[Word.STEPS]
    shown = app.simulation.states.copy()
    for expected in (1, 2, 3):
        single_step()
        assert app.live._seen == board(app)[Word.SAMPLES], "its marker too is a step further"
        time.sleep(0.05)
        assert board(app)[Word.STEPS] == steps + expected
    assert not np.array_equal(app.simulation.states, shown)
    # The step's networks are on the board, though no half second has passed.
    until(lambda: board(app).snapshot(0).steps == steps + 3)
    app.playback.toggle()
    until(lambda: board(app)[Word.STEPS] > steps + 20, app.draw)


def test_the_rate_is_kept(training: Callable[..., CALFApplication]) -> None:
    app = training(hud=False, episodes=1000, train_rate="20/s")
    until(lambda: board(app)[Word.STEPS] > 0)
    start, before = time.monotonic(), board(app)[Word.STEPS]
    until(lambda: board(app)[Word.STEPS] > before + 15)
    taken, seconds = board(app)[Word.STEPS] - before, time.monotonic() - start
    assert taken <= 20 * (seconds + Pace.PATIENCE) + 1, "never faster"


# Ends


def test_the_training_may_end_and_the_viewer_stays(
    training: Callable[..., CALFApplication],
) -> None:
    app = training(hud=True)
    until(lambda: not app.live.process.running, app.step)
    assert app.training_failure is None
    for _ in range(20):
        app.step()
    assert app.screenshot().any()
    run, trainer = Run.open(app.live.run.folder)
    run.close()
    assert trainer.finished


def test_a_trainer_that_is_killed_is_told_and_the_last_state_stays(
    training: Callable[..., CALFApplication],
) -> None:
    app = training(hud=True, size=(960, 540), episodes=1000)
    until(lambda: board(app)[Word.STEPS] > 5, app.step)
    os.kill(app.live.process.process.pid, signal.SIGKILL)
    until(lambda: not app.live.process.running)
    app.step()
    shown = app.host.heightfield
    for _ in range(20):
        app.step()
    assert app.training_failure == "killed by signal 9"
    assert app.hud.values["train_notice"] == "the training died: killed by signal 9"
    assert "training_notice" in app.hud.placed
    assert app.host.heightfield is shown and app.screenshot().any()


def test_an_error_of_the_trainers_own_is_told(
    training: Callable[..., CALFApplication], monkeypatch: pytest.MonkeyPatch
) -> None:
    popen = subprocess.Popen

    def without_checkpoints(command: list[str], **options: Any) -> Any:
        run, *_ = command[command.index("calf_viz.sources.trainer") + 1 :]
        for path in Path(run).glob("checkpoints/*"):
            path.write_bytes(b"broken")
        return popen(command, **options)

    monkeypatch.setattr(process.subprocess, "Popen", without_checkpoints)
    app = training(hud=True)
    until(lambda: not app.live.process.running)
    app.step()
    assert "truncated or not a safetensors file" in app.training_failure
    (line,) = app.live.process.log.read_text().splitlines()
    assert line.endswith(app.training_failure), "no traceback of what the user can put right"


def test_the_exit_code_tells_of_a_dead_trainer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def kill(app: CALFApplication) -> None:
        os.kill(app.live.process.process.pid, signal.SIGKILL)
        until(lambda: not app.live.process.running)

    assert watch(monkeypatch, tmp_path, kill) == 1
    (record,) = caplog.records
    assert record.message.startswith("the training died: killed by signal 9")
    assert list(tmp_path.glob("*.png")), "the picture of the last frame is there"


def watch(
    monkeypatch: pytest.MonkeyPatch, folder: Path, meanwhile: Callable[[CALFApplication], Any]
) -> int:
    """`calf-viz --train` for some frames, with something that happens after 20 steps; its exit
    code."""
    step = CALFApplication.step

    def stepped(app: CALFApplication) -> None:
        step(app)
        if app.frames == 5:
            until(lambda: board(app)[Word.STEPS] > 20)
            meanwhile(app)

    monkeypatch.setattr(CALFApplication, "step", stepped)
    # Its first episode, after which there is another checkpoint, outlasts the slowest frames.
    flags = ("train", "headless", "no-hud", "size=64x36", "grid=8", "frames=9", "steps=1000000")
    places = (f"runs={folder / 'r'}", f"output={folder}")
    monkeypatch.setattr(sys, "argv", ["calf-viz", *(f"--{flag}" for flag in (*flags, *places))])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def test_a_last_checkpoint_that_fails_is_told_with_what_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fill(app: CALFApplication) -> None:
        checkpoints = app.live.run.folder / "checkpoints"
        checkpoints.rename(tmp_path / "moved")
        checkpoints.write_text("no folder")  # even root cannot write below it

    assert watch(monkeypatch, tmp_path, fill) == 1
    (record,) = caplog.records
    (run,) = (tmp_path / "r").iterdir()
    assert re.fullmatch(
        rf"the training died: cannot write {run}/checkpoints/000000.resume: Not a directory; .*"
        rf" \(\d+ steps since the last checkpoint are lost\); go on with `resume` {run}",
        record.message,
    )


def test_a_trainer_that_does_not_end_is_killed_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(process, "PATIENCE", 0.1)

    def stop(app: CALFApplication) -> None:
        os.kill(app.live.process.process.pid, signal.SIGSTOP)

    assert watch(monkeypatch, tmp_path, stop) == 1
    (record,) = caplog.records
    assert "killed, as it made no progress for 0 s (" in record.message


@pytest.mark.parametrize("hud", [True, False])
def test_a_trainers_death_is_logged_at_once_and_once(
    training: Callable[..., CALFApplication], caplog: pytest.LogCaptureFixture, hud: bool
) -> None:
    app = training(hud=hud, episodes=1000)
    if hud:
        app.hud.visible = False
    app.live.process.process.kill()
    until(lambda: not app.live.process.running)
    for _ in range(3):
        app.step()
        assert [r.levelname for r in caplog.records] == ["ERROR"]
    app.close()
    assert len(caplog.records) == 1


def test_detached_the_training_goes_on_without_the_viewer(
    training: Callable[..., CALFApplication],
) -> None:
    app = training(hud=False, detach=True, episodes=2)
    process = app.live.process
    app.playback.toggle()
    app.step()  # even paused: nobody could wake it any more
    app.close()
    until(lambda: not process.running)
    run, trainer = Run.open(app.live.run.folder)
    run.close()
    assert trainer.finished and process.process.returncode == 0
    assert sorted(p.name for p in app.live.run.folder.iterdir() if "board" in p.name) == []


def test_closing_the_viewer_ends_the_training_with_a_checkpoint(
    training: Callable[..., CALFApplication],
) -> None:
    app = training(hud=False, episodes=1000, steps=500)
    until(lambda: board(app)[Word.STEPS] > 20)
    app.close()
    assert not app.live.process.running and app.training_failure is None
    steps = board(app)[Word.STEPS]
    run, trainer = Run.open(app.live.run.folder)
    run.close()
    assert trainer.steps == steps


VIEWER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_live import configured, CALFApplication, Word
detach = len(sys.argv) > 3
episodes = 3 if detach else 1000
app = CALFApplication(configured(Path(sys.argv[1]), episodes=episodes, hud=False, detach=detach))
app.start_training()
while app.live.process.board[Word.STEPS] < 10:
    app.step()
print(app.live.process.process.pid, flush=True)
while True:
    app.step()
"""


def test_a_trainer_outlives_no_viewer_that_was_killed(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    viewer = subprocess.Popen(
        [sys.executable, "-c", VIEWER, str(tmp_path), here], stdout=subprocess.PIPE, text=True
    )
    assert viewer.stdout is not None
    trainer = int(viewer.stdout.readline())
    viewer.kill()
    viewer.communicate()

    def gone() -> bool:
        try:
            status = Path(f"/proc/{trainer}/stat").read_text()
        except OSError:
            return True
        return status.rsplit(")", 1)[1].split()[0] == "Z"

    until(gone)
    (folder,) = tmp_path.glob("point_mass-*")
    assert not list(folder.glob("*board*"))
    run, resumed = Run.open(folder)
    run.close()
    assert resumed.steps >= 10


def test_a_detached_trainer_outlives_a_viewer_that_was_killed_while_paused(
    tmp_path: Path,
) -> None:
    here = str(Path(__file__).parent)
    paused = VIEWER.replace("while True:\n", "app.playback.toggle()\nwhile True:\n")
    viewer = subprocess.Popen(
        [sys.executable, "-c", paused, str(tmp_path), here, "detach"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert viewer.stdout is not None
    viewer.stdout.readline()
    viewer.kill()
    viewer.communicate()
    (folder,) = tmp_path.glob("point_mass-*")
    until((folder / "training.png").exists)

    def resumed() -> bool:
        try:
            run, trainer = Run.open(folder)
        except UserError:  # it still writes
            return False
        run.close()
        return trainer.finished

    until(resumed)


def test_a_trainer_ends_with_a_checkpoint_when_it_is_told_to_terminate(
    training: Callable[..., CALFApplication],
) -> None:
    app = training(hud=True, detach=True, episodes=1000, steps=500)
    until(lambda: board(app)[Word.STEPS] > 20, app.step)
    app.live.process.process.terminate()
    until(lambda: not app.live.process.running, app.step)
    app.step()
    assert app.training_failure is None
    assert app.hud.values["train_notice"] == "the training was stopped"
    run, trainer = Run.open(app.live.run.folder)
    run.close()
    assert trainer.steps == board(app)[Word.STEPS]


@pytest.fixture
def process_of(tmp_path: Path) -> Iterator[Callable[..., process.TrainerProcess]]:
    """Trainers' processes without a viewer, closed in the end."""
    made: list[process.TrainerProcess] = []

    def start(detached: bool = False, **changes: Any) -> process.TrainerProcess:
        config = configured(tmp_path, **changes).training
        trainer = Trainer(config)
        run = Run.create(trainer, config, tmp_path / "runs")
        run.close()
        weights = len(trainer.agent.flat_weights())
        made.append(
            process.TrainerProcess(run.folder, Board.create(None, weights), np.inf, detached)
        )
        return made[-1]

    yield start
    for each in made:
        each.detached = False
        each.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_trainer_told_to_end_in_its_first_moment_ends_in_good_order(
    process_of: Callable[..., process.TrainerProcess], number: signal.Signals
) -> None:
    """Before it could know of signals at all."""
    started = process_of(episodes=1000)
    started.process.send_signal(number)
    until(lambda: not started.running)
    assert started.failure is None and started.board[Word.PHASE] == Phase.STOPPED
    Run.open(started.run)[0].close()


def test_no_signal_is_held_back_in_the_viewer_itself(
    process_of: Callable[..., process.TrainerProcess],
) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    process_of(episodes=1)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


def test_a_trainer_that_makes_progress_is_waited_for(
    process_of: Callable[..., process.TrainerProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slow it is: stopped for most of the time, as under heavy load."""
    monkeypatch.setattr(process, "PATIENCE", 0.4)
    started = process_of(episodes=1000)
    until(lambda: started.board[Word.STEPS] > 20)
    os.kill(started.process.pid, signal.SIGSTOP)
    looks = itertools.count()

    def spent() -> float:
        """Each look finds that it went on, many more than there is patience for."""
        look = next(looks)
        if look == 5:
            os.kill(started.process.pid, signal.SIGCONT)
        return float(look)

    monkeypatch.setattr(started, "_spent", spent)
    started.close()
    assert next(looks) > 5
    assert started.failure is None and started.board[Word.PHASE] == Phase.STOPPED


def test_progress_is_processor_time(process_of: Callable[..., process.TrainerProcess]) -> None:
    started = process_of(episodes=1000)
    until(lambda: started.board[Word.STEPS] > 20)
    before = started._spent()
    until(lambda: started._spent() > before)
    os.kill(started.process.pid, signal.SIGSTOP)
    until(lambda: psutil.Process(started.process.pid).status() == psutil.STATUS_STOPPED)
    before = started._spent()
    time.sleep(0.2)
    assert started._spent() == before
    os.kill(started.process.pid, signal.SIGCONT)


def test_a_detached_trainer_that_ends_leaves_no_zombie(
    process_of: Callable[..., process.TrainerProcess],
) -> None:
    started = process_of(detached=True, episodes=1)
    pid = started.process.pid
    started.close()
    until(lambda: not psutil.pid_exists(pid))


@pytest.mark.parametrize("how", ["removed", "moved"])
def test_a_run_whose_folder_goes_away_is_told_and_not_half_made_again(
    process_of: Callable[..., process.TrainerProcess], tmp_path: Path, how: str
) -> None:
    started = process_of(episodes=1000, steps=1_000_000)  # nothing is written meanwhile
    until(lambda: started.board[Word.STEPS] > 20)
    if how == "removed":
        shutil.rmtree(started.run)
    else:
        started.run.rename(tmp_path / "elsewhere")
    started.close()
    assert started.failure is not None and not started.run.exists()
    assert re.search("No such file or directory|is gone: put it back", started.failure)
    if how == "moved":
        assert "Traceback" not in (tmp_path / "elsewhere" / "trainer.log").read_text()
        Run.open(tmp_path / "elsewhere")[0].close()


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


# Resuming


def test_a_run_is_resumed_where_it_was(tmp_path: Path) -> None:
    first = CALFApplication(configured(tmp_path, hud=False, episodes=3, steps=40))
    folder = first.start_training()
    until(lambda: board(first)[Word.STEPS] > 15)
    first.close()
    steps = board(first)[Word.STEPS]
    second = CALFApplication(resuming(folder, episodes=4))
    second.start_training()
    try:
        assert (second.training.episodes, second.training.steps) == (4, 40)
        until(lambda: not second.live.process.running, second.step)
    finally:
        second.close()
    assert board(second)[Word.STEPS] > steps
    run, trainer = Run.open(folder)
    run.close()
    assert trainer.finished and trainer.done == 4


def resuming(folder: Path, **changes: Any) -> AppConfig:
    return AppConfig.from_preset("low", **{**SMALL, "resume": folder, "hud": False, **changes})


def test_steps_and_speed_of_a_resumed_run_begin_with_those_it_has(tmp_path: Path) -> None:
    config = configured(tmp_path).training
    trainer = Trainer(config)
    for _ in range(30):
        trainer.step()
    run = Run.create(trainer, config, tmp_path / "run")
    made = Board.create(None, len(trainer.agent.flat_weights()))
    hud = overview(POINT_MASS, mode_colours())
    panel = TrainingPanel(hud, StatsCache(), made, mode_colours(), lasts(4))
    panel.refresh()
    assert panel.hud.values["train_steps"] == "–", "nobody knows yet"
    made.stop()
    worker.Worker(run, trainer, made).work()
    assert made[Word.STEPS] == made[Word.SAVED] == 30
    panel.refresh()
    assert panel.hud.values["train_steps"] == "30"
    assert panel.hud.values["train_speed"] == "–", "and not 30 since it started"


def test_the_panel_says_when_the_trainer_compares_its_agents(tmp_path: Path) -> None:
    """Then there is no step for seconds."""
    config = configured(tmp_path).training
    trainer = Trainer(config)
    run = Run.create(trainer, config, tmp_path / "run")
    made = Board.create(None, len(trainer.agent.flat_weights()))
    hud = overview(POINT_MASS, mode_colours())
    panel = TrainingPanel(hud, StatsCache(), made, mode_colours(), lasts(4))
    made[Word.PHASE] = Phase.TRAINING
    said = []
    at_work = worker.Worker(run, trainer, made)
    begin = trainer.before_comparison

    def compare() -> None:
        begin()
        panel.refresh()
        said.append(hud.values["train_mode"])
        made.stop()

    trainer.before_comparison = compare
    at_work.work()
    assert said == ["comparing"]
    panel.refresh()
    assert hud.values["train_mode"] in NAMES


def test_plots_show_every_episode_from_the_first_on_and_the_whole_training(tmp_path: Path) -> None:
    made = Board.create(None, 1)
    hud = overview(POINT_MASS, mode_colours())
    panel = TrainingPanel(hud, StatsCache(), made, mode_colours(), lasts(500))
    series = hud.canvas.series
    points = {}
    for episode in range(500):
        made.add_episode(episode, 10, float(episode), episode % 2, 5, 0, 5, 0.5)
        panel.refresh()
        values = series.values("reward")
        points[episode + 1] = len(values)
        each = panel.episodes_each
        whole = (episode + 1) // each * each
        expected = np.arange(whole).reshape(-1, each).mean(axis=1)
        np.testing.assert_allclose(values, expected, rtol=1e-6)
        span = series.texels[series.row("reward"), 1, 0]
        assert len(values) <= span <= SAMPLES
    assert [points[n] for n in (1, 2, 80, 81, 160, 500)] == [1, 2, 80, 40, 80, 62]
    assert span == 63, "8 episodes a point: the width is the training"
    assert hud.values["plot_reward_end"] == "504 episodes"
    np.testing.assert_allclose(series.values("goal")[2:], 0.5, atol=0.06)
    np.testing.assert_allclose(series.values("share_certified"), 0.5)


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


def test_tensorboard_is_written_by_the_trainers_process(
    tmp_path: Path, tensorboard: dict[tuple[str, int], float]
) -> None:
    config = configured(tmp_path, tensorboard=True).training
    trainer = Trainer(config)
    run = Run.create(trainer, config, tmp_path / "run")
    made = Board.create(None, len(trainer.agent.flat_weights()))
    worker.Worker(run, trainer, made).work()
    assert {step for _, step in tensorboard} == set(range(4))


def test_snapshots_hold_the_critic_on_the_grid(tmp_path: Path) -> None:
    config = configured(tmp_path, system="differential_drive").training
    trainer = Trainer(config)
    run = Run.create(trainer, config, tmp_path)
    plane = trainer.system.plane
    grid = Grid((9, 9), plane.lo, plane.hi)
    made = Board.create(grid, len(trainer.agent.flat_weights()), [7.0, 7.0, 0.5])
    worker.Worker(run, trainer, made)._publish()
    snapshot = made.snapshot(0)
    nodes = plane_nodes(plane.lo, plane.hi, 9, 9)
    expected = trainer.agent.lyapunov(trainer.system.plane_states(nodes, 0.5))
    assert (snapshot.surface.lo, snapshot.surface.hi) == (plane.lo, plane.hi)
    np.testing.assert_array_equal(snapshot.surface.values.ravel(), expected)
    np.testing.assert_array_equal(snapshot.weights, trainer.agent.flat_weights())


@pytest.mark.parametrize("palette", ["standard", "colour_blind"])
def test_a_colour_of_the_plots_has_one_meaning(palette: str) -> None:
    hud = overview(POINT_MASS, mode_colours(palette))
    made = Board.create(None, 1)
    TrainingPanel(hud, StatsCache(), made, mode_colours(palette), lasts(4))
    (plots,) = (widget for widget in hud.widgets if isinstance(widget, Plots))
    meanings: dict[int, set[str]] = {}
    subjects = {"each": "agent", "q+": "agent", "mean of 20": "agent"}
    for plot in plots.plots:
        for name, paint in plot.entries:
            meanings.setdefault(paint.colour, set()).add(subjects.get(name, name))
    colours = [packed(tuple(colour[:3].tolist())) for colour in mode_colours(palette)]
    modes = dict(zip(colours, NAMES, strict=False))
    assert all(len(names) == 1 for names in meanings.values()), meanings
    assert all(meanings[colour] == {name} for colour, name in modes.items())
    for plot in plots.plots:
        assert {f"{plot.key}_head", f"{plot.key}_foot", f"{plot.key}_end"} <= hud.values.keys()
