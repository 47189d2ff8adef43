"""The trainer's board: one of `calf_attach`, with the networks' weights beside each surface.

    viewer writes   PAUSED, GRANTED, STOP, DETACHED, RATE
    trainer writes  a row for each training step: where it led, its mode, its certificate
                    an end for each episode: its metrics
                    surfaces: the critic on the grid, with the weights of actor and critic
                    PHASE, TAKEN, STEP, SAVED, and the text of the error that ended it

Layout, sequence locks, checksums and the file are `calf_attach`'s; here is only what its rows,
ends and surfaces mean in a training. So `calf-viz attach` lists and shows it like any other loop.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from calf_attach import search
from calf_attach.board import Board, NoRoom
from calf_attach.layout import FIRST, TERMINATED, TRUNCATED, Phase, Shape, Word
from calf_attach.plan import safe_name
from calf_attach.row_writer import OneAgentWriter
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown
from calf_viz.heightfield import Grid, Heightfield
from calf_viz.sources.attached import HEADING, meta_of, meta_read, open_board
from calf_viz.view import View

STEPS = 4096
"""Training steps that the ring holds."""
COLUMNS = ("reward", "q_plus", "floor", "ceiling", HEADING, "episode", "episode_step")
"""Numbers of each step; the last two are exact in float32, as `TrainingConfig` limits them."""
MOST_STATES = 1 << 20
"""More than any system has."""
MOST_ERROR = 1000
"""Characters of an error's text."""


class Steps(NamedTuple):
    """Training steps, (k,) each: the place on the plane that a step led to, its mode, and its
    certificate."""

    number: NDArray[np.int64]
    episode: NDArray[np.int64]
    step: NDArray[np.int64]
    """Within the episode."""
    mode: NDArray[np.uint8]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    heading: NDArray[np.float32]
    q_plus: NDArray[np.float32]
    floor: NDArray[np.float32]
    ceiling: NDArray[np.float32]
    reward: NDArray[np.float32]


class Episodes(NamedTuple):
    """Finished episodes, (k,) each, as in the metrics."""

    number: NDArray[np.int64]
    episode: NDArray[np.int64]
    steps: NDArray[np.int64]
    ret: NDArray[np.float64]
    goal: NDArray[np.float64]
    modes: NDArray[np.float64]
    """Steps in each mode, (k, modes)."""
    p_relax: NDArray[np.float64]


class Snapshot(NamedTuple):
    """The networks at one moment."""

    version: int
    steps: int
    p_relax: float
    surface: Heightfield | None
    """The critic on the grid; None if the viewer evaluates it itself."""
    weights: NDArray[np.float32]
    """Weights of actor and critic, (weights,)."""


class TrainerBoard(Board):
    """A board for one agent in training: `make` makes one, `map` maps another process's.

    Attributes:
        grid: of the surface in each snapshot; None if there is none.
        hidden: value of each state that the grid's plane does not show, (states,) float64.
    """

    grid: Grid | None
    hidden: NDArray[np.float64]
    _writer: OneAgentWriter | None = None

    @classmethod
    def make(
        cls,
        name: str,
        view: View,
        grid: Grid | None,
        weights: int,
        hidden: Sequence[float] = (),
    ) -> TrainerBoard:
        """A new board.

        Args:
            name: of the training, in the list of loops.
            view: of its steps and surfaces.
            grid: of the surfaces, if any.
            weights: their number.
            hidden: value of each state that the grid does not show.

        Raises:
            UserError: there is no room for it.
        """
        name = safe_name(name)
        held = {str(i): value for i, value in enumerate(hidden) if value}
        trainer = {"states": len(hidden), "hidden": held, "grid": _saved(grid)}
        meta = {**meta_of(view, name), "columns": list(COLUMNS), "trainer": trainer}
        search.sweep(name)
        try:
            shape = Shape(1, STEPS, len(COLUMNS), False, _nodes(grid), weights)
            board = cls.create(name, shape, meta)
        except NoRoom as error:
            raise UserError(
                f"{error}, which viewer and trainer share: make room, or set CALF_BOARDS to a "
                "folder that has it"
            ) from error
        except ValueError as error:
            raise UserError(f"{shown(view.title)}: {error}: give shorter ones") from error
        board._read_trainer(meta)
        return board

    @classmethod
    def map(cls, path: Path | str) -> TrainerBoard:
        """Another process's board. Raises UserError if it is none, or not a trainer's."""
        board = open_board(path, cls)
        board._read_trainer(meta_read(board)[1])
        return board

    def _read_trainer(self, meta: Mapping[str, Any]) -> None:
        try:
            known = meta["trainer"]
            if known["states"] > MOST_STATES:
                raise ValueError(f"{known['states']} states")
            self.hidden = np.zeros(known["states"])
            for at, value in known["hidden"].items():
                self.hidden[int(at)] = value
            self.grid = _grid(known["grid"])
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, MemoryError) as error:
            raise UserError(f"{self.path}: not a trainer's board ({shown(str(error))})") from error
        shape = self.shape
        if (shape.agents, shape.columns, shape.wide) != (1, len(COLUMNS), False):
            raise UserError(f"{self.path}: not a trainer's board")
        if shape.nodes != _nodes(self.grid):
            raise UserError(f"{self.path}: a damaged board")

    # What the trainer says

    def stop(self) -> None:
        """Ask the training to end, with a checkpoint."""
        self[Word.STOP] = 1

    @property
    def error(self) -> str:
        """Why the trainer failed; empty if it did not report that."""
        return self.newest_fault

    def fail(self, text: str) -> None:
        """Record why the trainer failed."""
        self.fault(" ".join(text.split())[:MOST_ERROR])
        self[Word.PHASE] = Phase.FAILED

    # Snapshots

    def publish_agent(
        self, steps: int, p_relax: float, values: NDArray[np.float32], weights: NDArray[np.float32]
    ) -> int:
        """Publish a snapshot; returns its version, 1 for the first.

        values (nodes,) of the grid, row by row; weights (weights,).
        """
        grid, extra = self.grid, (p_relax, 0.0)
        if grid is None:
            return self.publish(None, steps=steps, weights=weights, extra=extra)
        return self.publish(values.reshape(grid.shape), grid.lo, grid.hi, steps, weights, extra)

    def snapshot(self, seen: int) -> Snapshot | None:
        """The newest snapshot if it is newer than version `seen` and complete; else None."""
        found = self.surface(seen)
        if found is None:
            return None
        values = found.values
        field = None if values is None else Heightfield(values, found.lo, found.hi)
        return Snapshot(found.version, found.steps, found.extra[0], field, found.weights)

    # Steps and episodes

    def add_step(
        self, episode: int, step: int, mode: int, x: float, y: float, heading: float,
        q_plus: float, floor: float, ceiling: float, reward: float, taken: int = 0, flags: int = 0,
    ) -> None:  # fmt: skip
        """Add a training step, of which `taken` there were with it. step: within its episode.
        flags: whether that ended, in which way."""
        writer = self._writer
        if writer is None:
            writer = self._writer = OneAgentWriter(self)
        if step == 0:
            flags |= FIRST
        columns = (reward, q_plus, floor, ceiling, heading, episode, step)
        writer.write_one(x, y, flags, mode, columns, taken, time.perf_counter_ns())

    def add_episode(
        self, episode: int, steps: int, ret: float, goal: bool, *modes_and_p_relax: float
    ) -> None:
        """Add a finished episode: with its steps in each mode, and P_relax at its end."""
        self.add_ends(
            row=self[Word.ROW] - 1, step=self[Word.STEP], agent=[0], episode=episode, length=steps,
            kind=ended(goal), ret=ret, goal=goal, extra=modes_and_p_relax,
        )  # fmt: skip

    def steps_since(self, number: int) -> Steps:
        """Training steps from a number on that are still in the ring, oldest first."""
        rows = self.table_since(number)
        reward, q_plus, floor, ceiling, heading, episode, step = rows.columns[:, :, 0].T
        x, y = rows.positions[:, 0].T
        return Steps(
            rows.number, episode.astype(np.int64), step.astype(np.int64), rows.modes[:, 0],
            x, y, heading, q_plus, floor, ceiling, reward,
        )  # fmt: skip

    def newest_step(self, number: int) -> Steps | None:
        """The newest training step; None if that is before a number."""
        end = self[Word.ROW]
        found = self.steps_since(end - 1) if end > number else None
        return found if found is not None and len(found.number) else None

    def episodes_since(self, number: int) -> Episodes:
        """Finished episodes from a number on, as `steps_since`."""
        found = self.ends_since(number)
        modes, p_relax = found["extra"][:, :-1], found["extra"][:, -1]
        return Episodes(
            found["number"], found["episode"], found["length"], found["ret"], found["goal"], modes,
            p_relax,
        )  # fmt: skip


def _nodes(grid: Grid | None) -> int:
    return 0 if grid is None else grid.shape[0] * grid.shape[1]


def _saved(grid: Grid | None) -> Any:
    return None if grid is None else (grid.shape, grid.lo, grid.hi)


def _grid(saved: Any) -> Grid | None:
    if saved is None:
        return None
    (rows, columns), (left, low), (right, high) = saved
    if not (isinstance(rows, int) and isinstance(columns, int) and min(rows, columns) > 1):
        raise ValueError(f"a grid of {rows} x {columns}")
    lo, hi = (float(left), float(low)), (float(right), float(high))
    return Grid((rows, columns), lo, hi)


def ended(goal: bool) -> int:
    """Flag of an episode's last step: only the goal terminates, all else cuts it off."""
    return TERMINATED if goal else TRUNCATED
