"""Runs' folders: a small training, and what a folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from calf_viz.training import train as training
from calf_viz.training.config import TrainingConfig

# Small, but with everything in it: learning, selections, a replay that wraps, checkpoints dropped.
TINY = {
    "episodes": 9,
    "steps": 40,
    "batch": 16,
    "select_every": 3,
    "selection_episodes": 2,
    "replay": 150,
    "checkpoint_every": 2,
    "checkpoints": 2,
}


def config(**changes: Any) -> TrainingConfig:
    return TrainingConfig.from_preset("quick", system="point_mass", seed=5, **{**TINY, **changes})


def train(root: Path, **changes: Any) -> Path:
    """A whole training; its folder."""
    training.train("point_mass", "quick", 5, progress=False, runs=root, **{**TINY, **changes})
    (folder,) = root.iterdir()
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was never interrupted: the fixture of files that make it theirs."""
    return train(tmp_path_factory.mktemp("runs"))
