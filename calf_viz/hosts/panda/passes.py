"""A pass of its own into a buffer, which is there when it says so.

While a window is being moved or sized by the program, at start for example, Panda leaves frames
out, those of the window's buffers too, until the window manager has answered. What such a pass was
to write would be lost.
"""

from __future__ import annotations

from panda3d.core import DisplayRegion, GraphicsOutput

from calf_viz.hosts.panda.context import PandaContext


class Pass:
    """A camera's view, rendered into a region of a buffer on request."""

    def __init__(
        self,
        context: PandaContext,
        buffer: GraphicsOutput,
        region: DisplayRegion,
    ) -> None:
        """context: whose target the buffer is."""
        self.context, self.buffer, self.region = context, buffer, region

    def begin(self) -> None:
        """Have the next frame draw it."""
        self.context.due.append(self.buffer)

    def end(self) -> bool:
        """After a frame: whether it was drawn; the next one does where it was not."""
        drawn = self.context.drew(self.buffer)
        if not drawn:
            self.context.due.append(self.buffer)
        return drawn

    def render(self) -> None:
        """Draw it now, apart from all else. Raises UserError where it is left out for good."""
        self.context.render(self.buffer, surely=True)
