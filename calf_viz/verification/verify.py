"""Re-checks every step of a recording of CALF's.

A row's action and mode led there from the row before; q is the critic's value of that row's state
and the actor's action, q+ that of the last certified triple. Checked, for each agent and step:

    decrease   a certified step has q - q+ >= nu_bar, or is the episode's first
    bounds     and C_low norm^2 <= -q <= C_up norm^2, norm of the row before
    withheld   a step that is not certified does not meet both
    q+         is q after a certified step, else what it was
    reset      an episode begins without a triple, and only where the one before has ended, or all
               agents began anew as the user asked for that
    q          is what the recorded critic says, evaluated anew in float64
    action     is the actor's, or after mode nominal the nominal policy's
    motion     the state is where the action leads from the state before; who was nowhere begins
    goal       an episode that is said to have terminated is in the goal, or out of the plane

The inequalities are exact, as they were decided in float64; q, actions and motion were computed in
float32, and are compared to its rounding. Where the number of agents changes, those that are kept
are checked as in any other step. What could not be checked is counted, by the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import FileDamaged, UserError, shown
from calf_viz.files import parsing
from calf_viz.recording.folder import ADVICE
from calf_viz.recording.recording import Recording
from calf_viz.recording.rows import known
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
"""Violations of which step and agent are kept, the first ones; all are counted."""

GAPS = "steps are missing"
NETWORKS = "q and action, as no networks of then are recorded"
BEFORE = "what led to the first row"
CHANGING = "q and action, as networks changed with each step"
TRAINEE = "an agent in training, which took more steps than are shown"
REASONS = (GAPS, NETWORKS, BEFORE, CHANGING, TRAINEE)
"""Why something was not checked."""
MISSING = (GAPS, NETWORKS)
"""Those by which a recording lacks what a whole one has."""
COMPARISON = 2
"""From the last step of a training's comparison to the first of the next one."""


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
        violations: the first of them, by step and agent.
        unchecked: how many steps of agents were not checked, by the reason.
        episodes: that ended; `reached` of them in the goal.
    """

    checked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHECKS, 0))
    failed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHECKS, 0))
    violations: list[Violation] = field(default_factory=list)
    unchecked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REASONS, 0))
    episodes: int = 0
    reached: int = 0
    truncated: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing failed of what was checked."""
        return not any(self.failed.values())

    @property
    def complete(self) -> bool:
        """Whether the recording has all that the checks need."""
        return not any(self.unchecked[reason] for reason in MISSING)


def rules(recording: Recording) -> Rules:
    """Those of a recording. Raises UserError if it has none that can be re-checked."""
    found = rules_of(recording)
    if recording.every != 1:
        raise UserError(
            f"{shown(recording.folder)} has one of {recording.every} steps: only all of them can "
            "be re-checked: record it without `record_every`"
        )
    return found


def verify(recording: Recording, each: Callable[[int], Any] = lambda rows: None) -> Verdict:
    """Check all rows that it has now. each: called with the number of rows as they are done.

    Raises:
        UserError: it cannot be re-checked, or is damaged.
    """
    if not len(recording):
        raise UserError(f"{shown(recording.folder)} has no steps: nothing can be checked")
    verdict, by, restarts = Verdict(), rules(recording), _restarts(recording)
    for start, stop in recording.spans():
        if start:  # the number of agents changes, or their columns
            _Part(recording, start - 1, start + 1, by, restarts).check(verdict)
        else:
            _begins(recording, verdict)
        for first in range(start, stop, ROWS):
            last = min(first + ROWS, stop)
            part = _Part(recording, max(first - 1, start), last, by, restarts)
            part.check(verdict)
            each(last - first)
    return verdict


def _restarts(recording: Recording) -> NDArray[np.int64]:
    """The last steps before all agents were made to begin anew."""
    found = [recording.event_steps(block, "restart") for block in range(recording.event_blocks)]
    return np.array([step for steps in found for step in steps], np.int64)


def _begins(recording: Recording, verdict: Verdict) -> None:
    """Count agents that were under way before the first row."""
    under_way = ~recording.samples(0).first
    if (trainee := recording.view.trainee) is not None:
        under_way[trainee : trainee + 1] = False
    verdict.unchecked[BEFORE] += int(np.count_nonzero(under_way))


class _Part:
    """Some rows, of the agents that are in all of them, and the one before them."""

    def __init__(
        self, recording: Recording, start: int, stop: int, by: Rules, restarts: NDArray[np.int64]
    ) -> None:
        """restarts: as `_restarts`."""
        self.by, self.restarts = by, restarts
        rows = [recording.samples(row) for row in range(start, stop)]
        self.steps = np.array([samples.step for samples in rows])
        n = min(map(len, rows))
        self.new = rows[-1].first[n:]
        """Whether those that are in the last row alone begin there."""

        def column(name: str, width: int | None = None) -> NDArray[Any]:
            columns = [known(samples, name, recording.folder, width) for samples in rows]
            there = [values[:n] for values in columns if values is not None]
            if len(there) < len(rows):
                said = f"its rows have no {name}, which the check needs"
                raise FileDamaged(recording.folder, said, ADVICE)
            return np.stack(there)

        self.mode = np.stack([samples.modes[:n] for samples in rows])
        self.first = np.stack([samples.first[:n] for samples in rows])
        self.state = column("state", by.system.state_dim)
        self.action = column("action", by.system.action_dim)
        self.ended = column("ended")
        decided = by.policy != "nominal"
        self.q = column("q") if decided else None
        self.q_plus = column("q_plus") if decided else None
        self.recording = recording
        self._found: list[tuple[int, int, int, Callable[[], Violation]]] = []

    def check(self, verdict: Verdict) -> None:
        """All checks of the steps from a row to the next."""
        follows = self._follows(verdict)
        ours = np.ones(self.mode.shape[1], bool)
        if (trainee := self.recording.view.trainee) is not None:
            ours[trainee : trainee + 1] = False  # it took more steps than are shown
        steps = follows[:, None] & ~self.first[1:]
        verdict.unchecked[TRAINEE] += int(np.count_nonzero(steps & ~ours))
        there = np.isfinite(self.state[:-1]).all(axis=2)  # not one that arrived earlier
        appears = steps & ours & ~there & np.isfinite(self.state[1:]).all(axis=2)
        self._nowhere(verdict, appears)
        # By an action, from the row before.
        went = steps & ours & there
        began = follows[:, None] & self.first[1:] & ours
        self._ends(verdict, went)
        self._steps(verdict, went, began)
        # By check they are in order already: the first of all are among the first of each.
        self._found.sort(key=lambda found: found[:3])
        kept = self._found[: MOST_KEPT - len(verdict.violations)]
        verdict.violations += [make() for _, _, _, make in kept]

    def _follows(self, verdict: Verdict) -> NDArray[np.bool_]:
        """Whether each row is of the step after the row before, (rows - 1,); counts what is
        missing. Raises FileDamaged if they are not in order."""
        apart = np.diff(self.steps)
        for row in np.flatnonzero(apart != 1):
            last, step = self.steps[row : row + 2].tolist()
            if step <= last:
                said = f"step {step} after step {last}: not in its order"
                raise FileDamaged(self.recording.folder, said, ADVICE)
            if not self._compares(int(row)):
                verdict.unchecked[GAPS] += (step - last) * self.mode.shape[1]
        follows: NDArray[np.bool_] = apart == 1
        return follows

    def _compares(self, row: int) -> bool:
        """Whether a training's next comparison begins after a row: its own step is left out."""
        recording, step = self.recording, int(self.steps[row + 1])
        if recording.meta.get("source") != "Training" or step - self.steps[row] != COMPARISON:
            return False
        critic = recording.critic_at(step)
        return (
            critic is not None
            and recording.critic_steps[critic] == step
            and bool(self.first[row + 1].all())
        )

    def _nowhere(self, verdict: Verdict, appears: NDArray[np.bool_]) -> None:
        """Agents that appear without a beginning."""
        if len(self.new):
            more = np.zeros((len(appears), len(self.new)), bool)
            more[-1] = ~self.new & (self.steps[-1] - self.steps[-2] == 1)
            appears = np.hstack([appears, more])
        self._count(verdict, "motion", appears, appears,
                    lambda at: "it was nowhere, and does not begin")  # fmt: skip

    def _steps(self, verdict: Verdict, went: NDArray[np.bool_], began: NDArray[np.bool_]) -> None:
        """Steps that were taken, and beginnings of episodes; (rows - 1, n) each."""
        by, states = self.by, self.state
        before, after, action = states[:-1], states[1:], self.action[1:]
        moved = by.system.step(before.reshape(-1, before.shape[2]), _flat(action))
        elsewhere = ~_near(moved.reshape(after.shape), after, _spread(after))
        self._count(verdict, "motion", went, elsewhere, lambda at: "the action does not lead there")
        restarted = np.isin(self.steps[:-1], self.restarts) & self.first[1:].all(axis=1)
        over = (self.ended[:-1] > 0) | restarted[:, None]
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
        if by.policy == "training":
            verdict.unchecked[CHANGING] += int(np.count_nonzero(went))
        else:
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
        for number in np.unique(numbers):
            rows = np.flatnonzero(numbers == number)
            critic = recording.critic(int(number)) if number >= 0 else None
            if critic is None or critic.weights is None:
                verdict.unchecked[NETWORKS] += int(np.count_nonzero(went[rows]))
                continue
            with parsing(recording.folder, "a recording with networks", ADVICE):
                system = by.system
                networks = Networks(
                    critic.weights, wide, system.action_limits, by.hidden, system.angles
                )
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
        order = CHECKS.index(check)
        for row, agent in np.argwhere(failed)[:MOST_KEPT].tolist():
            step = int(self.steps[(row if rows is None else rows[row]) + 1])

            def make(at: tuple[int, int] = (row, agent), step: int = step) -> Violation:
                return Violation(check, step, at[1], says(at))

            self._found.append((step, agent, order, make))


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
