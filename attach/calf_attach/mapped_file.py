"""Files that processes map: made with their room reserved, found by name, swept when orphaned.

Writing to mapped memory for which the file system has no room kills the process by SIGBUS, and it
would be the user's training: so all of it is reserved before anything is written.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from typing import Iterator

SUFFIX = ".calfboard"
SHARED_MEMORY = "/dev/shm"


def folders() -> list[str]:
    """Where boards are made, best first: memory, then the temporary folder, never a network's.
    `CALF_BOARDS` names another one."""
    own = os.environ.get("CALF_BOARDS")
    if own:
        return [own]
    found = [SHARED_MEMORY] if os.path.isdir(SHARED_MEMORY) else []
    return [*found, tempfile.gettempdir()]


def make(name: str, size: int) -> str:
    """A new file of `size` reserved zeros, which only this user can read and write; returns its
    path. Raises OSError if no folder has room for it."""
    refused: OSError | None = None
    for folder in folders():
        try:
            return _make(folder, name, size)
        except OSError as error:
            refused = error
    assert refused is not None
    raise refused


def _make(folder: str, name: str, size: int) -> str:
    user = os.getuid() if hasattr(os, "getuid") else 0
    stem = "calf-%d-%s-%d" % (user, name, os.getpid())
    path = os.path.join(folder, stem + SUFFIX)
    attempt = 0
    while True:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
            descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
            break
        except FileExistsError:  # a second board of this process, or an orphan of its number
            attempt += 1
            path = os.path.join(folder, "%s.%d%s" % (stem, attempt, SUFFIX))
    try:
        reserve(descriptor, size)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)
    return path


def reserve(descriptor: int, size: int) -> None:
    """Reserve `size` zeros in an empty file. Raises OSError if there is no room."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        block, left = bytes(1 << 20), size
        while left > 0:
            left -= os.write(descriptor, block[: min(left, len(block))])
    if os.fstat(descriptor).st_size != size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def found(suffix: str = SUFFIX) -> Iterator[str]:
    """Paths of all boards of this user, newest first: regular files that belong to this user."""
    paths = []
    for folder in folders():
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            if not (entry.name.startswith("calf-") and entry.name.endswith(suffix)):
                continue
            try:
                about = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            mine = not hasattr(os, "getuid") or about.st_uid == os.getuid()
            if stat.S_ISREG(about.st_mode) and mine:
                paths.append((about.st_mtime, entry.path))
    return (path for _, path in sorted(paths, reverse=True))


def started(pid: int) -> int | None:
    """When a process started, in a unit of the system's; 0 if that cannot be determined, None if
    there is no such process."""
    if sys.platform.startswith("linux"):
        try:
            with open("/proc/%d/stat" % pid, "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            return None
        return None if fields[0] in (b"Z", b"X") else int(fields[19])
    if sys.platform == "win32":  # where os.kill would end it
        return _windows_started(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:  # another user's
        return 0
    return 0


def _windows_started(pid: int) -> int | None:
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    handle = kernel.OpenProcess(0x1000, False, pid)  # only asks
    if not handle:
        return None
    times = (ctypes.c_ulonglong * 4)()
    parts = [ctypes.byref(times, 8 * i) for i in range(4)]
    known = kernel.GetProcessTimes(handle, *parts)
    kernel.CloseHandle(handle)
    return int(times[0]) if known else 0
