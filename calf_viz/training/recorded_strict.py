"""The recording of the strict agents that a training is compared by.

Agents that have arrived are nowhere from the next row on: their numbers are NaN.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.certificate import margin
from calf_viz.agent.evaluation import Taken, Watch
from calf_viz.agent.modes import CERTIFIED, NOMINAL
from calf_viz.agent.system_view import view_of
from calf_viz.recording.agents import BLOCK_BYTES, Block
from calf_viz.recording.episodes import TERMINATED, TRUNCATED, ended_text
from calf_viz.recording.events import Events
from calf_viz.recording.limits import Limits
from calf_viz.recording.recorder import WAITING_BYTES, Recorder
from calf_viz.training.recorded_rows import about, placed, shape_of, take_critic
from calf_viz.training.trainer import Trainer

GAP = 2
"""From the last row of a comparison to the first of the next one: no trail joins them."""


class _Row(NamedTuple):
    number: int
    time: float
    taken: Taken | NDArray[np.float32] | None
    """A step; or the states that all begin in; or None: those under way are cut off."""


class StrictRecording:
    """Takes down comparisons.

    Attributes:
        recorder: what writes them.
    """

    def __init__(self, folder: Path, trainer: Trainer) -> None:
        """Raises UserError if the folder cannot be written, or appended to."""
        view = view_of(trainer.system)
        self._trainer = trainer
        self.recorder = Recorder(
            folder, replace(view, title=f"{view.title}, strict"), about(trainer, "calf"),
            Limits(zstd=True), append=True,
        )  # fmt: skip
        self.recorder.gather = self._gather
        earlier = self.recorder.earlier
        self._there = self._number = earlier.step
        # The first row of each comparison that is there, by the training steps before it.
        self._begun = {trained: step for step, trained in reversed(earlier.critics)}
        self._shape = shape_of(trainer.system, trainer.config.selection_episodes)
        if earlier.agents < 0:
            self.recorder.note("agents", number=self._shape.agents)
        self._most = max(WAITING_BYTES // self._shape.row_bytes, 2)
        self._rows: deque[_Row] = deque()
        self._open = False
        self._begin(np.zeros(self._shape.agents, bool))

    def _begin(self, alive: NDArray[np.bool_]) -> None:
        """State of the newest row that was gathered, when a comparison begins."""
        n = len(alive)
        self._alive, self._arrived, self._q_plus = alive, ~alive, np.full(n, np.nan)
        self._returns, self._steps = np.zeros(n), np.zeros(n, np.int64)

    def begins(self, starts: NDArray[np.float32]) -> Watch:
        """A comparison begins, in these states; returns what sees its steps."""
        trainer = self._trainer
        found = self._begun.get(trainer.steps)
        if found is None:
            newest = max(self._number, self._there)
            self._number = 0 if newest < 0 else newest + GAP
            take_critic(self.recorder, trainer, self._number)
        else:
            self._number = found
        self._open = True
        self._add(np.array(starts, np.float32))
        return self._took

    def _took(self, taken: Taken) -> None:
        self._number += 1
        self._add(taken)

    def ends(self) -> None:
        """The comparison is over, if there was one."""
        if self._open:
            self._add(None)
        self._open = False

    def _add(self, taken: Taken | NDArray[np.float32] | None) -> None:
        room = len(self._rows) < self._most and not self.recorder.full
        if room or not isinstance(taken, Taken):
            self._rows.append(_Row(self._number, self.recorder.now, taken))
        else:
            self.recorder.leave_out(self._number)

    def _gather(self) -> list[Block | Events]:
        """What has gathered, in the recorder's thread."""
        rows = [self._rows.popleft() for _ in range(len(self._rows))]
        most = max(BLOCK_BYTES // self._shape.row_bytes, 1)
        found: list[Block | Events] = []
        part: list[_Row] = []
        for row in rows:
            if not isinstance(row.taken, Taken) or len(part) == most:
                found += self._written(part)
                part = []
            if row.taken is not None:
                part.append(row)
            elif self._alive.any():
                found.append(self._over(row, self._alive, TRUNCATED))
        return found + self._written(part)

    def _over(self, row: _Row, agents: NDArray[np.bool_], how: int) -> Events:
        """Agents whose episodes ended at a row. how: as in the column `ended`."""
        texts = [ended_text(how, steps) for steps in self._steps[agents]]
        where = np.flatnonzero(agents)
        return Events(row.number, row.time, "episode", where, self._returns[agents], texts)

    def _written(self, rows: list[_Row]) -> list[Block | Events]:
        """Rows of one comparison: its beginning, steps, or both."""
        if not rows:
            return []
        system, starts, n = self._trainer.system, rows[0].taken, self._shape.agents
        columns: dict[str, NDArray[Any]] = {
            name: np.full((len(rows), n, width or 1), np.nan if kind.kind == "f" else 0, kind)
            for name, (kind, width) in self._shape.columns.items()
        }
        rest = rows
        if isinstance(starts, np.ndarray):
            rest = rows[1:]
            self._begin(~system.in_goal(starts))
            columns["state"][0], columns["mode"][0], columns["first"][0] = starts, CERTIFIED, 1
            columns["ended"][0, :, 0] = ~self._alive
        found: list[Block | Events] = []
        if rest:
            begun = {name: column[len(rows) - len(rest) :] for name, column in columns.items()}
            found = self._fill(begun, rest)
        columns |= placed(system, columns["state"])
        numbers, times = np.array([row.number for row in rows]), np.array([r.time for r in rows])
        new = numbers > self._there
        if not new.any():
            return found
        kept = {name: column[new] for name, column in columns.items()}
        return [*found, Block.of(self._shape, numbers[new], times[new], kept)]

    def _fill(self, columns: dict[str, NDArray[Any]], rows: list[_Row]) -> list[Block | Events]:
        """Put steps into columns (rows, n, width); returns the episodes that ended."""
        system, n = self._trainer.system, self._shape.agents
        taken = [row.taken for row in rows if isinstance(row.taken, Taken)]
        by: Any = Taken(*zip(*taken, strict=True))  # lists of arrays
        alive = np.stack(by.alive)
        at = np.flatnonzero(alive)
        before, actions = np.concatenate(by.before), np.concatenate(by.actions)
        reward = system.reward(before, actions)

        def spread(values: NDArray[Any], name: str) -> NDArray[Any]:
            column = columns[name].reshape(len(rows) * n, -1)
            column[at] = values.reshape(len(at), -1)
            return columns[name][:, :, 0]

        def earlier(newest: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate([newest[None], values[:-1]])

        columns["mode"][:] = NOMINAL
        spread(np.concatenate(by.modes), "mode")
        spread(np.concatenate(by.states), "state")
        spread(actions, "action")
        rewards = np.nan_to_num(spread(reward, "reward"))
        arrived = spread(np.concatenate(by.arrived), "ended").astype(bool)
        q = np.concatenate(by.q)
        spread(q, "q")
        q_plus = spread(np.concatenate(by.q_plus), "q_plus")
        compared = earlier(self._q_plus, q_plus).reshape(-1)[at]
        constants = self._trainer.agent.info.constants
        spread(margin(q, system.norm(before), compared, constants), "margin")
        columns["first"][:, :, 0] = earlier(self._arrived, arrived)
        found: list[Block | Events] = []
        for row, gone, ret, there in zip(rows, arrived, rewards, alive, strict=True):
            self._returns, self._steps = self._returns + ret, self._steps + there
            if gone.any():
                found.append(self._over(row, gone, TERMINATED))
        self._alive, self._arrived = alive[-1] & ~arrived[-1], arrived[-1]
        self._q_plus = q_plus[-1].copy()
        return found
