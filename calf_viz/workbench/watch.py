"""Tells that something in a folder changed: watchfiles, in a thread of its own.

What changed is not asked: whoever wants to know reads the files. Folders may vanish and come back.
"""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Event, Thread

import watchfiles

log = logging.getLogger("calf_viz")

STEP, DEBOUNCE = 10, 100
"""Milliseconds without a change before one is told, so that a file half written is rarely read; and
after which it is told in any case."""
LOOK_AGAIN = 250
"""Milliseconds between looks at whether the folder is still the same one."""


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
                self._watch(polling)
            except OSError as error:
                if self.folder.is_dir() and not polling:  # no more of the system's watches, say
                    polling = True
                    log.warning("%s: %s; looking now and then instead", self.folder, error)
            self._stop.wait(1e-3 * LOOK_AGAIN)

    def _watch(self, polling: bool) -> None:
        """Until the folder is another one, or none. Raises OSError where there is none."""
        watched = self.folder.stat().st_ino
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
            if found:
                self._changed.set()
            if not self.folder.is_dir() or self.folder.stat().st_ino != watched:
                self._changed.set()
                return
