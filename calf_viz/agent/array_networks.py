"""An agent's networks in NumPy, for evaluating them in every frame.

For small batches torch's overhead per operation exceeds the operation itself, above all when
drawing has just emptied the processor's caches: with 20 agents NumPy is twice as fast
(docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from calf_viz.systems.base import System

Floats32 = NDArray[np.float32]
Layers = list[tuple[NDArray[Any], NDArray[Any]]]
"""Weights (in, out) and bias (out,) of each layer of a network."""
BLOCK = 128
"""Rows at a time. Beyond some 200, OpenBLAS uses another thread, which spins for tens of
milliseconds after the product, on a core that drawing could use."""


class ArrayNetworks:
    """The actor and Q1 of an agent, equal to the torch networks except for rounding: in float32, as
    the agent's weights are, or in float64, if they are from `networks_of`.

    The weights from `CALFAgent.layers` are views of the agent's: values copied into those are seen
    here, but not weights moved elsewhere, as by `networks.flatten`.
    """

    def __init__(
        self, actor: Layers, critic: Layers, limits: NDArray[Any], angles: Sequence[int]
    ) -> None:
        """Take the layers of the actor and of the first critic.

        Args:
            actor, critic: their layers.
            limits: of the actions, (action_dim,).
            angles: indices of the states that are angles.
        """
        self._actor, self._critic = actor, critic
        self._dtype = critic[0][0].dtype
        self._limits = np.asarray(limits, self._dtype)
        self._angles = sorted(angles)

    def actor_actions(self, states: NDArray[Any]) -> NDArray[Any]:
        """The actor's actions (n, action_dim) at states (n, state_dim), not certified."""
        with np.errstate(over="ignore", invalid="ignore"):  # the weights may have diverged
            actions = _forward(self._actor, self._encode(states))
            np.tanh(actions, out=actions)
            actions *= self._limits
        return actions

    def q_values(self, states: NDArray[Any], actions: NDArray[Any]) -> NDArray[Any]:
        """Q1(s, a), (n,)."""
        with np.errstate(over="ignore", invalid="ignore"):
            rows = np.concatenate((self._encode(states), actions), axis=1, dtype=self._dtype)
            return _forward(self._critic, rows)[:, 0]

    def _encode(self, states: NDArray[Any]) -> NDArray[Any]:
        """See `calf_viz.agent.networks.encode`."""
        states = np.asarray(states, dtype=self._dtype)
        if not self._angles:
            return states
        parts, begin = [], 0
        for axis in self._angles:
            angle = states[:, axis : axis + 1]
            parts += [states[:, begin:axis], np.cos(angle), np.sin(angle)]
            begin = axis + 1
        return np.concatenate((*parts, states[:, begin:]), axis=1)


def networks_of(weights: NDArray[Any], system: System, hidden: int) -> ArrayNetworks:
    """Networks of a system, in float64, of weights as `CALFAgent.flat_weights` has them. hidden:
    width of their layers. Raises ValueError for another number of weights."""
    sizes = system.state_dim, system.action_dim, hidden, len(system.angles)
    return ArrayNetworks(*layers_of(weights, *sizes), system.action_limits, system.angles)


def layers_of(
    weights: NDArray[Any], state_dim: int, action_dim: int, hidden: int, angles: int
) -> tuple[Layers, Layers]:
    """Layers of the actor and of the first critic, in float64, of weights as
    `CALFAgent.flat_weights` has them. angles: number of states that are angles. Raises ValueError
    for another number of weights."""
    rest = np.asarray(weights, np.float64)
    seen = state_dim + angles

    def network(twins: int, inputs: int, outputs: int) -> Layers:
        nonlocal rest
        found: Layers = []
        for rows, columns in ((inputs, hidden), (hidden, hidden), (hidden, outputs)):
            matrix, rest = np.split(rest, [twins * rows * columns])
            bias, rest = np.split(rest, [twins * columns])
            if len(bias) < twins * columns:
                raise ValueError(f"{len(weights)} weights are too few")
            found.append((matrix.reshape(twins, rows, columns)[0], bias[:columns]))
        return found

    layers = network(1, seen, action_dim), network(2, seen + action_dim, 1)
    if len(rest):
        raise ValueError(f"{len(weights)} weights, {len(rest)} too many")
    return layers


def _forward(layers: Layers, rows: NDArray[Any]) -> NDArray[Any]:
    """The output (n, out) of a network given by its layers, with ReLU between them."""
    if len(rows) > BLOCK:
        blocks = (rows[i : i + BLOCK] for i in range(0, len(rows), BLOCK))
        return np.concatenate([_forward(layers, block) for block in blocks])
    *hidden, (weights, bias) = layers
    for w, b in hidden:
        rows = rows @ w
        rows += b
        np.maximum(rows, 0.0, out=rows)
    rows = rows @ weights
    rows += bias
    return rows
