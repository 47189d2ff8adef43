"""The viewer's handle on the trainer's process."""

from __future__ import annotations

import logging
import math
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
from calf_attach.layout import Phase, Word

from calf_viz.children import held_back, python_child
from calf_viz.errors import UserError, shown
from calf_viz.sources.trainer_board import TrainerBoard

log = logging.getLogger("calf_viz")

PATIENCE = 20.0
"""Seconds without progress after which a trainer that should end is killed."""
REPORT_AFTER = 10.0
"""Seconds of waiting after which a message says so."""
MOMENT = 0.5
"""Seconds to wait for a single step."""


class TrainerProcess:
    """A run being trained in a separate process, which starts with the object.

    Attributes:
        run: the run's folder.
        detached: whether it goes on after the viewer ends, in any way.
        board: the board that the two share.
        log: the file that receives the trainer's standard error.
    """

    def __init__(
        self,
        run: Path,
        board: TrainerBoard,
        rate: float,
        detached: bool = False,
        system: str | None = None,
    ) -> None:
        """Start the process.

        Args:
            run: the run's folder.
            board: a new board, owned by this object from now on.
            detached: whether the process outlives the viewer.
            rate: steps per second; infinite for as fast as possible.
            system: reference of the run's system (see `systems.reference`).

        Raises:
            UserError: the run's folder cannot be written.
        """
        self.run, self.detached = run, detached
        self._overdue = False
        self.board = board
        self.board[Word.RATE] = 0 if math.isinf(rate) else max(1, round(1e3 * rate))
        # From the start, as a viewer that is killed cannot set it any more.
        self.board[Word.DETACHED] = int(detached)
        self.log = run / "trainer.log"
        command, environment = python_child(
            "calf_viz.sources.trainer_process", str(run), board.path,
            *(() if system is None else (system,)),
        )  # fmt: skip
        try:
            with self.log.open("wb") as log, held_back():
                self.process = subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C and hang-up of the terminal are for the viewer
                )
        except OSError as error:
            board.unlink()
            raise UserError(f"cannot start a training in {shown(run)}: {error.strerror}") from error

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self.process.poll() is None

    @property
    def failure(self) -> str | None:
        """Why it died, in one line; None while it is alive, or if it ended normally."""
        code = self.process.poll()
        if code is None or code == 0:
            return None
        if self._overdue:
            # If it was killed after its end was recorded, nothing is lost.
            ended = self.board[Word.PHASE] in (Phase.FINISHED, Phase.STOPPED)
            return None if ended else f"killed, as it made no progress for {PATIENCE:.0f} s"
        if code < 0:
            return f"killed by signal {-code}"
        return self.board.error or self._last_log_line() or f"exit code {code}"

    @property
    def failure_report(self) -> str | None:
        """`failure`, what is lost, and how to resume, in one line; None without a failure."""
        if self.failure is None:
            return None
        lost = self.board[Word.STEP] - self.board[Word.SAVED]
        loss = f" ({lost} steps since the last checkpoint are lost)" if lost else ""
        return f"the training died: {self.failure}{loss}; go on with `resume` {self.run}"

    def _last_log_line(self) -> str:
        with suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
            said = [line.strip() for line in lines if line.strip()]
            return said[-1] if said else ""
        return ""

    @property
    def finished(self) -> bool:
        """Whether the training is finished."""
        return self.board[Word.PHASE] == Phase.FINISHED

    def pause(self, paused: bool) -> None:
        """Pause or resume it."""
        if self.board[Word.PAUSED] != paused:
            self.board[Word.PAUSED] = int(paused)

    def single_step(self) -> None:
        """Pause, take one step, and wait briefly for it to appear on the board."""
        board = self.board
        self.pause(True)
        board[Word.GRANTED] += 1
        end = time.monotonic() + MOMENT
        while board[Word.TAKEN] < board[Word.GRANTED] and time.monotonic() < end:
            if board[Word.PHASE] != Phase.RUNNING or not self.running:
                return
            time.sleep(0.001)

    def close(self) -> None:
        """Let it end with a checkpoint, however long that takes; or, detached, let it go on."""
        if self.detached and self.running:
            self._release()
            # Reap it when it ends, so that it does not remain a zombie.
            threading.Thread(target=self._reap, daemon=True).start()
            return
        self.board.stop()
        self._release()
        if not self._wait():
            self._overdue = True
            self.process.kill()
        self._reap()

    def _reap(self) -> None:
        """Wait for its end, and remove its board, which it leaves if it is killed."""
        self.process.wait()
        self.board.unlink()

    def _wait(self) -> bool:
        """Wait for its end; returns False once there was no progress for too long.

        Under load, or with a slow disk, ending may take minutes.
        """
        begun = since = time.monotonic()
        spent, reported = -1.0, False
        while True:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(min(1.0, PATIENCE))
                return True
            now, before = time.monotonic(), spent
            spent = self._spent()
            if spent != before:
                since = now
            elif now - since > PATIENCE:
                return False
            if now - begun > REPORT_AFTER and not reported:
                reported = True
                log.warning("waiting for the training to end, with a checkpoint")

    def _spent(self) -> float:
        """Processor time that it has used [s]; always increasing while it waits for a disk."""
        try:
            process = psutil.Process(self.process.pid)
            if process.status() == psutil.STATUS_DISK_SLEEP:
                return time.monotonic()
            times = process.cpu_times()
        except psutil.Error:  # it just ended
            return 0.0
        return float(times.user + times.system)

    def _release(self) -> None:
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()
