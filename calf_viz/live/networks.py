"""An agent's networks as the GPU takes them."""

from __future__ import annotations

import numpy as np

from calf_viz.agent.calf import CALFAgent
from calf_viz.render.critic import CriticNetworks, Layer


def critic_networks(agent: CALFAgent, slice_value: float = 0.0) -> CriticNetworks:
    """What L(s) = -Q1(s, actor(s)) is made of, on the plane shown.

    Raises UserError for networks that are too wide.
    """

    def layers(network: str, last: str) -> list[Layer]:
        activations = zip(agent.layers(network), ("relu", "relu", last), strict=True)
        return [Layer(np.array(w), np.array(b), activation) for (w, b), activation in activations]

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
