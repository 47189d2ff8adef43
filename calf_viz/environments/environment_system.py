"""An environment of Gymnasium as a system, so that CALF trains on it: `calf-viz --train --system`.

A `System` is a function of its state; an environment has one inside, and only goes on. So each
agent has a copy of the environment, found again by the state that it is in. Episodes are begun with
a seed each, which is remembered by the state that it led to: from there they can be gone through
again, as evaluations do, which compare policies from the same starts.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

import numpy as np

from calf_viz.environments.copies import made
from calf_viz.errors import UserError, shown
from calf_viz.systems.base import Array, System, wrap_angle

if TYPE_CHECKING:
    import gymnasium

SPARE = 64
"""Copies kept beyond twice the most agents at once."""
REMEMBERED = 100_000
"""Newest starts whose seed is remembered."""
_Key = bytes


class EnvironmentSystem(System):
    """A system whose dynamics and rewards are an environment's.

    A subclass sets `env_id`, and all that a `System` needs but dynamics, starts and reward: state
    and action dimensions, limits, plane, `dt`, `in_goal` and `nominal`, `norm` where the Euclidean
    one will not do; and implements `states_of`. The observation must determine the state. The
    environment's own ends count for nothing: `in_goal`, `edges` and `max_steps` end episodes.
    """

    env_id: str
    """As `gymnasium.make` takes it."""
    most_reward: float = 0.0
    """Subtracted from rewards, as a system's are never positive."""

    @abstractmethod
    def states_of(self, observations: Array) -> Array:
        """States (n, state_dim) of observations (n, d); angles in [-pi, pi)."""

    def put(self, env: gymnasium.Env[Any, Any], state: Array) -> None:
        """Put an environment into a state, (state_dim,). Needed to go on in the middle of an
        episode alone, as a resumed training and a forked recording do; by default refused."""
        raise UserError(
            f"{self.name}: its environment cannot be put into a state, to go on in the middle of "
            "an episode: implement `put`, or begin anew"
        )

    def initial_states(self, n: int, rng: np.random.Generator) -> Array:
        """States of n environments that were just reset, each with a seed that `rng` draws."""
        pool = self._pool()
        pool.expect(n)
        return np.array([pool.begin(int(seed)) for seed in rng.integers(0, 2**31, n)], np.float32)

    def step(self, states: Array, actions: Array) -> Array:
        """States after one step of the environments that are in these states."""
        return self._advanced(states, actions)[0].astype(states.dtype)

    def reward(self, states: Array, actions: Array) -> Array:
        """What that step pays, less `most_reward`, (n,) float64."""
        return np.minimum(self._advanced(states, actions)[1] - self.most_reward, 0.0)

    def derivative(self, states: Array, actions: Array) -> Array:
        """Mean rate over a step."""
        moved = np.asarray(self.step(states, actions) - states, dtype=np.float64)
        for angle in self.angles:
            moved[:, angle] = wrap_angle(moved[:, angle])
        return moved / self.dt

    def _advanced(self, states: Array, actions: Array) -> tuple[Array, Array]:
        """New states and rewards. A step is asked for twice, by its state and by its reward, and
        taken once."""
        given = np.ascontiguousarray(states, np.float32)
        acted = np.asarray(self.clip(np.asarray(actions, np.float64)), np.float32)
        asked = given.tobytes(), acted.tobytes()
        if self.__dict__.get("_asked") != asked:
            pool = self._pool()
            pool.expect(len(given))
            pairs = [pool.step(one, action) for one, action in zip(given, acted, strict=True)]
            new = np.array([pair[0] for pair in pairs], np.float32).reshape(given.shape)
            self._answered = new, np.array([pair[1] for pair in pairs], np.float64)
            self._asked = asked
        new, rewards = self._answered
        return new.copy(), rewards.copy()

    def _pool(self) -> _Pool:
        if "_copies" not in self.__dict__:
            self._copies = _Pool(self)
        return self._copies


class _Pool:
    """Copies of an environment by the state that they are in, the longest unused first."""

    def __init__(self, system: EnvironmentSystem) -> None:
        self._system = system
        self._by_state: OrderedDict[_Key, deque[Any]] = OrderedDict()
        self._count = self._most = 0
        self._seeds: OrderedDict[_Key, int] = OrderedDict()

    def expect(self, n: int) -> None:
        """There are so many agents at once."""
        self._most = max(self._most, n)

    def begin(self, seed: int) -> Array:
        """The state after a reset with this seed."""
        env = self._free()
        state = self._state(env.reset(seed=seed)[0])
        self._seeds[state.tobytes()] = seed
        self._seeds.move_to_end(state.tobytes())
        while len(self._seeds) > REMEMBERED:
            self._seeds.popitem(last=False)
        self._keep(env, state)
        return state

    def step(self, state: Array, action: Array) -> tuple[Array, float]:
        """The state after, and the reward."""
        env = self._taken(state.tobytes(), state)
        observed, reward, *_ = env.step(action)
        new = self._state(observed)
        self._keep(env, new)
        return new, float(reward)

    def _state(self, observed: Any) -> Array:
        row = np.asarray(observed, np.float64)[None]
        state: Array = np.asarray(self._system.states_of(row), np.float32)[0]
        return state

    def _taken(self, key: _Key, state: Array) -> Any:
        """A copy that is in this state, which none is any more."""
        there = self._by_state.get(key)
        if there:
            env = there.popleft()
            if not there:
                del self._by_state[key]
            return env
        env = self._free()
        seed = self._seeds.get(key)
        if seed is not None:
            env.reset(seed=seed)
        else:
            env.reset(seed=0)
            self._system.put(env, state)
        return env

    def _keep(self, env: Any, state: Array) -> None:
        key = state.tobytes()
        self._by_state.setdefault(key, deque()).append(env)
        self._by_state.move_to_end(key)

    def _free(self) -> Any:
        """A copy for another use: a new one or, where there are enough, the longest unused."""
        if self._by_state and self._count >= 2 * self._most + SPARE:
            key = next(iter(self._by_state))
            env = self._by_state[key].popleft()
            if not self._by_state[key]:
                del self._by_state[key]
            return env
        self._count += 1
        env = made(self._system.env_id, max_episode_steps=-1)
        limits, space = np.asarray(self._system.action_limits), env.action_space
        if getattr(space, "shape", None) != limits.shape:
            raise UserError(
                f"{self._system.name}: {self._system.env_id} acts in {shown(space)}, where "
                f"action_limits has {len(limits)} numbers"
            )
        return env
