"""Copies a recording that is being written to an address, as object stores cannot append.

    walk.calf/ ──▶ streams that are sealed, one after another ──▶ s3://bucket/walk.calf

The folder stays: whatever happens to the connection, all of the recording is in it.
"""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

from calf_viz.errors import UserError, shown
from calf_viz.files import is_file
from calf_viz.recording.folder import EVENTS, META, check_new, segments
from calf_viz.recording.storage import Address, locate, put_file

log = logging.getLogger("calf_viz")

LOOK_EVERY = 2.0
"""Seconds between looks for streams that were sealed."""


def local_folder(given: str | os.PathLike[str], setting: str = "") -> tuple[Path, Address | None]:
    """The folder to record to, and the address to copy it to, if it is one: then the folder has
    its last part as name, here.

    setting: in backquotes, if it was given by one. Raises UserError for an address that cannot be
    used, or where something is recorded already.
    """
    place = locate(given)
    if isinstance(place, Path):
        return place, None
    name = place.path.rsplit("/", 1)[-1]
    if name in ("", ".", "..") or os.sep in name:
        raise UserError(f"{setting} {shown(place)}: its last part is no name: give one".lstrip())
    check_new(place, setting)
    return Path(name), place


class Copies:
    """Copies what is sealed, in a thread of its own.

    Attributes:
        failure: why the last copy failed, in one line; None if it did not.
    """

    def __init__(self, folder: Path, address: Address) -> None:
        """folder: of a recording that has begun."""
        self.folder, self.address = folder, address
        self.failure: str | None = None
        self._copied: set[str] = set()
        self._closing = threading.Event()
        log.info(f"recording to {shown(folder)}; sealed streams are copied to {shown(address)}")
        self._thread = threading.Thread(target=self._run, name="copies", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            done = self._closing.wait(LOOK_EVERY)
            try:
                self._copy(done)
                self.failure = None
            except UserError as error:
                if self.failure is None and not done:
                    log.warning(f"{error}; it is tried again")
                self.failure = str(error)
            if done:
                return

    def _copy(self, complete: bool) -> None:
        """Copy what was sealed since the last call. Raises UserError."""
        # Rows come last: whatever belongs to those that are there, is there.
        streams = [
            path
            for kind in ("critic", "agents")
            for path in segments(self.folder, kind)[: None if complete else -1]
        ]
        new = [path for path in streams if path.name not in self._copied]
        if META not in self._copied:
            self._put(META)
        if (new or complete) and is_file(self.folder / EVENTS):
            self._put(EVENTS)  # which is one stream, however long
        for path in new:
            self._put(path.name)

    def _put(self, name: str) -> None:
        put_file(self.folder / name, self.address / name)
        self._copied.add(name)

    def close(self) -> None:
        """Copy the rest; to be called when all streams are sealed."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join()
        if self.failure is None:
            log.info(f"copied to {shown(self.address)}")
        else:
            log.warning(f"not all was copied: {self.failure}; all of it is in {shown(self.folder)}")
