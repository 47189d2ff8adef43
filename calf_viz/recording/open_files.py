"""Files of recordings that are open: a few, however many streams a recording has."""

from __future__ import annotations

import errno
import io
import os
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import RLock

MOST_OPEN = 32
"""Of all recordings together: systems allow a program some hundreds of files."""

_open: OrderedDict[int, io.FileIO] = OrderedDict()
"""By their readers' ids; those used last at the end."""
_lock = RLock()  # a reader may be collected while its thread holds it


class LocalFile:
    """A file to read, which is closed while others are read, and opened again when it is wanted."""

    def __init__(self, path: Path) -> None:
        """Raises OSError if it cannot be opened."""
        self._path, self._closed = path, False
        self._is: tuple[int, int] | None = None
        with _lock:
            self._opened()

    def _opened(self) -> io.FileIO:
        if self._closed:
            raise ValueError("it was closed")
        file = _open.get(id(self))
        if file is not None:
            _open.move_to_end(id(self))
            return file
        file = io.FileIO(self._path)
        found = os.fstat(file.fileno())
        known, self._is = self._is, (found.st_dev, found.st_ino)
        if known not in (None, self._is):
            self._is = known
            file.close()
            raise OSError(errno.ESTALE, "it is another file by now")
        _open[id(self)] = file
        while len(_open) > max(MOST_OPEN, 1):
            _open.popitem(last=False)[1].close()
        return file

    def read(self, at: int, size: int) -> bytes:
        """As `storage.Readable`."""
        with _lock:
            file = self._opened()
            file.seek(at)
            return file.read(size)

    def size(self) -> int:
        """As `storage.Readable`."""
        with _lock:
            return self._opened().seek(0, os.SEEK_END)

    def renew(self) -> None:
        """As `storage.Readable`; nothing to do."""

    def close(self) -> None:
        """As `storage.Readable`."""
        with _lock:
            self._closed = True
            file = _open.pop(id(self), None)
        if file is not None:
            file.close()

    def __del__(self) -> None:
        with suppress(Exception):  # while the interpreter ends
            self.close()
