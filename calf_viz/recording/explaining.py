"""Why a recorded step was taken, from the state, the action and the networks that were recorded."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from calf_viz import systems
from calf_viz.agent.array_networks import ArrayNetworks, layers_of
from calf_viz.agent.certificate import Constants
from calf_viz.agent.explanation import Decision, Explanation, Judge
from calf_viz.errors import UserError, shown
from calf_viz.files import parsing
from calf_viz.recording.critics import Critic
from calf_viz.recording.folder import ADVICE, META
from calf_viz.recording.storage import Location
from calf_viz.samples import Samples
from calf_viz.view import View


class Recorded(Protocol):
    """The part of a `Recording` that this reads."""

    folder: Location
    view: View
    meta: dict[str, Any]

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
        about = recording.meta.get("agent")
        if about is None:
            raise UserError(
                f"{shown(recording.folder)} says nothing about decisions: it shows "
                f"{shown(recording.view.title)}, and only steps of our own agents can be explained"
            )
        self._recording = recording
        with parsing(recording.folder / META, "a recording's meta.json", ADVICE):
            self._system = systems.get(about["system"])
            self._policy, self._hidden = str(about["policy"]), int(about["hidden"])
            numbers = {name: float(value) for name, value in about["constants"].items()}
            self._constants = Constants(**numbers)
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
        number = recording.critic_at(step)
        if number is None or agent >= len(before):
            raise UserError(f"{where}: the networks of then are not recorded")
        q, q_plus = (
            self._number(samples, name, agent)
            for samples, name in ((after, "q"), (before, "q_plus"))
        )
        decision = Decision(
            agent, step, int(after.modes[agent]), self._column(before, "state", agent),
            self._column(after, "action", agent), q, q_plus,
        )  # fmt: skip
        return self._judge_of(number).explain(decision)

    def _there(self) -> str:
        recording = self._recording
        if not len(recording):
            return "it has no steps"
        return f"they go from {recording.step(0)} to {recording.step(len(recording) - 1)}"

    def _column(self, samples: Samples, name: str, agent: int) -> NDArray[Any]:
        if name not in samples.columns:
            raise UserError(f"explain: the rows of {shown(self._recording.folder)} have no {name}")
        found: NDArray[Any] = samples.columns[name][agent]
        return found

    @staticmethod
    def _number(samples: Samples, name: str, agent: int) -> float:
        return float(samples.columns[name][agent]) if name in samples.columns else np.nan

    def _judge_of(self, number: int) -> Judge:
        if self._judge is not None and self._judge[0] == number:
            return self._judge[1]
        recording, system = self._recording, self._system
        weights = recording.critic(number).weights
        if weights is None:
            raise UserError(
                f"explain: critic {number} of {shown(recording.folder)} is recorded without its "
                "networks"
            )
        sizes = system.state_dim, system.action_dim, self._hidden, len(system.angles)
        with parsing(recording.folder, "a recording with networks", ADVICE):
            networks = ArrayNetworks(
                *layers_of(weights, *sizes), system.action_limits, system.angles
            )
        judge = Judge(system, networks, self._constants, self._policy)
        self._judge = number, judge
        return judge
