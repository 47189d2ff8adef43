"""Policies of fully connected layers, as Stable-Baselines3 trains them, rebuilt from their tensors.

Layers are found by the names and shapes of their weights; what has other parts is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from calf_viz.agent import checkpoint, policy_zip
from calf_viz.errors import FileDamaged, shown

STANDARD = "give one of MlpPolicy, with fully connected layers alone"
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}
ALGORITHMS = ("PPO or A2C", "SAC", "TD3", "DDPG", "DQN")
VALUES = {
    "PPO or A2C": "V(s)", "SAC": "min Q(s, π(s))", "TD3": "min Q(s, π(s))", "DDPG": "Q(s, π(s))",
    "DQN": "max Q(s, a)",
}  # fmt: skip
"""Name of each one's critic."""
MOST_LAYERS = 32
BATCH = 4096
"""Observations evaluated at once, so that a fine grid takes little memory."""


@dataclass(frozen=True)
class Network:
    """Linear layers with an activation between them: weights (outputs, inputs), biases
    (outputs,)."""

    layers: Sequence[tuple[Tensor, Tensor]]
    activation: str

    @property
    def inputs(self) -> int:
        return int(self.layers[0][0].shape[1])

    @property
    def outputs(self) -> int:
        return int(self.layers[-1][0].shape[0])

    def __call__(self, x: Tensor) -> Tensor:
        function = ACTIVATIONS[self.activation]
        for number, (weights, bias) in enumerate(self.layers):
            x = torch.nn.functional.linear(x if number == 0 else function(x), weights, bias)
        return x


class MlpPolicy:
    """A policy and its critic.

    Attributes:
        algorithm: one of `ALGORITHMS`.
        activation: between the layers, `relu` or `tanh`.
        tensors: the weights that are used, by Stable-Baselines3's names.
        bounded: whether actions are from -1 to 1 and stand for the action space's range.
    """

    def __init__(
        self, tensors: dict[str, Tensor], activation: str | None = None, where: str | Path = "model"
    ) -> None:
        """activation: None for the algorithm's usual. Raises FileDamaged for other parts than those
        of a standard policy."""
        self._where = where
        # The targets of training take no part in what a policy does.
        kept = {name: t for name, t in tensors.items() if "_target." not in name}
        self.algorithm = self._recognised(kept)
        usual = "tanh" if self.algorithm == "PPO or A2C" else "relu"
        self.activation = activation or usual
        self.bounded = self.algorithm in ("SAC", "TD3", "DDPG")
        self.tensors: dict[str, Tensor] = {}
        self._unused = dict(kept)
        self._critics: list[Network] = []
        self._build()
        if self._unused:
            raise self._other(f"has {shown(min(self._unused))}")

    @classmethod
    def load(cls, path: str | Path) -> MlpPolicy:
        """The policy in a zip of Stable-Baselines3's, or in a file that `save` wrote.

        Raises:
            UserError: it cannot be read, or is of another kind.
        """
        if Path(path).suffix.lower() == ".safetensors":
            tensors, metadata = checkpoint.read(path, "policy")
            if metadata.get("activation") not in ACTIVATIONS:
                raise FileDamaged(path, "its activation is unknown", "convert the model anew")
            return cls(tensors, metadata["activation"], path)
        saved = policy_zip.read(path)
        return cls(saved.tensors, saved.activation, path)

    def save(self, path: str | Path) -> None:
        """Write what `load` reads, as safetensors. Raises UserError if it cannot be written."""
        head = {"kind": "policy", "algorithm": self.algorithm, "activation": self.activation}
        checkpoint.write(path, self.tensors, head)

    @property
    def observations(self) -> int:
        """Entries of an observation."""
        return self._actor.inputs

    @property
    def actions(self) -> int:
        """Outputs of the actor: entries of an action, or choices."""
        return self._actor.outputs

    @property
    def value_name(self) -> str:
        return VALUES[self.algorithm]

    @property
    def may_be_continuous(self) -> bool:
        """Whether its actions can be numbers: PPO's and A2C's have a spread then."""
        return self.bounded or "log_std" in self.tensors

    @property
    def where(self) -> Path:
        """The file that it is from."""
        return Path(self._where).absolute()

    @property
    def name(self) -> str:
        """Its algorithm and the file that it is from: "SAC, sac.zip"."""
        return f"{self.algorithm}, {shown(Path(self._where).name)}"

    def act(self, observations: NDArray[Any]) -> NDArray[np.float32]:
        """What the actor gives without noise, (n, actions): for a choice the preferences, which the
        largest wins; else the action, from -1 to 1 if `bounded`."""
        return self._evaluated(self._action, observations)

    def value(self, observations: NDArray[Any]) -> NDArray[np.float32]:
        """The critic's value of observations (n, d), (n,)."""
        return self._evaluated(self._value, observations)

    def _evaluated(self, function: Any, observations: NDArray[Any]) -> NDArray[np.float32]:
        given = torch.from_numpy(np.ascontiguousarray(observations, dtype=np.float32))
        with torch.no_grad():
            parts = [function(part) for part in given.split(BATCH)]
        return np.asarray(torch.cat(parts).numpy(), dtype=np.float32)

    def _action(self, x: Tensor) -> Tensor:
        found = self._actor(x)
        return torch.tanh(found) if self.bounded else found

    def _value(self, x: Tensor) -> Tensor:
        if self.algorithm == "DQN":
            return self._actor(x).max(dim=1).values
        if self.algorithm == "PPO or A2C":
            return self._critics[0](x)[:, 0]
        pairs = torch.cat([x, self._action(x)], dim=1)
        return torch.stack([critic(pairs)[:, 0] for critic in self._critics]).min(dim=0).values

    # From the tensors

    def _recognised(self, tensors: dict[str, Tensor]) -> str:
        signs = {
            "q_net.q_net.0.weight": "DQN",
            "action_net.weight": "PPO or A2C",
            "actor.mu.weight": "SAC",
        }
        for name, algorithm in signs.items():
            if name in tensors:
                return algorithm
        if "actor.mu.0.weight" in tensors and "actor.log_std" not in tensors:  # but no gSDE
            return "TD3" if "critic.qf1.0.weight" in tensors else "DDPG"
        raise self._other("has no layers of one of " + ", ".join(ALGORITHMS))

    def _build(self) -> None:
        if self.algorithm == "DQN":
            self._actor = self._network("q_net.q_net")
            return
        if self.algorithm == "PPO or A2C":
            self._actor = self._network("mlp_extractor.policy_net", "action_net")
            self._critics = [self._network("mlp_extractor.value_net", "value_net")]
            if "log_std" in self._unused:
                self.tensors["log_std"] = self._unused.pop("log_std")
        else:
            hidden = "actor.latent_pi" if self.algorithm == "SAC" else "actor.mu"
            self._actor = self._network(hidden, *(["actor.mu"] if self.algorithm == "SAC" else []))
            for part in ("weight", "bias"):  # how far SAC strays from its action
                self._unused.pop(f"actor.log_std.{part}", None)
            numbers = {m[1] for n in self._unused if (m := re.match(r"critic\.qf(\d{1,2})\.", n))}
            self._critics = [self._network(f"critic.qf{number}") for number in sorted(numbers)]
            if not self._critics:
                raise self._other("has no critic")
        extra = 0 if self.algorithm == "PPO or A2C" else self._actor.outputs
        for critic in self._critics:
            if critic.inputs != self._actor.inputs + extra or critic.outputs != 1:
                raise self._other(f"has a critic of {critic.inputs} numbers")

    def _network(self, prefix: str, last: str | None = None) -> Network:
        """Layers PREFIX.0, PREFIX.2 and so on, activations between them, and a last one."""
        names = [f"{prefix}.{number}" for number in range(0, 2 * MOST_LAYERS, 2)]
        names = list(takewhile(lambda name: f"{name}.weight" in self._unused, names))
        layers: list[tuple[Tensor, Tensor]] = []
        for name in [*names, *([last] if last else [])]:
            weights, bias = (
                self._unused.pop(f"{name}.{part}", None) for part in ("weight", "bias")
            )
            if weights is None or bias is None or weights.ndim != 2:
                raise self._other(f"has no layer {name}")
            fits = not layers or layers[-1][0].shape[0] == weights.shape[1]
            if not fits or tuple(bias.shape) != (weights.shape[0],) or 0 in weights.shape:
                raise self._other(f"has a layer {name} of shape {tuple(weights.shape)}")
            layers.append((weights, bias))
            self.tensors |= {f"{name}.weight": weights, f"{name}.bias": bias}
        if not layers:
            raise self._other(f"has no layers {prefix}")
        return Network(layers, self.activation)

    def _other(self, what: str) -> FileDamaged:
        return FileDamaged(self._where, f"a policy of another kind: it {what}", STANDARD)
