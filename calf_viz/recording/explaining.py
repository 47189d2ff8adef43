"""Why a recorded step was taken, from the state, the action and the networks that were recorded."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.array_networks import networks_of
from calf_viz.agent.certificate import Constants
from calf_viz.agent.explanation import Decision, Explanation, Judge, inequalities
from calf_viz.agent.modes import NAMES
from calf_viz.errors import FileDamaged, UserError, shown
from calf_viz.files import parsing
from calf_viz.recording.critics import Critic
from calf_viz.recording.folder import ADVICE
from calf_viz.recording.rows import known
from calf_viz.recording.rules import Described, decided, rules
from calf_viz.samples import Samples


class Recorded(Described, Protocol):
    """The part of a `Recording` that this reads."""

    def __len__(self) -> int: ...
    def row(self, step: int) -> int: ...
    def step(self, row: int) -> int: ...
    def samples(self, row: int) -> Samples: ...
    def critic(self, number: int) -> Critic: ...
    def critic_at(self, step: int) -> int | None: ...


class Explainer:
    """Explains steps of one recording, and keeps the networks of the last one.

    Raises UserError if nothing in it was decided by our own agents.
    """

    def __init__(self, recording: Recorded) -> None:
        if not decided(recording):
            raise UserError(
                f"{shown(recording.folder)} says nothing about decisions: it shows "
                f"{shown(recording.view.title)}, and only steps of our own agents can be explained"
            )
        self._recording = recording
        by = self._rules = rules(recording)
        self._constants = Constants(by.nu_bar, by.c_low, by.c_up)
        self._judge: tuple[int, Judge] | None = None  # and the number of its critic

    def explain(self, step: int, agent: int) -> Explanation:
        """Why an agent took the step that led to this one. Raises UserError if that is not known,
        saying why."""
        recording = self._recording
        row = recording.row(step)
        where = f"explain: step {shown(step)} of {shown(recording.folder)}"
        if not len(recording) or recording.step(row) != step:
            raise UserError(f"{where}: it is not there: {self._there()}")
        after = recording.samples(row)
        if not 0 <= agent < len(after):
            raise UserError(
                f"{where}, agent {shown(agent)}: it has {len(after)} agents, counted from 0"
            )
        if agent == recording.view.trainee:
            raise UserError(f"{where}, agent {agent}: it was in training, and took more steps")
        if after.first[agent]:
            raise UserError(f"{where}, agent {agent}: an episode begins there: no action led there")
        if row == 0 or recording.step(row - 1) != step - 1:
            raise UserError(f"{where}: the step before is not recorded, where it was decided")
        before = recording.samples(row - 1)
        if agent >= len(before):
            raise UserError(f"{where}, agent {agent}: it was not there in the step before")
        if not 0 <= (mode := int(after.modes[agent])) < len(NAMES):
            said = f"step {step}, agent {agent}: mode {mode}, where our agents have {len(NAMES)}"
            raise FileDamaged(recording.folder, said, ADVICE)
        q, q_plus = (
            self._number(samples, name, agent)
            for samples, name in ((after, "q"), (before, "q_plus"))
        )
        decision = Decision(
            agent, step, mode,
            self._column(before, "state", agent, self._rules.system.state_dim),
            self._column(after, "action", agent, self._rules.system.action_dim), q, q_plus,
        )  # fmt: skip
        if self._rules.policy == "training":
            return self._in_training(decision, where)
        number = recording.critic_at(step)
        if number is None:
            raise UserError(f"{where}: the networks of then are not recorded")
        return self._judge_of(number).explain(decision)

    def _in_training(self, decision: Decision, where: str) -> Explanation:
        """Of networks that changed with each step, recorded every few seconds: none of those
        recorded decided, so that only what was compared is known."""
        agent, step, mode, state, action, q, q_plus = decision
        if not np.isfinite(q):
            raise UserError(f"{where}, agent {agent}: the q that was compared is not recorded")
        state, action = state.astype(np.float64), action.astype(np.float64)
        norm = float(self._rules.system.norm(state[None])[0])
        known = q_plus if np.isfinite(q_plus) else None
        compared = inequalities(q, known, norm, self._constants)
        return Explanation(
            agent, step, NAMES[mode], state, norm, action, q, known, compared, (), ()
        )

    def _there(self) -> str:
        recording = self._recording
        if not len(recording):
            return "it has no steps"
        return f"they go from {recording.step(0)} to {recording.step(len(recording) - 1)}"

    def _column(self, samples: Samples, name: str, agent: int, width: int) -> NDArray[Any]:
        found = known(samples, name, self._recording.folder, width)
        if found is None:
            raise UserError(f"explain: the rows of {shown(self._recording.folder)} have no {name}")
        one: NDArray[Any] = found[agent]
        return one

    def _number(self, samples: Samples, name: str, agent: int) -> float:
        found = known(samples, name, self._recording.folder)
        return np.nan if found is None else float(found[agent])

    def _judge_of(self, number: int) -> Judge:
        if self._judge is not None and self._judge[0] == number:
            return self._judge[1]
        recording, system = self._recording, self._rules.system
        weights = recording.critic(number).weights
        if weights is None:
            raise UserError(
                f"explain: critic {number} of {shown(recording.folder)} is recorded without its "
                "networks"
            )
        with parsing(recording.folder, "a recording with networks", ADVICE):
            networks = networks_of(weights, system, self._rules.hidden)
        judge = Judge(system, networks, self._constants, self._rules.policy)
        self._judge = number, judge
        return judge
