"""Finds the boards of this machine, and removes those whose loops are gone."""

from __future__ import annotations

import os
import re
import time
from typing import Any, NamedTuple

from calf_attach import mapped_file, window
from calf_attach.board import Board, BoardError
from calf_attach.layout import Phase, Word

KEPT = 600.0
"""Seconds for which the board of a killed loop is kept, so that it can still be looked at."""


class Found(NamedTuple):
    """A loop that can be watched."""

    board: Board
    meta: dict[str, Any]

    @property
    def name(self) -> str:
        """What it is joined by."""
        return str(self.meta.get("name", "loop"))


def loops() -> tuple[list[Found], list[str]]:
    """All loops of this user, newest first, and what is wrong with boards that cannot be read.
    Removes boards of loops that are long gone, and files of viewers that are."""
    window.viewers()
    found, troubles = [], []
    for path in mapped_file.found():
        try:
            board = Board.open(path)
            meta = board.meta()
        except BoardError as error:
            if not _abandoned(path):
                troubles.append(str(error))
            continue
        except OSError:  # gone meanwhile
            continue
        empty = not (board[Word.ROW] or board[Word.SURFACE])
        if not board.alive and (empty or _quiet(board) > KEPT):
            board.unlink()
        elif meta is not None and board[Word.PHASE] != Phase.MOVED:
            found.append(Found(board, meta))
    return found, troubles


def sweep(name: str) -> None:
    """Remove the boards of loops of this name whose processes are gone, and of any that are long
    gone."""
    for one in loops()[0]:
        if one.name == name and not one.board.alive:
            one.board.unlink()


def _quiet(board: Board) -> float:
    """Seconds since the loop's last call."""
    since = 1e-9 * (time.perf_counter_ns() - board[Word.HEARTBEAT])
    return since if since >= 0.0 else float("inf")  # the machine was started again


def _abandoned(path: str) -> bool:
    """Whether it was being made by a process that is gone; then it is removed."""
    maker = re.search(r"-(\d+)(\.\d+)?" + re.escape(mapped_file.SUFFIX) + "$", path)
    if maker is None or mapped_file.started(int(maker.group(1))) is not None:
        return False
    try:
        os.unlink(path)
    except OSError:
        return False
    return True
