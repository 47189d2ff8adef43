"""A buffer that a context renders into, which knows whether the last frame drew it.

Panda leaves one out of a frame without a word where it is not ready: while a window is being moved,
or where the driver refuses its context or framebuffer. What it was to hold would be of an older
frame, or black. But to whom asked for copies, at the end of each frame, it tells that they are
made: here there are none to make, so that this costs nothing.
"""

from __future__ import annotations

from panda3d.core import GraphicsOutput


class Target:
    """Of one buffer."""

    def __init__(self, output: GraphicsOutput) -> None:
        self.output = output
        self.begin()

    def begin(self) -> None:
        """Before a frame."""
        self._copied = self.output.trigger_copy()

    @property
    def drawn(self) -> bool:
        """Whether the frame since `begin` drew it."""
        return bool(self._copied.done())
