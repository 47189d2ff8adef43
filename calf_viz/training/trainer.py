"""TD3 under the CALF certificate: the whole training, one step after the other.

In the spirit of CleanRL: `Trainer.step` is to be read from top to bottom. A trainer's state can be
put into tensors and JSON and taken up again at any step (`resume.py`), with the same result as if
it had never stopped; one NumPy generator gives all randomness, so that there is one to save.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from calf_viz.agent.calf import AgentInfo, CALFAgent
from calf_viz.agent.evaluation import SELECTION, TRAINING, actor_row, held_out_starts, strict_row
from calf_viz.agent.modes import CERTIFIED, NAMES
from calf_viz.errors import UserError
from calf_viz.systems import get
from calf_viz.training.config import TrainingConfig
from calf_viz.training.replay import Replay
from calf_viz.training.td3 import TD3

RECENT = 2048
"""Finished episodes that a trainer knows; what a training leaves of all is its metrics file."""


@dataclass
class Episode:
    """One line of the metrics: a training episode."""

    episode: int
    steps: int = 0
    ret: float = 0.0
    """Sum of unscaled rewards."""
    goal: bool = False
    modes: list[int] = field(default_factory=lambda: [0] * len(NAMES))
    """Steps taken in each mode."""
    p_relax: float = 0.0
    """P_relax at the end."""


class Step(NamedTuple):
    """One step of the training, for those who watch."""

    state: NDArray[np.float32]
    """Where it led, (state_dim,)."""
    mode: int
    q_plus: float
    """q+ after it."""
    floor: float
    """What q+ must have reached: q+ of the first certified step, and nu_bar for each later one."""
    ceiling: float
    """What q+ must not exceed: -C_low norm(s+)^2; of the first certified step nothing is asked."""
    reward: float


class Trainer:
    """Trains one agent in one environment.

    Attributes:
        agent: the agent as it is now.
        before_comparison: called before its agent is compared with the best, which takes seconds.
        best: weights of the best agent so far, by name; None before the first comparison.
        config: what is trained and how.
        done: finished episodes.
        recent: metrics of the newest of them, at most `RECENT`, oldest first.
        steps: training steps so far.
        timeline: steps of the episode in progress; `last_timeline` those of the one before.
    """

    def __init__(self, config: TrainingConfig) -> None:
        """What of the configuration only concerns what a run keeps is not looked at."""
        self.config, self.system = config, get(config.system)
        self.rng = np.random.default_rng([TRAINING, config.seed])
        info = AgentInfo(seed=config.seed, preset=config.preset, p_relax=config.lambda_relax)
        self.agent = CALFAgent.random(self.system, self.rng, info)
        self.td3 = TD3(self.agent.actor, self.agent.critic, config)
        self.replay = Replay(config.replay, self.system.state_dim, self.system.action_dim)
        self.memory = self.agent.memory(1)
        self.p_relax = config.lambda_relax
        self.steps = 0
        self.done = 0
        self.recent: deque[Episode] = deque(maxlen=RECENT)
        self.before_comparison: Callable[[], None] = lambda: None
        self.best: dict[str, Tensor] | None = None
        self.best_info: dict[str, float] = {}
        self.timeline: list[Step] = []
        self.last_timeline: list[Step] = []
        self._start_episode()

    def plan(self, episodes: int) -> None:
        """Train for another number of episodes in all.

        At the end planned before, the agent was compared with the best one so far; nothing else
        differs from a training for which as many were planned from the beginning.

        Raises:
            UserError: more are done already.
        """
        if episodes < self.done:
            raise UserError(f"episodes {episodes} is less than are done: give {self.done} or more")
        self.config = self.config.changed(episodes=episodes)

    @property
    def finished(self) -> bool:
        """Whether all episodes are done."""
        return self.done >= self.config.episodes

    def _start_episode(self) -> None:
        self.state = self.system.initial_states(1, self.rng)
        self.memory.reset()
        self.episode = Episode(self.done)
        self.timeline = []

    def step(self) -> bool:
        """One step of the environment and one update; whether an episode ended with it."""
        system, config, episode = self.system, self.config, self.episode

        # Act: the actor's action with noise where the certificate or chance allows it, else pi_0.
        p_relax = self.p_relax if config.certificate else 1.0
        actions, modes = self.agent.act(
            self.state, self.memory, p_relax, self.rng, config.exploration
        )
        reward = float(system.reward(self.state, actions)[0])
        next_state = system.step(self.state, actions)

        # The goal terminates. The edge and the time limit only truncate: with q <= 0, an end
        # that is not bootstrapped would be worth 0, and reward fleeing.
        goal = bool(system.in_goal(next_state)[0])
        self.replay.add(
            self.state[0], actions[0], reward * config.reward_scale, next_state[0], goal
        )

        # Learn, once a batch is there.
        if len(self.replay) >= config.batch:
            self.td3.update(self.replay.sample(config.batch, self.rng), self.rng)

        # Count.
        self.steps += 1
        self.p_relax *= config.lambda_relax
        self.state = next_state
        episode.steps += 1
        episode.ret += reward
        episode.goal = goal
        episode.modes[int(modes[0])] += 1
        self.timeline.append(self._note(next_state[0], int(modes[0]), reward))
        cut_off = episode.steps >= config.steps or bool(system.out_of_plane(next_state)[0])
        if goal or cut_off:
            self._end_episode()
            return True
        return False

    def _note(self, state: NDArray[Any], mode: int, reward: float) -> Step:
        constants, q_plus = self.agent.info.constants, float(self.memory.q_plus[0])
        last = self.timeline[-1] if self.timeline else None
        if last is None:
            floor = ceiling = q_plus
        else:
            floor, ceiling = last.floor, last.ceiling
        if mode == CERTIFIED:
            norm = float(self.system.norm(self.memory.states)[0])
            ceiling = -constants.c_low * norm * norm
            floor = q_plus if last is None else floor + constants.nu_bar
        return Step(state, mode, q_plus, floor, ceiling, reward)

    def _end_episode(self) -> None:
        self.episode.p_relax = self.p_relax
        self.recent.append(self.episode)
        self.done += 1
        self.last_timeline = self.timeline
        if self.finished or self.done % self.config.select_every == 0:
            self._select()
        self._start_episode()

    def _select(self) -> None:
        """Keep the agent if, strict, it is the best so far: goals first, then cost.

        Plain TD3 has no strict agent; there it is the actor alone.
        """
        self.before_comparison()
        config = self.config
        starts = held_out_starts(self.system, config.selection_episodes, config.seed, SELECTION)
        row_of = strict_row if config.certificate else actor_row
        row = row_of(self.agent, starts)
        if self.best is not None:
            old = (-self.best_info["goal"], self.best_info["cost"])
            # Written so that a cost that is NaN never wins.
            if not (-row.goal, row.cost) < old:
                return
        self.best = {name: tensor.clone() for name, tensor in self.agent.tensors().items()}
        self.best_info = {
            "goal": row.goal,
            "cost": row.cost,
            "steps": self.steps,
            "p_relax": self.p_relax,
            "episode": self.done,
        }

    def result(self) -> CALFAgent:
        """A copy of the best agent so far, or of the present one before any comparison."""
        info = AgentInfo(
            steps=int(self.best_info.get("steps", self.steps)),
            p_relax=float(self.best_info.get("p_relax", self.p_relax)),
            seed=self.config.seed,
            preset=self.config.preset,
            constants=self.agent.info.constants,
        )
        agent = CALFAgent.random(self.system, np.random.default_rng(0), info)
        agent.set_tensors(self.best or self.agent.tensors(), "the trained agent")
        return agent

    def run(
        self,
        each_episode: Callable[["Trainer"], None] = lambda trainer: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Train until finished, or until `stop()` says so between two steps."""
        while not self.finished and not stop():
            if self.step():
                each_episode(self)
