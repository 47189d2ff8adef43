"""Zips as Stable-Baselines3 saves policies, made without it."""

from __future__ import annotations

import io
import json
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def mlp(prefix: str, sizes: list[int], seed: int, last: str | None = None) -> dict[str, Tensor]:
    """Layers PREFIX.0, PREFIX.2 and so on; the last one may be named."""
    generator, found = torch.Generator().manual_seed(seed), {}
    for number, (inputs, outputs) in enumerate(pairwise(sizes)):
        is_last = last is not None and number == len(sizes) - 2
        name = last if is_last else f"{prefix}.{2 * number}"
        weights = torch.randn(outputs, inputs, generator=generator) / inputs**0.5
        found |= {f"{name}.weight": weights, f"{name}.bias": torch.zeros(outputs)}
    return found


def sac(observations: int = 3, actions: int = 1, hidden: int = 8) -> dict[str, Tensor]:
    found = mlp("actor.latent_pi", [observations, hidden, hidden, actions], 0, "actor.mu")
    for number in (0, 1):
        found |= mlp(f"critic.qf{number}", [observations + actions, hidden, hidden, 1], 1 + number)
    return found | mlp("critic_target.qf0", [observations + actions, hidden, hidden, 1], 3)


def dqn(observations: int = 4, actions: int = 2, hidden: int = 8) -> dict[str, Tensor]:
    return mlp("q_net.q_net", [observations, hidden, actions], 0)


def save(
    path: Path,
    state: Any,
    data: dict[str, Any] | None = None,
    compression: int = zipfile.ZIP_STORED,
) -> Path:
    """A zip with `state` as policy.pth: a state_dict, or bytes as they are."""
    contents = state
    if not isinstance(state, bytes):
        buffer = io.BytesIO()
        torch.save(state, buffer)
        contents = buffer.getvalue()
    with zipfile.ZipFile(path, "w", compression) as whole:
        whole.writestr("data", json.dumps(data or {"policy_kwargs": {}}))
        whole.writestr("policy.pth", contents)
    return path
