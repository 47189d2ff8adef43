"""TD3 under the CALF certificate: the complete training, step by step.

In the spirit of CleanRL, `Trainer.step` reads from top to bottom. A trainer's state can be saved at
any step as tensors and JSON and resumed (`resume.py`), with the same result as if it had never
stopped; a single NumPy generator provides all randomness, so that only one has to be saved.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from calf_viz.agent.calf import AgentInfo, CALFAgent
from calf_viz.agent.evaluation import (
    SELECTION,
    TRAINING,
    Watch,
    actor_row,
    held_out_starts,
    strict_row,
)
from calf_viz.agent.modes import CERTIFIED, NAMES
from calf_viz.errors import UserError
from calf_viz.systems import get
from calf_viz.training.config import TrainingConfig
from calf_viz.training.replay import Replay
from calf_viz.training.td3 import TD3

RECENT = 2048
"""Finished episodes that a trainer remembers; the metrics file has all of them."""


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
    """One training step, for display."""

    state: NDArray[np.float32]
    """The state after it, (state_dim,)."""
    mode: int
    q_plus: float
    """q+ after it."""
    floor: float
    """Lower bound of q+: q+ of the first certified step, plus nu_bar for each later one."""
    ceiling: float
    """Upper bound of q+: -C_low norm(s+)^2; the first certified step is not bounded."""
    reward: float


class Observer(Protocol):
    """Sees a training, and changes nothing of it. It must not change the arrays either.

    Attributes:
        q: filled with what the rule compared, before each `took`, (1,).
    """

    q: NDArray[np.float64]

    def began(self, state: NDArray[np.float32]) -> None:
        """An episode began, in this state (1, state_dim)."""

    def took(
        self,
        actions: NDArray[Any],
        mode: int,
        state: NDArray[np.float32],
        reward: float,
        ended: int,
    ) -> None:
        """A step was taken, and learnt from.

        Args:
            actions: (1, action_dim).
            state: where they led, (1, state_dim).
            ended: whether the episode ended there: 0 no, 1 in the goal, 2 cut off.
        """

    def compares(self, starts: NDArray[np.float32]) -> Watch:
        """The strict agent is compared, from these starts (n, state_dim); returns what sees its
        steps."""


class Trainer:
    """Trains one agent in one environment.

    Attributes:
        agent: the agent in its current state.
        after_step: called by `run` after each step, with whether an episode ended.
        before_comparison: called before the agent is compared with the best, which takes seconds.
        best: weights of the best agent so far, by name; None before the first comparison.
        config: what is trained and how.
        done: finished episodes.
        observer: sees each step, if there is one.
        recent: metrics of the newest of them, at most `RECENT`, oldest first.
        steps: training steps so far.
        timeline: steps of the episode in progress; `last_timeline`, of the one before.
    """

    def __init__(self, config: TrainingConfig) -> None:
        """Settings in `config` for what a run keeps are not used here."""
        self.config, self.system = config, get(config.system)
        self.rng = np.random.default_rng([TRAINING, config.seed])
        info = AgentInfo(
            seed=config.seed, preset=config.preset, p_relax=config.lambda_relax,
            gamma=config.gamma, reward_scale=config.reward_scale,
        )  # fmt: skip
        self.agent = CALFAgent.random(self.system, self.rng, info)
        self.td3 = TD3(self.agent.actor, self.agent.critic, config)
        self.replay = Replay(config.replay, self.system.state_dim, self.system.action_dim)
        self.memory = self.agent.memory(1)
        self.p_relax = config.lambda_relax
        self.steps = 0
        self.done = 0
        self.recent: deque[Episode] = deque(maxlen=RECENT)
        self.after_step: Callable[[bool], None] = lambda over: None
        self.before_comparison: Callable[[], None] = lambda: None
        self.best: dict[str, Tensor] | None = None
        self.best_info: dict[str, float] = {}
        self.timeline: list[Step] = []
        self.last_timeline: list[Step] = []
        self.observer: Observer | None = None
        self._start_episode()

    def plan(self, episodes: int) -> None:
        """Change the total number of episodes.

        At the old end the agent was compared with the best one so far; otherwise the training is
        the same as if this number had been planned from the beginning.

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
        if self.observer is not None:
            self.observer.began(self.state)

    def step(self) -> bool:
        """Take one step in the environment and one update; returns whether an episode ended."""
        system, config, episode = self.system, self.config, self.episode
        observer = self.observer

        # Act: the actor's noisy action if the certificate or chance allows it, else pi_0.
        p_relax = self.p_relax if config.certificate else 1.0
        actions, modes = self.agent.act(
            self.state, self.memory, p_relax, self.rng, config.exploration,
            compared=None if observer is None else observer.q,
        )  # fmt: skip
        reward = float(system.reward(self.state, actions)[0])
        next_state = system.step(self.state, actions)

        # The goal terminates. The edge and the time limit only truncate: with q <= 0, an end
        # that is not bootstrapped would be worth 0, which would reward escaping.
        goal = bool(system.in_goal(next_state)[0])
        self.replay.add(
            self.state[0], actions[0], reward * config.reward_scale, next_state[0], goal
        )

        # Learn, once there is a full batch.
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
        if observer is not None:
            observer.took(actions, int(modes[0]), next_state, reward, 1 if goal else 2 * cut_off)
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
        """Keep the agent if its strict version is the best so far, by goals and then by cost.

        For plain TD3, the actor alone is evaluated.
        """
        self.before_comparison()
        config = self.config
        starts = held_out_starts(self.system, config.selection_episodes, config.seed, SELECTION)
        if not config.certificate:
            row = actor_row(self.agent, starts)
        elif self.observer is None:
            row = strict_row(self.agent, starts)
        else:
            row = strict_row(self.agent, starts, watch=self.observer.compares(starts))
        if self.best is not None:
            old = (-self.best_info["goal"], self.best_info["cost"])
            # Written so that a NaN cost never wins.
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
        """A copy of the best agent so far, or of the current one before any comparison."""
        info = replace(
            self.agent.info,
            steps=int(self.best_info.get("steps", self.steps)),
            p_relax=float(self.best_info.get("p_relax", self.p_relax)),
        )
        agent = CALFAgent.random(self.system, np.random.default_rng(0), info)
        agent.set_tensors(self.best or self.agent.tensors(), "the trained agent")
        return agent

    def run(
        self,
        each_episode: Callable[["Trainer"], None] = lambda trainer: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Train until finished, or until `stop()` returns True between two steps."""
        while not self.finished and not stop():
            over = self.step()
            self.after_step(over)
            if over:
                each_episode(self)
