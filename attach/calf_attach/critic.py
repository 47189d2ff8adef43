"""Evaluates the user's critic on a grid, in the user's thread, and leaves no trace.

Random states stay as they were: a policy that samples inside the critic would otherwise change the
training that is watched.
"""

from __future__ import annotations

import random
import sys
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator

import numpy as np

from calf_attach.arrays import as_array

APART = 0.5
"""Least seconds between two evaluations."""
LEAST = 0.1
"""Least part of the budget that the critic has."""


class Evaluation:
    """A critic on a grid, as often as the budget allows.

    Attributes:
        cost: seconds that the last evaluation took; 0 before the first.
        spent: seconds that all of them took.
        count: how many there were.
    """

    def __init__(
        self,
        critic: Callable[[Any], Any],
        lift: Callable[[np.ndarray], Any],
        nodes: int,
        budget: float,
    ) -> None:
        """budget: share of the loop's time, for this and all else that watching takes."""
        self.critic, self.lift, self.nodes = critic, lift, nodes
        self.budget = budget
        self.cost = self.spent = 0.0
        self.count = 0
        self._due = 0.0

    def is_due(self, now: float) -> bool:
        """Whether it is time for the next evaluation."""
        return now >= self._due

    def values(self, points: np.ndarray, taken: float = 0.0) -> np.ndarray:
        """The critic's values at points (nodes * nodes, 2), (nodes, nodes) float32.

        taken: share of the loop's time that everything else takes; the critic has what is left of
        the budget, but at least a tenth of it.

        Raises whatever the critic does, and ValueError for other than a value for each point.
        """
        start = time.perf_counter()
        try:
            with untouched():
                found = as_array(self.critic(self.lift(points)))
        finally:
            now = time.perf_counter()
            self.cost = now - start
            self.spent += self.cost
            self.count += 1
            left = max(self.budget - taken, LEAST * self.budget)
            self._due = now + max(APART, self.cost / left)
        flat = found.reshape(-1) if found.shape in ((len(points),), (len(points), 1)) else None
        if flat is None:
            raise ValueError(
                "critic: shape %s, where (%d,) is wanted: a value for each observation"
                % (found.shape, len(points))
            )
        return flat.astype(np.float32).reshape(self.nodes, self.nodes)


@contextmanager
def untouched() -> Iterator[None]:
    """In the block, gradients are off and random numbers are free: their states are restored."""
    torch: Any | None = sys.modules.get("torch")
    numpy_state, python_state = np.random.get_state(), random.getstate()
    if torch is None or not hasattr(torch, "no_grad"):
        try:
            yield
        finally:
            np.random.set_state(numpy_state)
            random.setstate(python_state)
        return
    state = torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    try:
        with torch.no_grad():
            yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
        torch.set_rng_state(state)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
