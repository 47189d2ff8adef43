"""An agent's networks as the GPU takes them."""

from __future__ import annotations

import numpy as np

from calf_viz.agent.calf import CALFAgent
from calf_viz.render.critic import CriticNetworks, Layer


def critic_networks(agent: CALFAgent, slice_value: float = 0.0) -> CriticNetworks:
    """What L(s) = -Q1(s, actor(s)) is made of, on the plane shown.

    Raises UserError for networks that are too wide.
    """
    tensors = {name: tensor.detach().numpy() for name, tensor in agent.tensors().items()}

    def layers(network: str, last: str) -> list[Layer]:
        found = []
        for number, activation in enumerate(("relu", "relu", last), start=1):
            weights, bias = tensors[f"{network}.w{number}"], tensors[f"{network}.b{number}"]
            if network == "critic":  # of the twins, the first
                weights, bias = weights[0], bias[0, 0]
            found.append(Layer(np.array(weights), np.array(bias), activation))
        return found

    system = agent.system
    return CriticNetworks(
        layers("actor", "tanh"),
        layers("critic", "linear"),
        np.asarray(system.action_limits, np.float32),
        system.state_dim,
        system.plane.axes,
        slice_value,
        system.heading_axis,
    )
