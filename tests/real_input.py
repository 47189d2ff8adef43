"""A real mouse and real keys, for scripts that run under a display."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from calf_viz import CALFApplication


def xdotool(*arguments: object) -> None:
    subprocess.run(["xdotool", *map(str, arguments)], check=True)


def drawn_until(app: CALFApplication, met: Callable[[], bool], frames: int = 300) -> bool:
    """Draw until a condition is met, this number of frames at most; returns whether it is."""
    for _ in range(frames):
        app.draw()
        if met():
            return True
    return False


@contextmanager
def heard(app: CALFApplication) -> Iterator[list[str]]:
    """In the block, the list grows by each event that the window sends."""
    messenger = app.host.app.messenger
    sending, events = messenger.send, list[str]()

    def send(event: str, *more: object, **named: object) -> None:
        events.append(event)
        sending(event, *more, **named)

    messenger.send = send
    try:
        yield events
    finally:
        messenger.send = sending


def press(app: CALFApplication, key: str) -> None:
    """Press a key, and draw until it is released."""

    def released(event: str) -> bool:
        return event.startswith("time-") and event.endswith("up")

    with heard(app) as events:
        xdotool("key", key)
        drawn_until(app, lambda: any(map(released, events)))
