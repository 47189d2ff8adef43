"""Checkpoints: what is saved comes back, and what is no checkpoint is refused in one line."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from calf_viz import systems
from calf_viz.agent import checkpoint
from calf_viz.agent.calf import AgentInfo, CALFAgent
from calf_viz.agent.certificate import Constants
from calf_viz.errors import FileDamaged, UserError

INFO = AgentInfo(
    steps=1234,
    p_relax=0.1 + 0.2,  # a float of all digits
    seed=2**40,
    preset="thorough",
    hidden=24,
    constants=Constants(nu_bar=0.02, c_low=0.03, c_up=40.0),
)


def agent(name: str = "point_mass") -> CALFAgent:
    return CALFAgent.random(systems.get(name), np.random.default_rng(1), INFO)


def refused(path: Path, system: str | None = None) -> str:
    """The one line that says why `path` is refused, which names the file."""
    with pytest.raises(UserError) as caught:
        CALFAgent.load(path, system)
    line = str(caught.value)
    assert str(path) in line and "\n" not in line
    return line


# Round trip


@pytest.mark.parametrize("name", systems.own())
def test_an_agent_comes_back_whole(name: str, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a.safetensors"
    old = agent(name)
    old.save(path)
    new = CALFAgent.load(path, name.replace("_", "-"))
    assert new.system is systems.get(name) and new.info == INFO
    assert new.tensors().keys() == old.tensors().keys()
    assert all(torch.equal(tensor, old.tensors()[n]) for n, tensor in new.tensors().items())
    states = new.system.initial_states(9, np.random.default_rng(2))
    np.testing.assert_array_equal(new.lyapunov(states), old.lyapunov(states))
    # The limits are the system's, and in no file.
    np.testing.assert_array_equal(new.actor.limits, new.system.action_limits)


def test_the_same_agent_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        agent().save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_any_system_is_taken_where_none_is_asked_for(tmp_path: Path) -> None:
    agent("differential_drive").save(tmp_path / "a")
    assert CALFAgent.load(tmp_path / "a").system.name == "differential_drive"
    point = systems.get("point_mass")
    agent().save(tmp_path / "b")
    assert CALFAgent.load(tmp_path / "b", point).system is point


def test_a_header_of_any_length_is_no_pickle(tmp_path: Path) -> None:
    """The file begins with its header's length, and old pickles with 0x80."""
    first = set()
    for pad in range(0, 256, 8):
        info = AgentInfo(preset="x" * pad, hidden=8)
        CALFAgent.random(systems.get("point_mass"), np.random.default_rng(1), info).save(
            tmp_path / "a"
        )
        first.add((tmp_path / "a").read_bytes()[0])
        assert CALFAgent.load(tmp_path / "a").info == info
    assert 0x80 in first and len(first) == 32


# What is no checkpoint


def test_a_missing_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.safetensors").endswith(
        "there is no checkpoint; give another, or train one"
    )


def test_a_folder(tmp_path: Path) -> None:
    assert "it is a folder, not a regular file" in refused(tmp_path)


def test_a_path_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file" / "a.safetensors")


def test_truncated_files(tmp_path: Path) -> None:
    agent().save(tmp_path / "a")
    whole = (tmp_path / "a").read_bytes()
    for size in (0, 1, 3, 7, 8, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut").write_bytes(whole[:size])
        assert "truncated" in refused(tmp_path / "cut")


def test_random_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for i in range(50):
        (tmp_path / "a").write_bytes(rng.bytes(int(rng.integers(1, 400)) if i else 100_000))
        refused(tmp_path / "a")


def test_flipped_bytes_in_the_header_never_raise_anything_else(tmp_path: Path) -> None:
    agent().save(tmp_path / "a")
    whole = (tmp_path / "a").read_bytes()
    end = 8 + int.from_bytes(whole[:8], "little")
    rng = np.random.default_rng(4)
    refusals = 0
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[int(rng.integers(0, end))] = int(rng.integers(0, 256))
        (tmp_path / "b").write_bytes(damaged)
        try:
            CALFAgent.load(tmp_path / "b")
        except UserError as error:
            refusals += 1
            assert str(tmp_path / "b") in str(error) and "\n" not in str(error)
    assert refusals > 280, "now and then a byte becomes what it was"


@pytest.mark.parametrize("kind", ["agent", "resume"])
def test_a_bit_flipped_in_any_byte_is_damage(kind: str, tmp_path: Path) -> None:
    tensors = {"a": torch.ones(3), "b": torch.tensor([True])}
    checkpoint.write(tmp_path / "a", tensors, {"kind": kind, "steps": 5})
    read, metadata = checkpoint.read(tmp_path / "a", kind)
    assert metadata["steps"] == 5 and all(torch.equal(t, tensors[n]) for n, t in read.items())
    whole = (tmp_path / "a").read_bytes()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << (at % 8)
        (tmp_path / "b").write_bytes(damaged)
        with pytest.raises(FileDamaged):
            checkpoint.read(tmp_path / "b", kind)


@pytest.mark.parametrize("digest", ["", "0" * 32, "\ud800", 3, [1], "9" * 31])
def test_a_digest_that_is_none(digest: Any, tmp_path: Path) -> None:
    agent().save(tmp_path / "a")
    with safe_open(tmp_path / "a", framework="pt") as file:
        metadata = json.loads(file.metadata()["calf_viz"])
    text = json.dumps({**metadata, "digest": digest})
    save_file(agent().tensors(), tmp_path / "b", {"calf_viz": text})
    assert "its digest does not match" in refused(tmp_path / "b")


class Trap:
    """Unpickling this would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.path, "sprung"))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_is_refused_and_never_run(tmp_path: Path, zipped: bool) -> None:
    contents = {"actor.w1": torch.zeros(3), "trap": Trap(tmp_path / "sprung")}
    torch.save(contents, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    assert "is a pickle" in refused(tmp_path / "a.pt")
    assert not (tmp_path / "sprung").exists()


def test_safetensors_of_somebody_else(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "a")
    assert "not one of calf-viz train's agent files" in refused(tmp_path / "a")
    save_file({"weight": torch.zeros(3)}, tmp_path / "b", {"format": "pt"})
    assert "not one of calf-viz train's agent files" in refused(tmp_path / "b")


def test_another_system(tmp_path: Path) -> None:
    agent().save(tmp_path / "a")
    line = refused(tmp_path / "a", "differential_drive")
    assert "is for system point_mass, not differential_drive" in line


Damage = Callable[[dict[str, torch.Tensor], dict[str, Any]], object]
DAMAGES: dict[str, tuple[Damage, str]] = {
    "weights of another size": (
        lambda t, m: t.update({"actor.w2": torch.zeros(24, 23)}),
        r"wrong shapes for point_mass \(see actor.w2\)",
    ),
    "weights that would broadcast": (
        lambda t, m: t.update({"critic.b3": torch.zeros(1)}),
        "wrong shapes",
    ),
    "float64 weights": (
        lambda t, m: t.update({"actor.w1": t["actor.w1"].double()}),
        "wrong shapes",
    ),
    "a weight too few": (lambda t, m: t.pop("critic.w1"), "critic.w1"),
    "a weight too many": (lambda t, m: t.update({"extra": torch.zeros(1)}), "extra"),
    "a NaN weight": (
        lambda t, m: t["critic.w2"][1, 2].fill_(torch.nan),
        r"not finite \(critic.w2\)",
    ),
    "an infinite weight": (lambda t, m: t["actor.b3"].fill_(torch.inf), "not finite"),
    "an old format": (
        lambda t, m: m.update(format=0),
        "its format is 0, which never existed",
    ),
    "a later format": (
        lambda t, m: m.update(format=3),
        "a newer calf_viz made it .format 3.*; update calf_viz",
    ),
    "a format that is not a number": (lambda t, m: m.update(format=[1]), "never existed"),
    "a system of escapes": (lambda t, m: m.update(system="\x1b[2J" * 9), r"system \\x1b\[2J"),
    "endless steps": (lambda t, m: m.update(steps=float("inf")), "steps is inf, not 0 to"),
    "half a step": (lambda t, m: m.update(steps=0.5), "steps is 0.5"),
    "P_relax beyond 1": (lambda t, m: m.update(p_relax=7), "p_relax is 7, not 0 to 1"),
    "P_relax that is NaN": (lambda t, m: m.update(p_relax=float("nan")), "p_relax is nan"),
    "P_relax that is true": (lambda t, m: m.update(p_relax=True), "p_relax is True"),
    "a seed that is a list": (lambda t, m: m.update(seed=[1] * 999), r"seed is \[1, "),
    "a preset that is a number": (lambda t, m: m.update(preset=3), "preset is 3"),
    "a long preset": (lambda t, m: m.update(preset="x" * 10**5), "preset is x+…x+"),
    "a certificate that rises by nothing": (
        lambda t, m: m["constants"].update(nu_bar=0.0),
        "nu_bar is 0.0",
    ),
    "a bound that is no bound": (
        lambda t, m: m["constants"].update(c_up=float("inf")),
        "c_up is inf",
    ),
    "a constant too few": (lambda t, m: m["constants"].pop("c_up"), "its constants are"),
    "complex weights": (
        lambda t, m: t.update({"actor.w1": t["actor.w1"].to(torch.complex64)}),
        "actor.w1 is of type C64",
    ),
    "whole weights": (lambda t, m: t.update({"actor.w1": t["actor.w1"].int()}), "wrong shapes"),
    "a long name of a tensor": (lambda t, m: t.update({"x" * 10**4: torch.zeros(1)}), "x+…x+"),
    "another kind": (
        lambda t, m: m.update(kind="resume"),
        "not one of calf-viz train's agent files",
    ),
    "an unknown system": (lambda t, m: m.update(system="no_such_system"), "system no_such_system"),
    "no system": (lambda t, m: m.pop("system"), "system None"),
    "no steps": (lambda t, m: m.pop("steps"), "not an agent of calf-viz train: "),
    "steps that are no number": (
        lambda t, m: m.update(steps="many"),
        "not an agent of calf-viz train: ",
    ),
    "P_relax that is not a number": (
        lambda t, m: m.update(p_relax=None),
        "not an agent of calf-viz train: ",
    ),
    "no constants": (lambda t, m: m.update(constants=None), "not an agent of calf-viz train: "),
    "an unknown constant": (
        lambda t, m: m["constants"].update(c=1),
        "not an agent of calf-viz train: ",
    ),
    "a constant that is not a number": (
        lambda t, m: m["constants"].update(nu_bar="small"),
        "not an agent of calf-viz train: ",
    ),
    "networks beyond memory": (
        lambda t, m: m.update(hidden=10**9),
        "not an agent of calf-viz train: ",
    ),
    "networks of nothing": (lambda t, m: m.update(hidden=0), "not an agent of calf-viz train: "),
    "networks of less": (lambda t, m: m.update(hidden=-1), "not an agent of calf-viz train: "),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_contents(name: str, tmp_path: Path) -> None:
    agent().save(tmp_path / "a")
    with safe_open(tmp_path / "a", framework="pt") as file:
        metadata = json.loads(file.metadata()["calf_viz"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
    damage, words = DAMAGES[name]
    damage(tensors, metadata)
    checkpoint.write(tmp_path / "b", tensors, metadata)
    line = refused(tmp_path / "b")
    assert re.search(words, line), line


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '"text"', "{}"])
def test_metadata_that_is_no_object(text: str, tmp_path: Path) -> None:
    save_file(agent().tensors(), tmp_path / "a", {"calf_viz": text})
    refused(tmp_path / "a")


HEADERS = {
    "no object": b"[]",
    "deep": b"[" * 100_000,
    "a number of 5 000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "not text": b"\xff\xfe{}",
    "a tensor that is none": b'{"a": 3}',
    "metadata that is none": b'{"__metadata__": 3}',
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_is_none(name: str, tmp_path: Path) -> None:
    header = HEADERS[name]
    (tmp_path / "a").write_bytes(len(header).to_bytes(8, "little") + header)
    assert len(refused(tmp_path / "a")) < 600


ENTRIES: dict[str, dict[str, Any]] = {
    "a huge tensor of nothing": {"shape": [2**60, 0], "data_offsets": [0, 0]},
    "a tensor beyond memory": {"shape": [2**38], "data_offsets": [0, 2**40]},
    "a shape below zero": {"shape": [-1, -2], "data_offsets": [0, 8]},
    "a shape of a number": {"shape": 2, "data_offsets": [0, 8]},
    "half a row": {"shape": [0.5], "data_offsets": [0, 8]},
    "a gap": {"data_offsets": [4, 12]},
    "offsets that run backwards": {"data_offsets": [8, 0]},
    "offsets of text": {"data_offsets": ["0", "8"]},
    "three offsets": {"data_offsets": [0, 4, 8]},
    "an unknown type": {"dtype": "F8"},
    "a type that is none": {"dtype": ["F32"]},
    "truth that is neither": {"dtype": "BOOL", "shape": [8]},
    "many axes": {"shape": [1] * 100},
}


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_that_cannot_be(name: str, tmp_path: Path) -> None:
    metadata = {"calf_viz": json.dumps({"kind": "agent", "format": 1})}
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **ENTRIES[name]}
    header = json.dumps({"__metadata__": metadata, "a": entry}).encode()
    whole = len(header).to_bytes(8, "little") + header + b"\x07" * 8
    (tmp_path / "a").write_bytes(whole)
    assert len(refused(tmp_path / "a")) < 600


def test_what_is_no_file_or_too_large_is_refused_at_once(tmp_path: Path) -> None:
    pipe, large = tmp_path / "pipe", tmp_path / "large"
    os.mkfifo(pipe)
    with large.open("wb") as file:
        file.truncate(2**40)
    for path, words in ((pipe, "a pipe"), (large, "at most"), (Path("/dev/zero"), "a device")):
        assert words in refused(path)


# Writing


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "a", tmp_path):
        with pytest.raises(UserError, match="cannot write") as caught:
            agent().save(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.parent.glob(f"{tmp_path.name}*")) == [tmp_path.name]


def test_a_failed_write_keeps_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent().save(tmp_path / "a")
    before = (tmp_path / "a").read_bytes()

    def half(path: Path, contents: bytes) -> None:
        with path.open("wb") as file:
            file.write(contents[: len(contents) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(UserError, match="No space left"):
        agent().save(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
