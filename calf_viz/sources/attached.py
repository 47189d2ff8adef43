"""A source that shows somebody else's training loop, through the board that it writes.

Rows become samples as they are; where an episode ended, the next row of the agent begins a new
trail. If rows were overwritten before they could be read, their number jumps, which breaks trails,
and the panel says how many.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from calf_attach.board import Board, BoardError, Row
from calf_attach.layout import FIRST, HIDDEN, TERMINATED, TRUNCATED, Phase, Word
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown
from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.view import View

STALE = 5.0
"""Seconds without a call from a loop that lives, after which the notice says so."""


def view_of(meta: dict[str, Any]) -> View:
    """The view that a board's meta block describes. Raises UserError for one that no view can be
    made of."""
    try:
        lo, hi = meta["lo"], meta["hi"]
        colours = meta.get("colours")
        return View(
            title=meta["title"],
            lo=tuple(lo),
            hi=tuple(hi),
            labels=tuple(meta["labels"]),
            periodic=tuple(meta["periodic"]),
            modes=tuple(meta["modes"]),
            colours=None if colours is None else tuple(_colour(colour) for colour in colours),
            value=meta["value"],
            dt=meta.get("dt"),
            live=True,
        )
    except (KeyError, TypeError) as error:
        raise UserError(f"the board's view: {shown(str(error))}: nothing can be shown") from error


def _colour(found: Any) -> Any:
    return tuple(found) if isinstance(found, list) else found


class Attached:
    """Shows the loop of one board. As `Source`, and `Noticing`.

    Attributes:
        lost: rows that were overwritten before they were read.
    """

    def __init__(self, path: Path | str) -> None:
        """Raises UserError if there is no board, or another version's."""
        self.board = open_board(path)
        self.lost = 0
        board = self.board
        self._next = max(board[Word.ROW] - board.shape.rows, 0)
        self._rows: list[Row] = []
        self._version = 0
        self._meta_version = -1
        self._ended = np.zeros(0, bool)
        self._view = self._take_view()
        self._skipped = True

    def _take_view(self) -> View:
        version, meta = self.board[Word.META], None
        while meta is None:
            meta = self.board.meta()
        self._meta_version = version
        return view_of(meta)

    @property
    def view(self) -> View:
        """As `Source`: its bounds follow the loop's."""
        if self.board[Word.META] != self._meta_version:
            self._view = self._take_view()
        return self._view

    def step(self) -> Samples | None:
        """The next row's samples."""
        if not self._rows:
            self._rows = self.board.rows_since(self._next)[::-1]
            if not self._rows:
                return None
        row = self._rows.pop()
        self.lost += row.number - self._next
        self._next = row.number + 1
        return self._samples(row)

    def _samples(self, row: Row) -> Samples:
        flags = row.flags
        n = len(flags)
        first = (flags & FIRST) > 0
        known = min(n, len(self._ended))
        first[:known] |= self._ended[:known]
        self._ended = (flags & (TERMINATED | TRUNCATED)) > 0
        positions = row.positions
        hidden = (flags & HIDDEN) > 0
        if hidden.any():
            positions = np.where(hidden[:, None], np.nan, positions)
        modes: NDArray[np.uint8] = np.minimum(row.modes, len(self._view.modes) - 1)
        return Samples(positions, modes, first, None, row.number, {"reward": row.columns[0]})

    def surface(self) -> Heightfield | None:
        """The newest surface of these bounds."""
        found = self.board.surface(self._version)
        if found is None or found.values is None:
            return None
        self._version = found.version
        view = self.view
        if (found.lo, found.hi) != (view.lo, view.hi):
            return None  # the bounds have grown since: the next one has them
        return Heightfield(found.values, found.lo, found.hi)

    @property
    def notice(self) -> str | None:
        """What must not be missed about the loop."""
        board = self.board
        phase = Phase(board[Word.PHASE]) if board[Word.PHASE] in set(Phase) else Phase.RUNNING
        if phase is Phase.FINISHED:
            return "the loop has ended"
        if not board.alive:
            return "the loop's process is gone"
        faults = board[Word.FAULTS]
        if faults:
            text = board.newest_fault.strip().splitlines()
            return (
                f"{faults} faults in the loop's calls, the last: {shown(text[-1] if text else '')}"
            )
        quiet = 1e-9 * (time.perf_counter_ns() - board[Word.HEARTBEAT])
        return f"nothing from the loop for {quiet:.0f} s" if quiet > STALE else None

    def close(self) -> None:
        """Nothing to do: the board is the loop's."""


def open_board(path: Path | str) -> Board:
    """Map a board. Raises UserError if it cannot be read, or is none of this version."""
    try:
        return Board.open(str(path))
    except BoardError as error:
        raise UserError(str(error)) from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
