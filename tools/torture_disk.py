"""Folders to torture in, and disks without room."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def scratch(small: bool) -> Iterator[Path]:
    """An empty folder, on a small file system of its own if permitted."""
    with tempfile.TemporaryDirectory(prefix="torture-") as made:
        mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "torture", made]
        mounted = small and subprocess.run(mount, capture_output=True, check=False).returncode == 0
        try:
            yield Path(made)
        finally:
            if mounted:
                subprocess.run(["umount", made], check=True)


@contextmanager
def filled(root: Path, free: int) -> Iterator[None]:
    """Leave `free` bytes on a file system during the block."""
    status = os.statvfs(root)
    filler = root / ".filler"
    with filler.open("wb") as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, max(1, status.f_bavail * status.f_frsize - free))
    try:
        yield
    finally:
        filler.unlink()
