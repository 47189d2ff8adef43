"""The board: memory that trainer and viewer share, a file without a name that both map.

    viewer writes   paused, granted, stop, detached, rate (max: 0)
    trainer writes  phase, taken, steps, saved, episodes, error
                    snapshots   two slots, version v in slot v % 2: critic on the grid, weights
                    samples     a ring of training steps
                    episodes    a ring of finished episodes

The file is sealed where the system can, so that nobody shortens it, and all of it is reserved
before anything is written: memory that is mapped and is not there ends a process by SIGBUS.

Nothing on it is unpickled: words, floats, and one text. A snapshot is written under a sequence
lock: its version at the slot's head before, at its foot after, a checksum of all of it between the
two, and the newest version in the header last. A reader takes only what is newer than it has, whole
by all three; so neither a torn snapshot nor an older one is ever seen, whatever order a processor's
writes become visible in. Records of the rings carry their number at both ends alike.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import tempfile
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.heightfield import Grid, Heightfield

MAGIC = 0x43414C46_00000003
"""Names the layout, and its version."""
ERROR_BYTES = 1024
SAMPLES, EPISODES = 4096, 2048
"""Records that the rings hold."""


class Phase(IntEnum):
    """What the trainer does."""

    STARTING = 0
    TRAINING = 1
    FINISHED = 2
    STOPPED = 3
    FAILED = 4
    COMPARING = 5
    """Of training: its agent, with the best so far. Seconds, in which there is no step."""


class Word(IntEnum):
    """Places of the header's 64-bit words."""

    MAGIC = 0
    PAUSED = 1
    GRANTED = 2
    STOP = 3
    DETACHED = 4
    PHASE = 5
    TAKEN = 6
    STEPS = 7
    LATEST = 8
    SAMPLES = 9
    EPISODES = 10
    ROWS = 11
    WEIGHTS = 12
    RATE = 13
    """Steps a second in thousandths; 0: as fast as can be."""
    PUBLISHED = 14
    """When the newest snapshot was, by the system's monotonic clock [ns]."""
    SAVED = 15
    """Steps that the newest checkpoint holds."""
    COLUMNS = 16
    """Nodes of the grid that the critic is evaluated on, ROWS x COLUMNS; none where the viewer
    evaluates it itself."""
    LO_X = 17
    LO_Y = 18
    HI_X = 19
    HI_Y = 20
    """Corners of that grid, as float64."""
    STATES = 21
    """States of the system."""
    COUNT = 22


_CORNERS = slice(Word.LO_X, Word.HI_Y + 1)


SAMPLE = np.dtype(
    [
        ("number", "<i8"),
        ("episode", "<i8"),
        ("step", "<i8"),
        ("mode", "<i8"),
        ("x", "<f8"),
        ("y", "<f8"),
        ("heading", "<f8"),
        ("q_plus", "<f8"),
        ("floor", "<f8"),
        ("ceiling", "<f8"),
        ("reward", "<f8"),
        ("number_again", "<i8"),
    ]
)
"""One step of the training: where it led on the plane, by which rule, and the certificate then."""

EPISODE = np.dtype(
    [
        ("number", "<i8"),
        ("episode", "<i8"),
        ("steps", "<i8"),
        ("ret", "<f8"),
        ("goal", "<i8"),
        ("certified", "<i8"),
        ("relax", "<i8"),
        ("nominal", "<i8"),
        ("p_relax", "<f8"),
        ("number_again", "<i8"),
    ]
)
"""One finished episode, as in the metrics."""


class Snapshot(NamedTuple):
    """The networks at one moment."""

    version: int
    steps: int
    p_relax: float
    surface: Heightfield | None
    """The critic on the grid; None where the viewer evaluates it itself."""
    weights: NDArray[np.float32]
    """Actor's and critic's, (weights,)."""


class Board:
    """The mapped file; `create` makes one, `Board(descriptor)` maps another process's.

    Attributes:
        descriptor: of the file, for another process to inherit, until it is closed.
        grid: of the surface in each snapshot; None where there is none.
        hidden: value of each state where the grid's plane does not show it, (states,) float64.
        weights: numbers of actor and critic in each snapshot.
    """

    def __init__(self, descriptor: int) -> None:
        """Raises UserError for what is no board."""
        self.descriptor = descriptor
        size = os.fstat(descriptor).st_size
        if size < 8 * Word.COUNT:
            raise UserError("no board: too short")
        self._memory = mmap.mmap(descriptor, size)
        self.words = np.frombuffer(self._memory, np.int64, Word.COUNT)
        shape = rows, columns = self[Word.ROWS], self[Word.COLUMNS]
        self.nodes, self.weights = rows * columns, self[Word.WEIGHTS]
        states = self[Word.STATES]
        layout, whole = _layout(self.nodes, self.weights, states)
        if self[Word.MAGIC] != MAGIC or size != whole or min(*shape, self.weights, states) < 0:
            raise UserError("no board of this version")
        left, low, right, high = self.words[_CORNERS].view(np.float64).tolist()
        self.hidden = np.frombuffer(self._memory, np.float64, states, layout["hidden"])
        self.grid = Grid(shape, (left, low), (right, high)) if self.nodes else None
        self._text = np.frombuffer(self._memory, np.uint8, ERROR_BYTES, layout["text"])
        self._slots = [
            np.frombuffer(
                self._memory, np.uint8, layout["slot"], layout["slots"] + i * layout["slot"]
            )
            for i in range(2)
        ]
        self._rings = {
            "samples": np.frombuffer(self._memory, SAMPLE, SAMPLES, layout["samples"]),
            "episodes": np.frombuffer(self._memory, EPISODE, EPISODES, layout["episodes"]),
        }

    @classmethod
    def create(cls, grid: Grid | None, weights: int, hidden: Sequence[float] = ()) -> Board:
        """A new board for surfaces on that grid, if any, and so many weights. hidden: value of each
        state where the grid does not show it.

        Raises:
            UserError: there is no room for it.
        """
        (rows, columns), corners = (0, 0), (0.0,) * 4
        if grid is not None:
            (rows, columns), corners = grid.shape, (*grid.lo, *grid.hi)
        layout, size = _layout(rows * columns, weights, len(hidden))
        words = np.zeros(Word.COUNT, np.int64)
        words[[Word.MAGIC, Word.WEIGHTS, Word.ROWS, Word.COLUMNS]] = MAGIC, weights, rows, columns
        words[_CORNERS].view(np.float64)[:] = corners
        words[Word.STATES] = len(hidden)
        try:
            descriptor = nameless_file(size)
            os.pwrite(descriptor, words.tobytes(), 0)
            os.pwrite(descriptor, np.array(hidden, np.float64).tobytes(), layout["hidden"])
            return cls(descriptor)
        except OSError as error:
            raise UserError(
                f"no room for {size:,} bytes that viewer and trainer share: {error.strerror}; "
                "make room in memory, or where TMPDIR is"
            ) from error

    def close(self) -> None:
        """Close the descriptor; the map stays."""
        os.close(self.descriptor)

    # Words

    def __getitem__(self, word: Word) -> int:
        return int(self.words[word])

    def __setitem__(self, word: Word, value: int) -> None:
        self.words[word] = value

    def stop(self) -> None:
        """Have the training end, with a checkpoint."""
        self[Word.STOP] = 1

    @property
    def error(self) -> str:
        """Why the trainer failed; empty where it did not say."""
        return bytes(self._text).split(b"\0", 1)[0].decode("utf-8", "replace")

    def fail(self, text: str) -> None:
        """The trainer's last words."""
        line = " ".join(text.split()).encode()[: ERROR_BYTES - 1]
        self._text[: len(line)] = np.frombuffer(line, np.uint8)
        self._text[len(line)] = 0
        self[Word.PHASE] = Phase.FAILED

    # Snapshots

    def publish(
        self, steps: int, p_relax: float, values: NDArray[np.float32], weights: NDArray[np.float32]
    ) -> int:
        """Make a snapshot the newest; its version, 1 for the first.

        values (nodes,) of the grid, row by row; weights (weights,).
        """
        version = self[Word.LATEST] + 1
        slot = self._slots[version % 2]
        head, foot = slot[:8].view(np.int64), slot[-8:].view(np.int64)
        head[0] = version
        body = slot[8:-16]
        body[:8].view(np.int64)[0] = steps
        body[8:16].view(np.float64)[0] = p_relax
        numbers = self._numbers(body)
        numbers[: self.nodes] = values
        numbers[self.nodes :] = weights
        slot[-16:-8].view(np.int64)[0] = _checksum(slot)
        foot[0] = version
        self[Word.PUBLISHED] = time.monotonic_ns()
        self[Word.LATEST] = version
        return version

    def snapshot(self, seen: int) -> Snapshot | None:
        """The newest snapshot if it is newer than version `seen` and whole; else None."""
        version = self[Word.LATEST]
        if version <= seen:
            return None
        slot = self._slots[version % 2].copy()
        head, foot = slot[:8].view(np.int64)[0], slot[-8:].view(np.int64)[0]
        check = slot[-16:-8].view(np.int64)[0]
        if not head == foot == version or check != _checksum(slot):
            return None  # being overwritten: the next look finds the one that did
        body = slot[8:-16]
        numbers = self._numbers(body)
        return Snapshot(
            version,
            int(body[:8].view(np.int64)[0]),
            float(body[8:16].view(np.float64)[0]),
            self._surface(numbers[: self.nodes]),
            numbers[self.nodes :],
        )

    def _surface(self, values: NDArray[np.float32]) -> Heightfield | None:
        grid = self.grid
        if grid is None:
            return None
        return Heightfield(values.reshape(grid.shape), grid.lo, grid.hi)

    def _numbers(self, body: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A slot's floats, without what pads them to whole words."""
        return body[16:].view(np.float32)[: self.nodes + self.weights]

    # Rings

    def add_sample(self, *values: Any) -> None:
        """One training step; values as `SAMPLE` names them, the numbers apart."""
        self._add("samples", Word.SAMPLES, values)

    def add_episode(self, *values: Any) -> None:
        """One finished episode; values as `EPISODE` names them, the numbers apart."""
        self._add("episodes", Word.EPISODES, values)

    def _add(self, ring: str, word: Word, values: tuple[Any, ...]) -> None:
        number = self[word]
        records = self._rings[ring]
        records[number % len(records)] = (number, *values, number)
        self[word] = number + 1

    def samples(self, since: int) -> NDArray[Any]:
        """Training steps from number `since` on, those that are still there, oldest first."""
        return self._since("samples", self[Word.SAMPLES], since)

    def episodes(self, since: int) -> NDArray[Any]:
        """Finished episodes from number `since` on, as `samples`."""
        return self._since("episodes", self[Word.EPISODES], since)

    def _since(self, ring: str, end: int, since: int) -> NDArray[Any]:
        records = self._rings[ring]
        numbers = np.arange(max(since, end - len(records)), end)
        found = records[numbers % len(records)]
        # Overwritten meanwhile by a later lap, or half written: no record of that number.
        return found[(found["number"] == numbers) & (found["number_again"] == numbers)]


def nameless_file(size: int) -> int:
    """A new file of so many zeros, each of them reserved, as a descriptor; OSError without room."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("calf_viz board", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            os.pwrite(descriptor, bytes(size), 0)
        if os.fstat(descriptor).st_size != size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if hasattr(fcntl, "F_ADD_SEALS"):
            with suppress(OSError):  # a file that cannot be sealed
                seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
                fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _checksum(slot: NDArray[np.uint8]) -> int:
    """Of all but itself and the foot."""
    return zlib.crc32(slot[:-16].data)


def _layout(nodes: int, weights: int, states: int) -> tuple[dict[str, int], int]:
    """Offsets [bytes] of the parts, the length of a slot, and of all."""
    numbers = 4 * (nodes + weights)
    slot = 8 + 16 + numbers + (-numbers) % 8 + 16
    offsets, at = {"slot": slot}, 8 * Word.COUNT
    parts = {
        "hidden": 8 * states,
        "text": ERROR_BYTES,
        "slots": 2 * slot,
        "samples": SAMPLES * SAMPLE.itemsize,
        "episodes": EPISODES * EPISODE.itemsize,
    }
    for name, size in parts.items():
        offsets[name], at = at, at + size
    return offsets, at
