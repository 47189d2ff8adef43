"""Loops that are watched, in tests."""

from __future__ import annotations

from calf_attach import Handle
from calf_attach.board import Board

SQUARE = [(-1.0, 1.0), (-1.0, 1.0)]


def board_of(handle: Handle) -> Board:
    """What viewers would read."""
    assert handle.board is not None
    return Board.open(handle.board)
