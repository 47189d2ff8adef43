"""The recording of an agent in training."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.certificate import margin
from calf_viz.agent.modes import CERTIFIED
from calf_viz.agent.system_view import view_of
from calf_viz.recording.agents import Block
from calf_viz.recording.episodes import TERMINATED, TRUNCATED, ended_text
from calf_viz.recording.events import Event, Events
from calf_viz.recording.recorder import Recorder
from calf_viz.training.recorded_rows import about, placed, shape_of, take_critic
from calf_viz.training.trainer import Episode, Trainer

SHARE = 0.002
"""Of the training's time, for surfaces."""
MOST_WAITING = 200_000
"""Rows that a slow disk has not taken yet."""


class _Row(NamedTuple):
    """What a step leaves to be written, at the cost of a step."""

    number: int
    time: float
    first: bool
    action: NDArray[Any]
    mode: int
    state: NDArray[np.float32]
    reward: float
    ended: int
    q: float
    q_plus: float
    before: NDArray[np.float32]
    """The state that the rule decided in."""
    compared: float
    """q+ that it compared with."""


class TraineeRecording:
    """Takes down each step of a training, as `Observer`.

    Attributes:
        recorder: what writes it.
        trainer: what is recorded.
    """

    def __init__(self, folder: Path, trainer: Trainer, q: NDArray[np.float64]) -> None:
        """q: where the trainer leaves what the rule compared, (1,).

        Raises UserError if the folder cannot be written, or appended to."""
        system = trainer.system
        self.trainer, self._q = trainer, q
        self.recorder = Recorder(folder, view_of(system), about(trainer, "training"), append=True)
        self.recorder.gather = self._gather
        self._shape = shape_of(system, 1)
        self._next_surface = 0.0
        self._there = self.recorder.earlier.step
        if self.recorder.earlier.agents < 0:
            self.recorder.note("agents", number=1)
        self._rows: deque[_Row] = deque()
        self._nothing = np.full((1, system.action_dim), np.nan, np.float32)
        self._state, self._q_plus = trainer.state, self._known()

    def start(self) -> None:
        """Called before the first step."""
        self._surface(self._number)
        if not self.trainer.episode.steps:
            self.began(self.trainer.state)

    @property
    def _number(self) -> int:
        """Number of the newest row: steps so far, and a beginning for each episode."""
        return self.trainer.steps + self.trainer.done

    def _known(self) -> float:
        memory = self.trainer.memory
        return float(memory.q_plus[0]) if memory.has_triple[0] else np.nan

    def began(self, state: NDArray[np.float32]) -> None:
        """As `Observer`."""
        self._state, self._q_plus = state, np.nan
        self._add(_Row(self._number, self.recorder.now, True, self._nothing, CERTIFIED, state, 0.0,
                       0, np.nan, np.nan, state, np.nan))  # fmt: skip

    def took(
        self,
        actions: NDArray[Any],
        mode: int,
        state: NDArray[np.float32],
        reward: float,
        ended: int,
    ) -> None:
        """As `Observer`."""
        q_plus, now = self._known(), self.recorder.now
        self._add(_Row(self._number, now, False, actions, mode, state, reward, ended,
                       float(self._q[0]), q_plus, self._state, self._q_plus))  # fmt: skip
        self._state, self._q_plus = state, q_plus
        if now >= self._next_surface:
            self._surface(self._number + 1)

    def _add(self, row: _Row) -> None:
        if row.number <= self._there:
            return
        if len(self._rows) < MOST_WAITING and not self.recorder.full:
            self._rows.append(row)
        else:
            self.recorder.leave_out(row.number)

    def _surface(self, step: int) -> None:
        """Take down the critic, which is shown from a step on."""
        begun = time.perf_counter()
        take_critic(self.recorder, self.trainer, step)
        self._next_surface = self.recorder.now + (time.perf_counter() - begun) / SHARE

    def episode(self, episode: Episode) -> None:
        """Note an episode that ended with the newest step."""
        text = ended_text(TERMINATED if episode.goal else TRUNCATED, episode.steps)
        step = self.trainer.steps + episode.episode
        event = Event(step, self.recorder.now, "episode", 0, episode.ret, text)
        self.recorder.add(Events.of(event))

    def _gather(self) -> list[Block]:
        """The rows that have gathered, in the recorder's thread."""
        rows = [self._rows.popleft() for _ in range(len(self._rows))]
        if not rows:
            return []
        system = self.trainer.system
        by: Any = _Row(*zip(*rows, strict=True))  # a list each
        state, q = np.concatenate(by.state), np.array(by.q)
        norm = system.norm(np.concatenate(by.before))
        constants = self.trainer.agent.info.constants
        columns = {
            **placed(system, state[:, None]),
            "mode": np.array(by.mode),
            "first": np.array(by.first),
            "action": np.concatenate(by.action),
            "reward": np.array(by.reward),
            "ended": np.array(by.ended),
            "q": q,
            "q_plus": np.array(by.q_plus),
            "margin": margin(q, norm, np.array(by.compared), constants),
        }
        return [Block.of(self._shape, np.array(by.number), np.array(by.time), columns)]
