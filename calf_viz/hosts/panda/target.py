"""A buffer that a context renders into, which knows whether the last frame drew it.

Panda silently skips a buffer that is not ready: while a window is being moved, or if the driver
refuses its context or framebuffer. It would then show an older frame, or black. But at the end of
each frame drawn, Panda reports that the copies requested of it are made: here there are none to
make, so this costs nothing.
"""

from __future__ import annotations

from panda3d.core import GraphicsOutput


class Target:
    """Knows whether the last frame drew one buffer."""

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
