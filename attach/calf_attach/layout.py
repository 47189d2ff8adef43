"""The board's memory as data: its words, records and offsets. Both sides read it from here.

    words      64 signed integers of 8 bytes: see `Word`
    meta       JSON that says what the rows mean, under a sequence lock
    text       the newest fault, with its traceback
    rows       a ring of steps: positions, flags, modes and columns of all agents
    ends       a small ring of finished episodes, which no decimation drops
    surfaces   two slots, version v in slot v % 2: a critic on a grid, and weights if there are any

Numbers are little-endian, as on every machine that this runs on.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

MAGIC = 0x43414C46_41545443
"""Identifies a board."""
ABI = 1
"""Version of this layout: other versions are refused, as offsets differ."""
WORDS = 64
META_BYTES = 16384
TEXT_BYTES = 8192
SLIDERS = 8
"""Numbers that viewers may set: what an observation's entries are held at that no axis shows. Meta
says which, as `sliders`."""
ENDS = 4096
"""Finished episodes that the ring of ends holds."""
LINE = 64
"""Parts begin at multiples of this many bytes, a cache line."""
MOST_BYTES = 1 << 34
"""More than any board needs: a header that asks for more is damaged."""


class Word(IntEnum):
    """Indices of the header's words. W: set by the loop, V: set by viewers. Times are those of
    `time.perf_counter_ns`, which is one clock for all processes."""

    MAGIC = 0
    ABI = 1
    SIZE = 2
    PID = 3
    STARTED = 4
    """When the loop's process started, in the system's own unit: a process id is used again."""
    PHASE = 6
    AGENTS = 7
    """Agents that a row has room for."""
    ROWS = 8
    """Rows that the ring holds."""
    COLUMNS = 9
    """Named numbers of each agent in a row."""
    WIDE = 10
    """Whether positions are float64 rather than float32."""
    NODES = 11
    """Nodes that a surface has room for."""
    WEIGHTS = 12
    META = 13
    """W: version of the meta block; odd while it is written."""
    ROW = 14
    """W: number of the next row."""
    END = 15
    """W: number of the next finished episode."""
    SURFACE = 16
    """W: version of the newest surface."""
    PUBLISHED = 17
    """W: when it was published [ns]."""
    FAULTS = 18
    """W: faults so far; the newest is in the text block."""
    CRITIC_COST = 19
    """W: time that the critic's evaluations took [ns]."""
    EVALUATIONS = 20
    """W: how often it was evaluated."""
    EPOCH = 21
    """W: when the first call was [ns]."""
    STEP = 24
    """W: steps that the loop has taken, of which not all become rows."""
    DROPPED = 25
    """W: steps that became no row, to keep within the rate."""
    COST = 26
    """W: time taken from the loop by all calls, without the critic [ns]."""
    HEARTBEAT = 27
    """W: when the last call was [ns]."""
    PAUSED = 32
    """V."""
    GRANTED = 33
    """V: steps allowed while paused."""
    TAKEN = 34
    """W: of those, steps taken."""
    RATE = 35
    """V: steps per second in thousandths; 0: as fast as possible."""
    STOP = 36
    """V: asks the loop to end."""
    DETACHED = 37
    """V: the loop outlives its viewer."""
    CONTROLLED = 38
    """W: whether the loop heeds pause, single step and rate."""
    SAVED = 41
    """W: the loop's steps at its newest checkpoint."""
    LOOKED = 42
    """V: when a viewer last looked [ns]."""
    CHOSEN = 43
    """V: the agent that a viewer chose last, counted from 1; 0: none did."""
    MOVED_SLIDERS = 44
    """V: bit k is set once slider k was moved; see `SLIDERS`."""
    FIRST_SLIDER = 48
    """V: from here on, where `SLIDERS` sliders stand, as float64."""


class Phase(IntEnum):
    """What the loop does."""

    STARTING = 0
    RUNNING = 1
    FINISHED = 2
    STOPPED = 3
    FAILED = 4
    COMPARING = 5
    """Seconds without a step, while the agent is compared with the best so far."""
    MOVED = 6
    """The loop went on with a larger board of the same name."""


FIRST, TERMINATED, TRUNCATED, HIDDEN = 1, 2, 4, 8
"""Bits of an agent's flags in a row: it begins an episode; its episode ended here, in one of two
ways; it is not there."""

END = np.dtype(
    [
        ("number", "<i8"),
        ("row", "<i8"),
        ("step", "<i8"),
        ("agent", "<i8"),
        ("episode", "<i8"),
        ("length", "<i8"),
        ("kind", "<i8"),
        ("ret", "<f8"),
        ("goal", "<f8"),
        ("extra", "<f8", (4,)),
        ("number_again", "<i8"),
    ]
)
"""A finished episode: the row and the loop's step that it ended with, its number, length and
return; `kind` is TERMINATED or TRUNCATED; whether the goal was reached, NaN if unknown; and four
numbers of the loop's own."""

ROW_HEAD = 8
"""Words at a row's head: number + 1, step, time [ns], agents, steps since the last row, checksum,
unused, number + 1 again."""
SURFACE_HEAD = 12
"""Words at a surface's head: version, training steps, rows, columns, the four bounds as float64,
checksum, two numbers as float64 of the loop's own, version again."""


class Shape(NamedTuple):
    """What a board is made for."""

    agents: int
    rows: int
    columns: int
    wide: bool
    nodes: int
    weights: int

    @property
    def position_bytes(self) -> int:
        """Bytes of one coordinate."""
        return 8 if self.wide else 4

    def row_parts(self) -> tuple[int, int, int, int, int]:
        """Offsets within a row of positions, flags, modes, columns; and its length."""
        positions = 8 * ROW_HEAD
        flags = positions + 2 * self.position_bytes * self.agents
        modes = flags + self.agents
        columns = _up(modes + self.agents, 8)
        end = columns + 4 * self.agents * self.columns
        return positions, flags, modes, columns, _up(end, LINE)

    def parts(self) -> tuple[int, int, int, int, int, int]:
        """Offsets of meta, text, rows, ends, surfaces; and the whole length."""
        meta = 8 * WORDS
        text = meta + META_BYTES
        rows = _up(text + TEXT_BYTES, LINE)
        ends = rows + self.rows * self.row_parts()[-1]
        surfaces = _up(ends + ENDS * END.itemsize, LINE)
        return meta, text, rows, ends, surfaces, surfaces + 2 * self.surface_bytes

    @property
    def surface_bytes(self) -> int:
        """Length of a surface's slot."""
        return _up(8 * SURFACE_HEAD + 4 * (self.nodes + self.weights), LINE)


def _up(size: int, step: int) -> int:
    return -(-size // step) * step
