"""Tells that something in a folder changed: watchfiles, in a thread of its own.

What changed is not asked: whoever wants to know reads the files. Folders may vanish and come back.
Files that are links are looked at now and then, as what they point to may lie anywhere.
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

from calf_viz.render.shader_file import SUFFIXES

log = logging.getLogger("calf_viz")

STEP, DEBOUNCE = 10, 100
"""Milliseconds without a change before one is told, so that a file half written is rarely read; and
after which it is told in any case."""
LOOK_AGAIN = 250
"""Milliseconds between looks at whether the folder is still the same one, and its links."""
RARELY = 20
"""Times as long as a look at the links takes, in a folder of many files, it is not done again."""

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
        polling = False
        while not self._stop.is_set():
            try:
                with _held(self.folder) as watched:
                    self._watch(watched, polling)
            except OSError as error:
                if self.folder.is_dir() and not polling:  # no more of the system's watches, say
                    polling = True
                    log.warning("%s: %s; looking now and then instead", self.folder, error)
            self._stop.wait(1e-3 * LOOK_AGAIN)

    def _watch(self, watched: os.stat_result, polling: bool) -> None:
        """Until the folder is another one, or none. Raises OSError where there is none."""
        links, due = self._links(), 0.0
        changes = watchfiles.watch(
            self.folder,
            watch_filter=None,
            step=STEP,
            debounce=DEBOUNCE,
            stop_event=self._stop,
            rust_timeout=LOOK_AGAIN,
            yield_on_timeout=True,
            raise_interrupt=False,
            force_polling=polling,
            recursive=self.recursive,
        )
        self._changed.set()  # who knows what happened until now
        for found in changes:
            before, start = links, time.monotonic()
            if start >= due:
                links = self._links()
                due = start + RARELY * (time.monotonic() - start)
            if found or links != before:
                self._changed.set()
            if not self.folder.is_dir() or not os.path.samestat(self.folder.stat(), watched):
                self._changed.set()
                return

    def _links(self) -> Files:
        """Files that are links, or in folders that are, as they are now."""
        found: Files = {}
        root, seen = os.path.realpath(self.folder), set[str]()
        for folder, folders, names in os.walk(self.folder, followlinks=True):
            real = os.path.realpath(folder)
            if real in seen:  # links in a circle
                folders.clear()
                continue
            seen.add(real)
            linked = real != os.path.normpath(
                os.path.join(root, os.path.relpath(folder, self.folder))
            )
            folders[:] = (name for name in folders if not name.startswith("."))
            for path in (
                os.path.join(folder, n) for n in names if n.endswith((*SUFFIXES, ".toml"))
            ):
                if linked or os.path.islink(path):
                    with suppress(OSError):  # it points nowhere, now
                        is_ = os.stat(path)
                        found[path] = is_.st_ino, is_.st_size, is_.st_mtime_ns
            if not self.recursive:
                break
        return found


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
