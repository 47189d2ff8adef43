"""Detects changes in a folder, by watchfiles in a separate thread.

It does not report what changed: callers read the files. Folders may vanish, become unreachable and
come back. Shader files are also polled, as links may point anywhere, and not every file system
reports changes made by another machine.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import watchfiles

from calf_viz.errors import shown
from calf_viz.glsl.folder import entries
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.shader_file import SUFFIXES

log = logging.getLogger("calf_viz")

STEP, DEBOUNCE = 10, 100
"""Milliseconds without further changes before a change is reported, so that half-written files are
rarely read; and after which it is reported in any case."""
LOOK_AGAIN = 250
"""Milliseconds between checks of the folder's identity and of its files."""
RARELY = 20
"""Polling the files pauses for this many times as long as it took, for folders with many files."""

Files = dict[str, tuple[int, int, int]]
"""Inode, size and modification time [ns], by path."""


class Watcher:
    """Watches a folder from construction until it is closed."""

    def __init__(self, folder: Path, recursive: bool = True) -> None:
        self.folder, self.recursive = folder, recursive
        self._changed, self._stop = Event(), Event()
        self._thread = Thread(target=self._run, name=f"watch {folder}", daemon=True)
        self._thread.start()

    def take(self) -> bool:
        """Whether something changed since the last call; costs nothing."""
        changed = self._changed.is_set()
        if changed:
            self._changed.clear()
        return changed

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        polling, reported = False, ""
        while not self._stop.is_set():
            try:
                with _held(self.folder) as watched:
                    self._watch(watched, polling)
                reported = ""
            except FileNotFoundError:
                pass  # it is gone: reported when the files are read
            # No exception of the library may end the watching, not even a Rust panic, which is
            # only a BaseException.
            except BaseException as error:
                if shown(str(error)) != reported:
                    self._changed.set()  # reading the files reports what is wrong
                    reported, polling = shown(str(error)), _is_there(self.folder)
                    instead = "; polling instead" if polling else ""
                    log.warning("%s is not watched: %s%s", shown(self.folder), reported, instead)
            self._stop.wait(1e-3 * LOOK_AGAIN)

    def _watch(self, watched: os.stat_result, polling: bool) -> None:
        """Watch until the folder is replaced or gone. Raises whatever watching raises."""
        files, due = self._files(), 0.0
        changes = watchfiles.watch(
            self.folder,
            watch_filter=None,
            step=STEP,
            debounce=DEBOUNCE,
            stop_event=self._stop,
            rust_timeout=LOOK_AGAIN,
            yield_on_timeout=True,
            raise_interrupt=False,
            # None: the library decides, by its environment variable and the platform.
            force_polling=True if polling else None,
            recursive=self.recursive,
        )
        self._changed.set()  # something may have changed before watching began
        for found in changes:
            before, start = files, time.monotonic()
            if start >= due:
                files = self._files()
                due = start + RARELY * (time.monotonic() - start)
            if found or files != before:
                self._changed.set()
            if not _is_still(self.folder, watched):
                self._changed.set()
                return

    def _files(self) -> Files:
        """The current shader files and looks."""
        found: Files = {}
        with suppress(ShaderError):  # in a folder with too many, only the first ones
            for entry in entries(self.folder, self.recursive):
                if entry.name.endswith((*SUFFIXES, ".toml")):
                    with suppress(OSError):  # a dangling link
                        is_ = entry.stat()
                        found[entry.path] = is_.st_ino, is_.st_size, is_.st_mtime_ns
        return found


def _is_still(folder: Path, watched: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(folder), watched)
    except OSError:  # it is gone, or unreachable
        return False


def _is_there(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)


@contextmanager
def _held(folder: Path) -> Iterator[os.stat_result]:
    """Keep a folder open, so that one created in its place cannot get its inode number and be
    mistaken for it. Raises OSError if there is none."""
    if os.name == "nt":  # where folders cannot be opened, and file ids are not reused
        yield folder.stat()
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        yield os.fstat(held)
    finally:
        os.close(held)
