"""Models of Stable-Baselines3's: what is read of a zip, and what is refused in one line."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import saved_policies as saved
import torch

from calf_viz.agent import policy_zip
from calf_viz.agent.mlp_policy import MlpPolicy
from calf_viz.errors import UserError

TRAINED = {
    "PPO": "Pendulum-v1", "A2C": "CartPole-v1", "SAC": "Pendulum-v1",
    "TD3": "MountainCarContinuous-v0", "DDPG": "Pendulum-v1", "DQN": "CartPole-v1",
}  # fmt: skip


@pytest.mark.parametrize("name", TRAINED)
def test_acts_and_values_as_in_stable_baselines3(name: str, tmp_path: Path) -> None:
    sb3 = pytest.importorskip("stable_baselines3", reason="the extra sb3 is not installed")
    extra = {"n_steps": 32, "batch_size": 32} if name == "PPO" else {}
    model = getattr(sb3, name)("MlpPolicy", TRAINED[name], seed=1, device="cpu", **extra)
    model.save(tmp_path / "model")
    policy = MlpPolicy.load(tmp_path / "model.zip")
    observed = np.random.default_rng(0).normal(size=(40, policy.observations)).astype(np.float32)

    given = torch.from_numpy(observed)
    with torch.no_grad():
        if name in ("PPO", "A2C"):
            value = model.policy.predict_values(given)[:, 0]
        elif name == "DQN":
            value = model.q_net(given).max(dim=1).values
        else:
            value = torch.cat(
                model.critic(given, model.actor.forward(given, *[True] * (name == "SAC"))), 1
            )
            value = value.min(dim=1).values
    np.testing.assert_allclose(policy.value(observed), value.numpy(), rtol=1e-5, atol=1e-6)

    actions, _ = model.predict(observed, deterministic=True)
    found = policy.act(observed)
    if not policy.may_be_continuous:
        assert (found.argmax(axis=1) == actions).all()
        return
    low, high = model.action_space.low, model.action_space.high
    if policy.bounded:
        found = low + 0.5 * (found + 1.0) * (high - low)
    np.testing.assert_allclose(np.clip(found, low, high), actions, rtol=1e-5, atol=1e-6)


def test_an_activation_that_was_asked_for_is_used(tmp_path: Path) -> None:
    tanh = {"policy_kwargs": {"activation_fn": "<class 'torch.nn.modules.activation.Tanh'>"}}
    assert MlpPolicy.load(saved.save(tmp_path / "a.zip", saved.sac())).activation == "relu"
    assert MlpPolicy.load(saved.save(tmp_path / "b.zip", saved.sac(), tanh)).activation == "tanh"


def test_what_was_converted_is_the_same_policy(tmp_path: Path) -> None:
    policy = MlpPolicy.load(saved.save(tmp_path / "a.zip", saved.sac()))
    policy.save(tmp_path / "b.safetensors")
    again = MlpPolicy.load(tmp_path / "b.safetensors")
    observed = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    assert (again.value(observed) == policy.value(observed)).all()
    assert (again.act(observed) == policy.act(observed)).all()


class Bang:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_nothing_that_a_zip_brings_is_run(tmp_path: Path) -> None:
    bang = tmp_path / "bang"
    buffer = io.BytesIO()
    torch.save({"a.weight": Bang(bang)}, buffer)
    for number, state in enumerate((buffer.getvalue(), pickle.dumps(Bang(bang)))):
        model = saved.save(tmp_path / f"{number}.zip", state)
        with pytest.raises(UserError) as refused:
            MlpPolicy.load(model)
        assert "\n" not in str(refused.value) and not bang.exists()


@pytest.mark.parametrize(
    ("version", "sound"),
    [
        ("2.10.0", True),
        ("2.13.0+cpu", True),
        ("3.0.0a1", True),
        ("2.9.1", False),
        ("1.13.1", False),
    ],
)
def test_only_a_torch_whose_weights_only_holds_reads(version: str, sound: bool) -> None:
    if sound:
        policy_zip.check_torch(version)
        return
    with pytest.raises(UserError, match="CVE-2025-32434"):
        policy_zip.check_torch(version)


def _without(state: dict[str, torch.Tensor], part: str) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in state.items() if part not in name}


def _stretched() -> dict[str, torch.Tensor]:
    """One number that claims to be a layer of four billion."""
    return {**saved.dqn(), "q_net.q_net.0.weight": torch.zeros(1).expand(2**16, 2**16)}


STATES = {
    "a CNN": {**saved.dqn(), "q_net.features_extractor.cnn.0.weight": torch.zeros(2, 2, 3, 3)},
    "a norm": {**saved.dqn(), "q_net.q_net.1.weight": torch.zeros(8)},
    "no critic": _without(saved.sac(), "critic"),
    "half a critic": _without(saved.sac(), "qf1.2"),
    "something else": {"layers.0.weight": torch.zeros(3, 3)},
    "a list": [torch.zeros(3)],
    "of integers": {name: tensor.to(torch.int64) for name, tensor in saved.dqn().items()},
    "not finite": {**saved.dqn(), "q_net.q_net.0.bias": torch.full((8,), torch.nan)},
    "stretched": _stretched(),
    "no state_dict": b"PK\x03\x04 and then nothing",
    "a pickle of old": b"\x80\x02",
}


@pytest.mark.parametrize("what", STATES)
def test_another_kind_of_policy_is_refused_in_one_line(what: str, tmp_path: Path) -> None:
    model = saved.save(tmp_path / "model.zip", STATES[what])
    with pytest.raises(UserError) as refused:
        MlpPolicy.load(model)
    assert "model.zip" in str(refused.value) and "\n" not in str(refused.value)


def test_a_bomb_is_not_expanded(tmp_path: Path) -> None:
    """300 MB of zeros in 300 kB; and the same with a header that says 1 kB."""
    zeros = b"\0" * (policy_zip.LARGEST + 1)
    bomb = saved.save(tmp_path / "bomb.zip", zeros, compression=zipfile.ZIP_DEFLATED)
    del zeros
    with pytest.raises(UserError, match="expands to"):
        MlpPolicy.load(bomb)
    lying = bomb.read_bytes().replace((policy_zip.LARGEST + 1).to_bytes(4, "little"), b"\0\4\0\0")
    (tmp_path / "lying.zip").write_bytes(lying)
    with pytest.raises(UserError) as refused:
        MlpPolicy.load(tmp_path / "lying.zip")
    assert "\n" not in str(refused.value)


def test_a_compressed_state_dict_inside_is_refused(tmp_path: Path) -> None:
    buffer, inner = io.BytesIO(), io.BytesIO()
    torch.save(saved.dqn(), buffer)
    with zipfile.ZipFile(buffer) as plain, zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in plain.infolist():
            new.writestr(entry.filename, plain.read(entry))
    with pytest.raises(UserError, match="compressed"):
        MlpPolicy.load(saved.save(tmp_path / "model.zip", inner.getvalue()))


def test_a_tensor_that_claims_more_than_its_file_holds_is_refused(tmp_path: Path) -> None:
    """Numbers in the pickle inside, and not the zip's directory, say how large a tensor is."""
    buffer = io.BytesIO()
    torch.save({"q_net.q_net.0.weight": torch.zeros(77)}, buffer)
    contents = buffer.getvalue()
    larger = contents.replace(b"K\x4d", b"K\xff")  # 77 numbers become 255
    assert larger != contents
    with pytest.raises(UserError):
        MlpPolicy.load(saved.save(tmp_path / "model.zip", larger))


@pytest.mark.parametrize("kind", ["missing", "folder", "text", "empty zip"])
def test_what_is_no_zip_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("no zip")
    elif kind == "empty zip":
        zipfile.ZipFile(path, "w").close()
    with pytest.raises(UserError, match=r"model\.zip"):
        MlpPolicy.load(path)
