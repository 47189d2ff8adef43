"""torch is imported whole, or not at all."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from calf_viz.errors import UserError


@contextmanager
def whole_imports() -> Iterator[None]:
    """For a block that imports what imports torch: Ctrl-C is heard at its end.

    Of a torch whose import was interrupted half stays in the process, which crashes as it ends or
    when torch is imported again, as a notebook does in which a cell is stopped and run once more.

    Raises:
        UserError: the current folder is gone. torch's libraries would end the process.
        KeyboardInterrupt: it came meanwhile.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise UserError("the current folder was removed: go to another, and start again") from error
    with _heard_later():
        yield


@contextmanager
def _heard_later() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    # Only the main thread hears it, and only a handler of Python's can interrupt an import.
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    heard: list[tuple[int, Any]] = []
    signal.signal(signal.SIGINT, lambda *happened: heard.append(happened))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if heard:
            before(*heard[0])
