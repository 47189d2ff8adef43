"""Checkpoint files: safetensors with JSON metadata. Nothing is unpickled, ever."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from calf_viz.errors import UserError
from calf_viz.files import write_aside

FORMAT = 1
"""Version of the layout; raised when old files can no longer be read."""

_KEY = "calf_viz"
"""The metadata's only key: safetensors writes several in no fixed order, so files would differ."""


def shipped(system: str) -> Path:
    """The checkpoint that comes with the program for a system (it may not exist)."""
    return Path(__file__).parent.parent / "checkpoints" / f"{system}.safetensors"


def write(path: str | Path, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
    """Write tensors and metadata (anything JSON holds), whole or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    text = json.dumps({"format": FORMAT, **metadata})
    # Cloned, because safetensors refuses views of a shared storage.
    whole = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    # Not save_file, which leaves a file of its own beside the part where it is killed.
    contents = save(whole, {_KEY: text})
    with write_aside(path) as part:
        part.write_bytes(contents)


def read(path: str | Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and metadata of a file of this `kind` ("agent" or "resume").

    Raises:
        UserError: it is missing, a pickle, truncated, not safetensors, or of another kind.
    """
    path = Path(path)
    head = _first_bytes(path)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = json.loads((file.metadata() or {}).get(_KEY, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no dict)
    except (SafetensorError, OSError, ValueError) as error:
        # torch.save writes a zip holding a pickle; older files begin with the pickle's protocol.
        # Asked only of what is no safetensors file, for those begin with the length of their
        # header, which may be any number.
        if head == b"PK\x03\x04" or head[:1] == b"\x80":
            raise UserError(
                f"{path} is a pickle, which can run code when it is loaded and is refused: "
                "give a safetensors file made by calf-viz train"
            ) from error
        raise UserError(
            f"{path} is truncated or not a safetensors file: get it again, or train anew"
        ) from error
    if not isinstance(metadata, dict) or metadata.get("kind") != kind:
        raise UserError(f"{path} is no {kind} file of calf-viz train: give one that is")
    if metadata.get("format") != FORMAT:
        raise UserError(
            f"{path} has format {metadata.get('format')}, this program reads {FORMAT}: train anew"
        )
    return tensors, metadata


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4)
    except FileNotFoundError:
        raise UserError(f"no checkpoint at {path}: give another, or train one") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; give another file") from error
