"""Steps that the user marked, and where else one may want to go."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from calf_viz.errors import UserError

if TYPE_CHECKING:
    from calf_viz.viewer.playhead import Playhead
    from calf_viz.viewer.recorded import Recorded


class Marks:
    """Marks of one playhead's source: those of a recording are kept beside it, others in the
    recording that is being made, or until the program ends."""

    def __init__(self, head: Playhead, recorded: Recorded) -> None:
        self._head, self._recorded = head, recorded

    @property
    def rows(self) -> Sequence[int]:
        """Marked rows that can be shown, in order; another list whenever they change."""
        source = self._head.seekable
        return self._head.marked if source is None else source.contents.marks()

    def toggle(self) -> str:
        """Mark the row shown, or take its mark away; returns what happened, in a few words."""
        head = self._head
        if head.at < 0:
            return "nothing is shown that could be marked"
        if head.seekable is None:
            return self._toggle_here()
        try:
            there = head.seekable.contents.toggle_mark(head.at)
        except UserError as error:
            return f"the mark holds until the window is closed: {error}"
        if there is None:
            return "that mark is in the recording itself"
        return "marked" if there else "the mark is gone"

    def _toggle_here(self) -> str:
        head, row = self._head, self._head.at
        if row in head.marked:
            head.marked = [each for each in head.marked if each != row]
            return "the mark is gone"
        head.marked = sorted((*head.marked, row))
        recorded = self._recorded.mark(head.newest - row)
        return "marked, in the recording as well" if recorded else "marked"

    def around(self) -> tuple[int, int] | None:
        """The marks before and after the row shown, or an end where there is none; None without
        any mark."""
        rows, head = self.rows, self._head
        if not rows:
            return None
        at = bisect_right(rows, head.at)
        begin = rows[at - 1] if at else head.first
        end = rows[at] if at < len(rows) else head.last
        return (begin, end) if begin < end else None


def beyond(rows: Sequence[int], at: int, forwards: bool) -> int | None:
    """The nearest of some rows after one, or before it; None if there is none."""
    if forwards:
        found = bisect_right(rows, at)
        return rows[found] if found < len(rows) else None
    found = bisect_left(rows, at)
    return rows[found - 1] if found else None
