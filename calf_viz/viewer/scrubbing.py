"""Where in a recording the picture is, and where the timeline's mouse wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calf_viz.hud import numbers
from calf_viz.hud.timeline import Timeline
from calf_viz.sources.base import Seekable

if TYPE_CHECKING:
    from calf_viz.hud.hud import Hud

ASK_EVERY = 30
"""Frames between looks at which surfaces there are by now."""


class Scrubbing:
    """The timeline of a source that is `Seekable`."""

    def __init__(self, source: Seekable, hud: Hud | None) -> None:
        self._source, self._hud, self._frames = source, hud, 0
        self._widget = Timeline()
        if hud is not None:
            hud.add(self._widget)

    def wanted(self) -> int | None:
        """The row that the mouse asked for since the last frame, if it is another one."""
        widget, source = self._widget, self._source
        if widget.wanted is None:
            return None
        row, widget.wanted = round(widget.wanted * (source.rows - 1)), None
        return None if row == source.at else row

    def frame(self) -> None:
        """Called before each frame: show where the picture is."""
        widget, hud, source = self._widget, self._hud, self._source
        if hud is None:
            return
        last = max(source.rows - 1, 1)
        if self._frames % ASK_EVERY == 0:
            ticks = [row / last for row in source.beginnings()]
            if ticks != list(widget.ticks):
                widget.ticks = ticks
                hud.redraw()
        self._frames += 1
        widget.at = max(source.at, 0) / last
        shown, all_of_them = numbers.count(source.at + 1), numbers.count(source.rows)
        hud.update(timeline=f"{source.moment()}, row {shown} of {all_of_them}")
