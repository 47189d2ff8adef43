"""Many agents of one system, each in its own episode, stepping together.

Knows nothing about pictures: a step returns arrays.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.array_networks import networks_of
from calf_viz.agent.certificate import margin
from calf_viz.agent.explanation import Decision, Explanation, Judge
from calf_viz.agent.modes import CERTIFIED, NOMINAL
from calf_viz.agent.system_view import surface_of, view_of
from calf_viz.errors import UserError
from calf_viz.heightfield import Grid, Heightfield
from calf_viz.profiling.profiler import OFF, PerformanceProfiler
from calf_viz.samples import Samples
from calf_viz.systems import System
from calf_viz.view import Certificate, View

if TYPE_CHECKING:
    from calf_viz.agent.calf import CALFAgent
    from calf_viz.critic_networks import CriticNetworks

POLICIES = ("calf", "nominal", "actor")
LONGEST_EPISODE = 5000
"""Steps after which an agent starts a new episode in any case: the horizon of `evaluate`."""
FORESEEN = 32
"""Most agents that are simulated ahead."""


class _Decided(NamedTuple):
    """The newest step's decisions, of n agents."""

    states: NDArray[Any]
    """Where they were made."""
    actions: NDArray[Any]
    modes: NDArray[np.uint8]
    q: NDArray[np.float64]
    q_plus: NDArray[np.float64]
    """Before them; NaN where there was none."""
    starting: NDArray[np.bool_]
    """Agents that began an episode instead."""


@cache
def hidden_square(system: System, hidden: tuple[float, ...]) -> float:
    """The part of a state's squared norm that the plane does not show. hidden: as
    `Simulation.hidden`."""
    origin = system.plane_states(np.zeros((1, 2)), np.array(hidden))
    return float(system.norm(origin)[0]) ** 2


class Simulation:
    """Agents that follow a policy until they reach the goal, and then start a new episode.

    calf uses the certificate with `p_relax`; actor always uses the actor's action, and its modes
    show where the certificate would have agreed (certified) and where not (relax); nominal follows
    pi_0 alone.

    A `Source` with all optional protocols except `Noticing`.

    Attributes:
        states: (n, state_dim) float32.
        grid: nodes of its critic's surface; None if no surface is needed.
        hidden: value of each state that the plane does not show, (state_dim,).
        episodes: episodes begun by each agent so far, (n,).
        arrived: number of episodes that ended in the goal, over all agents.
    """

    def __init__(
        self,
        agent: CALFAgent,
        n_agents: int,
        seed: int = 0,
        policy: str = "calf",
        p_relax: float = 0.0,
        profiler: PerformanceProfiler = OFF,
    ) -> None:
        """profiler: measures the sections policy and physics, and counts `policy_queries`, the
        batched calls of the critic that the policy makes."""
        if policy not in POLICIES:
            raise UserError(f"unknown policy '{policy}': choose one of {', '.join(POLICIES)}")
        self.agent, self.system, self.policy = agent, agent.system, policy
        self.seed = seed
        self.p_relax = 1.0 if policy == "actor" else p_relax
        self._networks = agent.array_networks()
        self.grid: Grid | None = None
        self.hidden = np.zeros(self.system.state_dim)
        self._critic_is_new = True
        self._recorded = False
        self._q = np.zeros(0)  # of the newest decision
        self._judge: Judge | None = None  # what decided on it, if that has changed since
        # While it is recorded: what the actor proposes next, with its q, in some states.
        self._proposed: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        self._proposed_in: NDArray[Any] = np.zeros(0)
        self._begin(n_agents, profiler)

    def _begin(self, n_agents: int, profiler: PerformanceProfiler) -> None:
        self.profiler = profiler
        self.rng = np.random.default_rng(self.seed)
        self.memory = self.agent.memory(n_agents)
        self.states = np.zeros((n_agents, self.system.state_dim), dtype=np.float32)
        self._steps = np.zeros(n_agents, dtype=np.int64)
        self._over = np.ones(n_agents, dtype=bool)
        self.episodes = np.zeros(n_agents, dtype=np.int64)
        self.arrived = 0
        self._decided: _Decided | None = None

    def record(self) -> None:
        """As `Recordable`."""
        self._recorded = True

    def about(self) -> dict[str, Any]:
        """As `Recordable`."""
        return self.agent.about(self.policy, self.p_relax, self.hidden)

    @property
    def trained(self) -> int:
        """As `Recordable`."""
        return self.agent.info.steps

    def weights(self) -> NDArray[np.float32]:
        """As `Recordable`."""
        return self.agent.flat_weights()

    def restart(self, profiler: PerformanceProfiler | None = None) -> None:
        """Start over with the same seed. profiler: measures from now on, if given."""
        self._begin(len(self), profiler or self.profiler)

    @property
    def view(self) -> View:
        """As `Source`."""
        return view_of(self.system)

    def surface(self) -> Heightfield | None:
        """The Lyapunov candidate on the grid, from one batched pass of the networks."""
        if self.grid is None or not self._take_critic():
            return None
        self.profiler.count("critic_queries")
        return surface_of(self.agent, self.grid, self.hidden)

    def networks(self) -> CriticNetworks | None:
        """As `Evaluable`."""
        return self.agent.critic_networks(self.hidden) if self._take_critic() else None

    def critic_changed(self) -> None:
        """Make the next `surface` or `networks` return the critic as it is then."""
        self._critic_is_new = True

    def _take_critic(self) -> bool:
        new, self._critic_is_new = self._critic_is_new, False
        return new

    def mean_value(self) -> float:
        """As `Valued`."""
        self.profiler.count("critic_queries")
        return float(np.mean(self.agent.lyapunov(self.states)))

    def certificate(self, chosen: int) -> Certificate:
        """As `Certified`."""
        memory, constants = self.memory, self.agent.info.constants
        chosen = min(chosen, len(memory) - 1)
        return Certificate(
            chosen,
            float(memory.q_plus[chosen]) if memory.has_triple[chosen] else None,
            (constants.nu_bar, constants.c_low, constants.c_up),
            hidden_square(self.system, tuple(self.hidden.tolist())),
        )

    def why(self, agent: int) -> Explanation | None:
        """As `Accountable`."""
        last = self._decided
        if last is None or agent >= len(last.modes) or last.starting[agent]:
            return None
        judge = self._judge or self._make_judge()
        return judge.explain(
            Decision(
                agent,
                None,
                int(last.modes[agent]),
                last.states[agent],
                last.actions[agent],
                float(last.q[agent]),
                float(last.q_plus[agent]),
            )
        )

    def _make_judge(self) -> Judge:
        info = self.agent.info
        networks = networks_of(self.agent.flat_weights(), self.system, info.hidden)
        return Judge(self.system, networks, info.constants, self.policy)

    def policy_changes(self) -> None:
        """Called before its agent gets other weights: the newest step was decided by these."""
        self._proposed = None
        if self._decided is not None and self._judge is None:
            self._judge = self._make_judge()

    def pause(self, paused: bool) -> None:
        """As `Pausable`; nothing to do, as it advances only on request."""

    def single_step(self) -> None:
        """As `Pausable`."""

    def foresee(self, steps: int) -> NDArray[np.float32]:
        """As `Foreseeing`: a simulation of a few agents goes ahead from the same seed."""
        ahead = Simulation(
            self.agent, min(len(self), FORESEEN), self.seed, self.policy, self.p_relax
        )
        return np.concatenate([ahead.step().positions for _ in range(steps)])

    def close(self) -> None:
        """As `Source`."""

    def __len__(self) -> int:
        return len(self.states)

    def resize(self, n_agents: int) -> None:
        """Keep the first n agents; new ones start with the next step."""
        kept = min(n_agents, len(self))

        def resized(array: NDArray[Any], fill: Any) -> NDArray[Any]:
            new = np.full((n_agents, *array.shape[1:]), fill, dtype=array.dtype)
            new[:kept] = array[:kept]
            return new

        self.memory.resize(n_agents)
        self.states = resized(self.states, 0)
        self._steps, self.episodes = resized(self._steps, 0), resized(self.episodes, 0)
        self._over = resized(self._over, True)

    def step(self) -> Samples:
        """Advance all agents; those whose episode is over start a new one instead."""
        with self.profiler.section("policy"):
            q_plus = self.memory.known()
            actions, modes = self._act()
            self._judge = None
            self._decided = _Decided(
                self.states, actions, modes.copy(), self._q, q_plus, self._over
            )
        with self.profiler.section("physics"):
            return self._move(actions, modes)

    def _move(self, actions: NDArray[Any], modes: NDArray[np.uint8]) -> Samples:
        system, starting, before = self.system, self._over, self.states
        self.states = system.step(before, actions)
        self._steps += 1
        if starting.any():
            count = int(starting.sum())
            self.states[starting] = system.initial_states(count, self.rng)
            modes[starting] = NOMINAL if self.policy == "nominal" else CERTIFIED
            self.memory.reset(starting)
            self._steps[starting] = 0
            self.episodes[starting] += 1
        in_goal = system.in_goal(self.states)
        self.arrived += int(in_goal.sum())
        self._over = in_goal | system.out_of_plane(self.states) | (self._steps >= LONGEST_EPISODE)
        # An agent that a bad policy sent to infinity starts a new episode, too.
        self._over |= ~np.isfinite(self.states).all(axis=1)
        heading = system.heading_axis
        columns = self._columns(before, actions, starting) if self._recorded else {}
        return Samples(
            positions=self.states[:, list(system.plane.axes)],
            modes=modes,
            first=starting,
            headings=None if heading is None else self.states[:, heading],
            columns=columns,
        )

    def _columns(
        self, before: NDArray[Any], actions: NDArray[Any], starting: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """What a recording has beside positions. No action led to where an episode starts."""
        reward = self.system.reward(before, actions)
        late = self._over & (self._steps >= LONGEST_EPISODE)
        arrived = self._over & (self._steps < LONGEST_EPISODE)
        columns = {
            "state": self.states,
            "action": np.where(starting[:, None], np.float32(np.nan), actions),
            "reward": np.where(starting, 0.0, reward).astype(np.float32),
            "ended": (arrived + 2 * late).astype(np.uint8),
        }
        self._proposed = self.agent.propose(self.states, self._networks)
        self._proposed_in = self.states.copy()
        columns["value"] = -self._proposed[1]
        if self.policy != "nominal":
            assert self._decided is not None
            q, constants = np.where(starting, np.nan, self._q), self.agent.info.constants
            columns["q"], columns["q_plus"] = q, self.memory.known()
            columns["margin"] = margin(q, self.system.norm(before), self._decided.q_plus, constants)
        return columns

    def _act(self) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        if self.policy == "nominal":
            self._q = np.full(len(self), np.nan)
            modes = np.full(len(self), NOMINAL, dtype=np.uint8)
            return self.system.nominal(self.states), modes
        self.profiler.count("policy_queries")
        self._q = np.zeros(len(self))
        proposed, self._proposed = self._proposed, None
        if proposed is not None and not np.array_equal(self.states, self._proposed_in):
            proposed = None  # they were put elsewhere
        return self.agent.act(
            self.states,
            self.memory,
            self.p_relax,
            self.rng,
            networks=self._networks,
            compared=self._q,
            proposed=proposed,
        )
