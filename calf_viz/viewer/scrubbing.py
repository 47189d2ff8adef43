"""The timeline: where the picture is among the steps that can be shown, and where the mouse wants
it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from calf_viz.hud import numbers
from calf_viz.hud.timeline import MOST_COLUMNS, Timeline

if TYPE_CHECKING:
    from calf_viz.hud.hud import Hud
    from calf_viz.sources.base import Seekable
    from calf_viz.viewer.marks import Marks
    from calf_viz.viewer.playback import Playback
    from calf_viz.viewer.playhead import Playhead

ASK_EVERY, SLIDES_EVERY = 30, 8
"""Frames between looks at what there is by now: in a recording, and in a ring that is written."""
DIGITS = 3
"""Of places along the timeline: finer ones do not show."""
WHOLE = 256
"""Pieces of a recording that are read before the first frame, where there is no window: its
pictures are always the same."""


class Scrubbing:
    """Shows a timeline while there is another step to go to: always for a recording, and for other
    sources while one looks back or, in a window, pauses."""

    def __init__(self, hud: Hud | None, has_window: bool) -> None:
        self._hud, self._has_window, self._frames = hud, has_window, 0
        self._widget = Timeline()
        self._marks: Sequence[int] | None = None
        self._loop: tuple[int, int] | None = None
        self._summed: tuple[int, int] | None = None
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

    def frame(self, head: Playhead, marks: Marks, playback: Playback) -> None:
        """Called before each frame: show where the picture is."""
        hud, source, widget = self._hud, head.seekable, self._widget
        if hud is None:
            return
        if source is None:
            paused = playback.paused and self._has_window
            there = head.behind or (paused and head.last > head.first)
            text = _back(head) if there else None
        else:
            shown, all_of_them = numbers.count(head.at + 1), numbers.count(source.rows)
            text = f"{source.moment()}, row {shown} of {all_of_them}"
            if source.grows:
                text += " so far (live or crashed)"
            there = True
            self._read(source)
        widget.passing = source is None
        hud.update(timeline=text)
        if there:
            widget.at = (head.at - head.first) / max(head.last - head.first, 1)
            self._mark(head, marks, playback)

    def _read(self, source: Seekable) -> None:
        """Read on in a recording: a piece in each frame."""
        for _ in range(1 if self._has_window or self._frames else WHOLE):
            if source.contents.complete:
                break
            source.contents.read()

    def _mark(self, head: Playhead, marks: Marks, playback: Playback) -> None:
        """Lay out anew what changed along the timeline."""
        widget, hud, source = self._widget, self._hud, head.seekable
        rows = marks.rows
        looping = head.loop if playback.looping else None
        asked = self._frames % (SLIDES_EVERY if source is None else ASK_EVERY) == 0
        self._frames += 1
        # Marks are compared by identity, as there may be thousands.
        if hud is None or not (asked or rows is not self._marks or looping != self._loop):
            return
        self._marks, self._loop = rows, looping
        drawn = (
            _parts(head, head.beginnings()),
            _parts(head, rows),
            looping and _parts(head, looping),
        )
        changed = drawn != (widget.ticks, widget.marks, widget.loop)
        widget.ticks, widget.marks, widget.loop = drawn
        if source is not None and (state := source.contents.summary.state) != self._summed:
            self._summed, changed = state, True
            widget.shares, widget.episodes = source.contents.summary.columns(MOST_COLUMNS)
        if changed:
            hud.redraw()


def _parts(head: Playhead, rows: Sequence[int]) -> tuple[float, ...]:
    """Where rows are on the timeline; without those that are not on it."""
    return tuple(_part(head, row) for row in rows if head.first <= row <= head.last)


def _part(head: Playhead, row: int) -> float:
    """Where a row is on the timeline, 0 to 1."""
    return round(min(max((row - head.first) / max(head.last - head.first, 1), 0.0), 1.0), DIGITS)


def _back(head: Playhead) -> str:
    """How far back the picture is."""
    steps, most = head.last - head.at, numbers.count(head.last - head.first)
    if not steps:
        return f"the newest step, of {most} that can be gone back to"
    return f"{numbers.count(steps)} steps back, of {most}"
