"""Where recordings lie: in a folder, or at an address that fsspec knows.

    swing.calf                               a folder
    s3://bucket/swing.calf                   an object store: extra `cloud`
    zip://swing.calf::swing.zip, memory://…  whatever else fsspec has

Addresses may hold passwords: none is ever shown.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from calf_viz import files
from calf_viz.errors import FileTrouble, UserError, shown
from calf_viz.recording.credentials import text_without_secrets, without_secrets
from calf_viz.recording.open_files import LocalFile
from calf_viz.settings import is_address

CHUNK = 1 << 18
"""Bytes that are fetched together: as many headers as there are, without all that is between."""
KEPT_CHUNKS = 4
ADVICE = "give another recording"


class Address:
    """A folder or file at an address.

    It prints without what may be a password.
    """

    def __init__(self, system: Any, path: str, text: str) -> None:
        """system: of fsspec. path: as that knows it. text: as it was given."""
        self.system, self.path, self._text = system, path.rstrip("/"), text

    def __truediv__(self, name: str) -> Address:
        head, *chain = self._text.split("::")
        text = "::".join([f"{head.rstrip('/')}/{name}", *chain])
        return Address(self.system, f"{self.path}/{name}" if self.path else name, text)

    def __str__(self) -> str:
        return without_secrets(self._text)

    def __fspath__(self) -> str:
        return str(self)

    def reason(self, error: BaseException) -> str:
        """An error's text without them, either."""
        return text_without_secrets(str(error) or type(error).__name__, self._text)


Location = Path | Address


def locate(given: str | os.PathLike[str]) -> Location:
    """A folder's path, or its address. Raises UserError for an address that cannot be used."""
    if isinstance(given, Address):
        return given
    if not isinstance(given, str) or not is_address(given):
        return Path(given)
    try:
        import fsspec.core

        system, path = fsspec.core.url_to_fs(given)
    except ImportError as error:
        raise UserError(
            f"{shown(without_secrets(given))}: {text_without_secrets(str(error), given)}: install "
            "calf_viz[cloud]"
        ) from error
    except Exception as error:  # each system has its own
        reason = f"no address ({text_without_secrets(str(error), given)})"
        raise FileTrouble(without_secrets(given), reason, ADVICE) from error
    return Address(system, path, given)


@contextmanager
def _trouble(address: Address, missing: str, advice: str) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError as error:
        raise FileTrouble(address, missing, advice) from error
    except Exception as error:  # each system has its own
        reason = f"cannot be read ({address.reason(error)})"
        raise FileTrouble(address, reason, advice) from error


def names_in(folder: Location) -> list[str]:
    """The names in it, sorted; none if it cannot be looked into. Raises FileTrouble."""
    if isinstance(folder, Path):
        return files.names_in(folder)
    with _trouble(folder, "no such recording", ADVICE):
        folder.system.invalidate_cache()
        found = folder.system.ls(folder.path, detail=False)
    return sorted(name.rstrip("/").rsplit("/", 1)[-1] for name in found)


def exists(path: Location) -> bool:
    """Whether there is such a file."""
    if isinstance(path, Path):
        return files.exists(path)
    try:
        return bool(path.system.exists(path.path))
    except Exception:  # what is wrong is said when it is read
        return False


def read_text(path: Location, most: int, advice: str) -> str:
    """A file's text. Raises FileTrouble, FileDamaged."""
    if isinstance(path, Path):
        return files.read_text(path, most, advice)
    with _trouble(path, "no such recording", advice):
        if path.system.info(path.path)["size"] > most:
            raise FileTrouble(path, f"it holds more than {most:,} bytes", advice)
        data = path.system.cat_file(path.path)
    return files.decode(path, data)


def write_text(path: Location, text: str) -> None:
    """Write a file, as a whole. Raises UserError."""
    if isinstance(path, Path):
        with files.write_aside(path) as part:
            part.write_text(text, encoding="utf-8")
        return
    put(path, text.encode())


def put(address: Address, data: bytes) -> None:
    """Write an object, as a whole. Raises UserError."""
    try:
        address.system.pipe_file(address.path, data)
    except Exception as error:  # each system has its own
        raise UserError(f"cannot write {shown(address)}: {address.reason(error)}") from error


def put_file(source: Path, address: Address) -> None:
    """Copy a file there. Raises UserError."""
    try:
        address.system.put_file(str(source), address.path)
    except Exception as error:  # each system has its own
        raise UserError(
            f"cannot copy {shown(source)} to {shown(address)}: {address.reason(error)}"
        ) from error


class Readable(Protocol):
    """A file that is read in pieces, and may grow."""

    def read(self, at: int, size: int) -> bytes:
        """Bytes from an offset on; fewer where it ends. Raises OSError, ValueError."""

    def size(self) -> int:
        """How many there are, when `renew` was called last, or later."""

    def renew(self) -> None:
        """It may have grown."""

    def close(self) -> None:
        """Close it."""


def readable(path: Location) -> Readable:
    """Opens a file. Raises OSError."""
    return LocalFile(path) if isinstance(path, Path) else _Object(path)


class _Object:
    """At an address: fetched in chunks, of which the newest are kept."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._chunks: OrderedDict[int, bytes] = OrderedDict()
        self.renew()

    def renew(self) -> None:
        self._chunks.clear()
        self._address.system.invalidate_cache()
        self._size = int(self._call(lambda system, path: system.info(path)["size"]))

    def _call(self, ask: Callable[[Any, str], Any]) -> Any:
        address = self._address
        try:
            return ask(address.system, address.path)
        except Exception as error:  # each system has its own
            raise OSError(None, address.reason(error)) from error

    def size(self) -> int:
        return self._size

    def read(self, at: int, size: int) -> bytes:
        end = min(at + size, self._size)
        if end - at >= CHUNK:
            return self._fetch(at, end)
        parts = []
        while at < end:
            number = at // CHUNK
            start = at - number * CHUNK
            parts.append(self._chunk(number)[start : start + end - at])
            at += len(parts[-1])
            if not parts[-1]:  # it became shorter
                break
        return b"".join(parts)

    def _chunk(self, number: int) -> bytes:
        if number in self._chunks:
            self._chunks.move_to_end(number)
            return self._chunks[number]
        found = self._fetch(number * CHUNK, min((number + 1) * CHUNK, self._size))
        self._chunks[number] = found
        if len(self._chunks) > KEPT_CHUNKS:
            self._chunks.popitem(last=False)
        return found

    def _fetch(self, start: int, end: int) -> bytes:
        return bytes(self._call(lambda system, path: system.cat_file(path, start=start, end=end)))

    def close(self) -> None:
        self._chunks.clear()
