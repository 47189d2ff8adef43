"""Checkpoint files: safetensors with JSON metadata. Nothing is unpickled, ever."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from calf_viz.errors import FileDamaged, FileTrouble, shown
from calf_viz.files import ANOTHER, opened, parsing, write_aside

FORMATS = {"agent": 1, "resume": 2}
"""Version of each kind's layout. It is raised when older programs would misread a new file; all
older versions stay readable. A file of a later version is not damaged, and is said to be newer."""
LARGEST = {"agent": 2**28, "resume": 2**33}
"""Bytes that are read of each kind; a state holds the largest replay that may be asked for."""
ANEW = "get it again, or train anew"

_KEY = "calf_viz"
"""The metadata's only key: safetensors writes several in no fixed order, so files would differ."""


def shipped(system: str) -> Path:
    """The checkpoint that comes with the program for a system (it may not exist)."""
    return Path(__file__).parent.parent / "checkpoints" / f"{system}.safetensors"


def write(path: str | Path, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """Write tensors and metadata (anything JSON holds, "kind" among it), whole or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    text = json.dumps({"format": FORMATS[metadata["kind"]], **metadata})
    # Cloned, because safetensors refuses views of a shared storage.
    whole = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    # Not save_file, which leaves a file of its own beside the part where it is killed.
    contents = save(whole, {_KEY: text})
    with write_aside(path) as part:
        part.write_bytes(contents)


def read(path: str | Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and metadata of a file of this `kind` ("agent" or "resume").

    Raises:
        FileTrouble: it is missing or cannot be read, or a newer calf_viz made it.
        FileDamaged: it is a pickle, truncated, not safetensors, or of another kind.
    """
    path = Path(path)
    data = _contents(path, LARGEST[kind])
    try:
        with parsing(path, "safetensors file"):
            tensors = load(data)
            header = json.loads(data[8 : 8 + _header(data)])
            metadata = json.loads(header.get("__metadata__", {}).get(_KEY, "{}"))
    except FileDamaged as error:
        # torch.save writes a zip holding a pickle; older files begin with the pickle's protocol.
        # Asked only of what is no safetensors file, for those begin with the length of their
        # header, which may be any number.
        if data[:4] == b"PK\x03\x04" or data[:1] == b"\x80":
            reason = "it is a pickle, which can run code when it is loaded and is refused"
            advice = "give a safetensors file made by calf-viz train"
            raise FileDamaged(path, reason, advice) from error
        raise FileDamaged(path, "truncated or not a safetensors file", ANEW) from error
    if not isinstance(metadata, dict) or metadata.get("kind") != kind:
        raise FileDamaged(path, f"no {kind} file of calf-viz train", "give one that is")
    version = metadata.get("format")
    if type(version) is not int or version < 1:
        raise FileDamaged(path, f"its format is {shown(version)}, which there never was", ANEW)
    if version > FORMATS[kind]:
        raise FileTrouble(
            path,
            f"a newer calf_viz made it (format {shown(version)}, this one reads up to "
            f"{FORMATS[kind]})",
            "update calf_viz",
        )
    return tensors, metadata


def _contents(path: Path, most: int) -> bytes:
    """All of a file, unless its first bytes already say that it is none of ours: then those."""
    try:
        with opened(path, most, ANOTHER) as (file, size):
            head = file.read(8)
            if not 0 < _header(head) <= size - 8:
                return head
            return head + file.read(size - 8)
    except FileTrouble as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise FileTrouble(
                path, "there is no checkpoint", "give another, or train one"
            ) from None
        raise


def _header(data: bytes) -> int:
    """Bytes of the header, by the first eight of the file."""
    return int.from_bytes(data[:8], "little") if len(data) >= 8 else 0
