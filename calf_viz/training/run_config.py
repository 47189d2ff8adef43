"""A run's `config.toml`: writing and reading it, and what may change when the run is resumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from calf_viz import settings
from calf_viz.errors import FileDamaged, UserError, shown
from calf_viz.files import is_file, write_aside
from calf_viz.training.config import TrainingConfig

KEPT = ("checkpoint_every", "checkpoints", "tensorboard", "recording")
"""Settings for what a run keeps of a training."""
LATER = ("episodes", *KEPT)
"""Settings that may change on resuming: length and what is kept, not what is learnt."""


def read_config(folder: str | Path) -> TrainingConfig:
    """The configuration in a run's `config.toml`.

    Raises:
        UserError: it is missing or invalid.
    """
    path = Path(folder) / "config.toml"
    if not is_file(path):
        raise UserError(
            f"{shown(folder)} is not a run (it has no config.toml): give a folder of runs/"
        )
    values = settings.read_toml(path).get("training", {})
    if not isinstance(values, dict):
        raise FileDamaged(path, f"training = {shown(values)} is not a table", "write [training]")
    return TrainingConfig(**settings.convert(values, TrainingConfig, f" in {shown(path)}"))


def write_config(folder: Path, config: TrainingConfig) -> None:
    """Write `config.toml`, completely or not at all.

    Raises:
        UserError: it cannot be written.
    """
    with write_aside(folder / "config.toml") as part:
        part.write_text(settings.document(training=settings.table(config)), encoding="utf-8")


def continued(
    config: TrainingConfig, changes: Mapping[str, Any], where: str | Path
) -> TrainingConfig:
    """The configuration of a resumed training, with its changes from now on.

    Raises:
        UserError: a setting that is not in `LATER` would change.
    """
    settings.known(changes, settings.fields_of(config), " of a training")
    changed = replace(config, **changes)
    for name in settings.fields_of(config):
        old, new = getattr(config, name), getattr(changed, name)
        if name not in LATER and old != new:
            raise UserError(
                f"{shown(where)} is trained with {name} {old}, not {new}: leave {name} out, "
                "or train anew"
            )
    return changed
