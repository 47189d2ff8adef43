"""`FILE.resume`: everything a trainer needs to go on as if it had never stopped.

Tensors for large data, JSON for counters and the generator's state (JSON preserves its integers and
floats exactly). Its size does not grow with the training: it holds only the last few finished
episodes, in case the metrics file lost their lines.
"""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from calf_viz import systems
from calf_viz.agent import checkpoint
from calf_viz.agent.calf import shapes
from calf_viz.agent.modes import NAMES
from calf_viz.errors import FileTrouble, UserError, shown
from calf_viz.files import parsing
from calf_viz.settings import fields_of, known
from calf_viz.systems import System
from calf_viz.training.config import SIZE, TrainingConfig
from calf_viz.training.trainer import Episode, Step, Trainer

_MEMORY = ("states", "actions", "q_plus", "has_triple")
_TIMELINES = ("timeline", "last_timeline")
_SETTINGS = (
    "replay", "exploration", "reward_scale", "certificate", "lambda_relax", "selection_episodes",
)  # fmt: skip
_TD3 = ("lr", "gamma", "tau", "target_noise", "target_noise_clip", "policy_delay")
"""How a file groups the settings."""
_FINITE = ("td3.", "memory.", "best.", "replay", "state")
"""Tensors all of whose values must be finite."""
MOST = 2**53
"""A count that no training reaches."""
TAIL = 64
"""Newest episodes stored in a file."""


def resume_path(path: str | Path) -> Path:
    """The resume file beside a checkpoint."""
    path = Path(path)
    return path.parent / f"{path.name}.resume"


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
    config = trainer.config
    metadata = {
        "kind": "resume",
        "system": trainer.system.name,
        "preset": {"name": config.preset, **_values(config, SIZE)},
        "seed": config.seed,
        "settings": {**_values(config, _SETTINGS), "td3": _values(config, _TD3)},
        "rng": trainer.rng.bit_generator.state,
        "steps": trainer.steps,
        "p_relax": trainer.p_relax,
        "added": trainer.replay.added,
        "best": trainer.best_info,
        "episode": asdict(trainer.episode),
        "episodes": trainer.done,
        "recent": [asdict(episode) for episode in list(trainer.recent)[-TAIL:]],
    }
    for name, tensor in tensors.items():
        if name.startswith(_FINITE) and not _finite(tensor):
            raise UserError(
                f"the training diverged, {name} is not finite after {trainer.steps} steps: "
                f"{path} is not written; train anew, with a lower lr"
            )
    checkpoint.write(path, tensors, metadata)


def _values(config: TrainingConfig, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(config, name) for name in names}


def load(path: str | Path) -> Trainer:
    """The trainer that `save` wrote to `path`; `recent` has at most the last `RECENT` episodes.

    Raises:
        FileTrouble: the file is missing or cannot be read, a newer calf_viz made it, or its system
            is unknown here.
        FileDamaged: it is truncated, a pickle, or not what `save` writes.
    """
    tensors, metadata = checkpoint.read(path, "resume")
    with parsing(path, "a training's state", "give another, or train anew"):
        config = _config(path, metadata)
        return _restore(Trainer(config), tensors, metadata)


def _config(path: str | Path, metadata: dict[str, Any]) -> TrainingConfig:
    """The configuration, with every value checked, so that nothing of arbitrary size is
    allocated."""
    system = metadata["system"]
    if system not in systems.names():
        reason = f"it is for system {shown(system)}, which is unknown here"
        raise FileTrouble(path, reason, "say where that is (`system` ./mine.py), or train anew")
    settings = {**metadata["settings"], **metadata["settings"]["td3"], **metadata["preset"]}
    del settings["td3"]
    values = {"system": system, "seed": metadata["seed"], "preset": settings.pop("name")}
    try:
        known(settings, fields_of(TrainingConfig))
        return TrainingConfig(**values, **settings)
    except UserError as error:
        raise ValueError(error) from error


def _restore(trainer: Trainer, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> Trainer:
    def part(prefix: str) -> dict[str, Tensor]:
        return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}

    trainer.steps = _whole(metadata["steps"], "steps")
    trainer.p_relax = _share(metadata["p_relax"], "p_relax")
    td3 = part("td3.")
    _compare("td3", td3, trainer.td3.state())
    # Each step adds a transition and, once there is a full batch, updates the networks.
    updates = max(0, trainer.steps - trainer.config.batch + 1)
    expected = {"updates": updates, "adam.critic.steps": updates}
    expected["adam.actor.steps"] = updates // trainer.config.policy_delay
    if metadata["added"] != trainer.steps or any(int(td3[n]) != c for n, c in expected.items()):
        raise ValueError("its counts contradict each other")
    trainer.replay.added = trainer.steps
    trainer.td3.load_state(td3)
    memory = {name: torch.from_numpy(getattr(trainer.memory, name)) for name in _MEMORY}
    _compare("memory", part("memory."), memory)
    for name in _MEMORY:
        getattr(trainer.memory, name)[:] = tensors[f"memory.{name}"].numpy()
    best = part("best.")
    if best:
        _compare("best", best, trainer.agent.tensors())
        trainer.best, trainer.best_info = best, _best(metadata["best"])
    rows = trainer.replay.rows[: len(trainer.replay)]
    _compare("replay", {"": tensors["replay"]}, {"": torch.from_numpy(rows)})
    rows[:] = tensors["replay"].numpy()
    _compare("state", {"": tensors["state"]}, {"": torch.from_numpy(trainer.state)})
    trainer.state = tensors["state"].numpy()
    for name in _TIMELINES:
        if name in tensors:  # files of earlier versions have none
            setattr(trainer, name, _timeline(tensors[name], trainer.system))
    _set_episodes(trainer, metadata)
    trainer.rng.bit_generator.state = metadata["rng"]
    return trainer


def _set_episodes(trainer: Trainer, metadata: dict[str, Any]) -> None:
    if metadata["format"] == 1:  # which held all episodes
        recent, done = metadata["episodes"], len(metadata["episodes"])
    else:
        recent, done = metadata["recent"], _whole(metadata["episodes"], "episodes")
    first = done - len(recent)
    trainer.done = done
    trainer.recent.extend(_episode(e, first + i) for i, e in enumerate(recent))
    trainer.episode = _episode(metadata["episode"], done)
    if first < 0 or not 0 <= trainer.episode.steps <= min(trainer.config.steps, trainer.steps):
        raise ValueError("its counts contradict each other")


def _episode(values: dict[str, Any], number: int) -> Episode:
    """The episode with this number, its values checked."""
    found = Episode(**values)
    modes = [_whole(mode, "modes") for mode in found.modes]
    if found.episode != number or len(modes) != len(NAMES):
        raise ValueError(f"episode {number} is out of place")
    if _whole(found.steps, "steps") != sum(modes) or type(found.goal) is not bool:
        raise ValueError(f"episode {number} contradicts itself")
    if type(found.ret) is not float:
        raise ValueError(f"episode {number} has no return")
    found.p_relax = _share(found.p_relax, "p_relax")
    return found


def _best(values: dict[str, Any]) -> dict[str, float]:
    """The figures of the best agent so far, checked."""
    for name in ("steps", "episode"):
        _whole(values[name], name)
    for name in ("goal", "p_relax"):
        _share(values[name], name)
    if type(values["cost"]) is not float or len(values) != 5:
        raise ValueError("best has wrong values")
    return values


def _whole(value: Any, name: str) -> int:
    """A count."""
    if type(value) is not int or not 0 <= value < MOST:
        raise ValueError(f"{name} = {shown(value)} is not a count")
    return value


def _share(value: Any, name: str) -> float:
    """A number from 0 to 1."""
    if type(value) not in (int, float) or not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} = {shown(value)} is not from 0 to 1")
    return float(value)


def _table(timeline: list[Step], system: System) -> Tensor:
    """A timeline as rows (mode, q+, floor, ceiling, reward, state), float64."""
    rows = [(*step[1:], *step.state.tolist()) for step in timeline]
    return torch.tensor(rows, dtype=torch.float64).reshape(
        -1, len(Step._fields) - 1 + system.state_dim
    )


def _timeline(table: Tensor, system: System) -> list[Step]:
    width = len(Step._fields) - 1
    if table.dtype != torch.float64 or table.ndim != 2:
        raise ValueError("a timeline has a wrong shape")
    if table.shape[1] != width + system.state_dim or not _finite(table[:, width:]):
        raise ValueError("a timeline has wrong states")
    if any(mode not in range(len(NAMES)) for mode in table[:, 0].tolist()):
        raise ValueError("a timeline has wrong modes")
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
