"""Writes what a loop does on a board: a row for each step, and the episodes that end."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from calf_attach import episodes
from calf_attach.arrays import as_array, count_of, flags_of, modes_of, numbers_of, observations_of
from calf_attach.board import Board
from calf_attach.layout import FIRST, HIDDEN, TERMINATED, TRUNCATED, Phase, Shape, Word
from calf_attach.plan import COLUMNS, Plan
from calf_attach.plane import Pair, SeenBounds, slice_of, wide
from calf_attach.row_writer import RowWriter, Slot
from calf_attach.search import sweep

_now = time.perf_counter_ns
_Array = np.ndarray
ROOM = 16 << 20
"""Bytes that the ring of rows takes at most, beyond the least number of rows."""
LEAST_ROWS, MOST_ROWS = 64, 4096
URGENT, BURST = 4, 64
"""Rows in which episodes begin or end come at so many times the rate at most, on average over so
many of them."""
SELDOM = 2.0
"""How many times more seldom rows come at most, where steps take more of the loop than they may."""
REVIEW = 1_000_000_000
"""Nanoseconds between looks at what steps take."""
MOST, LITTLE = 0.8, 0.6
"""Parts of the budget: above the first rows come more seldom, below the second more often again."""


class Recorder:
    """A loop's steps as rows of a board, which is made with the first.

    Attributes:
        board: the board; None before the first step.
        steps: steps so far.
        dropped: those that became no row.
        cost: time taken from the loop [ns].
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.board: Board | None = None
        self.steps = self.dropped = self.cost = 0
        self._writer: RowWriter | None = None
        self._n = 0
        self._shape: tuple[int, ...] = (0, 2)
        self._one: tuple[int, ...] = (0,)
        self._unseen: Any = None  # the newest observations, if their step became no row
        self._nobody = b""  # flags of a step in which no episode ends, as bytes
        self._observed: tuple[int, ...] | None = None  # shape of observations
        self._merged = self._next_row = self._next_urgent = 0
        self._apart = self._gap = int(1e9 / plan.rate)  # between rows: least, and now
        self._review, self._then, self._cost_then = 0, 0, 0
        self._seen = SeenBounds(plan.ends) if plan.bounds is None else None
        self._begins = np.zeros(0, bool)  # whose next row is their episode's first
        self._resetting = np.zeros(0, bool)  # whose next step only resets
        self._plain = False  # nobody's is
        self._least = np.zeros(0)  # margins of steps that became no row
        self._returns = np.zeros(0)
        self._begun = np.zeros(0, np.int64)  # steps at which their episodes began
        self._episodes = np.zeros(0, np.int64)
        columns = slice(None), slice_of(plan.axes)
        self._columns = columns if plan.project is None else None
        self._project = plan.project or (lambda obs: obs[columns])

    # The common case: n agents as before, nobody's episode begins or ends, arrays of NumPy

    def quick(
        self,
        now: int,
        obs: Any,
        rewards: Any,
        terminations: Any,
        truncations: Any,
        modes: Any,
    ) -> bool:
        """Take the step if it is a common one; returns whether it was. Called in every step of
        somebody's training, so it is spelt out."""
        if not self._plain:
            return False
        try:
            if (
                terminations.tobytes() != self._nobody
                or truncations.tobytes() != self._nobody
                or obs.shape != self._observed
                or rewards.shape != self._one
            ):
                return False
            if now < self._next_row:
                self._returns += rewards
                self._unseen = obs
                self._merged += 1
                self.dropped += 1
                return True
            if self._columns is not None:  # of observations whose shape was accepted before
                xy = obs[self._columns]
                if xy.__class__ is not _Array:
                    return False
            else:
                xy = self._project(obs)
                if xy.__class__ is not _Array or xy.shape != self._shape:
                    return False
        except (AttributeError, TypeError, LookupError):  # lists, tensors, dicts
            return False
        self._returns += rewards
        if self._seen is not None and self._seen.see(xy):
            self._move_bounds()
        writer = self._writer
        assert writer is not None
        numbers = None if modes is None else modes_of(modes, self._n, self.plan.modes)
        merged = self._merged + 1
        writer.write(xy, rewards, self.steps, now, merged, self.dropped, self.cost, numbers)
        self._unseen, self._merged, self._next_row = None, 0, now + self._gap
        if now >= self._review:
            self._keep_budget(now)
        return True

    def _keep_budget(self, now: int) -> None:
        """Have rows come as often as the budget allows."""
        if self._review:
            share = (self.cost - self._cost_then) / (now - self._then)
            longer = 1.25 if share > MOST * self.plan.budget else 1.0
            shorter = 0.8 if share < LITTLE * self.plan.budget else 1.0
            wanted = int(self._gap * longer * shorter)
            self._gap = min(max(wanted, self._apart), int(SELDOM * self._apart))
        self._review, self._then, self._cost_then = now + REVIEW, now, self.cost

    def look(self) -> None:
        """Project the newest observations if they were not: what is projected may decide where the
        critic is evaluated."""
        if self._unseen is not None:
            self._project(self._unseen)
            self._unseen = None

    def count(self, now: int) -> None:
        """Say how far the loop is, and that it lives."""
        if self._writer is not None:
            self._writer.count(self.steps, self.dropped, self.cost, now)

    # Everything else

    def step(
        self, obs: Any, rewards: Any, terminations: Any, truncations: Any, infos: Any,
        modes: Any, margin: Any, actions: Any,
    ) -> None:  # fmt: skip
        """Take a step, as `Handle.step`. Raises for what cannot be shown; nothing of it is then."""
        plan = self.plan
        agents = count_of(rewards, terminations, truncations)
        here = self._positions(obs, agents)
        self._observed = getattr(obs, "shape", None)
        n = len(here)
        ended, cut = flags_of(terminations, n), flags_of(truncations, n)
        done = ended | cut
        if truncations is None and terminations is not None:  # only `done` is known
            cut = episodes.truncated_of(infos, done)
            ended &= ~cut
        paid = np.zeros(n) if rewards is None else numbers_of(rewards, n, "rewards")
        action = _action(actions, n)
        if modes is None and plan.modes > 1 and action is not None and _discrete(actions, n):
            modes = action
        others = {
            "margin": None if margin is None else numbers_of(margin, n, "margin"),
            "action": action,
        }
        numbers = None if modes is None else modes_of(modes, n, plan.modes)
        begins = None
        if done.any() and self._same_step(infos) and episodes.has_terminal(infos):
            begins = here
            whole = obs if plan.project is not None else observations_of(obs, agents)
            here = self._positions(episodes.with_terminal(whole, infos, done), agents)
        goals = episodes.goals_of(infos, done)

        self._fit(here)
        if margin is not None and "margins" not in plan.meta:
            self.tell(margins=True)
        if plan.autoreset is None and plan.meta.get("assumed") is None and self._resetting.any():
            self.tell(assumed="next_step")  # nothing said so, and the loop did not reset them
        first = self._begins | self._resetting
        unknown = begins is None and done.any() and self._same_step(infos)
        if unknown:  # no terminal observations: these are already the next episodes' first
            first = first | done
        self._returns += np.where(self._resetting, 0.0, paid)
        self._begun += self._resetting
        self._resetting = np.zeros(n, bool)
        kinds = (ended * TERMINATED | cut * TRUNCATED).astype(np.uint8)
        flags = (first * FIRST | (0 if unknown else kinds)).astype(np.uint8)
        self._write(here, flags, numbers, paid, others)
        self._end(np.flatnonzero(done), kinds, goals)
        if begins is not None:
            first = self._begins | done
            self._write(begins, (first * FIRST).astype(np.uint8), numbers, paid, others)
        elif done.any() and not unknown and plan.autoreset != "disabled":
            self._resetting, self._plain = done, False

    def reset(self, obs: Any, mask: Any) -> None:
        """Episodes begin, as `Handle.reset`."""
        here = self._positions(obs, count_of(mask))
        n = len(here)
        begins = np.ones(n, bool) if mask is None else flags_of(mask, n)
        self._fit(here)
        self._returns[begins], self._begun[begins] = 0.0, self.steps
        self._resetting = self._resetting & ~begins
        first = self._begins | begins
        self._write(here, (first * FIRST).astype(np.uint8), None, np.zeros(n), {})
        self._plain = self._plain and not self._resetting.any()

    def _same_step(self, infos: Any) -> bool:
        """Whether a step in which an episode ends returns the next one's first observation."""
        if self.plan.autoreset is None and episodes.has_terminal(infos):
            return True
        return self.plan.autoreset == "same_step"

    def _positions(self, obs: Any, agents: int | None) -> np.ndarray:
        """Positions (n, 2) of observations."""
        if self.plan.project is None:
            observations = observations_of(obs, agents)
            if max(self.plan.axes) >= observations.shape[1]:
                raise ValueError(
                    "observations of %d numbers, where axes=%r are shown"
                    % (observations.shape[1], self.plan.axes)
                )
            return observations[:, list(self.plan.axes)]
        if (
            not isinstance(obs, (dict, tuple))
            and getattr(obs, "ndim", 2) < 2
            and agents in (None, 1)
        ):
            obs = as_array(obs)[None]
        found = as_array(self._project(obs))
        if found.ndim != 2 or found.shape[1] != 2 or found.dtype.kind not in "fiub":
            raise ValueError(
                f"project: {found.dtype} of shape {found.shape}, where numbers (n, 2) are wanted"
            )
        return found

    def _end(self, agents: np.ndarray, kinds: np.ndarray, goals: np.ndarray) -> None:
        """The episodes of these agents ended with the newest row."""
        if not len(agents):
            return
        assert self.board is not None and self._writer is not None
        self.board.add_ends(
            row=self._writer.number - 1, step=self.steps, agent=agents,
            episode=self._episodes[agents], length=self.steps - self._begun[agents],
            kind=kinds[agents], ret=self._returns[agents], goal=goals[agents],
        )  # fmt: skip
        self._returns[agents], self._begun[agents] = 0.0, self.steps
        self._episodes[agents] += 1

    def _write(
        self,
        positions: np.ndarray,
        flags: np.ndarray,
        modes: np.ndarray | None,
        rewards: np.ndarray,
        others: dict[str, np.ndarray | None],
    ) -> None:
        """A row, unless the last one is too recent; rows in which episodes begin or end may be more
        frequent. Of those that come too fast, the beginnings are told with the next."""
        assert self._writer is not None
        now, writer = _now(), self._writer
        urgent = bool(flags.any())
        if now < (self._next_urgent if urgent else self._next_row):
            self._merged += 1
            self.dropped += 1
            self._begins, self._plain = (flags & FIRST) > 0, not (flags & FIRST).any()
            self._least = self._least_of(others.get("margin"), len(positions))
            return
        if self._seen is not None and self._seen.see(positions):
            self._move_bounds()
            writer = self._writer
        slot = writer.begin()
        slot.positions[...] = positions
        there = np.isfinite(positions).all(axis=1)
        slot.flags[...] = np.where(there, flags, flags | HIDDEN)
        slot.modes[...] = 0 if modes is None else modes
        slot.first[...] = rewards
        if len(self._least):
            others = {**others, "margin": self._least_of(others.get("margin"), len(positions))}
            self._least = np.zeros(0)
        self._write_others(slot, others)
        writer.end(self.steps, now, self._merged + 1, self.dropped, self.cost)
        self._begins, self._plain = np.zeros(len(positions), bool), True
        self._merged, self._next_row = 0, now + self._gap
        if urgent:
            apart = self._apart // URGENT
            self._next_urgent = max(self._next_urgent, now - BURST * apart) + apart

    def _least_of(self, margins: np.ndarray | None, n: int) -> np.ndarray:
        """The lower of these and those that were not written, (n,), so that no negative one is
        lost; empty without any."""
        before = self._least[:n]
        if margins is None and not len(before):
            return before
        least = np.full(n, np.nan)
        least[: len(before)] = before
        return least if margins is None else np.fmin(least, margins)

    def _write_others(self, slot: Slot, others: dict[str, np.ndarray | None]) -> None:
        slot.others.fill(np.nan)
        for at, name in enumerate(COLUMNS[1:]):
            values = others.get(name)
            if values is not None:
                slot.others[at] = values

    # Boards

    def _fit(self, positions: np.ndarray) -> None:
        """Have a board with room for these agents."""
        n = len(positions)
        if self.board is None or n > self.board.shape.agents:
            if self._seen is not None:
                self._seen.see(positions)
            self._open(n)
        if self._writer is None or self._writer.n != n:
            self._resize(n)

    def _resize(self, n: int) -> None:
        """As many agents from now on; the first ones keep their episodes."""
        assert self.board is not None
        self._writer = RowWriter(self.board, n)
        self._n, self._shape, self._one, self._nobody = n, (n, 2), (n,), bytes(n)
        kept = min(n, len(self._returns))
        before = self._returns, self._begun, self._episodes, self._begins, self._resetting
        self._returns, self._begun = np.zeros(n), np.full(n, self.steps, np.int64)
        self._episodes, self._begins = np.zeros(n, np.int64), np.ones(n, bool)
        self._resetting = np.zeros(n, bool)
        now = self._returns, self._begun, self._episodes, self._begins, self._resetting
        for old, new in zip(before, now):
            new[:kept] = old[:kept]
        self._plain = False

    def _open(self, agents: int) -> None:
        """A board with room for so many agents, in place of the one there is."""
        plan, (lo, hi) = self.plan, self.bounds
        agents, far = max(agents, 1), wide(lo, hi)
        row = Shape(agents, 1, len(COLUMNS), far, 0, 0).row_parts()[-1]
        rows = min(max(ROOM // row, LEAST_ROWS), MOST_ROWS)
        shape = Shape(agents, rows, len(COLUMNS), far, max(plan.nodes, 65) ** 2, 0)
        if self.board is None:
            sweep(plan.name)
        old, meta = self.board, {**plan.meta, "lo": lo, "hi": hi}
        self.board = Board.create(plan.name, shape, meta)
        self.board[Word.PHASE] = Phase.RUNNING
        self._writer = None
        if old is not None:
            self.board.go_on(old)

    def tell(self, **meta: Any) -> None:
        """Say more of what the rows mean."""
        assert self.board is not None
        self.plan.meta.update(meta)
        self.board.set_meta({**(self.board.meta() or {}), **meta})

    def _move_bounds(self) -> None:
        """Say where the bounds are now; positions that need more digits get another board."""
        assert self.board is not None and self._writer is not None
        lo, hi = self.bounds
        if wide(lo, hi) and not self.board.shape.wide:
            n = self._writer.n
            self._open(n)
            self._writer = RowWriter(self.board, n)
        else:
            self.tell(lo=lo, hi=hi)

    @property
    def bounds(self) -> tuple[Pair, Pair]:
        """Corners lo, hi of the plane now."""
        if self._seen is None:
            assert self.plan.bounds is not None
            return self.plan.bounds
        return self._seen.corners


def _action(actions: Any, n: int) -> np.ndarray | None:
    """The first number of each agent's action, (n,); None if it has none."""
    if actions is None or isinstance(actions, dict):
        return None
    found = as_array(actions)
    if n == 1 and (found.ndim == 0 or len(found) != 1):
        found = found[None]
    if not found.ndim or len(found) != n or found.dtype.kind not in "fiub":
        raise ValueError("actions: shape %s of %d agents" % (found.shape, n))
    flat = found.reshape(n, -1)
    return flat[:, 0] if flat.shape[1] else None


def _discrete(actions: Any, n: int) -> bool:
    found = as_array(actions)
    return found.dtype.kind in "iu" and found.size == n
