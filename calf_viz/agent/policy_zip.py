"""Reads the policies that Stable-Baselines3 saves, without running anything of theirs.

    model.zip
        data              JSON, in which objects are pickled: only two texts in it are read
        policy.pth        the networks, by torch.save: read with weights_only
        the rest          not read

A zip can claim any sizes, and can expand to any: all are checked before anything is read.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from calf_viz.errors import FileDamaged, UserError, shown
from calf_viz.files import opened, parsing

LARGEST_FILE = 2**30
"""Most bytes of a zip: replay buffers are saved elsewhere."""
LARGEST = 2**28
"""Most bytes of the networks: 67 million weights."""
LARGEST_DATA = 2**24
LARGEST_PICKLE = 2**20
"""Most bytes of the pickle inside policy.pth, which names the tensors."""
MOST_ENTRIES = 4096
SAFE_TORCH = (2, 10)
"""The first whose weights_only keeps its promise: CVE-2025-32434, CVE-2026-24747."""
ANOTHER = "give a model that Stable-Baselines3 saved with model.save"


class Saved(NamedTuple):
    """What a zip holds of a policy."""

    tensors: dict[str, Tensor]
    """Weights by name, float32."""
    activation: str | None
    """`relu` or `tanh`, if the file says; None: the algorithm's usual."""


def read(path: str | Path) -> Saved:
    """The networks in a zip.

    Raises:
        FileTrouble: it cannot be read.
        FileDamaged: it is no zip, or none of Stable-Baselines3's, or too large.
        UserError: this torch is too old to read it safely.
    """
    check_torch(torch.__version__)
    with opened(path, LARGEST_FILE) as (file, _), parsing(path, "a zip", ANOTHER):
        if not zipfile.is_zipfile(file):
            raise FileDamaged(path, "not a zip", ANOTHER)
        with zipfile.ZipFile(file) as whole:
            inner = _member(path, whole, "policy.pth", LARGEST)
            data = _member(path, whole, "data", LARGEST_DATA)
    with parsing(path, "networks that weights_only can read", ANOTHER):
        return Saved(_tensors(path, inner), _activation(path, data))


def check_torch(version: str) -> None:
    """Raise UserError for a torch that might run code which a file brings."""
    numbers = tuple(int(part) for part in version.split("+")[0].split(".")[:2])
    if numbers < SAFE_TORCH:
        raise UserError(
            f"torch {shown(version)} can be made to run code by a file even with weights_only "
            "(CVE-2025-32434, CVE-2026-24747): update torch to 2.10 or newer"
        )


def _member(path: str | Path, whole: zipfile.ZipFile, name: str, most: int) -> bytes:
    entries = whole.infolist()
    found = [entry for entry in entries if entry.filename == name]
    if len(entries) > MOST_ENTRIES or len(found) != 1:
        raise FileDamaged(path, f"a zip with {len(found)} files {name}, not one", ANOTHER)
    if found[0].file_size > most:
        size = f"{name} expands to {found[0].file_size:,} bytes, at most {most:,} are read"
        raise FileDamaged(path, size, ANOTHER)
    with whole.open(found[0]) as part:
        data = part.read(most + 1)
    if len(data) > most:
        raise FileDamaged(path, f"{name} expands to more than {most:,} bytes", ANOTHER)
    return data


def _tensors(path: str | Path, data: bytes) -> dict[str, Tensor]:
    """The tensors in policy.pth, checked, copied and in float32."""
    sizes = _record_sizes(path, data)
    found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise ValueError("policy.pth is no state_dict")
    for name, tensor in found.items():
        plain = isinstance(tensor, Tensor) and tensor.layout == torch.strided
        if not plain or tensor.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"{shown(name)} is not of float32 or float64")
        # Strides of zero would make a tensor of any size of one number.
        if not tensor.is_contiguous() or tensor.untyped_storage().nbytes() not in sizes:
            raise ValueError(f"{shown(name)} is larger than its contents")
    if sum(tensor.nbytes for tensor in found.values()) > LARGEST:
        raise ValueError("its tensors share their contents")
    tensors = {name: tensor.detach().to(torch.float32).clone() for name, tensor in found.items()}
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise FileDamaged(path, f"{shown(name)} is not finite", "train anew, with a lower rate")
    return tensors


def _record_sizes(path: str | Path, data: bytes) -> Counter[int]:
    """Sizes of the contents of tensors in policy.pth, which is a zip itself."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise FileDamaged(path, "its policy.pth is of a torch before 1.6, or damaged", ANOTHER)
    with zipfile.ZipFile(io.BytesIO(data)) as inner:
        entries = inner.infolist()
    for entry in entries:
        is_pickle = entry.filename.endswith("data.pkl")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise FileDamaged(path, "its policy.pth is compressed, as torch never does", ANOTHER)
        if is_pickle and entry.file_size > LARGEST_PICKLE:
            raise FileDamaged(path, f"its pickle has {entry.file_size:,} bytes", ANOTHER)
    if len(entries) > MOST_ENTRIES:
        raise FileDamaged(path, f"its policy.pth has {len(entries):,} files", ANOTHER)
    return Counter(entry.file_size for entry in entries)


def _activation(path: str | Path, data: bytes) -> str | None:
    """The activation that was asked for, from its class's name; the object itself stays pickled."""
    with parsing(path, "a model: its data is no JSON", ANOTHER):
        kwargs = json.loads(data.decode()).get("policy_kwargs", {})
    name: Any = kwargs.get("activation_fn") if isinstance(kwargs, dict) else None
    if name is None:
        return None
    for class_name, activation in (("ReLU", "relu"), ("Tanh", "tanh")):
        if name == f"<class 'torch.nn.modules.activation.{class_name}'>":
            return activation
    raise FileDamaged(
        path, f"a policy with the activation {shown(name)}", "only ReLU and Tanh are known here"
    )
