"""Rows of events: what happened, one a row.

kind    text       `episode` (its last step), `agents`, `bounds`, `mark` (a user's), `pause`,
                   `resume`, `restart`, `left_out` (up to this step)
agent   int32      whose, or -1
number  double     of an episode its return, of `agents` how many, of `left_out` how many steps
                   and events, else NaN
text    text       of an episode how it ended, and its steps; of bounds both corners
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.recording.arrow import arrow

LONGEST_TEXT = 1000
"""Characters of an event's text."""


ENTRY_BYTES = 120
"""Memory of an event without its text, about."""


class Event(NamedTuple):
    """Something that happened at a step."""

    step: int
    time: float
    kind: str
    agent: int = -1
    number: float = math.nan
    text: str = ""


def schema() -> Any:
    """Arrow's schema of the rows."""
    pa = arrow()
    kinds = [pa.int64(), pa.float64(), pa.string(), pa.int32(), pa.float64(), pa.string()]
    return pa.schema(
        [pa.field(name, kind, False) for name, kind in zip(Event._fields, kinds, strict=True)]
    )


class Events(NamedTuple):
    """Events of one kind at one step, at least one."""

    step: int
    time: float
    kind: str
    agents: NDArray[np.integer]
    numbers: NDArray[np.floating]
    texts: list[str]

    @property
    def nbytes(self) -> int:
        """Memory that they take, about."""
        return ENTRY_BYTES * (1 + len(self.texts)) + sum(map(len, self.texts))

    @classmethod
    def of(cls, event: Event) -> Events:
        """A single one."""
        step, time, kind, agent, number, text = event
        return cls(step, time, kind, np.array([agent]), np.array([number]), [text])


def batch(found: Sequence[Events]) -> Any:
    """Rows."""
    pa = arrow()
    sizes = [len(one.agents) for one in found]
    columns = [
        np.repeat(np.array([one.step for one in found], np.int64), sizes),
        np.repeat([one.time for one in found], sizes),
        [one.kind for one in found for _ in one.texts],
        np.concatenate([one.agents for one in found]).astype(np.int32),
        np.concatenate([one.numbers for one in found]).astype(np.float64),
        [text for one in found for text in one.texts],
    ]
    of = schema()
    arrays = [pa.array(c, field.type) for c, field in zip(columns, of, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=of)


def events(batch: Any) -> list[Event]:
    """The events in rows."""
    return [Event(**row) for row in batch.to_pylist()]
