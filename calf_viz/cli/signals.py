"""Signals that end a command in order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """In the block, these signals end the command as Ctrl-C does, so that it stops its processes
    and removes its files. One that is ignored, such as under nohup, stays so."""
    before = {number: signal.getsignal(number) for number in ENDING}
    before = {number: known for number, known in before.items() if known != signal.SIG_IGN}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, known in before.items():
            signal.signal(number, known)
