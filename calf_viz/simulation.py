"""Many agents of one system, each in an episode of its own, stepping together.

Knows nothing of pictures: a step gives arrays, and what is drawn from them is others' business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.modes import CERTIFIED, NOMINAL
from calf_viz.errors import UserError
from calf_viz.profiling.profiler import OFF, PerformanceProfiler
from calf_viz.samples import Samples

if TYPE_CHECKING:
    from calf_viz.agent.calf import CALFAgent

POLICIES = ("calf", "nominal", "actor")
LONGEST_EPISODE = 5000
"""Steps after which an agent starts anew, wherever it is: the horizon of `evaluate`."""


class Simulation:
    """Agents that follow a policy until they reach the goal, and then start anew.

    calf uses the certificate with `p_relax`; actor uses the actor's action always, and its modes
    tell where the certificate would have agreed (certified) and where not (relax); nominal
    follows pi_0 alone.

    Attributes:
        states: (n, state_dim) float32.
        episodes: episodes begun by each agent so far, (n,).
        arrived: episodes that ended in the goal, of all agents.
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
        self.profiler = profiler
        self.p_relax = 1.0 if policy == "actor" else p_relax
        self.rng = np.random.default_rng(seed)
        self._networks = agent.array_networks()
        self.memory = agent.memory(n_agents)
        self.states = np.zeros((n_agents, self.system.state_dim), dtype=np.float32)
        self._steps = np.zeros(n_agents, dtype=np.int64)
        self._over = np.ones(n_agents, dtype=bool)
        self.episodes = np.zeros(n_agents, dtype=np.int64)
        self.arrived = 0

    def __len__(self) -> int:
        return len(self.states)

    def resize(self, n_agents: int) -> None:
        """Keep the first n agents; those that are new start with the next step."""
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
        """Advance all agents; those whose episode was over take a new start instead."""
        with self.profiler.section("policy"):
            actions, modes = self._act()
        with self.profiler.section("physics"):
            return self._move(actions, modes)

    def _move(self, actions: NDArray[Any], modes: NDArray[np.uint8]) -> Samples:
        system, starting = self.system, self._over
        self.states = system.step(self.states, actions)
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
        # An agent that a bad policy sent to infinity starts anew as well.
        self._over |= ~np.isfinite(self.states).all(axis=1)
        heading = system.heading_axis
        return Samples(
            positions=self.states[:, list(system.plane.axes)],
            modes=modes,
            first=starting,
            headings=None if heading is None else self.states[:, heading],
        )

    def _act(self) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        if self.policy == "nominal":
            modes = np.full(len(self), NOMINAL, dtype=np.uint8)
            return self.system.nominal(self.states), modes
        self.profiler.count("policy_queries")
        return self.agent.act(
            self.states, self.memory, self.p_relax, self.rng, networks=self._networks
        )
