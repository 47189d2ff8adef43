"""A pass of its own into a buffer, which is there when it says so.

While a window is being moved or sized by the program, at start for example, Panda leaves frames
out, those of the window's buffers too, until the window manager has answered. What such a pass was
to write would be lost.
"""

from __future__ import annotations

import time
from typing import Any
from weakref import finalize

from panda3d.core import (
    DisplayRegion,
    GraphicsOutput,
    PythonCallbackObject,
)

from calf_viz.errors import UserError
from calf_viz.hosts.panda_context import PandaContext

PATIENCE, BETWEEN = 5.0, 2e-3
"""Seconds that frames may be left out, and between two tries."""


class _Told:
    """Notes that a region was drawn. It knows nothing of the region, which holds it: Python could
    not find such a circle, and both would stay for ever."""

    drawn = True

    def __call__(self, data: Any) -> None:
        data.upcall()
        self.drawn = True


class Pass:
    """What a camera sees, rendered into a region of a buffer when it is asked for."""

    def __init__(
        self,
        context: PandaContext,
        buffer: GraphicsOutput,
        region: DisplayRegion,
    ) -> None:
        """context: whose buffer it is."""
        self.context, self.buffer, self.region = context, buffer, region
        self._told = _Told()
        if not context.steady:  # to call back, Panda sets all of the state anew in each frame
            region.set_draw_callback(PythonCallbackObject(self._told))
            # Else Panda, which ends after Python, would let go of an object of Python's then.
            finalize(self, region.clear_draw_callback)

    def begin(self) -> None:
        """Have the next frame draw it."""
        self._told.drawn = self.context.steady
        self.context.due.append(self.buffer)

    def end(self) -> bool:
        """After a frame: whether it was drawn; the next one does where it was not."""
        if not self._told.drawn:
            self.context.due.append(self.buffer)
        return self._told.drawn

    def render(self) -> None:
        """Draw it now, apart from all else. Raises UserError where the window never gets ready."""
        self._told.drawn = self.context.steady
        given_up = time.monotonic() + PATIENCE
        while True:
            self.context.render(self.buffer)
            if self._told.drawn:
                return
            if time.monotonic() > given_up:
                raise UserError("the window does not get ready to be drawn to: use --headless")
            time.sleep(BETWEEN)
