"""The replay buffer: transitions packed into rows of one float32 array."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Batch(NamedTuple):
    """Transitions: states, actions, rewards (b,), next states, terminated (b,) as 0 or 1."""

    states: Tensor
    actions: Tensor
    rewards: Tensor
    next_states: Tensor
    terminated: Tensor


class Replay:
    """The last `capacity` transitions, sampled uniformly with replacement.

    A row is (s, a, r, s', terminated), so that a batch is one gather and five views. Only goals
    count as terminated: the time limit and the plane's edge are truncations, and bootstrapped.
    """

    def __init__(self, capacity: int, state_dim: int, action_dim: int) -> None:
        self.capacity = capacity
        self.cuts = np.cumsum([state_dim, action_dim, 1, state_dim]).tolist()
        self.rows = np.zeros((capacity, self.cuts[-1] + 1), dtype=np.float32)
        self.added = 0

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(
        self,
        state: NDArray[Any],
        action: NDArray[Any],
        reward: float,
        next_state: NDArray[Any],
        terminated: bool,
    ) -> None:
        """Add one transition, replacing the oldest once the buffer is full."""
        row = self.rows[self.added % self.capacity]
        s, a, r, n = self.cuts
        row[:s] = state
        row[s:a] = action
        row[a] = reward
        row[r:n] = next_state
        row[n] = terminated
        self.added += 1

    def sample(self, size: int, rng: np.random.Generator) -> Batch:
        """`size` transitions drawn with `rng`."""
        rows = torch.from_numpy(self.rows[rng.integers(0, len(self), size)])
        s, a, r, n = self.cuts
        return Batch(rows[:, :s], rows[:, s:a], rows[:, a], rows[:, r:n], rows[:, n])
