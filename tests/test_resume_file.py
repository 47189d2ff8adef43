"""A training's resume file: what is damaged is refused, and older formats go on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from short_trainings import assert_same, save, short_trainer

from calf_viz.agent import checkpoint
from calf_viz.errors import FileDamaged, FileTrouble, UserError
from calf_viz.training import resume


def test_files_group_the_settings_as_they_always_did(tmp_path: Path) -> None:
    """Written with the names below since format 1, so that files of any age are read."""
    resume.save(short_trainer("point_mass"), tmp_path / "a.resume")
    with safe_open(tmp_path / "a.resume", "pt") as file:
        metadata = json.loads(file.metadata()["calf_viz"])
    assert metadata["preset"] == {
        "name": "quick", "episodes": 4, "steps": 60, "batch": 16, "select_every": 2,
    }  # fmt: skip
    assert metadata["settings"] == {
        "replay": 150, "exploration": 0.1, "reward_scale": 10.0, "certificate": True,
        "lambda_relax": 0.99995, "selection_episodes": 2,
        "td3": {
            "lr": 3e-4, "gamma": 0.99, "tau": 0.005, "target_noise": 0.2,
            "target_noise_clip": 0.5, "policy_delay": 2,
        },
    }  # fmt: skip


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_could_not_be_resumed_is_not_written(tmp_path: Path, bad: float) -> None:
    trainer = short_trainer("point_mass")
    output = tmp_path / "a.safetensors"
    save(trainer, output)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    trainer.step()
    trainer.td3.flats["critic"].data[3] = bad
    with pytest.raises(UserError, match=r"diverged, td3.flat.critic is not finite after 1 steps"):
        save(trainer, output)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "a.resume"
    trainer = short_trainer("point_mass")
    for _ in range(40):
        trainer.step()
    trainer.best = {name: tensor.clone() for name, tensor in trainer.agent.tensors().items()}
    trainer.best_info = {"goal": 0.5, "cost": 9.0, "steps": 30, "p_relax": 0.9, "episode": 0}
    resume.save(trainer, path)
    return path


def nest(depth: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(depth):
        made = [made]
    return made


Damage = Callable[[dict[str, torch.Tensor], dict[str, Any]], object]


DAMAGES: dict[str, Damage] = {
    "no replay": lambda t, m: t.pop("replay"),
    "a short replay": lambda t, m: t.update(replay=t["replay"][:1].clone()),
    "a narrow replay": lambda t, m: t.update(replay=t["replay"][:, :1].clone()),
    "weights that would broadcast": lambda t, m: t.update({"td3.flat.actor": torch.zeros(1)}),
    "a missing moment": lambda t, m: t.pop("td3.adam.critic.mean"),
    "a NaN weight": lambda t, m: t["td3.flat.critic"][3].fill_(torch.nan),
    "a NaN best weight": lambda t, m: t["best.actor.b1"].fill_(torch.nan),
    "best weights of another shape": lambda t, m: t.update({"best.actor.b1": torch.zeros(1)}),
    "a memory of two agents": lambda t, m: t.update({"memory.q_plus": torch.zeros(2).double()}),
    "a state of another system": lambda t, m: t.update(state=torch.zeros(1, 3)),
    "no generator": lambda t, m: m.pop("rng"),
    "another generator": lambda t, m: m["rng"].update(bit_generator="MT19937"),
    "a negative generator": lambda t, m: m["rng"]["state"].update(state=-1),
    "an unknown setting": lambda t, m: m["settings"].update(rate=1),
    "settings that are none": lambda t, m: m.update(settings=3),
    "a buffer beyond memory": lambda t, m: m["settings"].update(replay=10**15),
    "a wrong count": lambda t, m: m.update(added=5),
    "steps that are no number": lambda t, m: m.update(steps="many"),
    "steps without end": lambda t, m: m.update(steps=float("inf")),
    "steps of 400 digits": lambda t, m: m.update(steps=10**400, added=10**400),
    "half a step": lambda t, m: m.update(steps=40.5),
    "steps that others contradict": lambda t, m: m.update(steps=41),
    "fewer than no steps": lambda t, m: m.update(steps=-1, added=-1),
    "updates that others contradict": lambda t, m: t["td3.updates"].fill_(3),
    "an optimiser without a step": lambda t, m: t["td3.adam.actor.steps"].fill_(0),
    "P_relax of 7": lambda t, m: m.update(p_relax=7),
    "P_relax of NaN": lambda t, m: m.update(p_relax=float("nan")),
    "P_relax that is a list": lambda t, m: m.update(p_relax=[0.5]),
    "a complex replay": lambda t, m: t.update(replay=t["replay"].to(torch.complex64)),
    "a replay of integers": lambda t, m: t.update(replay=t["replay"].long()),
    "a NaN transition": lambda t, m: t["replay"][3].fill_(torch.nan),
    "a complex state": lambda t, m: t.update(state=t["state"].to(torch.complex64)),
    "a timeline of integers": lambda t, m: t.update(timeline=t["timeline"].long()),
    "a timeline in a mode that there is not": lambda t, m: t["timeline"][:, 0].fill_(7),
    "a seed below nought": lambda t, m: m.update(seed=-1),
    "a batch of billions": lambda t, m: m["preset"].update(batch=10**10),
    "a discount above one": lambda t, m: m["settings"]["td3"].update(gamma=2.0),
    "settings that are switches": lambda t, m: m["settings"].update(replay=True),
    "episodes without end": lambda t, m: m.update(episodes=float("inf")),
    "fewer episodes than it tells of": lambda t, m: m.update(recent=[m["episode"]]),
    "an episode of minus one step": lambda t, m: m["episode"].update(steps=-1),
    "an episode longer than any": lambda t, m: m["episode"].update(steps=99, modes=[99, 0, 0]),
    "modes that contradict the steps": lambda t, m: m["episode"].update(modes=[0, 0, 1]),
    "a fourth mode": lambda t, m: m["episode"].update(modes=[*m["episode"]["modes"], 0]),
    "a return that is text": lambda t, m: m["episode"].update(ret="-3"),
    "a best agent of no cost": lambda t, m: m["best"].pop("cost"),
    "a nest of lists": lambda t, m: m.update(rng=nest(300)),
    "an episode of other columns": lambda t, m: m["episode"].update(colour="red"),
    "an old format": lambda t, m: m.update(format=0),
    "another kind": lambda t, m: m.update(kind="agent"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_resume_file_is_refused(name: str, whole: Path, tmp_path: Path) -> None:
    with safe_open(whole, framework="pt") as file:
        metadata = json.loads(file.metadata()["calf_viz"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
    DAMAGES[name](tensors, metadata)
    path = tmp_path / "damaged.resume"
    checkpoint.write(path, tensors, metadata)
    with pytest.raises(FileDamaged) as caught:
        resume.load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 99}, "a newer calf_viz made it .format 99, this one reads up to 3.; update"),
        (
            {"system": "no_such_system"},
            "it is for system no_such_system, which is unknown here; say where that is",
        ),
    ],
)
def test_a_resume_file_of_another_calf_viz_is_not_called_damaged(
    whole: Path, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with safe_open(whole, framework="pt") as file:
        metadata = json.loads(file.metadata()["calf_viz"]) | change
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
    checkpoint.write(tmp_path / "a.resume", tensors, metadata)
    with pytest.raises(FileTrouble, match=said):
        resume.load(tmp_path / "a.resume")


def test_resume_files_of_the_first_format_go_on(tmp_path: Path) -> None:
    """They hold all episodes."""
    trainer = short_trainer("point_mass")
    trainer.run(stop=lambda: trainer.steps >= 130)
    resume.save(trainer, tmp_path / "a.resume")
    with safe_open(tmp_path / "a.resume", framework="pt") as file:
        metadata = json.loads(file.metadata()["calf_viz"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
    assert metadata["episodes"] == len(metadata["recent"]) > 1
    metadata |= {"format": 1, "episodes": metadata.pop("recent")}
    del metadata["digest"]
    save_file(tensors, tmp_path / "old.resume", {"calf_viz": json.dumps(metadata)})
    assert_same(resume.load(tmp_path / "old.resume"), trainer)


def test_a_flipped_bit_is_damage(whole: Path, tmp_path: Path) -> None:
    """Of weights, say, which would train on with other values."""
    data, path = whole.read_bytes(), tmp_path / "a.resume"
    rng = np.random.default_rng(2)
    for at in rng.integers(len(data), size=300).tolist():
        damaged = bytearray(data)
        damaged[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(FileDamaged, match=re.escape(str(path))):
            resume.load(path)


def test_every_digit_of_its_format_is_told_from_a_newer_ones(whole: Path, tmp_path: Path) -> None:
    data, path = whole.read_bytes(), tmp_path / "a.resume"
    at = data.index(rb"\"format\": ") + len(rb"\"format\": ")
    for digit in b"012456789":
        path.write_bytes(data[:at] + bytes([digit]) + data[at + 1 :])
        with pytest.raises(FileDamaged, match="digest"):
            resume.load(path)


def test_a_file_of_before_there_were_digests_goes_on(whole: Path, tmp_path: Path) -> None:
    with safe_open(whole, framework="pt") as file:
        metadata = json.loads(file.metadata()["calf_viz"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
    del metadata["digest"]
    path = tmp_path / "old.resume"
    save_file(tensors, path, {"calf_viz": json.dumps({**metadata, "format": 2})})
    assert_same(resume.load(path), resume.load(whole))
    save_file(tensors, path, {"calf_viz": json.dumps(metadata)})
    with pytest.raises(FileDamaged, match="its digest is missing"):
        resume.load(path)


def test_the_file_that_is_damaged_above_was_whole(whole: Path) -> None:
    assert resume.load(whole).best is not None


def test_an_agents_file_is_no_resume_file(tmp_path: Path) -> None:
    short_trainer("point_mass").result().save(tmp_path / "a")
    with pytest.raises(UserError, match="not one of calf-viz train's resume files"):
        resume.load(tmp_path / "a")
