"""Tells that something in a folder changed: watchfiles, in a thread of its own.

What changed is not asked: whoever wants to know reads the files. Folders may vanish, be out of
reach and come back. Shader files are looked at now and then as well: what links point to may lie
anywhere, and not every file system tells of changes that another machine makes.
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
"""Milliseconds without a change before one is told, so that a file half written is rarely read; and
after which it is told in any case."""
LOOK_AGAIN = 250
"""Milliseconds between looks at whether the folder is still the same one, and at its files."""
RARELY = 20
"""Times as long as a look at the files takes, in a folder of many, it is not done again."""

Files = dict[str, tuple[int, int, int]]
"""Inode, size and time of writing [ns], by path."""


class Watcher:
    """Watches from the beginning until it is closed."""

    def __init__(self, folder: Path, recursive: bool = True) -> None:
        self.folder, self.recursive = folder, recursive
        self._changed, self._stop = Event(), Event()
        self._thread = Thread(target=self._run, name=f"watch {folder}", daemon=True)
        self._thread.start()

    def take(self) -> bool:
        """Whether something changed since it was asked last; costs nothing."""
        changed = self._changed.is_set()
        if changed:
            self._changed.clear()
        return changed

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        polling, told = False, ""
        while not self._stop.is_set():
            try:
                with _held(self.folder) as watched:
                    self._watch(watched, polling)
                told = ""
            except FileNotFoundError:
                pass  # it is gone, which whoever reads it says
            # Of the library's thread no exception may end the watching, be it a panic, of which
            # Python says that it is none of its Exceptions.
            except BaseException as error:
                if shown(str(error)) != told:
                    self._changed.set()  # whoever reads the files says what is wrong with them
                    told, polling = shown(str(error)), _is_there(self.folder)
                    instead = "; looking now and then instead" if polling else ""
                    log.warning("%s is not watched: %s%s", shown(self.folder), told, instead)
            self._stop.wait(1e-3 * LOOK_AGAIN)

    def _watch(self, watched: os.stat_result, polling: bool) -> None:
        """Until the folder is another one, or none. Raises whatever watching may."""
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
            # Else the library knows: by its variable of the environment, and where it must.
            force_polling=True if polling else None,
            recursive=self.recursive,
        )
        self._changed.set()  # who knows what happened until now
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
        """Shader files, and looks, as they are now."""
        found: Files = {}
        with suppress(ShaderError):  # of a folder with very many, the first ones
            for entry in entries(self.folder, self.recursive):
                if entry.name.endswith((*SUFFIXES, ".toml")):
                    with suppress(OSError):  # it points nowhere, now
                        is_ = entry.stat()
                        found[entry.path] = is_.st_ino, is_.st_size, is_.st_mtime_ns
        return found


def _is_still(folder: Path, watched: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(folder), watched)
    except OSError:  # it is gone, or out of reach
        return False


def _is_there(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)


@contextmanager
def _held(folder: Path) -> Iterator[os.stat_result]:
    """Keep a folder open: else one that is made in its stead may get its number, and be taken for
    the same. Raises OSError where there is none."""
    if os.name == "nt":  # folders cannot be opened there, and numbers are not given twice
        yield folder.stat()
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        yield os.fstat(held)
    finally:
        os.close(held)
