"""Actor and critic in float64, from the weights in a recording.

Weights are those of the actor, then those of both critics, each layer's matrix before its bias, row
by row. (Written from that description, not from `calf_viz.agent`.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Networks:
    """Evaluates the networks of a recording."""

    def __init__(
        self,
        weights: NDArray[Any],
        state_dim: int,
        limits: NDArray[Any],
        hidden: int,
        angles: tuple[int, ...],
    ) -> None:
        """weights: (weights,). limits: of each action. hidden: width of the layers. angles: which
        states are angles. Raises ValueError for another number of weights."""
        self._angles, self._limits = sorted(angles), np.asarray(limits, np.float64)
        self._rest = np.asarray(weights, np.float64)
        seen = state_dim + len(angles)
        self._actor = self._layers(1, seen, hidden, len(limits))
        self._critic = self._layers(2, seen + len(limits), hidden, 1)
        if len(self._rest):
            raise ValueError(f"{len(weights)} weights, {len(self._rest)} too many")

    def _layers(
        self, twins: int, inputs: int, hidden: int, outputs: int
    ) -> list[tuple[Floats, Floats]]:
        sizes = ((inputs, hidden), (hidden, hidden), (hidden, outputs))
        return [self._layer(twins, *size) for size in sizes]

    def _layer(self, twins: int, rows: int, columns: int) -> tuple[Floats, Floats]:
        """The first twin's."""
        weights = self._take(twins * rows * columns)[: rows * columns].reshape(rows, columns)
        return weights, self._take(twins * columns)[:columns]

    def _take(self, count: int) -> Floats:
        found, self._rest = self._rest[:count], self._rest[count:]
        if len(found) < count:
            raise ValueError("too few weights")
        return found

    def _seen(self, states: NDArray[Any]) -> Floats:
        """States (m, state_dim) as the networks see them: of an angle its cosine and sine."""
        columns: list[Floats] = []
        for axis, column in enumerate(np.asarray(states, np.float64).T):
            turned = axis in self._angles
            columns += [np.cos(column), np.sin(column)] if turned else [column]
        return np.stack(columns, axis=1)

    def actor(self, states: NDArray[Any]) -> Floats:
        """Its actions, (m, action_dim)."""
        return np.tanh(_through(self._actor, self._seen(states))) * self._limits

    def q(self, states: NDArray[Any], actions: NDArray[Any]) -> Floats:
        """The critic's values, (m,)."""
        return _through(self._critic, np.hstack([self._seen(states), actions]))[:, 0]


def _through(layers: list[tuple[Floats, Floats]], rows: Floats) -> Floats:
    for number, (weights, bias) in enumerate(layers):
        rows = rows @ weights + bias
        if number < len(layers) - 1:
            rows = np.where(rows > 0.0, rows, 0.0)
    return rows
