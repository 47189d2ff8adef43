"""A critic for the GPU: actor and critic as texels of a texture, evaluated in bands of rows.

    weights ──▶ values, band by band ──▶ columns ──▶ range ──▶ scale ──▶ heights (last, current)
                critic_values.frag       lowest, highest,      on the    what u_heightfield
                                         bad nodes             CPU       shows

Texels of `u_critic_weights`, row after row, `COLUMNS` wide:

    0               layers of the actor, of the critic; states; actions
    1               first texel of the states
    2 ...           for each layer: inputs, outputs, activation (0 linear, 1 ReLU, 2 tanh), and
                    its first texel
    then            action limits, four a texel
    then            for each state: its axis of the plane (0, 1), or -1; otherwise its value;
                    whether it is an angle
    layers          for every four outputs: bias, then for every four inputs four texels, the
                    columns of a 4 x 4 matrix; padded with zeros
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from calf_viz.critic_networks import ACTIVATIONS, CriticNetworks, Layer
from calf_viz.value_scale import ValueScale

COLUMNS = 1024
HEADER = 2
BUDGET = 2e-3
"""Seconds per frame that an evaluation may take."""


def critic_texels(networks: CriticNetworks) -> NDArray[np.float32]:
    """Texels of `u_critic_weights`, (rows, `COLUMNS`, 4)."""
    layers = [*networks.actor, *networks.critic]
    limits = _fours(networks.limits)
    states = _state_texels(networks)
    first_state = HEADER + len(layers) + len(limits)
    first = first_state + len(states)
    parts, heads = [], []
    for layer in layers:
        heads.append((*layer.weights.shape, ACTIVATIONS.index(layer.activation), first))
        parts.append(_layer_texels(layer))
        first += len(parts[-1])
    header = [
        (len(networks.actor), len(networks.critic), len(states), len(networks.limits)),
        (first_state, 0, 0, 0),
    ]
    flat = np.concatenate([np.array(header + heads, np.float32), limits, states, *parts])
    rows = math.ceil(len(flat) / COLUMNS)
    texels = np.zeros((rows * COLUMNS, 4), np.float32)
    texels[: len(flat)] = flat
    return texels.reshape(rows, COLUMNS, 4)


def _state_texels(networks: CriticNetworks) -> NDArray[np.float32]:
    texels = np.zeros((len(networks.states), 4), np.float32)
    texels[:, 0] = -1.0
    texels[list(networks.axes), 0] = 0.0, 1.0
    texels[:, 1] = networks.states
    texels[list(networks.angles), 2] = 1.0
    return texels


def _fours(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values, four per texel, (ceil(n / 4), 4), padded with zeros."""
    padded = np.zeros(4 * math.ceil(len(values) / 4), np.float32)
    padded[: len(values)] = values
    return padded.reshape(-1, 4)


def _layer_texels(layer: Layer) -> NDArray[np.float32]:
    inputs, outputs = layer.weights.shape
    ins, outs = math.ceil(inputs / 4), math.ceil(outputs / 4)
    weights = np.zeros((4 * ins, 4 * outs), np.float32)
    weights[:inputs, :outputs] = layer.weights
    blocks = weights.reshape(4 * ins, outs, 4).transpose(1, 0, 2)  # (outs, inputs, four outputs)
    bias = _fours(layer.bias)[:, None, :]
    return np.concatenate([bias, blocks], axis=1).reshape(-1, 4)


KINDS = ("linear", "sqrt", "symlog", "rank")
"""How `critic_heights.frag` warps values before the knots, by number: the first and the last do
not."""


def scale_texels(scale: ValueScale) -> NDArray[np.float32]:
    """Texels of `u_critic_knots`, (1, knots, 4): warped values, ascending, and their levels,
    between which the scale is linear."""
    values, levels = scale.knots if scale.knots[0] else (scale.ends, (0.0, 1.0))
    texels = np.zeros((1, len(values), 4), np.float32)
    texels[0, :, 0] = scale.warped(values)
    texels[0, :, 1] = levels
    return texels


class Bands:
    """Divides an evaluation's rows into bands that stay within a budget.

    The first band of each evaluation is small and timed, until it is drawn; the others have as many
    rows as fit the budget.
    """

    def __init__(self, rows: int, budget: float = BUDGET) -> None:
        self.rows, self.budget = rows, budget
        self.done = 0
        self._each: float | None = None

    @property
    def complete(self) -> bool:
        """Whether no rows are left."""
        return self.done >= self.rows

    @property
    def timed(self) -> bool:
        """Whether to wait for the next band, and report its time to `time`."""
        return self._each is None

    def take(self) -> tuple[int, int]:
        """The next rows, [from, to)."""
        if self._each is None:
            count = max(1, min(8, self.rows // 8))
        else:
            count = max(1, int(self.budget / self._each))
        first, self.done = self.done, min(self.done + count, self.rows)
        return first, self.done

    def time(self, seconds: float) -> None:
        """Set how long the first band took."""
        self._each = max(seconds, 1e-9) / max(self.done, 1)
