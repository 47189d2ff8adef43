"""Puts a training on a board: each step, each episode, and now and then the networks."""

from __future__ import annotations

import logging
import time
from functools import partial

import numpy as np
from calf_attach.layout import Phase, Word
from numpy.typing import NDArray

from calf_viz.agent.system_view import view_of
from calf_viz.errors import UserError
from calf_viz.heightfield import Grid
from calf_viz.sources.trainer_board import TrainerBoard, ended
from calf_viz.training.trainer import Episode, Trainer

SNAPSHOT_EVERY = 0.5
"""Least seconds between two snapshots."""
NODES = 65
"""Per side of the grid on which the critic of a training without a viewer of its own is shown."""
LOOKING = 2.0
"""Seconds since a viewer last looked, after which nobody does."""
log = logging.getLogger("calf_viz")


class Publisher:
    """Puts a training on a board."""

    def __init__(self, trainer: Trainer, board: TrainerBoard) -> None:
        self.trainer, self.board = trainer, board
        system, grid = trainer.system, board.grid
        nothing = np.empty((0, system.state_dim), np.float32)
        self._states = nothing if grid is None else system.plane_states(grid.nodes(), board.hidden)
        self._published = -1
        self._next_snapshot = 0.0
        trainer.before_comparison = partial(board.__setitem__, Word.PHASE, Phase.COMPARING)

    def start(self) -> None:
        """Say how far the training is, and which episodes are over."""
        trainer, board = self.trainer, self.board
        board[Word.STEP] = board[Word.SAVED] = trainer.steps
        for episode in trainer.recent:
            self._add(episode)

    def _add(self, episode: Episode) -> None:
        """A finished episode."""
        self.board.add_episode(episode.episode, episode.steps, episode.ret, episode.goal,
                               *episode.modes, episode.p_relax)  # fmt: skip

    def step(self, over: bool) -> None:
        """The trainer's newest step; over: whether an episode ended with it."""
        trainer, board = self.trainer, self.board
        timeline = trainer.last_timeline if over else trainer.timeline
        step = timeline[-1]
        episode = trainer.recent[-1] if over else trainer.episode
        x, y = step.state[list(trainer.system.plane.axes)]
        heading = trainer.system.heading_axis
        board.add_step(
            episode.episode, episode.steps - 1, step.mode, x, y,
            0.0 if heading is None else step.state[heading],
            step.q_plus, step.floor, step.ceiling, step.reward, trainer.steps,
            ended(episode.goal) if over else 0,
        )  # fmt: skip
        if over:
            board[Word.PHASE] = Phase.RUNNING
            self._add(episode)

    @property
    def due(self) -> bool:
        """Whether it is time for a snapshot."""
        return time.perf_counter() >= self._next_snapshot

    def publish(self) -> None:
        """Publish a snapshot of the networks, unless the newest is from this very step."""
        trainer = self.trainer
        if self._published == trainer.steps:
            return
        self._published = trainer.steps
        agent = trainer.agent
        empty: NDArray[np.float32] = np.empty(0, np.float32)
        values = agent.lyapunov(self._states) if len(self._states) else empty
        self.board.publish_agent(trainer.steps, trainer.p_relax, values, agent.flat_weights())
        self._next_snapshot = time.perf_counter() + SNAPSHOT_EVERY


class PublishedTraining:
    """A metrics writer that puts a training without a viewer of its own on a board, so that others
    find it. The critic is evaluated only while one looks."""

    def __init__(self) -> None:
        self._publisher: Publisher | None = None

    def start(self, trainer: Trainer) -> None:
        """As `MetricsWriter`. Without room for a board, one line says so."""
        system, config = trainer.system, trainer.config
        view = view_of(system)
        grid, hidden = Grid((NODES, NODES), view.lo, view.hi), np.zeros(system.state_dim)
        weights = len(trainer.agent.flat_weights())
        name = f"{system.name}-{config.seed}"
        try:
            board = TrainerBoard.make(name, view, grid, weights, hidden.tolist())
        except UserError as error:
            log.warning("%s; until then other viewers do not find this training", error)
            return
        self._publisher = Publisher(trainer, board)
        self._publisher.start()
        trainer.after_step = self._step
        self._publisher.publish()
        board[Word.PHASE] = Phase.RUNNING

    def _step(self, over: bool) -> None:
        publisher = self._publisher
        assert publisher is not None
        publisher.step(over)
        if publisher.due and self._looked():
            publisher.publish()

    def _looked(self) -> bool:
        assert self._publisher is not None
        board = self._publisher.board
        return 1e-9 * (board[Word.HEARTBEAT] - board[Word.LOOKED]) < LOOKING

    def episode(self, trainer: Trainer) -> None:
        """As `MetricsWriter`: it is on the board with its last step."""

    def checkpoint(self, trainer: Trainer) -> None:
        """As `MetricsWriter`."""
        if self._publisher is not None:
            self._publisher.board[Word.SAVED] = trainer.steps

    def close(self) -> None:
        """As `MetricsWriter`."""
        if self._publisher is not None:
            board, trainer = self._publisher.board, self._publisher.trainer
            board[Word.PHASE] = Phase.FINISHED if trainer.finished else Phase.STOPPED
            board.unlink()
