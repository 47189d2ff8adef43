"""Protects the import of torch from being interrupted halfway."""

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
    """For a block that imports torch, directly or not: Ctrl-C takes effect at its end.

    A partly imported torch stays in the process and crashes it at exit, or when torch is imported
    again, as happens in a notebook when a cell is stopped and run once more.

    Raises:
        UserError: the current folder is gone; torch's libraries would end the process.
        KeyboardInterrupt: Ctrl-C was pressed during the block.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise UserError("the current folder was removed: go to another, and start again") from error
    with _delayed_interrupt():
        yield


@contextmanager
def _delayed_interrupt() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    # Only the main thread receives it, and only a Python handler can interrupt an import.
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
