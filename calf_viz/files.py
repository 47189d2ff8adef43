"""The user's files: the only way to look for, read, parse and write them.

    look           exists, is_file, is_folder, same, names_in never raise
    read           read_bytes, read_text, opened    regular, bounded, text in UTF-8
    parse          with parsing(path, "TOML"):      whatever a parser raises becomes one line
    write          with write_aside(path) as part:  completely or not at all; check_writable,
                   check_absent
                   new_file                         under its own name from the beginning
    share          hold, not_over

A file that cannot be read is a `FileTrouble`; one that was read and is broken, a `FileDamaged`.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from calf_viz.errors import FileDamaged, FileTrouble, UserError, shown

StrPath = str | os.PathLike[str]

ANOTHER = "give another file"
_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32", b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16",
}  # fmt: skip
"""Byte order marks of other encodings; longer ones first, as they begin with shorter ones."""
_LONGEST_NAME = 200
"""Bytes of a file's name repeated in the name of its temporary file: file systems allow 255."""
_NO_WAITING = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)


# Look


def exists(path: StrPath) -> bool:
    """Whether a path leads to something; False for an invalid or inaccessible path, too."""
    return _status(path) is not None


def is_file(path: StrPath) -> bool:
    """Whether a path leads to a regular file."""
    status = _status(path)
    return status is not None and stat.S_ISREG(status.st_mode)


def is_folder(path: StrPath) -> bool:
    """Whether a path leads to a folder."""
    status = _status(path)
    return status is not None and stat.S_ISDIR(status.st_mode)


def same(one: StrPath, other: StrPath) -> bool:
    """Whether two paths lead to the same place, existing or not."""
    try:
        return os.path.realpath(one) == os.path.realpath(other)
    except (OSError, ValueError):
        return False


def names_in(folder: StrPath) -> list[str]:
    """The names of everything in a folder, sorted; none if it cannot be looked into."""
    try:
        return sorted(os.listdir(folder))
    except (OSError, ValueError):
        return []


def _status(path: StrPath) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):  # too long a name, a zero byte, a folder without permission
        return None


def _kind(mode: int) -> str:
    """The kind of something that is not a regular file, in words."""
    kinds = {
        stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
    }  # fmt: skip
    return kinds.get(stat.S_IFMT(mode), "not a regular file")


# Read


def read_bytes(path: StrPath, most: int, advice: str = ANOTHER) -> bytes:
    """The contents of a regular file of at most `most` bytes; links are followed.

    Nothing is read from anything else or larger, and a pipe is not waited for.

    Raises:
        FileTrouble: it cannot be read.
    """
    with opened(path, most, advice) as (file, _):
        data = file.read(most + 1)
    if len(data) > most:  # files of /proc say that they are empty
        raise FileTrouble(path, f"it holds more than {most:,} bytes", advice)
    return data


@contextmanager
def opened(path: StrPath, most: int, advice: str = ANOTHER) -> Iterator[tuple[BinaryIO, int]]:
    """An open regular file of at most `most` bytes, and its size, to be read piece by piece.

    Raises:
        FileTrouble: it cannot be opened, or reading in the block fails.
    """

    def refuse(reason: str) -> FileTrouble:
        return FileTrouble(path, reason, advice)

    def check(status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise refuse(f"it is {_kind(status.st_mode)}, not a regular file")
        if status.st_size > most:
            raise refuse(f"it holds {status.st_size:,} bytes, at most {most:,} are read")

    try:
        check(os.stat(path))  # before opening it, which alone makes some devices act
        # Not blocking, and checked again below: another file may be there by now.
        descriptor = os.open(path, os.O_RDONLY | _NO_WAITING | _BINARY)
    except (OSError, ValueError) as error:
        raise refuse(f"cannot be read ({_reason(error)})") from error
    try:
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            check(status)
            yield file, status.st_size
    except (OSError, MemoryError) as error:
        raise refuse(f"cannot be read ({_reason(error)})") from error


def read_text(path: StrPath, most: int, advice: str = ANOTHER) -> str:
    """The text of a file in UTF-8, without a byte order mark.

    Raises:
        FileTrouble: it cannot be read.
        FileDamaged: it is not text, or in another encoding, which is named if it is recognised.
    """
    return decode(path, read_bytes(path, most, advice))


def decode(path: StrPath, data: bytes) -> str:
    """A file's bytes as text; see `read_text`. Raises FileDamaged."""
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    if encoding is None and data[:64].count(0) > len(data[:64]) // 3:
        encoding = "UTF-16 or no text"
    if encoding is not None:
        raise FileDamaged(path, f"it is {encoding}", "save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"not UTF-8 (byte {error.start})"
        raise FileDamaged(path, reason, "save it as UTF-8", line) from None


# Parse


@contextmanager
def parsing(
    path: StrPath, kind: str, advice: str = "fix it, or give another file"
) -> Iterator[None]:
    """Turn whatever is raised in the block into one line: the file is not `kind`.

    A `UserError` passes unchanged.

    Raises:
        FileTrouble: memory ran out, or something could not be read.
        FileDamaged: anything else went wrong.
    """
    try:
        yield
    except UserError:
        raise
    except (OSError, MemoryError) as error:
        raise FileTrouble(path, f"cannot be read ({_reason(error)})", advice) from error
    except RecursionError as error:
        raise FileDamaged(path, f"not {kind}: nested too deep", advice) from error
    except Exception as error:  # parsers may raise anything on arbitrary input
        raise FileDamaged(path, f"not {kind}: {_reason(error)}", advice) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, KeyError):
        return f"{shown(error.args[0] if error.args else '')} is missing"
    return getattr(error, "strerror", None) or shown(str(error)) or type(error).__name__


# Write


def make_folder(path: StrPath) -> None:
    """Create a folder if it is missing, and check that it can be written to, before work is lost.

    Raises:
        UserError: it cannot be created or written to.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        descriptor, part = _new_part(Path(path), "writable")
        os.close(descriptor)
        part.unlink()
    except (OSError, ValueError) as error:
        raise UserError(
            f"cannot write to {shown(path)}: {_reason(error)}; choose another place"
        ) from error


def check_writable(path: StrPath) -> None:
    """Raise UserError if `write_aside` could never write to the path: an invalid name, a folder, a
    device, a circular link. Writes nothing."""
    _target(path)


def check_absent(path: StrPath, overwrite: bool) -> None:
    """Raise UserError if a file is there, which a setting `overwrite` would let be replaced."""
    if exists(path) and not overwrite:
        raise UserError(
            f"{shown(path)} is there already: give another name, or `overwrite` to replace it"
        )


@contextmanager
def write_aside(path: StrPath) -> Iterator[Path]:
    """Yield a new, empty file in the same folder, and rename it to `path` if the block succeeds.

    The folder is created if it is missing. If `path` is a link, its target is written. If the
    block raises, the temporary file is removed and an existing `path` stays as it was.

    Raises:
        UserError: the folder or the file cannot be written, or the path is not a regular file.
    """
    part: Path | None = None
    try:
        target = _target(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            descriptor, part = _new_part(target.parent, target.name)
            made = os.fstat(descriptor)
            os.close(descriptor)
        except ValueError as error:
            raise _unwritable(path, _reason(error)) from error
        yield part
        _take_over(part, target, made)
        _to_disk(part)
        # A rename within one folder is atomic: readers see the old file or the new one.
        os.replace(part, target)
    except OSError as error:
        raise _unwritable(path, _reason(error)) from error
    finally:
        # Already renamed, or in a folder that can no longer be read: nothing to remove.
        if part is not None:
            with suppress(OSError):
                part.unlink()


def new_file(path: StrPath, replace: bool = False) -> BinaryIO:
    """A new file, open for writing, that has its name from the beginning: for what is useful before
    it is complete. Its folder is created if it is missing.

    replace: whether a file of that name may be replaced.

    Raises:
        UserError: it is there already, or cannot be written.
    """
    try:
        target = _target(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if replace:
            target.unlink(missing_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
    except FileExistsError as error:
        raise UserError(
            f"{shown(path)} is there already: its writer is at it, or was killed: look at it, and "
            "remove it"
        ) from error
    except (OSError, ValueError) as error:
        raise _unwritable(path, _reason(error)) from error
    return open(descriptor, "wb", buffering=0)


def remove(path: StrPath) -> None:
    """Remove a file of the program's own; nothing happens if that cannot be."""
    with suppress(OSError):
        os.unlink(path)


def _unwritable(path: StrPath, reason: str) -> UserError:
    return UserError(f"cannot write {shown(path)}: {reason}; make room or choose another place")


def _target(path: StrPath) -> Path:
    """Where to write a file: the target of a link, else the path itself. Raises UserError for
    anything that must not be replaced."""

    def refuse(reason: str) -> UserError:
        return UserError(f"cannot write {shown(path)}: {reason}; choose another place")

    try:
        target = Path(os.path.realpath(path))
        if os.path.islink(path) and _is_foreign(Path(path)):
            raise refuse("it is another user's link, in a folder that everyone can write to")
        if os.path.islink(target):
            raise refuse("it is a link that leads in a circle")
        status = os.stat(target)
    except FileNotFoundError:
        status = None
    except (OSError, ValueError) as error:  # too long a name, a zero byte
        raise refuse(_reason(error)) from error
    if status is not None and not stat.S_ISREG(status.st_mode):
        # Renaming over a device or a pipe would delete it.
        kind = _kind(status.st_mode)
        raise refuse(f"it is {kind}" if kind == "a folder" else f"it is {kind}, not a regular file")
    if status is not None and not os.access(target, os.W_OK):
        raise refuse("it is write-protected")
    return target


def _is_foreign(link: Path) -> bool:
    """Whether someone else put a link into a folder like /tmp: they would choose which of our
    own files is replaced. (Linux refuses to open such links, but a rename opens nothing.)"""
    folder = os.stat(link.parent)
    shared = folder.st_mode & stat.S_ISVTX and folder.st_mode & stat.S_IWOTH
    return bool(shared) and os.lstat(link).st_uid not in (folder.st_uid, _user())


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0


def _new_part(folder: Path, name: str) -> tuple[int, Path]:
    """A new file with a unique name and the default permissions."""
    name = os.fsdecode(os.fsencode(name)[:_LONGEST_NAME])
    while True:
        part = folder / f".{name}.{secrets.token_hex(4)}.part"
        # Never opens an existing file or follows a link.
        with suppress(FileExistsError):
            return os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666), part


def _take_over(part: Path, target: Path, made: os.stat_result) -> None:
    """Restore the old file's owner and permissions, or a new file's: some libraries write files
    that only their user can read."""
    old = _status(target)
    if old is not None and hasattr(os, "chown") and (old.st_uid, old.st_gid) != made[4:6]:
        with suppress(OSError):  # only root may change the owner
            os.chown(part, old.st_uid, old.st_gid)
    with suppress(PermissionError):  # a file system without permissions
        part.chmod(stat.S_IMODE((old or made).st_mode) & 0o777)


def _to_disk(part: Path) -> None:
    """Flush to disk, so that a power cut cannot leave an empty file under the name."""
    descriptor = os.open(part, os.O_RDWR | _BINARY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def set_aside(path: StrPath) -> Path:
    """Rename a damaged file to say so, without replacing another; returns the new path.

    Raises:
        FileTrouble: it cannot be renamed.
    """
    path, number = Path(path), 1
    while True:
        aside = path.with_suffix(".damaged" if number == 1 else f".damaged-{number}")
        number += 1
        if os.path.lexists(aside):
            continue
        try:
            os.rename(path, aside)
        except OSError as error:
            reason = f"it is damaged and cannot be renamed ({_reason(error)})"
            raise FileTrouble(path, reason, "put that right, or remove it") from error
        return aside


def sweep_parts(folder: StrPath, names: str) -> None:
    """Remove temporary files that killed processes left behind in `write_aside`.

    Args:
        folder: where they are.
        names: regular expression for the names of the files that were to be written; the caller
            must hold the lock on writing them.
    """
    left = re.compile(rf"\.(?:{names})\.[0-9a-f]{{8}}\.part")
    with suppress(OSError):  # no such folder yet
        for entry in os.scandir(folder):
            if left.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    os.unlink(entry.path)


# Share


def not_over(output: StrPath, inputs: Iterable[StrPath]) -> None:
    """Raise UserError if an output would replace one of its own inputs."""
    there = _status(output)
    for path in inputs:
        status = _status(path)
        if there and status and os.path.samestat(there, status):
            raise UserError(
                f"{shown(output)} is read, and would be replaced: give another place to write to"
            )


def hold(path: StrPath, busy: str = "is being written by another process: end that") -> FileLock:
    """Lock a file that is to be written, or a folder, until released or until this process ends.

    Raises:
        UserError: another process holds it (`busy` follows its name), or no lock can be written.
    """
    path = Path(path)
    try:
        if is_folder(path):
            place = path / ".lock"
        else:
            target = Path(os.path.realpath(path))
            target.parent.mkdir(parents=True, exist_ok=True)
            name = os.fsdecode(os.fsencode(target.name)[:_LONGEST_NAME])
            place = target.with_name(f".{name}.lock")
        lock = FileLock(place)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(f"{shown(path)} {busy}") from error
    except (OSError, ValueError) as error:
        raise UserError(
            f"cannot write to {shown(path)}: {_reason(error)}; choose another place"
        ) from error
    return lock
