"""Starts a viewer in a process of its own, often of another environment, or finds the one there.

A viewer says that it is there by a small file beside the boards, `calf-UID-NAME-PID.calfviewer`.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import shutil
import sys
import zlib
from contextlib import suppress
from typing import Any

from calf_attach import mapped_file

COMMAND = "CALF_VIZ"
"""Variable that names the command, where `calf-viz` is not on PATH."""
SUFFIX = ".calfviewer"
_MOVING = ("lo", "hi", "moved", "sliders", "margins", "assumed")
"""Parts of a meta block that may change while a viewer shows it."""
_started: list[Any] = []  # so that none is collected, and complained of, while it runs
log = logging.getLogger("calf_attach")


def open_window(name: str, meta: dict[str, Any]) -> None:
    """Have a viewer that shows the loop of this name; logs one line if there is none to start."""
    if viewer_there(name, meta):
        return
    command = viewer_command()
    if command is None:
        log.warning(
            "no window: calf-viz is not on PATH: set %s to its path, or run `calf-viz attach %s` "
            "where it is; the loop goes on", COMMAND, name,
        )  # fmt: skip
        return
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    import subprocess  # which few loops need

    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        _started.append(
            subprocess.Popen(
                [*command, "attach", name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment,
                **detached,
            )
        )
    except OSError as error:
        log.warning("no window: %s: %s; the loop goes on", command[0], error.strerror)


def viewer_command() -> list[str] | None:
    """The command that starts calf_viz; None if it is not found."""
    named = os.environ.get(COMMAND)
    if named:
        return [named] if os.path.exists(named) else shlex.split(named)
    found = shutil.which("calf-viz")
    return None if found is None else [found]


def signature(meta: dict[str, Any]) -> int:
    """What a viewer cannot change while it shows a loop, as a checksum."""
    fixed = {key: value for key, value in meta.items() if key not in _MOVING}
    return zlib.crc32(json.dumps(fixed, sort_keys=True).encode())


def announce(name: str, meta: dict[str, Any]) -> str | None:
    """Say that this process shows loops of this name; returns the path of a file to remove at the
    end, None if it could not be made."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    for folder in mapped_file.folders():
        path = os.path.join(folder, "calf-%d-%s-%d%s" % (user, name, os.getpid(), SUFFIX))
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(path, flags, 0o600), "w") as file:
                file.write(str(signature(meta)))
            return path
        except OSError:
            continue
    return None


def viewer_there(name: str, meta: dict[str, Any]) -> bool:
    """Whether a viewer shows loops of this name that look the same."""
    there = False
    for path, shows in viewers():
        if shows == name:
            with suppress(OSError), open(path) as file:
                there |= file.read(32) == str(signature(meta))
    return there


def viewers() -> list[tuple[str, str]]:
    """Paths of the files of viewers, and the names that they show. Removes those of viewers that
    are gone."""
    found = []
    for path in mapped_file.found(SUFFIX):
        parts = re.search(r"-\d+-(.*)-(\d+)" + re.escape(SUFFIX) + "$", os.path.basename(path))
        if parts is None:
            continue
        if mapped_file.started(int(parts.group(2))) is None:
            with suppress(OSError):
                os.unlink(path)
        else:
            found.append((path, parts.group(1)))
    return found
