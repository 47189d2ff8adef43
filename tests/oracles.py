"""What the program computes for all agents at once, for one, in plain Python: easy to check."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.certificate import DEFAULTS, CertificateMemory, Constants
from calf_viz.agent.modes import CERTIFIED, NOMINAL, RELAX
from calf_viz.heightfield import Heightfield

Floats32 = NDArray[np.float32]


def decide_one(
    q: float,
    norm: float,
    q_plus: float,
    has_triple: bool,
    p_relax: float,
    u: float,
    constants: Constants = DEFAULTS,
) -> int:
    """`certificate.decide` for one agent; agrees with it exactly."""
    if math.isfinite(q):
        square = norm * norm
        decrease = q - q_plus >= constants.nu_bar
        bounds = constants.c_low * square <= -q <= constants.c_up * square
        if not has_triple or (decrease and bounds):
            return CERTIFIED
    return RELAX if u < p_relax else NOMINAL


def act_one(
    agent: CALFAgent,
    state: NDArray[Any],
    memory: CertificateMemory,
    p_relax: float,
    rng: np.random.Generator,
    index: int = 0,
) -> tuple[Floats32, int]:
    """`CALFAgent.act` for the agent at `index` of `memory`: action (action_dim,) and mode."""
    row = np.asarray(state, dtype=np.float32)[None]
    action = agent.actor_actions(row)[0]
    q = float(agent.q_values(row, action[None])[0])
    mode = decide_one(
        q,
        float(agent.system.norm(row)[0]),
        float(memory.q_plus[index]),
        bool(memory.has_triple[index]),
        p_relax,
        float(rng.random()),
        agent.info.constants,
    )
    if mode == CERTIFIED:
        memory.states[index], memory.actions[index] = row[0], action
        memory.q_plus[index], memory.has_triple[index] = q, True
    elif mode == NOMINAL:
        action = agent.system.nominal(row)[0]
    return action, mode


def heights_loop(field: Heightfield, states: ArrayLike) -> NDArray[np.float64]:
    """`Heightfield.heights`, one state at a time."""
    rows, columns = field.shape
    result = []
    for state in np.asarray(states, dtype=np.float64):
        position = []
        for axis, lo, hi, cells in zip(
            (0, 1), field.lo, field.hi, (columns - 1, rows - 1), strict=True
        ):
            position.append(min(max((state[axis] - lo) / (hi - lo), 0.0), 1.0) * cells)
        column = min(int(position[0]), columns - 2)
        row = min(int(position[1]), rows - 2)
        x, y = position[0] - column, position[1] - row
        z10, z01 = float(field.values[row, column + 1]), float(field.values[row + 1, column])
        if x + y <= 1.0:
            corner = float(field.values[row, column])
            result.append(corner + x * (z10 - corner) + y * (z01 - corner))
        else:
            corner = float(field.values[row + 1, column + 1])
            result.append(corner + (1 - y) * (z10 - corner) + (1 - x) * (z01 - corner))
    return np.array(result)
