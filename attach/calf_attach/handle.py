"""The handle on a watched loop: what the user calls."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
import traceback
import weakref
from dataclasses import replace
from typing import Any

import numpy as np

from calf_attach.arrays import as_array, observations_of
from calf_attach.board import NoRoom
from calf_attach.critic import Evaluation, untouched
from calf_attach.episodes import mode_of
from calf_attach.layout import Phase, Word
from calf_attach.plan import Plan
from calf_attach.plane import Pair, grid_nodes
from calf_attach.recorder import Recorder
from calf_attach.steering import Steering
from calf_attach.vector import Watched
from calf_attach.window import open_window

_now = time.perf_counter_ns
POLL = 0.002
"""Seconds between looks at whether a paused loop may go on."""
AGAIN = 0.5
"""Least seconds between two faults whose text is kept; others are counted."""
BEGINNING = 10_000_000_000
"""Nanoseconds over which at least what `step` takes is averaged: the board takes some at first."""
ABANDONED = 2.0
"""Seconds after which a pause ends whose viewer is gone."""
log = logging.getLogger("calf_attach")
_live: weakref.WeakSet[Handle] = weakref.WeakSet()


class Handle:
    """A loop that can be watched. Its methods never raise, whatever they are given: faults are
    counted, and the newest is shown in the viewer; the log has the traceback of the first, and at
    level DEBUG of later ones. Only the thread that made it, or one at a time, may use it."""

    def __init__(self, plan: Plan | None) -> None:
        """plan: None for a handle that does nothing."""
        self._plan, self._closed = plan, plan is None
        self._evaluation: Evaluation | None = None
        self._lock = threading.Lock()
        self._untold: list[str] = []  # faults before there was a board to tell them on
        self._told = 0
        self._window_due = plan is not None and plan.window
        if plan is not None:
            self._recorder = Recorder(plan)
            self._steering: Steering | None = None
            self._asked: Any = None  # bounds of the newest `observations`
            _live.add(self)

    def reset(self, obs: Any, mask: Any = None) -> None:
        """Episodes begin at these observations, (n, ...): all, or those of a mask (n,) bool."""
        if not self._enter():
            return
        try:
            start = _now()
            self._recorder.reset(obs, mask)
            self._prepare(obs)
            now = _now()
            self._recorder.cost += now - start
            self._recorder.count(now)
        except Exception:
            self._fault()
        finally:
            self._lock.release()

    def step(
        self,
        obs: Any,
        rewards: Any = None,
        terminations: Any = None,
        truncations: Any = None,
        infos: Any = None,
        *,
        actions: Any = None,
        modes: Any = None,
        margin: Any = None,
        control: bool = False,
    ) -> None:
        """The environments' step returned this.

        Args:
            obs: observations, (n, size); of a single environment (size,).
            rewards: (n,).
            terminations: (n,) bool; without `truncations`, whether episodes ended in any way.
            truncations: (n,) bool.
            infos: a dict of arrays, or a list of dicts, for terminal observations and goals.
            actions: (n, ...); discrete ones are the modes, if `attach(modes=...)` names them.
            modes: (n,) whole numbers: which of `attach(modes=...)` led there.
            margin: (n,) numbers that must not be negative, such as a certificate's.
            control: whether viewers may pause the loop here, step it, and slow it down.
        """
        if self._closed or not self._lock.acquire(False):
            return
        try:
            start, recorder = _now(), self._recorder
            recorder.steps += 1
            if (
                margin is not None
                or actions is not None
                or not recorder.quick(start, obs, rewards, terminations, truncations, modes)
            ):
                recorder.step(
                    obs, rewards, terminations, truncations, infos, modes, margin, actions
                )
                self._prepare(obs)
                recorder.count(_now())
            now = _now()
            recorder.cost += now - start
            if self._evaluation is not None and self._evaluation.is_due(1e-9 * now):
                self._evaluate(obs)
            if control:
                self._wait()
        except Exception:
            self._fault()
        finally:
            self._lock.release()

    def wrap(self, envs: Any) -> Any:
        """The environments, of Gymnasium or with its interface, so that their resets and steps are
        shown by themselves; call it last, around all other wrappers. How episodes end is taken from
        them, unless `attach` was given `autoreset`. Vectorised or single."""
        plan = self._plan
        if plan is not None and plan.autoreset is None:
            mode = mode_of(envs) if hasattr(envs, "num_envs") else "disabled"
            if mode is not None:
                self._plan = self._recorder.plan = replace(plan, autoreset=mode)
        return Watched(envs, self)

    def refresh(self) -> None:
        """Evaluate the critic now, whatever the budget."""
        if not self._enter():
            return
        try:
            if self._evaluation is not None:
                self._evaluate()
        except Exception:
            self._fault()
        finally:
            self._lock.release()

    def observations(self) -> np.ndarray | None:
        """Observations on the grid, (nodes * nodes, size): for a critic that is in another process,
        whose values, as (nodes, nodes), are then given to `surface`. None before the first step, or
        if there is no way to make them."""
        if not self._enter():
            return None
        try:
            plan, recorder = self._plan, self._recorder
            assert plan is not None
            if plan.lift is None or recorder.board is None:
                return None
            self._steer()
            lo, hi = self._asked = recorder.bounds
            with untouched():
                return as_array(plan.lift(grid_nodes(lo, hi, plan.nodes)))
        except Exception:
            self._fault()
            return None
        finally:
            self._lock.release()

    def surface(self, values: Any) -> None:
        """Show these values, (rows, columns) on the plane: rows along its second axis."""
        if not self._enter():
            return
        try:
            found = as_array(values)
            if found.ndim != 2 or min(found.shape) < 2 or found.dtype.kind not in "fiub":
                raise ValueError(
                    f"surface: {found.dtype} of shape {found.shape}, where numbers (rows, columns) "
                    "are wanted, two of each at least"
                )
            bounds, self._asked = self._asked or self._recorder.bounds, None
            self._publish(found.astype(np.float32), bounds)
        except Exception:
            self._fault()
        finally:
            self._lock.release()

    def fault(self, text: str) -> None:
        """Count a fault of the loop's own; viewers show the newest."""
        board = None if self._closed else self._recorder.board
        if board is not None:
            board.fault(text)

    @property
    def counts_actions(self) -> bool:
        """Whether modes are discrete actions' numbers."""
        return self._plan is not None and self._plan.modes > 1

    @property
    def board(self) -> str | None:
        """Path of the board; None before the first observations."""
        board = None if self._plan is None else self._recorder.board
        return None if board is None else board.path

    def is_running(self) -> bool:
        """Whether it can be watched: False after `close`, or if no board could be made."""
        return not self._closed

    def close(self) -> None:
        """End it: viewers keep showing the last steps."""
        self._end(Phase.FINISHED)

    def _end(self, phase: Phase) -> None:
        if self._closed:
            return
        self._closed = True
        board = self._recorder.board
        if board is not None:
            self._recorder.count(_now())
            board[Word.PHASE] = phase
            board.unlink()

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is None:
            self._end(Phase.FINISHED)
        else:
            self._end(Phase.FAILED if issubclass(kind, Exception) else Phase.STOPPED)

    def __del__(self) -> None:
        if getattr(self, "_closed", True) is False:
            self._end(Phase.FINISHED)

    def __reduce__(self) -> Any:
        """Sent to another process it does nothing there: a loop is watched by one."""
        return Handle, (None,)

    def _enter(self) -> bool:
        """Whether a call may go on: never that of a second thread at the same time."""
        return not self._closed and self._lock.acquire(False)

    def _prepare(self, obs: Any) -> None:
        """What can be made only once there are observations."""
        plan = self._plan
        board = self._recorder.board
        assert plan is not None and board is not None
        while self._untold:
            board.fault(self._untold.pop(0))
        if self._steering is None and plan.plane is not None and plan.lift == plan.plane.lift:
            self._steering = Steering(plan.plane, plan.space, plan.entries)
            self._steer(obs)
        if plan.critic is not None and self._evaluation is None:
            assert plan.lift is not None
            self._evaluation = Evaluation(plan.critic, plan.lift, plan.nodes, plan.budget)
        if self._window_due:
            self._window_due = False
            open_window(plan.name, plan.meta)

    def _steer(self, obs: Any = None) -> None:
        """Move the plane to where viewers want it; obs: the newest observations, if there are."""
        recorder, plan, steering = self._recorder, self._plan, self._steering
        recorder.look()
        if steering is None or recorder.board is None:
            return
        assert plan is not None and plan.plane is not None
        if obs is not None:
            seen = observations_of(obs, None if np.ndim(obs) > 1 else 1)
            if plan.plane.through is None:
                plan.plane.see(seen)
            if steering.offer(seen):
                recorder.tell(sliders=steering.sliders)
        steering.follow(recorder.board)

    def _evaluate(self, obs: Any = None) -> None:
        assert self._evaluation is not None and self._plan is not None
        board, evaluation = self._recorder.board, self._evaluation
        self._steer(obs)
        plane = self._plan.plane
        if self._steering is not None and plane is not None and plane.through is None:
            return  # there were no agents yet
        try:
            points = grid_nodes(*self._recorder.bounds, self._plan.nodes)
            taken = 0.0
            if board is not None:
                lasted = max(_now() - board[Word.EPOCH], BEGINNING)
                taken = self._recorder.cost / lasted
            self._publish(evaluation.values(points, taken), self._recorder.bounds)
        finally:
            if board is not None:
                board[Word.CRITIC_COST] = int(1e9 * evaluation.spent)
                board[Word.EVALUATIONS] = evaluation.count

    def _publish(self, values: np.ndarray, bounds: tuple[Pair, Pair]) -> None:
        board = self._recorder.board
        if board is not None:
            board.publish(values, *bounds, self._recorder.steps)

    def _wait(self) -> None:
        """Pause and go step by step as a viewer asks, at the rate that it asks for; never after the
        viewers are gone."""
        board = self._recorder.board
        if board is None:
            return
        board[Word.CONTROLLED] = 1
        rate = board[Word.RATE]
        if rate > 0:
            due = self._last_step + int(1e12 / rate)
            time.sleep(min(max(1e-9 * (due - _now()), 0.0), 1.0))
        while board[Word.PAUSED] and not self._closed:
            now = _now()
            board[Word.HEARTBEAT] = now
            if board[Word.TAKEN] < board[Word.GRANTED]:
                board[Word.TAKEN] += 1
                break
            if now - board[Word.LOOKED] > 1e9 * ABANDONED:
                board[Word.PAUSED] = 0
            time.sleep(POLL)
        else:
            board[Word.TAKEN] = board[Word.GRANTED]
        self._last_step = _now()

    _last_step = 0

    def _fault(self) -> None:
        """Count what went wrong; the loop goes on."""
        try:
            board, error = self._recorder.board, sys.exc_info()[1]
            if isinstance(error, NoRoom):
                log.warning("%s: the loop is not watched, and goes on", error)
                self._closed = True
                return
            now = _now()
            if board is not None and now - self._told < 1e9 * AGAIN:
                board[Word.FAULTS] += 1
                return
            self._told = now
            text = traceback.format_exc()
            if board is not None:
                board.fault(text)
            else:
                del self._untold[:-1]
                self._untold.append(text)
            level = logging.DEBUG if self._warned else logging.WARNING
            self._warned = True
            log.log(level, "watching failed, the loop goes on: %s", text.strip())
        except Exception:  # whatever it is, the training must not end
            self._closed = True

    _warned = False


def _close_all() -> None:
    for handle in list(_live):
        handle.close()


atexit.register(_close_all)


def _inert_in_the_child() -> None:
    for handle in list(_live):
        handle._closed = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_inert_in_the_child)
