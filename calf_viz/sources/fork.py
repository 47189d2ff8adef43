"""Forks of a recording: what agents would have done from a recorded step on.

    recorded row ─▶ states, q+, critic of then ─▶ Rollout by another policy, until episodes end

A row of a matrix product depends on how many rows are multiplied at once, in its last bit. So the
agents of whole blocks, as they were multiplied when they were recorded, go on together, and what
was recorded without randomness is repeated bit for bit, whichever of them are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent import shipped_agents
from calf_viz.agent.array_networks import BLOCK
from calf_viz.agent.calf import CALFAgent
from calf_viz.errors import UserError, shown
from calf_viz.files import is_file
from calf_viz.recording.agent import recorded_agent
from calf_viz.recording.recording import Recording
from calf_viz.recording.rules import Rules, rules
from calf_viz.samples import Samples
from calf_viz.sources.rollout import MOST_STEPS, STEPS, Rollout
from calf_viz.sources.simulation import POLICIES

if TYPE_CHECKING:
    from calf_viz.sources.environment_fork import EnvironmentWay

ENVIRONMENT = "environment"
"""Key in `meta.json` of what decided in a Gymnasium environment."""


@dataclass(frozen=True)
class Fork:
    """What k agents did from a step on. Where an episode ended, they stay.

    Attributes:
        policy: which decided.
        step: where they began.
        agents: their numbers in the recording, (k,).
        states: (steps + 1, k, state_dim), the first as recorded.
        actions: which led from each to the next, (steps, k, action_dim); NaN where an episode had
            ended.
        modes: rule of each action, (steps, k).
        rewards: for each, (steps, k); 0 where an episode had ended.
        ended: of each state whether the episode has ended there, (steps + 1, k).
    """

    policy: str
    step: int
    agents: NDArray[np.intp]
    states: NDArray[np.floating]
    actions: NDArray[np.floating]
    modes: NDArray[np.uint8]
    rewards: NDArray[np.floating]
    ended: NDArray[np.bool_]

    def __len__(self) -> int:
        """Steps."""
        return len(self.actions)


def fork(
    recording: Recording | str | PathLike[str],
    step: int,
    policy: str | PathLike[str] = "calf",
    agents: Sequence[int] | None = None,
    steps: int = STEPS,
    seed: int = 0,
) -> Fork:
    """What agents of a recording would have done from a step on, by a policy.

    The same arguments give the same arrays, bit for bit, on one machine. What decided then, without
    a P_relax between 0 and 1, repeats what was recorded, until another critic or the next episode
    began.

    Args:
        recording: it, or its folder.
        step: the recorded step to begin at.
        policy: `calf` (as recorded, with the critic of then), `nominal`, `actor`, or a checkpoint,
            whose certificate is strict and begins anew; in an environment `model`, as recorded, or
            a model's file.
        agents: their numbers; None: all.
        steps: most of them; fewer if all episodes ended before.
        seed: changes what is random, which is determined by the recording's seed and the step, too.

    Raises:
        UserError: the recording is not of our own agents, has no such step or agents, or its
            environment cannot be put into a state; or a checkpoint that cannot be used.
    """
    if not 1 <= steps <= MOST_STEPS:
        raise UserError(f"steps {shown(steps)}: give 1 to {MOST_STEPS}")
    opened = recording if isinstance(recording, Recording) else Recording(recording)
    try:
        way = way_of(opened, row_of(opened, step), str(policy), agents, seed)
    finally:
        if opened is not recording:
            opened.close()
    with closing(way):
        found = [way.first]
        while len(found) <= steps and not way.over.all():
            found.append(way.step())
    columns = [
        np.array([samples.columns[name] for samples in found])
        for name in ("state", "action", "reward", "ended")
    ]
    states, actions, rewards, ended = columns
    modes = np.array([samples.modes for samples in found])
    return Fork(
        way.policy, step, way.agents, states, actions[1:], modes[1:], rewards[1:], ended > 0
    )


def row_of(recording: Recording, step: int) -> int:
    """The row of a recorded step. Raises UserError if there is none."""
    row = recording.row(step)
    if not len(recording) or recording.step(row) != step:
        has = "has no steps"
        if len(recording):
            has = f"has steps {recording.step(0)} to {recording.step(len(recording) - 1)}"
            has += "" if recording.every == 1 else f", one of {recording.every}"
        raise UserError(f"step {shown(step)}: the recording {has}")
    return row


def way_of(
    recording: Recording, row: int, policy: str, agents: Sequence[int] | None = None, seed: int = 0
) -> Way | EnvironmentWay:
    """How some agents go on. Raises UserError as `fork`."""
    if ENVIRONMENT not in recording.meta:
        return Way(recording, row, policy, agents, seed)
    from calf_viz.sources.environment_fork import EnvironmentWay

    return EnvironmentWay(
        recording, row, policy, _chosen(agents, len(recording.samples(row)), None)
    )


class Way:
    """Some agents of a system, stepping on from a recorded row.

    Attributes:
        policy: which decides: its name, or its checkpoint's.
        agents: numbers of the agents, (k,).
        first: where they begin, with the columns that `step` has.
    """

    def __init__(
        self,
        recording: Recording,
        row: int,
        policy: str,
        agents: Sequence[int] | None = None,
        seed: int = 0,
    ) -> None:
        """As `fork`. Raises UserError as that."""
        samples, decided = recording.samples(row), rules(recording)
        if "state" not in samples.columns:
            raise UserError(f"{shown(recording.folder)} has no states: agents cannot go on there")
        step = recording.step(row)
        self.agents = _chosen(agents, len(samples), recording.view.trainee)
        ours = _chosen(None, len(samples), recording.view.trainee)
        # Their places among those that were multiplied together.
        places = np.searchsorted(ours, self.agents)
        if len(ours) > BLOCK:
            ours = ours[np.isin(np.arange(len(ours)) // BLOCK, places // BLOCK)]
        self._places = np.searchsorted(ours, self.agents)
        agent, self.policy, strict = _agent(recording, decided, policy, step)
        p_relax = decided.p_relax if decided.policy == "calf" and not strict else 0.0
        kind = policy if policy in POLICIES else "calf"
        self._rollout = rollout = Rollout(agent, len(ours), 0, kind, p_relax)
        rollout.rng = np.random.default_rng([_seed(recording), step, seed])
        rollout.record()
        columns = {name: np.asarray(values)[ours] for name, values in samples.columns.items()}
        states = columns["state"]
        q_plus = np.nan if strict else columns.get("q_plus", np.nan)
        over = columns["ended"] > 0 if "ended" in columns else False
        over = over | ~np.isfinite(states).all(axis=1)
        rollout.place(np.ones(len(ours), bool), states, q_plus, over)
        n, nothing = len(self.agents), {"reward": np.zeros(len(self.agents), np.float32)}
        self.first = Samples(
            rollout.states[self._places][:, list(decided.system.plane.axes)],
            samples.modes[self.agents],
            np.ones(n, bool),
            None if samples.headings is None else samples.headings[self.agents],
            columns=nothing
            | {
                "state": rollout.states[self._places].copy(),
                "action": np.full((n, decided.system.action_dim), np.nan, np.float32),
                "ended": over[self._places].astype(np.uint8),
            },
        )

    @property
    def over(self) -> NDArray[np.bool_]:
        """Whose episode has ended, (k,)."""
        return self._rollout.over[self._places]

    def step(self) -> Samples:
        """Their next step."""
        samples, these = self._rollout.step(), self._places
        headings = samples.headings
        return replace(
            samples,
            positions=samples.positions[these],
            modes=samples.modes[these],
            first=samples.first[these],
            headings=None if headings is None else headings[these],
            columns={name: values[these] for name, values in samples.columns.items()},
        )

    def close(self) -> None:
        """Nothing to do: it is all in arrays."""


def _chosen(agents: Sequence[int] | None, n: int, trainee: int | None) -> NDArray[np.intp]:
    """Numbers of the agents that go on. Raises UserError for others than there are."""
    if agents is None:
        found = np.arange(n)
        return found if trainee is None else np.delete(found, trainee)
    if not len(agents):
        raise UserError("agents: give one at least, or None for all")
    for agent in agents:
        if not 0 <= agent < n:
            raise UserError(f"agent {shown(agent)}: at that step there are 0 to {n - 1}")
        if agent == trainee:
            raise UserError(
                f"agent {agent} is the one in training, of which not all is recorded: give others"
            )
    return np.unique(np.array(agents, np.intp))


def _agent(
    recording: Recording, decided: Rules, policy: str, step: int
) -> tuple[CALFAgent, str, bool]:
    """What decides, its name, and whether it is of a checkpoint."""
    system = decided.system
    if policy not in POLICIES:
        if not is_file(policy):
            raise UserError(
                f"policy {shown(policy)}: give {', '.join(POLICIES)}, or a checkpoint's file"
            )
        return shipped_agents.load(system, Path(policy)), Path(policy).name, True
    number = recording.critic_at(step + 1)  # it decides on the next step
    if policy != "nominal" and (number is None or recording.critic(number).weights is None):
        raise UserError(
            f"{shown(recording.folder)} has no networks at step {step}: only nominal, or a "
            "checkpoint, can go on there"
        )
    return recorded_agent(recording, decided, number), policy, False


def _seed(recording: Recording) -> int:
    said: Any = recording.meta.get("configuration")
    seed = said.get("seed") if isinstance(said, dict) else None
    return seed if isinstance(seed, int) and seed >= 0 else 0
