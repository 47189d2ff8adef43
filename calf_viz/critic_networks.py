"""A critic's networks as data, for evaluation on the GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError

WIDEST = 256
"""Units of a layer, inputs included, that the shader has room for."""
MOST_ACTIONS = 16
ACTIVATIONS = ("linear", "relu", "tanh")


@dataclass(frozen=True)
class Layer:
    """activation(x @ weights + bias); weights (inputs, outputs), bias (outputs,)."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    activation: str


@dataclass(frozen=True)
class CriticNetworks:
    """L(s) = -critic(encoded s, a) with a = limits * actor(encoded s).

    Each angle among the states is replaced by its cosine and sine. The actor's last layer is a tanh
    for actions within the limits; the critic's has one output.

    Attributes:
        states: value of each state that is not one of the plane's two axes, (state_dim,).
    """

    actor: Sequence[Layer]
    critic: Sequence[Layer]
    limits: NDArray[np.float32]
    states: NDArray[np.float32]
    axes: tuple[int, int] = (0, 1)
    angles: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        inputs = len(self.states) + len(self.angles)
        actions = len(self.limits)
        if actions > MOST_ACTIONS:
            raise UserError(f"`critic_on_gpu`: {actions} actions are more than {MOST_ACTIONS}")
        for network, first, last in (
            (self.actor, inputs, actions), (self.critic, inputs + actions, 1)
        ):  # fmt: skip
            width = first
            for layer in network:
                if layer.activation not in ACTIVATIONS:
                    raise UserError(f"`critic_on_gpu`: a layer of {layer.activation} is unknown")
                if layer.weights.shape != (width, len(layer.bias)):
                    raise ValueError(f"weights {layer.weights.shape} for {width} inputs")
                if max(layer.weights.shape) > WIDEST:
                    raise UserError(
                        f"`critic_on_gpu`: a layer of {max(layer.weights.shape)} is wider than "
                        f"{WIDEST}: leave it out"
                    )
                width = len(layer.bias)
            if width != last:
                raise ValueError(f"a network with {width} outputs for {last}")

    @property
    def products(self) -> int:
        """Multiplications per node."""
        return sum(layer.weights.size for layer in (*self.actor, *self.critic))
