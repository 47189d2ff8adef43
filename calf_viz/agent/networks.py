"""The networks of TD3: an actor and twin critics, each with two hidden layers of 64 ReLU.

Weights are drawn from a NumPy generator (uniform within 1/sqrt(fan-in), torch's own default), so
that a single seed determines a training and torch's global state is not touched.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

HIDDEN = 64


def _uniform(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> nn.Parameter:
    bound = fan_in**-0.5
    return nn.Parameter(torch.from_numpy(rng.uniform(-bound, bound, shape).astype(np.float32)))


def encode(states: Tensor, angles: Sequence[int]) -> Tensor:
    """States as network inputs: each angle [rad] is replaced by its cosine and sine.

    A raw angle jumps by a full turn at pi, and a ReLU network would waste its capacity on that
    cliff.
    """
    if not angles:
        return states
    parts, begin = [], 0
    for axis in sorted(angles):
        angle = states[:, axis : axis + 1]
        parts += [states[:, begin:axis], angle.cos(), angle.sin()]
        begin = axis + 1
    return torch.cat((*parts, states[:, begin:]), dim=1)


class Actor(nn.Module):
    """States (n, state_dim) to actions (n, action_dim), within the action limits by tanh."""

    limits: Tensor
    w1: Tensor
    w2: Tensor
    w3: Tensor
    b1: Tensor
    b2: Tensor
    b3: Tensor

    def __init__(
        self,
        state_dim: int,
        action_limits: np.ndarray,
        rng: np.random.Generator,
        hidden: int = HIDDEN,
        angles: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.angles = tuple(angles)
        inputs = state_dim + len(self.angles)
        sizes = (inputs, hidden, hidden, len(action_limits))
        for layer, (i, o) in enumerate(pairwise(sizes), start=1):
            setattr(self, f"w{layer}", _uniform(rng, (i, o), i))
            setattr(self, f"b{layer}", _uniform(rng, (o,), i))
        limits = torch.as_tensor(action_limits, dtype=torch.float32)
        self.register_buffer("limits", limits, persistent=False)

    def forward(self, states: Tensor) -> Tensor:
        h = torch.relu(torch.addmm(self.b1, encode(states, self.angles), self.w1))
        h = torch.relu(torch.addmm(self.b2, h, self.w2))
        return torch.tanh(torch.addmm(self.b3, h, self.w3)) * self.limits


class TwinCritic(nn.Module):
    """Q1 and Q2 of (states, actions), stacked: each weight is (2, in, out), each bias (2, 1, out).

    Stacking makes the pair one batched product per layer, which halves the time of an update.
    """

    w1: Tensor
    w2: Tensor
    w3: Tensor
    b1: Tensor
    b2: Tensor
    b3: Tensor

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        rng: np.random.Generator,
        hidden: int = HIDDEN,
        angles: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.angles = tuple(angles)
        inputs = state_dim + len(self.angles)
        sizes = (inputs + action_dim, hidden, hidden, 1)
        for layer, (i, o) in enumerate(pairwise(sizes), start=1):
            setattr(self, f"w{layer}", _uniform(rng, (2, i, o), i))
            setattr(self, f"b{layer}", _uniform(rng, (2, 1, o), i))

    def forward(self, states: Tensor, actions: Tensor) -> Tensor:
        """Q1 and Q2, (2, n)."""
        x = torch.cat((encode(states, self.angles), actions), dim=1).expand(2, -1, -1)
        h = torch.relu(torch.baddbmm(self.b1, x, self.w1))
        h = torch.relu(torch.baddbmm(self.b2, h, self.w2))
        return torch.baddbmm(self.b3, h, self.w3).squeeze(2)

    def q1(self, states: Tensor, actions: Tensor) -> Tensor:
        """Q1 alone, (n,), with the critic's weights held fixed (no gradient flows to them)."""
        w1, w2, w3 = (p.detach()[0] for p in (self.w1, self.w2, self.w3))
        b1, b2, b3 = (p.detach()[0] for p in (self.b1, self.b2, self.b3))
        x = torch.cat((encode(states, self.angles), actions), dim=1)
        h = torch.relu(torch.addmm(b1, x, w1))
        h = torch.relu(torch.addmm(b2, h, w2))
        return torch.addmm(b3, h, w3).squeeze(1)


def flatten(module: nn.Module) -> nn.Parameter:
    """Move a module's parameters and gradients into one vector each, and make them views of it.

    The optimiser then steps one tensor and Polyak averaging is one call, where dozens of small ones
    would cost more than the arithmetic.
    """
    parameters = list(module.parameters())
    flat = nn.Parameter(torch.cat([p.detach().reshape(-1) for p in parameters]))
    flat.grad = torch.zeros_like(flat)
    start = 0
    for p in parameters:
        end = start + p.numel()
        p.data = flat.data[start:end].view(p.shape)
        p.grad = flat.grad[start:end].view(p.shape)
        start = end
    return flat
