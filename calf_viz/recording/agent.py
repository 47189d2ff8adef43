"""The agent of a recording, as it was."""

from __future__ import annotations

import numpy as np

from calf_viz.agent.calf import AgentInfo, CALFAgent
from calf_viz.agent.certificate import Constants
from calf_viz.errors import FileDamaged
from calf_viz.recording.folder import ADVICE
from calf_viz.recording.recording import Recording
from calf_viz.recording.rules import Rules


def recorded_agent(recording: Recording, decided: Rules, critic: int | None) -> CALFAgent:
    """The agent of a recording with the networks of a critic, or untrained ones. Raises
    FileDamaged."""
    found = None if critic is None else recording.critic(critic)
    constants = Constants(decided.nu_bar, decided.c_low, decided.c_up)
    steps = 0 if found is None else max(found.trained, 0)
    info = AgentInfo(steps=steps, hidden=decided.hidden, constants=constants)
    agent = CALFAgent.random(decided.system, np.random.default_rng(0), info)
    if found is not None and found.weights is not None:
        wanted = agent.flat_weights().size
        if found.weights.size != wanted:
            said = f"{found.weights.size} weights, where {wanted} are wanted"
            raise FileDamaged(recording.folder, said, ADVICE)
        agent.set_flat_weights(np.array(found.weights))
    return agent
