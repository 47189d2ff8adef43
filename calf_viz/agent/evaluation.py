"""Evaluates how well a policy reaches the goal, in many episodes from the same held-out starts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.modes import CERTIFIED, NAMES, NOMINAL
from calf_viz.systems import System

HORIZON = 5000
"""Steps over which costs are compared; the nominal policies may need some 1 800."""

LONGEST = 1_000_000
"""Steps after which an episode is abandoned, whatever its certificate allows."""

POLICIES = ("calf strict", "actor alone", "nominal")

# First words of the random streams' seeds, so that no two streams coincide.
HELD_OUT, SELECTION, TRAINING = 101, 102, 103


@dataclass(frozen=True)
class Row:
    """One row of the table; shares are in [0, 1]."""

    policy: str
    goal: float
    """Share of the episodes that reached the goal within the steps allowed."""
    steps: float
    """Mean steps to the goal over the episodes that reached it (NaN if none did)."""
    cost: float
    """Mean of minus the summed rewards over the first HORIZON steps, zero after the goal."""
    modes: tuple[float, float, float]
    """Shares of certified, relax and nominal among all steps."""
    within: float
    """Share that reached the goal within the system's `max_steps`."""
    crossed: float
    """Share that left the plane on the way (which ends no episode in an evaluation)."""
    longest: int
    """Steps of the longest episode."""


@dataclass(frozen=True)
class Outcomes:
    """What came of n episodes, of which a row is made.

    Attributes:
        arrived: steps to the goal, (n,); -1 where it was not reached.
        cost: minus the summed rewards over the first HORIZON steps, (n,).
        crossed: whether the plane was left on the way, (n,).
        steps: by mode, of all episodes together, (3,).
        longest: most steps that were allowed.
    """

    arrived: NDArray[np.int64]
    cost: NDArray[np.float64]
    crossed: NDArray[np.bool_]
    steps: NDArray[np.int64]
    longest: int

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Whether the goal was, (n,)."""
        return self.arrived >= 0

    @property
    def shares(self) -> NDArray[np.float64]:
        """Of certified, relax and nominal among all steps, (3,)."""
        return self.steps / max(int(self.steps.sum()), 1)

    def row(self, policy: str, system: System) -> Row:
        """The table's row."""
        arrived, reached = self.arrived, self.reached
        certified, relax, nominal = self.shares.tolist()
        return Row(
            policy=policy,
            goal=float(reached.mean()),
            steps=float(arrived[reached].mean()) if reached.any() else float("nan"),
            cost=float(self.cost.mean()),
            modes=(certified, relax, nominal),
            within=float((reached & (arrived <= system.max_steps)).mean()),
            crossed=float(self.crossed.mean()),
            longest=int(arrived.max()) if reached.all() else self.longest,
        )


class Taken(NamedTuple):
    """A step of those agents, k of n, that had not arrived."""

    alive: NDArray[np.bool_]
    """Which those are, (n,)."""
    before: NDArray[np.float32]
    """Their states, (k, state_dim)."""
    states: NDArray[np.float32]
    """And where the actions led, (k, state_dim)."""
    actions: NDArray[Any]
    modes: NDArray[np.uint8]
    arrived: NDArray[np.bool_]
    q: NDArray[np.float64]
    """What the rule compared, (k,)."""
    q_plus: NDArray[np.float64]
    """Of the last certified triple after it, NaN without one, (k,)."""


Watch = Callable[[Taken], None]
"""Called with each step of the strict agent's episodes."""
Policy = Callable[[NDArray[Any], NDArray[np.bool_]], tuple[NDArray[Any], NDArray[np.uint8]]]
"""(states (k, d), alive (n,) bool with k True) -> (actions (k, m), modes (k,))."""
Led = Callable[
    [NDArray[Any], NDArray[Any], NDArray[Any], NDArray[np.uint8], NDArray[np.bool_]], None
]
"""Called with the states before a step (k, d) and after it, its actions and modes, and which of the
agents have arrived now (k,)."""


def held_out_starts(system: System, episodes: int, seed: int, stream: int = HELD_OUT) -> Any:
    """Starts (episodes, state_dim) that no training uses, whatever its seed."""
    return system.initial_states(episodes, np.random.default_rng([stream, seed]))


def evaluate_agent(
    agent: CALFAgent,
    episodes: int = 200,
    seed: int = 0,
    horizon: int = HORIZON,
) -> list[Row]:
    """The table: strict CALF (P_relax = 0), the actor alone, the nominal policy.

    The plane's edge does not end an episode. The strict agent may exceed the horizon as far as its
    certificate allows: by abs(q+ of the first step) / nu_bar, the most certified steps, and at most
    by LONGEST.
    """
    starts = held_out_starts(agent.system, episodes, seed)
    return [
        strict_row(agent, starts, horizon),
        actor_row(agent, starts, horizon),
        nominal_row(agent.system, starts, horizon),
    ]


def strict_row(
    agent: CALFAgent, starts: NDArray[Any], horizon: int = HORIZON, watch: Watch | None = None
) -> Row:
    """The strict agent's row, from the given starts."""
    return strict_outcomes(agent, starts, horizon, watch).row("calf strict", agent.system)


def actor_row(agent: CALFAgent, starts: NDArray[Any], horizon: int = HORIZON) -> Row:
    """The row of the actor alone, not certified, from the given starts."""
    return actor_outcomes(agent, starts, horizon).row("actor alone", agent.system)


def nominal_row(system: System, starts: NDArray[Any], horizon: int = HORIZON) -> Row:
    """The nominal policy's row, from the given starts."""
    return nominal_outcomes(system, starts, horizon).row("nominal", system)


def strict_outcomes(
    agent: CALFAgent, starts: NDArray[Any], horizon: int = HORIZON, watch: Watch | None = None
) -> Outcomes:
    """Episodes of the strict agent, from the given starts."""
    first = agent.q_values(starts, agent.actor_actions(starts)).astype(np.float64)
    allowed = float(np.abs(first[np.isfinite(first)]).max(initial=0.0))
    longest = horizon + int(min(np.ceil(allowed / agent.info.constants.nu_bar), LONGEST))
    policy = _Strict(agent, len(starts), watch)
    return _outcomes(agent.system, starts, policy, horizon, longest, policy.led)


def actor_outcomes(agent: CALFAgent, starts: NDArray[Any], horizon: int = HORIZON) -> Outcomes:
    """Episodes of the actor alone, not certified, from the given starts."""
    return _outcomes(agent.system, starts, _actor_alone(agent), horizon)


def nominal_outcomes(system: System, starts: NDArray[Any], horizon: int = HORIZON) -> Outcomes:
    """Episodes of the nominal policy, from the given starts."""
    return _outcomes(system, starts, _nominal_alone(system), horizon)


class _Strict:
    """The strict agent's policy."""

    def __init__(self, agent: CALFAgent, n: int, watch: Watch | None) -> None:
        self._agent, self._memory, self._watch = agent, agent.memory(n), watch
        # With P_relax = 0 the draws do not matter: no u is below it.
        self._rng = np.random.default_rng(0)
        self._before = np.ones(n, dtype=np.bool_)
        self._q = np.zeros(n)

    def __call__(
        self, states: NDArray[Any], alive: NDArray[np.bool_]
    ) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        if len(self._memory) != len(states):
            self._memory = self._memory.keep(alive[self._before])
        self._before = alive.copy()
        if self._watch is None:
            return self._agent.act(states, self._memory, 0.0, self._rng)
        self._q = np.empty(len(states))
        return self._agent.act(states, self._memory, 0.0, self._rng, compared=self._q)

    def led(
        self,
        before: NDArray[Any],
        states: NDArray[Any],
        actions: NDArray[Any],
        modes: NDArray[np.uint8],
        arrived: NDArray[np.bool_],
    ) -> None:
        """As `Led`."""
        if self._watch is not None:
            compared = self._q, self._memory.known()
            self._watch(Taken(self._before, before, states, actions, modes, arrived, *compared))


def _actor_alone(agent: CALFAgent) -> Policy:
    # Its steps are not certified; they are counted as such for want of another name.
    return lambda states, _: (
        agent.actor_actions(states),
        np.full(len(states), CERTIFIED, dtype=np.uint8),
    )


def _nominal_alone(system: System) -> Policy:
    return lambda states, _: (
        system.nominal(states),
        np.full(len(states), NOMINAL, dtype=np.uint8),
    )


def _outcomes(
    system: System,
    starts: NDArray[Any],
    policy: Policy,
    horizon: int,
    longest: int | None = None,
    led: Led = lambda *_: None,
) -> Outcomes:
    """Run all episodes at once; `longest` may exceed `horizon`."""
    n = len(starts)
    states = np.asarray(starts, dtype=np.float32).copy()
    alive = ~system.in_goal(states)
    arrived = np.where(alive, -1, 0)
    cost = np.zeros(n)
    crossed = system.out_of_plane(states)
    counts = np.zeros(len(NAMES), dtype=np.int64)
    for step in range(1, (longest or horizon) + 1):
        if not alive.any():
            break
        now = states[alive]
        actions, modes = policy(now, alive)
        counts += np.bincount(modes, minlength=len(NAMES))
        if step <= horizon:
            cost[alive] -= system.reward(now, actions)
        new = system.step(now, actions)
        states[alive] = new
        crossed[alive] |= system.out_of_plane(new)
        done = np.zeros(n, dtype=np.bool_)
        done[alive] = arrives = system.in_goal(new)
        led(now, new, actions, modes, arrives)
        arrived[done] = step
        alive &= ~done
    return Outcomes(arrived, cost, crossed, counts, longest or horizon)
