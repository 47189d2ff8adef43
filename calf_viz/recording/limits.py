"""What is recorded, and how much."""

from __future__ import annotations

import re
from dataclasses import dataclass

from calf_viz.errors import UserError, quoted

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([kmgt]?)b?", re.IGNORECASE)
LEAST_BYTES = 10_000_000
"""Twice a second a recording's size is compared with its limit: what gathers before the first time,
a critic with its weights and some steps, is often a megabyte."""


@dataclass(frozen=True)
class Limits:
    """What is recorded.

    Attributes:
        every: every how many steps a row is written; beginnings of episodes are not lost.
        most_bytes: size of the folder at which the recording ends; None: no limit.
        zstd: whether rows are compressed.
    """

    every: int = 1
    most_bytes: int | None = None
    zstd: bool = False


def read_size(text: str | None) -> int | None:
    """Bytes of a size such as 500MB; None for none. Raises UserError."""
    if text is None:
        return None
    match = _SIZE.fullmatch(text.strip())
    size = 0 if match is None else round(float(match[1]) * _UNITS[match[2].lower()])
    if size < LEAST_BYTES:
        raise UserError(
            f"`record_limit` {quoted(text)}: give a size of 10 MB or more, such as 500MB or 20GB"
        )
    return size
