"""The timeline: where the picture is among the steps that can be shown, and where the mouse wants
it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calf_viz.hud import numbers
from calf_viz.hud.timeline import Timeline

if TYPE_CHECKING:
    from calf_viz.hud.hud import Hud
    from calf_viz.sources.base import Seekable
    from calf_viz.viewer.playhead import Playhead

ASK_EVERY = 30
"""Frames between looks at which surfaces there are by now."""


class Scrubbing:
    """Shows a timeline while there is another step to go to: always for a recording, and for other
    sources while one looks back or, in a window, pauses."""

    def __init__(self, hud: Hud | None, has_window: bool) -> None:
        self._hud, self._has_window, self._frames = hud, has_window, 0
        self._widget = Timeline()
        if hud is not None:
            hud.add(self._widget)

    def wanted(self, head: Playhead) -> int | None:
        """The row that the mouse asked for since the last frame, if it is another one."""
        widget = self._widget
        if widget.wanted is None:
            return None
        row = head.first + round(widget.wanted * (head.last - head.first))
        widget.wanted = None
        if row == head.at:
            return None
        head.hold()
        return row

    def frame(self, head: Playhead, paused: bool) -> None:
        """Called before each frame: show where the picture is."""
        hud, source = self._hud, head.seekable
        if hud is None:
            return
        if source is None:
            there = head.behind or (paused and self._has_window and head.last > head.first)
            text = _back(head) if there else None
        else:
            shown, all_of_them = numbers.count(head.at + 1), numbers.count(source.rows)
            text = f"{source.moment()}, row {shown} of {all_of_them}"
            self._mark_critics(source)
        self._widget.passing = source is None
        self._widget.at = (head.at - head.first) / max(head.last - head.first, 1)
        hud.update(timeline=text)

    def _mark_critics(self, source: Seekable) -> None:
        if self._frames % ASK_EVERY == 0:
            last = max(source.rows - 1, 1)
            ticks = [row / last for row in source.beginnings()]
            if ticks != list(self._widget.ticks):
                self._widget.ticks = ticks
                if self._hud is not None:
                    self._hud.redraw()
        self._frames += 1


def _back(head: Playhead) -> str:
    """How far back the picture is."""
    steps, most = head.last - head.at, numbers.count(head.last - head.first)
    if not steps:
        return f"the newest step, of {most} that can be gone back to"
    return f"{numbers.count(steps)} steps back, of {most}"
