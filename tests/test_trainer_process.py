"""Trainer and viewer are two processes: what ends either, what of it is told, and what is left."""

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
from calf_attach.layout import Phase, Word
from trainings import board, configured, new_board, watched
from waiting import until

from calf_viz import CALFApplication
from calf_viz.cli import main as cli
from calf_viz.errors import UserError
from calf_viz.sources import trainer_handle as process
from calf_viz.training.run import Run
from calf_viz.training.trainer import Trainer

pytestmark = [pytest.mark.rendering, pytest.mark.usefixtures("boards")]
training = pytest.fixture(watched)


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


def test_a_trainer_that_is_killed_is_reported_and_the_last_state_stays(
    training: Callable[..., CALFApplication],
) -> None:
    app = training(hud=True, size=(960, 540), episodes=1000)
    until(lambda: board(app)[Word.STEP] > 5, app.step)
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


def test_an_error_of_the_trainers_own_is_reported(
    training: Callable[..., CALFApplication], monkeypatch: pytest.MonkeyPatch
) -> None:
    popen = subprocess.Popen

    def without_checkpoints(command: list[str], **options: Any) -> Any:
        run, *_ = command[command.index("calf_viz.sources.trainer_process") + 1 :]
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
            until(lambda: board(app)[Word.STEP] > 20)
            meanwhile(app)

    monkeypatch.setattr(CALFApplication, "step", stepped)
    # Its first episode, after which there is another checkpoint, outlasts the slowest frames.
    flags = ("train", "headless", "no-hud", "size=64x36", "grid=8", "frames=9", "steps=1000000")
    places = (f"runs={folder / 'r'}", f"output={folder}")
    monkeypatch.setattr(sys, "argv", ["calf-viz", *(f"--{flag}" for flag in (*flags, *places))])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def test_a_last_checkpoint_that_fails_is_reported_with_what_is_lost(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fill(app: CALFApplication) -> None:
        checkpoints = app.live.run.folder / "checkpoints"
        checkpoints.rename(tmp_path / "moved")
        checkpoints.write_text("no folder")  # even root cannot write below it

    assert watch(monkeypatch, tmp_path, fill) == 1
    assert "\n0 episodes in 9 frames: give more --frames\n" in capsys.readouterr().out
    (record,) = caplog.records
    (run,) = (tmp_path / "r").iterdir()
    assert re.fullmatch(
        rf"the training died: cannot write {run}/checkpoints/000000.resume: Not a directory; .*"
        rf" \(\d+ steps since the last checkpoint are lost\); go on with `resume` {run}",
        record.message,
    )


def test_a_trainer_that_does_not_end_is_killed_and_that_is_reported(
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
    until(lambda: not boards_left())


def test_closing_the_viewer_ends_the_training_with_a_checkpoint(
    training: Callable[..., CALFApplication],
) -> None:
    app = training(hud=False, episodes=1000, steps=500)
    until(lambda: board(app)[Word.STEP] > 20)
    app.close()
    assert not app.live.process.running and app.training_failure is None
    steps = board(app)[Word.STEP]
    run, trainer = Run.open(app.live.run.folder)
    run.close()
    assert trainer.steps == steps


def boards_left() -> list[str]:
    return os.listdir(os.environ["CALF_BOARDS"])


VIEWER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from trainings import configured
from calf_viz import CALFApplication
from calf_attach.layout import Word
detach = len(sys.argv) > 3
episodes = 3 if detach else 1000
app = CALFApplication(configured(Path(sys.argv[1]), episodes=episodes, hud=False, detach=detach))
app.start_training()
while app.live.process.board[Word.STEP] < 10:
    app.step()
print(app.live.process.process.pid, flush=True)
while True:
    app.step()
"""


def test_a_trainer_that_is_killed_leaves_a_board_until_its_viewer_ends(
    training: Callable[..., CALFApplication],
) -> None:
    app = training(hud=False, episodes=1000)
    until(lambda: board(app)[Word.STEP] > 5)
    app.live.process.process.kill()
    until(lambda: not app.live.process.running)
    assert boards_left() == [os.path.basename(board(app).path)]
    app.close()
    assert not boards_left()


def test_a_board_of_trainer_and_viewer_killed_at_once_is_removed_by_the_next(
    tmp_path: Path,
) -> None:
    child = os.fork()
    if not child:
        made = new_board(name="both")
        made.add_step(0, 0, 1, 0.5, -0.5, 0.0, -3.0, -4.0, -0.2, -1.5, 1)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    (left,) = boards_left()
    made = new_board(name="both")
    assert boards_left() == [os.path.basename(made.path)] != [left]


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
    assert not boards_left()
    (folder,) = tmp_path.glob("point_mass-*")
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
    until(lambda: not boards_left())


def test_a_trainer_ends_with_a_checkpoint_when_it_is_terminated(
    training: Callable[..., CALFApplication],
) -> None:
    app = training(hud=True, detach=True, episodes=1000, steps=500)
    until(lambda: board(app)[Word.STEP] > 20, app.step)
    app.live.process.process.terminate()
    until(lambda: not app.live.process.running, app.step)
    app.step()
    assert app.training_failure is None
    assert app.hud.values["train_notice"] == "the training was stopped"
    run, trainer = Run.open(app.live.run.folder)
    run.close()
    assert trainer.steps == board(app)[Word.STEP]


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
            process.TrainerProcess(run.folder, new_board(weights=weights), np.inf, detached)
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
    until(lambda: started.board[Word.STEP] > 20)
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
    until(lambda: started.board[Word.STEP] > 20)
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
def test_a_run_whose_folder_goes_away_is_reported_and_not_half_made_again(
    process_of: Callable[..., process.TrainerProcess], tmp_path: Path, how: str
) -> None:
    started = process_of(episodes=1000, steps=1_000_000)  # nothing is written meanwhile
    until(lambda: started.board[Word.STEP] > 20)
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
