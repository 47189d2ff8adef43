"""Re-checks every step of a recording of CALF's.

A row's action and mode led there from the row before; q is the critic's value of that row's state
and the actor's action, q+ that of the last certified triple. Checked, for each agent and step:

    decrease   a certified step has q - q+ >= nu_bar, or is the episode's first
    bounds     and C_low norm^2 <= -q <= C_up norm^2, norm of the row before
    withheld   a step that is not certified does not meet both
    q+         is q after a certified step, else what it was
    reset      an episode begins without a triple, and only where the one before has ended
    q          is what the recorded critic says, evaluated anew in float64
    action     is the actor's, or after mode nominal the nominal policy's
    motion     the state is where the action leads from the state before
    goal       an episode that is said to have terminated is in the goal, or out of the plane

The inequalities are exact, as they were decided in float64; q, actions and motion were computed in
float32, and are compared to its rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import FileDamaged, UserError, shown
from calf_viz.files import parsing
from calf_viz.recording.folder import ADVICE
from calf_viz.recording.recording import Recording
from calf_viz.recording.rules import Rules
from calf_viz.recording.rules import rules as rules_of
from calf_viz.verification.networks import Networks

CERTIFIED, RELAX, NOMINAL = range(3)
"""Modes, as `View.modes` names them."""
CHECKS = ("decrease", "bounds", "withheld", "q+", "reset", "q", "action", "motion", "goal")
CLOSE = 1e-4
"""Relative difference of float32 arithmetic from float64's that is rounding."""
ROWS = 256
"""Rows that are checked at once."""
MOST_KEPT = 1000
"""Violations of which step and agent are kept; all are counted."""


class Violation(NamedTuple):
    """A step that fails a check."""

    check: str
    step: int
    agent: int
    says: str


@dataclass
class Verdict:
    """What came out.

    Attributes:
        checked: how many steps of agents each check was made of.
        failed: how many failed.
        violations: the first of them, in order.
        episodes: that ended; `reached` of them in the goal.
    """

    checked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHECKS, 0))
    failed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHECKS, 0))
    violations: list[Violation] = field(default_factory=list)
    episodes: int = 0
    reached: int = 0
    truncated: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing failed."""
        return not any(self.failed.values())


def rules(recording: Recording) -> Rules:
    """Those of a recording. Raises UserError if it has none that can be re-checked."""
    found = rules_of(recording)
    every = recording.meta.get("every")
    if every != 1:
        raise UserError(
            f"{shown(recording.folder)} has one of {shown(every)} steps: only all of them can be "
            "re-checked: record it without `record_every`"
        )
    return found


def verify(recording: Recording, each: Callable[[int], Any] = lambda rows: None) -> Verdict:
    """Check all rows that it has now. each: called with the number of rows as they are done.

    Raises:
        UserError: it cannot be re-checked, or is damaged.
    """
    if not len(recording):
        raise UserError(f"{shown(recording.folder)} has no steps: nothing can be checked")
    verdict, by = Verdict(), rules(recording)
    for start, stop in recording.spans():
        # A change of n keeps the first agents and their episodes; steps over it are not checked.
        for first in range(start, stop, ROWS):
            last = min(first + ROWS, stop)
            part = _Part(recording, max(first - 1, start), last, by)
            part.check(verdict)
            each(last - first)
    return verdict


class _Part:
    """Rows of one number of agents, and the one before them."""

    def __init__(self, recording: Recording, start: int, stop: int, by: Rules) -> None:
        self.by = by
        rows = [recording.samples(row) for row in range(start, stop)]
        self.steps = np.array([samples.step for samples in rows])

        def column(name: str) -> NDArray[Any]:
            try:
                return np.stack([samples.columns[name] for samples in rows])
            except KeyError as error:
                raise FileDamaged(
                    recording.folder, f"its rows have no {name}, which the check needs", ADVICE
                ) from error

        self.mode = np.stack([samples.modes for samples in rows])
        self.first = np.stack([samples.first for samples in rows])
        self.state, self.action = column("state"), column("action")
        self.ended = column("ended")
        decided = by.policy != "nominal"
        self.q = column("q") if decided else None
        self.q_plus = column("q_plus") if decided else None
        self.recording = recording

    def check(self, verdict: Verdict) -> None:
        """All checks of the steps from a row to the next."""
        by, states = self.by, self.state
        follows = np.diff(self.steps) == 1
        ours = np.ones(self.mode.shape[1], bool)
        if (trainee := self.recording.view.trainee) is not None:
            ours[trainee] = False  # it took more steps than are shown
        there = np.isfinite(states[:-1]).all(axis=2)  # not one that arrived earlier
        # By an action, from the row before.
        went = follows[:, None] & ~self.first[1:] & ours & there
        began = follows[:, None] & self.first[1:] & ours
        self._ends(verdict, went)
        before, after, action = states[:-1], states[1:], self.action[1:]
        moved = by.system.step(before.reshape(-1, before.shape[2]), _flat(action))
        elsewhere = ~_near(moved.reshape(after.shape), after, _spread(after))
        self._count(verdict, "motion", went, elsewhere, lambda at: "the action does not lead there")
        over = self.ended[:-1] > 0
        if self.q is None or self.q_plus is None:
            self._count(
                verdict, "reset", began, ~over, lambda at: "the episode before has not ended"
            )
            nominal = by.system.nominal(before.reshape(-1, before.shape[2])).reshape(action.shape)
            self._count(verdict, "action", went, ~_near(nominal, action, by.system.action_limits),
                        lambda at: "not the nominal policy's")  # fmt: skip
            return
        q, old, new = self.q[1:], self.q_plus[:-1], self.q_plus[1:]
        certified = self.mode[1:] == CERTIFIED
        first_triple = np.isnan(old)
        square = by.system.norm(before.reshape(-1, before.shape[2])).reshape(q.shape) ** 2
        decrease = q - old >= by.nu_bar
        bounds = (by.c_low * square <= -q) & (-q <= by.c_up * square)
        compared = went & certified & ~first_triple
        self._count(verdict, "decrease", compared, ~decrease,
                    lambda at: f"q - q+ = {q[at] - old[at]:.6g} < {by.nu_bar:g}")  # fmt: skip
        self._count(verdict, "bounds", compared, ~bounds,
                    lambda at: f"-q = {-q[at]:.6g} is not within {by.c_low * square[at]:.6g} and "
                    f"{by.c_up * square[at]:.6g}")  # fmt: skip
        met = np.isfinite(q) & (first_triple | (decrease & bounds))
        self._count(verdict, "withheld", went & ~certified, met,
                    lambda at: "both inequalities hold: it had to be certified")  # fmt: skip
        expected = np.where(certified, q, old)
        kept = (new == expected) | (np.isnan(new) & np.isnan(expected))
        self._count(verdict, "q+", went, ~kept,
                    lambda at: f"{new[at]:.9g}, where it must be {expected[at]:.9g}")  # fmt: skip
        self._count(verdict, "reset", began, ~np.isnan(new) | ~over,
                    lambda at: "the triple of the episode before is kept" if over[at]
                    else "the episode before has not ended")  # fmt: skip
        if by.policy != "training":  # whose networks change with each step
            self._decisions(verdict, went)

    def _ends(self, verdict: Verdict, went: NDArray[np.bool_]) -> None:
        by = self.by
        ended, states = self.ended[1:], self.state[1:]
        flat = states.reshape(-1, states.shape[2])
        there = by.system.in_goal(flat).reshape(ended.shape)
        out = by.system.out_of_plane(flat) | ~np.isfinite(flat).all(axis=1)
        verdict.episodes += int(np.count_nonzero(went & (ended > 0)))
        verdict.reached += int(np.count_nonzero(went & (ended == 1) & there))
        verdict.truncated += int(np.count_nonzero(went & (ended == 2)))
        self._count(verdict, "goal", went & (ended == 1), ~(there | out.reshape(ended.shape)),
                    lambda at: "it is neither in the goal nor out of the plane")  # fmt: skip

    def _decisions(self, verdict: Verdict, went: NDArray[np.bool_]) -> None:
        """q and actions, by each critic that decided on some of the steps."""
        assert self.q is not None
        by, recording = self.by, self.recording
        wide = self.state.shape[2]
        numbers = np.array([-1 if (found := recording.critic_at(int(step))) is None else found
                            for step in self.steps[1:]])  # fmt: skip
        for number in np.unique(numbers[numbers >= 0]):
            critic = recording.critic(int(number))
            if critic.weights is None:
                continue
            with parsing(recording.folder, "a recording with networks", ADVICE):
                system = by.system
                networks = Networks(
                    critic.weights, wide, system.action_limits, by.hidden, system.angles
                )
            rows = np.flatnonzero(numbers == number)
            before = self.state[:-1][rows]
            flat = before.reshape(-1, wide)
            wanted = networks.actor(flat)
            q = networks.q(flat, wanted).reshape(len(rows), -1)
            said, where = self.q[1:][rows], went[rows]
            scale = np.maximum(np.abs(q), 1.0)
            self._count(verdict, "q", where, ~_near(q, said, scale),
                        lambda at, q=q, said=said: f"{said[at]:.6g}, the critic says {q[at]:.6g}",
                        rows)  # fmt: skip
            nominal = self.mode[1:][rows] == NOMINAL
            action = self.action[1:][rows]
            theirs = system.nominal(flat).reshape(action.shape)
            right = np.where(nominal[..., None], theirs, wanted.reshape(action.shape))
            self._count(verdict, "action", where, ~_near(right, action, system.action_limits),
                        lambda at, nominal=nominal: "not the nominal policy's" if nominal[at]
                        else "not the actor's", rows)  # fmt: skip

    def _count(
        self,
        verdict: Verdict,
        check: str,
        where: NDArray[np.bool_],
        wrong: NDArray[np.bool_],
        says: Callable[..., str],
        rows: NDArray[np.intp] | None = None,
    ) -> None:
        """where: steps to check, (rows - 1, n); wrong: whether they fail. rows: which of all."""
        verdict.checked[check] += int(np.count_nonzero(where))
        failed = where & wrong
        count = int(np.count_nonzero(failed))
        if not count:
            return
        verdict.failed[check] += count
        for at in _places(failed, MOST_KEPT - len(verdict.violations)):
            row = at[0] if rows is None else int(rows[at[0]])
            violation = Violation(check, int(self.steps[row + 1]), at[1], says(at))
            verdict.violations.append(violation)


def _places(failed: NDArray[np.bool_], most: int) -> Iterator[tuple[int, int]]:
    for row, agent in np.argwhere(failed)[: max(most, 0)]:
        yield int(row), int(agent)


def _flat(actions: NDArray[Any]) -> NDArray[Any]:
    """Actions (rows * n, k), none in place of those that no step was taken by."""
    return np.nan_to_num(actions).reshape(-1, actions.shape[2])


def _spread(states: NDArray[Any]) -> NDArray[np.float64]:
    return np.maximum(np.abs(np.asarray(states, np.float64)), 1.0)


def _near(one: NDArray[Any], other: NDArray[Any], scale: Any) -> NDArray[np.bool_]:
    """Whether they differ by rounding alone; (rows, n), all numbers of an agent's together."""
    with np.errstate(invalid="ignore"):
        close = np.abs(np.asarray(one, np.float64) - other) <= CLOSE * np.asarray(scale)
    close |= np.isnan(one) & np.isnan(other)
    return close.all(axis=2) if close.ndim == 3 else close
