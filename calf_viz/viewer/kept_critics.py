"""Surfaces of a source that gives each once, for those who look back."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence

from calf_viz.heightfield import Heightfield

MOST_BYTES = 64 << 20
"""Memory for them; where it ends, the oldest that is kept is shown."""


class KeptCritics:
    """The surfaces behind the rows that can be shown.

    Attributes:
        of_today: whether every row is shown on the newest.
    """

    def __init__(self) -> None:
        self.of_today = False
        self._kept: deque[Heightfield] = deque()
        self._rows: list[int] = []
        self._shown: Heightfield | None = None
        self._bytes = 0

    def forget(self) -> None:
        """The source starts over."""
        self._kept.clear()
        self._rows.clear()
        self._shown, self._bytes = None, 0

    @property
    def rows(self) -> Sequence[int]:
        """First row of each."""
        return self._rows

    def see(self, field: Heightfield, row: int, first: int) -> None:
        """Take note of the newest, shown from a row on. first: the first row that can be shown."""
        if self._kept and (self._kept[-1].lo, self._kept[-1].hi) != (field.lo, field.hi):
            self.forget()  # of another plane: none of them can be shown on this one
        self._kept.append(field)
        self._rows.append(row)
        self._bytes += field.values.nbytes
        while len(self._kept) > 1 and (self._rows[1] <= first or self._bytes > MOST_BYTES):
            self._bytes -= self._kept.popleft().values.nbytes
            del self._rows[0]

    def take(self, row: int) -> Heightfield | None:
        """The surface for a row, if it is another one than that of the last call."""
        if not self._kept:
            return None
        number = len(self._kept) if self.of_today else bisect_right(self._rows, row)
        field = self._kept[max(number - 1, 0)]
        if field is self._shown:
            return None
        self._shown = field
        return field
