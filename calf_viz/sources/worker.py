"""Trains a run and keeps the board up to date, in the trainer's process."""

from __future__ import annotations

import time

from calf_attach.layout import Phase, Word

from calf_viz.agent.threads import one_thread
from calf_viz.pace import Pace
from calf_viz.sources.publisher import SNAPSHOT_EVERY, Publisher
from calf_viz.sources.trainer_board import TrainerBoard
from calf_viz.training.run import Run
from calf_viz.training.trainer import Trainer

POLL = 0.002
"""Interval [s] for polling the board while there is nothing to do."""


class Worker:
    """Trains a run, and keeps a board up to date."""

    def __init__(self, run: Run, trainer: Trainer, board: TrainerBoard) -> None:
        self.run, self.trainer, self.board = run, trainer, board
        self._publisher = Publisher(trainer, board)
        self._pace = Pace()

    def work(self) -> None:
        """Train until the run is finished, or until stopped by the board or the viewer's end."""
        trainer, board = self.trainer, self.board
        self._publisher.start()
        self._publisher.publish()
        self.run.start(trainer)
        board[Word.PHASE] = Phase.RUNNING
        while not trainer.finished and self._may_step():
            self._step()
        self._publisher.publish()
        try:
            self.run.finish(trainer)
        finally:
            board[Word.SAVED] = self.run.saved
        board[Word.PHASE] = Phase.FINISHED if trainer.finished else Phase.STOPPED

    def train(self, steps: int) -> None:
        """Take that number of steps, or those left, at once, and publish a snapshot."""
        for _ in range(steps):
            if self.trainer.finished:
                break
            self._step()
        self._publisher.publish()

    def _may_step(self) -> bool:
        """Wait until the next step is due; returns False if there should be none."""
        board = self.board
        while not board[Word.STOP]:
            granted = board[Word.GRANTED]  # read before the pause, which is written before it
            if board[Word.PAUSED]:
                if board[Word.TAKEN] < granted:
                    return True
                self._publisher.publish()
                self._rest(POLL)
                continue
            board[Word.TAKEN] = granted
            rate = board[Word.RATE]
            wait = self._pace.wait(rate / 1e3) if rate else 0.0
            if wait == 0.0:
                return True
            if wait > SNAPSHOT_EVERY:
                self._publisher.publish()
            self._rest(min(wait, 0.05))
        return False

    def _rest(self, seconds: float) -> None:
        self.board[Word.HEARTBEAT] = time.perf_counter_ns()
        time.sleep(seconds)

    def _step(self) -> None:
        trainer, board = self.trainer, self.board
        taken = min(board[Word.TAKEN] + 1, board[Word.GRANTED])
        over = trainer.step()
        self._publisher.step(over)
        if over:
            self.run.episode(trainer)
            board[Word.SAVED] = self.run.saved
        board[Word.TAKEN] = taken  # last, when the step is on the board
        if self._publisher.due:
            self._publisher.publish()


@one_thread()  # leaves cores to the viewer
def work(folder: str, board: TrainerBoard) -> None:
    """Train a run until it is finished or stopped; see `trainer.py`.

    Raises:
        UserError: the run cannot be resumed or written, or the training diverged.
    """
    run, trainer = Run.open(folder)
    Worker(run, trainer, board).work()
