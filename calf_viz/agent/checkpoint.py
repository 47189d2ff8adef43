"""Checkpoint files: safetensors with JSON metadata. Nothing is unpickled, ever.

    8 bytes   length of the header
    header    JSON: {"__metadata__": {"calf_viz": METADATA as JSON}, NAME: {"dtype", "shape",
              "data_offsets": [begin, end]}, ...}
    the rest  the tensors' values, one after the other, without gaps

METADATA begins with a digest of the whole file, computed with zeros in place of the digest.

Written by the safetensors library. Read here instead, from a regular file of bounded size, and only
if all numbers in the header are consistent.
"""

import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from calf_viz.errors import FileDamaged, FileTrouble, shown
from calf_viz.files import opened, parsing, write_aside

FORMATS = {"agent": 2, "resume": 3, "policy": 1}
"""Version of each kind's layout, raised when older programs would misread a new file. All older
versions can be read. A file of a later version is reported as newer, not as damaged."""
DIGESTED = {"agent": 2, "resume": 3, "policy": 1}
"""First version of each kind that has a digest: from here on a missing digest is damage."""
LARGEST = {"agent": 2**28, "resume": 2**33, "policy": 2**29}
"""Most bytes read of each kind; a state holds the largest replay that can be configured."""
ANEW = "get it again, or train anew"

_KEY = "calf_viz"
"""The only metadata key: safetensors writes several in no fixed order, so files would differ."""
_NO_DIGEST = "0" * 32
_DIGEST = re.compile(rb'({\\"digest\\": \\")[0-9a-f]{32}')
"""Finds the digest in the header, which contains METADATA as a string."""
_SIZE = 8
"""Bytes of the header's length."""
_LARGEST_HEADER = {"agent": 2**20, "resume": 100_000_000, "policy": 2**20}
"""Most bytes of a header; the library refuses larger ones."""
_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U8": "u1", "BOOL": "?",
}  # fmt: skip
_PART = 2**20
_MOST_AXES, _LONGEST_AXIS = 8, 2**40


def shipped(system: str) -> Path:
    """Path of the shipped checkpoint for a system (it may not exist)."""
    return Path(__file__).parent.parent / "checkpoints" / f"{system}.safetensors"


def write(path: str | Path, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """Write tensors and metadata (JSON values, with a "kind"), completely or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    head = {"digest": _NO_DIGEST, "format": FORMATS[metadata["kind"]]}
    text = json.dumps({**head, **metadata, "digest": _NO_DIGEST})
    # Cloned, as safetensors refuses views of shared storage.
    whole = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    # Not save_file, which would leave its own temporary file behind if killed.
    contents = save(whole, {_KEY: text})
    signed = sign(contents)
    with write_aside(path) as part:
        part.write_bytes(signed)


def sign(contents: bytes) -> bytes:
    """A file's contents with the digest filled in, if it has one."""
    found = _hash()
    found.update(_with_digest(contents, _NO_DIGEST))
    return _with_digest(contents, found.hexdigest())


def _with_digest(contents: bytes, digest: str) -> bytes:
    return _DIGEST.sub(rb"\g<1>" + digest.encode(), contents, count=1)


def _hash() -> Any:
    return hashlib.blake2b(digest_size=len(_NO_DIGEST) // 2)


def read(path: str | Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and metadata of a file of this `kind` ("agent", "resume" or "policy").

    Raises:
        FileTrouble: it is missing or cannot be read, or a newer calf_viz made it.
        FileDamaged: it is a pickle, truncated, not safetensors, of another kind, or a bit has
            changed since it was written.
    """
    try:
        with opened(path, LARGEST[kind]) as (file, size):
            header, metadata = _header(path, file, size, kind)
            with parsing(path, "a safetensors file", ANEW):
                return {name: _tensor(file, entry) for name, entry in header.items()}, metadata
    except FileTrouble as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise FileTrouble(
                path, "there is no checkpoint", "give another, or train one"
            ) from None
        raise


def _header(
    path: str | Path, file: BinaryIO, size: int, kind: str
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The tensors' entries by name, in the order of their values, and the metadata."""
    start = file.read(_SIZE)
    length = int.from_bytes(start, "little")
    if len(start) < _SIZE or length > size - _SIZE:
        # torch.save writes a zip holding a pickle; older files begin with the pickle's protocol.
        # Checked only once it cannot be safetensors, which begins with the header's length: any
        # bytes.
        if start[:4] == b"PK\x03\x04" or start[:1] == b"\x80":
            raise FileDamaged(
                path, "it is a pickle, which can run code when it is loaded and is refused",
                "give a safetensors file made by calf-viz train",
            )  # fmt: skip
        raise FileDamaged(path, "truncated or not a safetensors file", ANEW)
    if length > _LARGEST_HEADER[kind]:
        what = f"its header holds {length:,} bytes, at most {_LARGEST_HEADER[kind]:,} are read"
        raise FileDamaged(path, what, ANEW)
    with parsing(path, "a safetensors file", ANEW):
        text = file.read(length)
        entries = json.loads(text.decode())
        said = entries.pop("__metadata__", {}).get(_KEY, "{}")
        metadata = json.loads(said)
    if not isinstance(metadata, dict) or metadata.get("kind") != kind:
        raise FileDamaged(path, f"not one of calf-viz train's {kind} files", "give one that is")
    digest = metadata.pop("digest", None)
    if digest is not None and not _is_digest(digest, start + text, file):
        what = "truncated, or changed since it was written: its digest does not match"
        raise FileDamaged(path, what, ANEW)
    # After the digest, so that a flipped bit cannot make it look like a newer version's file.
    _check_format(path, metadata.get("format"), kind)
    if digest is None and metadata["format"] >= DIGESTED[kind]:
        raise FileDamaged(path, "its digest is missing", ANEW)
    with parsing(path, "a safetensors file", ANEW):
        ordered = sorted(entries.items(), key=lambda item: item[1]["data_offsets"])
        end = _check_entries(dict(ordered))
    if end != size - _SIZE - length:
        raise FileDamaged(path, "truncated or not a safetensors file", ANEW)
    return dict(ordered), metadata


def _is_digest(said: Any, head: bytes, file: BinaryIO) -> bool:
    """Whether a file's digest is as stated. The file begins with `head`; the rest is read, and the
    position restored."""
    here, found = file.tell(), _hash()
    found.update(_with_digest(head, _NO_DIGEST))
    while part := file.read(_PART):
        found.update(part)
    file.seek(here)
    return bool(found.hexdigest() == said)


def _check_format(path: str | Path, version: Any, kind: str) -> None:
    if type(version) is not int or version < 1:
        raise FileDamaged(path, f"its format is {shown(version)}, which never existed", ANEW)
    if version > FORMATS[kind]:
        made = f"(format {shown(version)}, this one reads up to {FORMATS[kind]})"
        raise FileTrouble(path, f"a newer calf_viz made it {made}", "update calf_viz")


def _check_entries(entries: dict[str, dict[str, Any]]) -> int:
    """Bytes of all values. Raises ValueError if a type, shape and offset are inconsistent."""
    here = 0
    for name, entry in entries.items():
        kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        if kind not in _TYPES:
            raise ValueError(f"{shown(name)} is of type {shown(kind)}")
        sizes = [*shape, begin, end]
        whole = all(type(n) is int and 0 <= n <= _LONGEST_AXIS for n in sizes)
        if not whole or len(shape) > _MOST_AXES:
            raise ValueError(f"{shown(name)} has the shape {shown(shape)}")
        if begin != here or end - begin != math.prod(shape) * np.dtype(_TYPES[kind]).itemsize:
            raise ValueError(f"{shown(name)} has impossible offsets")
        here = end
    return here


def _tensor(file: BinaryIO, entry: dict[str, Any]) -> Tensor:
    """The next tensor. Raises MemoryError if there is no room for it."""
    kind, count = np.dtype(_TYPES[entry["dtype"]]), math.prod(entry["shape"])
    # Booleans are read as bytes and checked first: NumPy assumes that they are 0 or 1.
    values = np.fromfile(file, np.uint8 if kind == np.bool_ else kind, count)
    if len(values) != count:
        raise ValueError("it became shorter meanwhile")
    if kind == np.bool_ and values.max(initial=0) > 1:
        raise ValueError("it holds booleans other than 0 and 1")
    return torch.from_numpy(values.view(kind).reshape(entry["shape"]))
