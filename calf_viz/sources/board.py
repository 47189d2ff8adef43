"""The board: memory that trainer and viewer share, an unlinked file that both map.

    viewer writes   paused, granted, stop, detached, rate (max: 0)
    trainer writes  phase, taken, steps, saved, episodes, error
                    snapshots   two slots, version v in slot v % 2: critic on the grid, weights
                    samples     a ring of training steps
                    episodes    a ring of finished episodes

The file is sealed if the system supports it, so that nobody can truncate it, and all of it is
reserved before anything is written: access to mapped memory that does not exist kills a process by
SIGBUS.

Nothing on it is unpickled: words, floats, and one text. A snapshot is written under a sequence
lock: first its version at the slot's head, then a checksum of everything, its version at the foot,
and finally the newest version in the header. A reader takes only a snapshot that is newer than its
own and consistent in all three; so neither a torn nor an older snapshot is ever seen, in whatever
order writes become visible. Records of the rings carry their number at both ends in the same way.
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
"""Identifies the layout and its version."""
ERROR_BYTES = 1024
SAMPLES, EPISODES = 4096, 2048
"""Records that the rings hold."""


class Phase(IntEnum):
    """The state of the trainer."""

    STARTING = 0
    TRAINING = 1
    FINISHED = 2
    STOPPED = 3
    FAILED = 4
    COMPARING = 5
    """Training, while the agent is compared with the best so far: seconds without a step."""


class Word(IntEnum):
    """Indices of the header's 64-bit words."""

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
    """Steps per second in thousandths; 0: as fast as possible."""
    PUBLISHED = 14
    """Time of the newest snapshot, by the system's monotonic clock [ns]."""
    SAVED = 15
    """Steps at the newest checkpoint."""
    COLUMNS = 16
    """Nodes of the grid on which the critic is evaluated, ROWS x COLUMNS; 0 if the viewer evaluates
    it itself."""
    LO_X = 17
    LO_Y = 18
    HI_X = 19
    HI_Y = 20
    """Corners of that grid, as float64."""
    STATES = 21
    """Number of states of the system."""
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
"""One training step: the place on the plane that it led to, its mode, and the certificate."""

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
    """The critic on the grid; None if the viewer evaluates it itself."""
    weights: NDArray[np.float32]
    """Weights of actor and critic, (weights,)."""


class Board:
    """The mapped file; `create` makes one, `Board(descriptor)` maps another process's.

    Attributes:
        descriptor: the file's, for another process to inherit, until it is closed.
        grid: of the surface in each snapshot; None if there is none.
        hidden: value of each state that the grid's plane does not show, (states,) float64.
        weights: number of weights of actor and critic in each snapshot.
    """

    def __init__(self, descriptor: int) -> None:
        """Raises UserError if it is not a board."""
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
        """A new board for surfaces on that grid, if any, and that number of weights. hidden: value
        of each state that the grid does not show.

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
        """Ask the training to end, with a checkpoint."""
        self[Word.STOP] = 1

    @property
    def error(self) -> str:
        """Why the trainer failed; empty if it did not report that."""
        return bytes(self._text).split(b"\0", 1)[0].decode("utf-8", "replace")

    def fail(self, text: str) -> None:
        """Record why the trainer failed."""
        line = " ".join(text.split()).encode()[: ERROR_BYTES - 1]
        self._text[: len(line)] = np.frombuffer(line, np.uint8)
        self._text[len(line)] = 0
        self[Word.PHASE] = Phase.FAILED

    # Snapshots

    def publish(
        self, steps: int, p_relax: float, values: NDArray[np.float32], weights: NDArray[np.float32]
    ) -> int:
        """Publish a snapshot; returns its version, 1 for the first.

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
        """The newest snapshot if it is newer than version `seen` and complete; else None."""
        version = self[Word.LATEST]
        if version <= seen:
            return None
        slot = self._slots[version % 2].copy()
        head, foot = slot[:8].view(np.int64)[0], slot[-8:].view(np.int64)[0]
        check = slot[-16:-8].view(np.int64)[0]
        if not head == foot == version or check != _checksum(slot):
            return None  # being overwritten: the next call finds its successor
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
        """A slot's floats, without the padding to whole words."""
        return body[16:].view(np.float32)[: self.nodes + self.weights]

    # Rings

    def add_sample(self, *values: Any) -> None:
        """Add a training step; values in the order of `SAMPLE`, without the numbers."""
        self._add("samples", Word.SAMPLES, values)

    def add_episode(self, *values: Any) -> None:
        """Add a finished episode; values in the order of `EPISODE`, without the numbers."""
        self._add("episodes", Word.EPISODES, values)

    def _add(self, ring: str, word: Word, values: tuple[Any, ...]) -> None:
        number = self[word]
        records = self._rings[ring]
        records[number % len(records)] = (number, *values, number)
        self[word] = number + 1

    def samples(self, since: int) -> NDArray[Any]:
        """Training steps from number `since` on that are still in the ring, oldest first."""
        return self._since("samples", self[Word.SAMPLES], since)

    def episodes(self, since: int) -> NDArray[Any]:
        """Finished episodes from number `since` on, as `samples`."""
        return self._since("episodes", self[Word.EPISODES], since)

    def _since(self, ring: str, end: int, since: int) -> NDArray[Any]:
        records = self._rings[ring]
        numbers = np.arange(max(since, end - len(records)), end)
        found = records[numbers % len(records)]
        # Overwritten in a later lap, or half written: the number does not match.
        return found[(found["number"] == numbers) & (found["number_again"] == numbers)]


def nameless_file(size: int) -> int:
    """Descriptor of a new unlinked file of `size` reserved zeros. Raises OSError without room."""
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
            with suppress(OSError):  # it cannot be sealed
                seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
                fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _checksum(slot: NDArray[np.uint8]) -> int:
    """Checksum of everything but itself and the foot."""
    return zlib.crc32(slot[:-16].data)


def _layout(nodes: int, weights: int, states: int) -> tuple[dict[str, int], int]:
    """Offsets [bytes] of the parts, with the length of a slot; and the total length."""
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
