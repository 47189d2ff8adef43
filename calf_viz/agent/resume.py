"""`FILE.resume`: everything a trainer needs to go on as if it had never stopped.

Tensors for what is large or must keep every bit, JSON for counters and the generator's state (whose
integers JSON holds whole, and whose floats it gives back exactly).
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from calf_viz import systems
from calf_viz.agent import checkpoint, presets
from calf_viz.agent.calf import shapes
from calf_viz.agent.td3 import TD3Settings
from calf_viz.agent.trainer import Episode, Step, Trainer, TrainerSettings
from calf_viz.errors import UserError
from calf_viz.systems import System

_MEMORY = ("states", "actions", "q_plus", "has_triple")
_TIMELINES = ("timeline", "last_timeline")
_FINITE = ("td3.", "memory.", "best.", "state")
"""Tensors all of whose values must be finite."""


def resume_path(path: str | Path) -> Path:
    """The resume file beside a checkpoint."""
    path = Path(path)
    return path.with_name(path.name + ".resume")


def save(trainer: Trainer, path: str | Path) -> None:
    """Write the trainer's whole state to `path`.

    Raises:
        UserError: the file cannot be written, or `load` would refuse it.
    """
    tensors = {f"td3.{name}": t for name, t in trainer.td3.state().items()}
    tensors |= {f"memory.{n}": torch.from_numpy(getattr(trainer.memory, n)) for n in _MEMORY}
    tensors |= {f"best.{name}": t for name, t in (trainer.best or {}).items()}
    tensors["replay"] = torch.from_numpy(trainer.replay.rows[: len(trainer.replay)])
    tensors["state"] = torch.from_numpy(trainer.state)
    tensors |= {name: _table(getattr(trainer, name), trainer.system) for name in _TIMELINES}
    metadata = {
        "kind": "resume",
        "system": trainer.system.name,
        "preset": asdict(trainer.preset),
        "seed": trainer.seed,
        "settings": asdict(trainer.settings),
        "rng": trainer.rng.bit_generator.state,
        "steps": trainer.steps,
        "p_relax": trainer.p_relax,
        "added": trainer.replay.added,
        "best": trainer.best_info,
        "episode": asdict(trainer.episode),
        "episodes": [asdict(episode) for episode in trainer.episodes],
    }
    for name, tensor in tensors.items():
        if name.startswith(_FINITE) and not _finite(tensor):
            raise UserError(
                f"the training diverged, {name} is not finite after {trainer.steps} steps: "
                f"{path} is not written; train anew, with a lower lr"
            )
    checkpoint.write(path, tensors, metadata)


def load(path: str | Path) -> Trainer:
    """The trainer that `save` wrote to `path`.

    Raises:
        UserError: the file is missing, truncated, a pickle, or not what `save` writes.
    """
    tensors, metadata = checkpoint.read(path, "resume")
    try:
        return _restore(tensors, metadata)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise UserError(f"{path} is damaged ({error}): train anew") from error
    except (UserError, MemoryError) as error:  # an unknown system, a buffer of any size
        raise UserError(f"{path} cannot be resumed ({error}): train anew") from error


def _restore(tensors: dict[str, Tensor], metadata: dict[str, Any]) -> Trainer:
    settings = metadata["settings"]
    trainer = Trainer(
        systems.get(metadata["system"]),
        presets.Preset(**metadata["preset"]),
        metadata["seed"],
        TrainerSettings(**{**settings, "td3": TD3Settings(**settings["td3"])}),
    )

    def part(prefix: str) -> dict[str, Tensor]:
        return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}

    td3 = part("td3.")
    _compare("td3", td3, trainer.td3.state())
    trainer.td3.load_state(td3)
    memory = {name: torch.from_numpy(getattr(trainer.memory, name)) for name in _MEMORY}
    _compare("memory", part("memory."), memory)
    for name in _MEMORY:
        getattr(trainer.memory, name)[:] = tensors[f"memory.{name}"].numpy()
    best = part("best.")
    if best:
        _compare("best", best, trainer.agent.tensors())
        trainer.best = best
    trainer.best_info = metadata["best"]
    rows = tensors["replay"].numpy()
    trainer.replay.added = int(metadata["added"])
    # Assigning would broadcast a single row over all.
    if rows.shape != trainer.replay.rows[: len(trainer.replay)].shape:
        raise ValueError("the replay buffer has a wrong shape")
    trainer.replay.rows[: len(rows)] = rows
    _compare("state", {"": tensors["state"]}, {"": torch.from_numpy(trainer.state)})
    trainer.state = tensors["state"].numpy()
    for name in _TIMELINES:
        if name in tensors:  # files of earlier versions have none
            setattr(trainer, name, _timeline(tensors[name], trainer.system))
    trainer.steps, trainer.p_relax = int(metadata["steps"]), float(metadata["p_relax"])
    trainer.episodes = [Episode(**episode) for episode in metadata["episodes"]]
    trainer.episode = Episode(**metadata["episode"])
    trainer.rng.bit_generator.state = metadata["rng"]
    return trainer


def _table(timeline: list[Step], system: System) -> Tensor:
    """A timeline as rows (mode, q+, floor, ceiling, reward, state), float64."""
    rows = [(*step[1:], *step.state.tolist()) for step in timeline]
    return torch.tensor(rows, dtype=torch.float64).reshape(
        -1, len(Step._fields) - 1 + system.state_dim
    )


def _timeline(table: Tensor, system: System) -> list[Step]:
    if table.ndim != 2 or table.shape[1] != len(Step._fields) - 1 + system.state_dim:
        raise ValueError("a timeline has a wrong shape")
    width = len(Step._fields) - 1
    return [
        Step(np.array(row[width:], dtype=np.float32), int(row[0]), *row[1:width])
        for row in table.tolist()
    ]


def _compare(what: str, given: dict[str, Tensor], mine: dict[str, Tensor]) -> None:
    """Raise ValueError unless names, shapes and types agree and the floats are finite.

    Copying would broadcast a tensor that is too small, and go on training with it.
    """
    if shapes(given) != shapes(mine):
        wrong = sorted(set(shapes(given).items()) ^ set(shapes(mine).items()))[0][0]
        raise ValueError(f"{what} has wrong shapes, see {wrong}")
    for name, tensor in given.items():
        if not _finite(tensor):
            raise ValueError(f"{what} is not finite, see {name}")


def _finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor).all())
