"""Trains a run and keeps the board up to date, in the trainer's process."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
from calf_attach.layout import Phase, Word
from numpy.typing import NDArray

from calf_viz.agent.threads import one_thread
from calf_viz.pace import Pace
from calf_viz.sources.trainer_board import TrainerBoard, ended
from calf_viz.training.run import Run
from calf_viz.training.trainer import Trainer

SNAPSHOT_EVERY = 0.5
"""Least seconds between two snapshots."""
POLL = 0.002
"""Interval [s] for polling the board while there is nothing to do."""


class Worker:
    """Trains a run, and keeps a board up to date."""

    def __init__(self, run: Run, trainer: Trainer, board: TrainerBoard) -> None:
        self.run, self.trainer, self.board = run, trainer, board
        system, grid = trainer.system, board.grid
        nothing = np.empty((0, system.state_dim), np.float32)
        self.states = nothing if grid is None else system.plane_states(grid.nodes(), board.hidden)
        self._published = -1
        self._next_snapshot = 0.0
        self._pace = Pace()
        trainer.before_comparison = partial(board.__setitem__, Word.PHASE, Phase.COMPARING)

    def work(self) -> None:
        """Train until the run is finished, or until stopped by the board or the viewer's end."""
        trainer, board = self.trainer, self.board
        board[Word.STEP] = board[Word.SAVED] = trainer.steps
        for episode in trainer.recent:
            board.add_episode(episode.episode, episode.steps, episode.ret, episode.goal,
                              *episode.modes, episode.p_relax)  # fmt: skip
        self._publish()
        self.run.start(trainer)
        board[Word.PHASE] = Phase.RUNNING
        while not trainer.finished and self._may_step():
            self._step()
        self._publish()
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
        self._publish()

    def _may_step(self) -> bool:
        """Wait until the next step is due; returns False if there should be none."""
        board = self.board
        while not board[Word.STOP]:
            granted = board[Word.GRANTED]  # read before the pause, which is written before it
            if board[Word.PAUSED]:
                if board[Word.TAKEN] < granted:
                    return True
                self._publish()
                self._rest(POLL)
                continue
            board[Word.TAKEN] = granted
            rate = board[Word.RATE]
            wait = self._pace.wait(rate / 1e3) if rate else 0.0
            if wait == 0.0:
                return True
            if wait > SNAPSHOT_EVERY:
                self._publish()
            self._rest(min(wait, 0.05))
        return False

    def _rest(self, seconds: float) -> None:
        self.board[Word.HEARTBEAT] = time.perf_counter_ns()
        time.sleep(seconds)

    def _step(self) -> None:
        trainer, board = self.trainer, self.board
        taken = min(board[Word.TAKEN] + 1, board[Word.GRANTED])
        episode, number = trainer.episode.episode, trainer.episode.steps
        over = trainer.step()
        step = (trainer.last_timeline if over else trainer.timeline)[-1]
        x, y = step.state[list(trainer.system.plane.axes)]
        heading = trainer.system.heading_axis
        board.add_step(
            episode, number, step.mode, x, y, 0.0 if heading is None else step.state[heading],
            step.q_plus, step.floor, step.ceiling, step.reward, trainer.steps,
            ended(trainer.recent[-1].goal) if over else 0,
        )  # fmt: skip
        if over:
            board[Word.PHASE] = Phase.RUNNING
            e = trainer.recent[-1]
            board.add_episode(e.episode, e.steps, e.ret, e.goal, *e.modes, e.p_relax)
            self.run.episode(trainer)
            board[Word.SAVED] = self.run.saved
        board[Word.TAKEN] = taken  # last, when the step is on the board
        if time.perf_counter() >= self._next_snapshot:
            self._publish()

    def _publish(self) -> None:
        """Publish a snapshot of the networks, unless the newest is from this very step."""
        trainer = self.trainer
        if self._published == trainer.steps:
            return
        self._published = trainer.steps
        agent = trainer.agent
        empty: NDArray[np.float32] = np.empty(0, np.float32)
        values = agent.lyapunov(self.states) if len(self.states) else empty
        self.board.publish_agent(trainer.steps, trainer.p_relax, values, agent.flat_weights())
        self._next_snapshot = time.perf_counter() + SNAPSHOT_EVERY


@one_thread()  # leaves cores to the viewer
def work(folder: str, board: TrainerBoard) -> None:
    """Train a run until it is finished or stopped; see `trainer.py`.

    Raises:
        UserError: the run cannot be resumed or written, or the training diverged.
    """
    run, trainer = Run.open(folder)
    Worker(run, trainer, board).work()
