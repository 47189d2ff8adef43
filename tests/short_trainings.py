"""Trainings that are cut and resumed: short ones, their files, and whether two are alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from calf_viz.training import train as training
from calf_viz.training.config import TrainingConfig
from calf_viz.training.trainer import Trainer

# Small, but with everything in it: learning, delayed updates, selections, a replay that wraps.
SHORT = TrainingConfig(
    preset="quick", seed=7, episodes=4, steps=60, batch=16, select_every=2, replay=150,
    selection_episodes=2,
)  # fmt: skip


def short_trainer(name: str) -> Trainer:
    return Trainer(SHORT.changed(system=name))


def save(trainer: Trainer, output: Path) -> None:
    """What a training leaves at `output` when it ends, or is stopped."""
    files = training.Files(output, ours=True)
    try:
        files.finish(trainer)
    finally:
        files.close()
        (output.parent / f".{output.name}.lock").unlink()


def everything(trainer: Trainer) -> dict[str, Any]:
    """All that a training is made of, by name."""
    found: dict[str, Any] = dict(trainer.td3.state())
    found |= {f"agent.{name}": tensor for name, tensor in trainer.agent.tensors().items()}
    found |= {f"best.{name}": tensor for name, tensor in (trainer.best or {}).items()}
    found |= {f"memory.{name}": value for name, value in vars(trainer.memory).items()}
    for name in (
        "steps",
        "p_relax",
        "state",
        "episode",
        "done",
        "recent",
        "best_info",
        "config",
    ):
        found[name] = getattr(trainer, name)
    found |= {"rows": trainer.replay.rows, "added": trainer.replay.added}
    return found | {"rng": trainer.rng.bit_generator.state}


def assert_same(one: Trainer, other: Trainer) -> None:
    a, b = everything(one), everything(other)
    assert a.keys() == b.keys()
    for name in a:
        if isinstance(a[name], torch.Tensor | np.ndarray):
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)
            assert a[name].dtype == b[name].dtype, name
        else:
            assert a[name] == b[name], name
