"""The board: memory that a training loop writes and viewers read, a file that all of them map.

One loop writes; it never waits for anybody. Every row, surface, episode and the meta block is
written under a sequence lock: its number at the head, its contents, its number at the foot. A
reader copies, and compares the numbers afterwards, so that it never sees what is half written.
Surfaces also have a checksum; so have rows where processors may reorder writes.
"""

from __future__ import annotations

import json
import mmap
import os
import platform
import time
import zlib
from contextlib import suppress
from typing import Any, NamedTuple, Sequence

import numpy as np

from calf_attach import mapped_file
from calf_attach.layout import (
    ABI,
    END,
    ENDS,
    MAGIC,
    META_BYTES,
    MOST_BYTES,
    ROW_HEAD,
    SLIDERS,
    SURFACE_HEAD,
    TEXT_BYTES,
    WORDS,
    Phase,
    Shape,
    Word,
)

ORDERED = platform.machine().lower() in ("x86_64", "amd64", "i686", "i386", "x86")
"""Whether other processes see writes in the order in which they were made."""


class BoardError(Exception):
    """A file that is no board, or one of another version; the message is one line."""


class NoRoom(Exception):
    """There is no memory for a board; the message is one line."""


class Row(NamedTuple):
    """One step of all agents, a copy."""

    number: int
    step: int
    time: int
    merged: int
    """Steps of the loop that it stands for: more than 1 where some became no row."""
    positions: np.ndarray
    """(n, 2)."""
    flags: np.ndarray
    """(n,) uint8: see `layout`."""
    modes: np.ndarray
    """(n,) uint8."""
    columns: np.ndarray
    """(columns, n) float32."""


class Surface(NamedTuple):
    """A critic on a grid at one moment, a copy."""

    version: int
    steps: int
    values: np.ndarray | None
    """(rows, columns) float32; None if only weights were published."""
    lo: tuple[float, float]
    hi: tuple[float, float]
    extra: tuple[float, float]
    weights: np.ndarray


class Board:
    """A mapped board. `create` makes one, `open` maps another process's.

    Attributes:
        path: the file.
        shape: what it has room for.
        words: the header's words, (64,) int64: see `layout.Word`.
        sliders: where viewers' sliders stand, (SLIDERS,).
        memory: the map.
    """

    def __init__(self, memory: mmap.mmap, shape: Shape, path: str = "") -> None:
        self.path, self.shape, self.memory = path, shape, memory
        self.words = np.frombuffer(memory, np.int64, WORDS)
        self.sliders = np.frombuffer(memory, np.float64, SLIDERS, 8 * Word.FIRST_SLIDER)
        meta, text, rows, ends, surfaces, _ = shape.parts()
        self._meta = np.frombuffer(memory, np.uint8, META_BYTES, meta)
        self._text = np.frombuffer(memory, np.uint8, TEXT_BYTES, text)
        stride = shape.row_parts()[-1]
        self._rows = np.frombuffer(memory, np.uint8, shape.rows * stride, rows)
        self._rows = self._rows.reshape(shape.rows, stride)
        self._ends = np.frombuffer(memory, END, ENDS, ends)
        room = shape.surface_bytes
        self._surfaces = [
            np.frombuffer(memory, np.uint8, room, surfaces + slot * room) for slot in (0, 1)
        ]

    @classmethod
    def create(cls, name: str, shape: Shape, meta: dict[str, Any]) -> Board:
        """Make a board. Raises NoRoom if there is none for it, and ValueError for a meta block that
        is too long."""
        size = shape.parts()[-1]
        try:
            path = mapped_file.make(name, size)
        except OSError as error:
            where = " or ".join(mapped_file.folders())
            raise NoRoom(f"no room for {size:,} bytes in {where} ({error.strerror})") from error
        try:
            board = cls(_mapped(path, size), shape, path)
            board.set_meta(meta)
            words = board.words
            pid = os.getpid()
            for word, value in (
                (Word.ABI, ABI),
                (Word.SIZE, size),
                (Word.PID, pid),
                (Word.STARTED, mapped_file.started(pid) or 0),
                (Word.AGENTS, shape.agents),
                (Word.ROWS, shape.rows),
                (Word.COLUMNS, shape.columns),
                (Word.WIDE, int(shape.wide)),
                (Word.NODES, shape.nodes),
                (Word.WEIGHTS, shape.weights),
                (Word.EPOCH, time.perf_counter_ns()),
                (Word.HEARTBEAT, time.perf_counter_ns()),
                (Word.MAGIC, MAGIC),  # last: readers look at it first
            ):
                words[word] = value
            return board
        except BaseException:
            os.unlink(path)
            raise

    @classmethod
    def open(cls, path: str) -> Board:
        """Map another process's board. Raises OSError if it cannot be opened, and BoardError if it
        is none, is damaged, or has another version's layout."""
        flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
        try:
            size = os.fstat(descriptor).st_size
            if size < 8 * WORDS:
                raise BoardError(f"{path}: no board: too short")
            words = np.frombuffer(os.read(descriptor, 8 * WORDS), np.int64)
            if words[Word.MAGIC] != MAGIC:
                raise BoardError(f"{path}: no board")
            if words[Word.ABI] != ABI:
                raise BoardError(
                    "%s: a board of version %d, where %d is wanted: give loop and viewer the same "
                    "version of calf_attach" % (path, words[Word.ABI], ABI)
                )
            shape = _shape(words)
            if shape is None or shape.parts()[-1] != size or words[Word.SIZE] != size:
                raise BoardError(f"{path}: a damaged board")
            return cls(mmap.mmap(descriptor, size), shape, path)
        finally:
            os.close(descriptor)

    def unlink(self) -> None:
        """Remove the file; whoever has mapped it keeps it."""
        with suppress(OSError):  # swept already, or mapped on Windows
            os.unlink(self.path)

    # Words

    def __getitem__(self, word: Word) -> int:
        return int(self.words[word])

    def __setitem__(self, word: Word, value: int) -> None:
        self.words[word] = value

    @property
    def alive(self) -> bool:
        """Whether the process that made it still runs."""
        known = mapped_file.started(self[Word.PID])
        return known is not None and (known == self[Word.STARTED] or not known)

    def go_on(self, old: Board) -> None:
        """This board takes the place of `old`: its counts, and its viewers, who find its path."""
        for word in (Word.STEP, Word.DROPPED, Word.COST, Word.CRITIC_COST, Word.EVALUATIONS,
                     Word.EPOCH, Word.FAULTS, Word.CONTROLLED, Word.PAUSED, Word.GRANTED,
                     Word.TAKEN, Word.RATE, Word.CHOSEN, Word.MOVED_SLIDERS):  # fmt: skip
            self[word] = old[word]
        self.sliders[:] = old.sliders
        self._text[:] = old._text
        old.set_meta({**(old.meta() or {}), "moved": self.path})
        old[Word.PHASE] = Phase.MOVED
        old.unlink()

    # What the rows mean

    def set_meta(self, meta: dict[str, Any]) -> None:
        """Publish what the rows mean from now on. Raises ValueError if it is too long."""
        text = json.dumps(meta).encode()
        if len(text) > META_BYTES - 16:
            raise ValueError("names take %d bytes, more than fit" % len(text))
        self.words[Word.META] += 1
        self._meta[:16].view(np.int64)[:] = len(text), zlib.crc32(text)
        self._meta[16 : 16 + len(text)] = np.frombuffer(text, np.uint8)
        self.words[Word.META] += 1

    def meta(self) -> dict[str, Any] | None:
        """What the rows mean; None while it is written. Raises BoardError for a damaged one."""
        before = self[Word.META]
        copied = self._meta.tobytes()
        if before % 2 or self[Word.META] != before:
            return None
        length, check = np.frombuffer(copied, np.int64, 2).tolist()
        text = copied[16 : 16 + max(length, 0)]
        if not 0 < length <= META_BYTES - 16 or zlib.crc32(text) != check:
            raise BoardError(f"{self.path}: a damaged board")
        try:
            found = json.loads(text.decode())
        except (ValueError, RecursionError):
            raise BoardError(f"{self.path}: a damaged board") from None
        if not isinstance(found, dict):
            raise BoardError(f"{self.path}: a damaged board")
        return found

    # Faults

    def fault(self, text: str) -> None:
        """Count a fault, and keep its text as the newest."""
        line = text.encode("utf-8", "replace")[: TEXT_BYTES - 1]
        self._text[: len(line)] = np.frombuffer(line, np.uint8)
        self._text[len(line)] = 0
        self.words[Word.FAULTS] += 1

    @property
    def newest_fault(self) -> str:
        """The text of the newest fault; empty if there was none."""
        return self._text.tobytes().split(b"\0", 1)[0].decode("utf-8", "replace")

    # Rows

    def raw_row(self, slot: int) -> np.ndarray:
        """The bytes of a slot of the ring."""
        row: np.ndarray = self._rows[slot]
        return row

    def rows_since(self, number: int) -> list[Row]:
        """The rows from a number on that are still in the ring, oldest first. Their numbers tell
        whether some were overwritten before they were read."""
        end, slots = self[Word.ROW], self.shape.rows
        found = (self.row(at) for at in range(max(number, end - slots), end))
        return [row for row in found if row is not None]

    def row(self, number: int) -> Row | None:
        """One row; None if it is overwritten, or just being written."""
        slot = self._rows[number % self.shape.rows].copy()
        again = int(self._rows[number % self.shape.rows, :8].view(np.int64)[0])
        head = slot[: 8 * ROW_HEAD].view(np.int64).tolist()
        first, step, when, n, merged, check, _, last = head
        if not first == last == again == number + 1 or not 0 <= n <= self.shape.agents:
            return None
        if check and check != row_checksum(slot):
            return None
        shape = self.shape
        positions, flags, modes, columns, _ = shape.row_parts()
        kind = np.float64 if shape.wide else np.float32
        numbers = slot[columns : columns + 4 * shape.agents * shape.columns].view(np.float32)
        return Row(
            number,
            step,
            when,
            merged,
            slot[positions : positions + 2 * n * shape.position_bytes].view(kind).reshape(n, 2),
            slot[flags : flags + n],
            slot[modes : modes + n],
            numbers.reshape(shape.columns, shape.agents)[:, :n],
        )

    # Ends

    def add_ends(self, **fields: Any) -> None:
        """Add finished episodes; fields of `layout.END` by name, a number or (k,) each."""
        k = len(fields["agent"])
        first = self[Word.END]
        records = np.zeros(k, END)
        records["number"] = records["number_again"] = np.arange(first, first + k)
        for name, values in fields.items():
            records[name] = values
        for begin in range(0, k, ENDS):  # as many as the ring holds at once
            part = records[begin : begin + ENDS]
            self._ends[part["number"] % ENDS] = part
        self.words[Word.END] = first + k

    def ends_since(self, number: int) -> np.ndarray:
        """Finished episodes from a number on that are still in their ring, oldest first."""
        end = self[Word.END]
        numbers = np.arange(max(number, end - ENDS), end)
        found = self._ends[numbers % ENDS]
        return found[(found["number"] == numbers) & (found["number_again"] == numbers)]

    # Surfaces

    def publish(
        self,
        values: np.ndarray | None,
        lo: Sequence[float] = (0.0, 0.0),
        hi: Sequence[float] = (0.0, 0.0),
        steps: int = 0,
        weights: np.ndarray | None = None,
        extra: Sequence[float] = (0.0, 0.0),
    ) -> int:
        """Publish a surface; returns its version, 1 for the first.

        values (rows, columns) on the corners lo, hi; weights (weights,). Raises ValueError for more
        than there is room for.
        """
        shape = self.shape
        rows, columns = (0, 0) if values is None else values.shape
        if rows * columns > shape.nodes:
            raise ValueError("%d x %d nodes, where there is room for %d"
                             % (rows, columns, shape.nodes))  # fmt: skip
        version = self[Word.SURFACE] + 1
        slot = self._surfaces[version % 2]
        head = slot[: 8 * SURFACE_HEAD].view(np.int64)
        head[0] = version
        head[1:4] = steps, rows, columns
        head[4:8].view(np.float64)[:] = (*lo, *hi)
        head[9:11].view(np.float64)[:] = extra
        numbers = slot[8 * SURFACE_HEAD :].view(np.float32)
        if values is not None:
            numbers[: rows * columns] = values.ravel()
        if weights is not None:
            numbers[shape.nodes : shape.nodes + shape.weights] = weights
        head[8] = _surface_checksum(slot)
        head[11] = version
        self.words[Word.PUBLISHED] = time.perf_counter_ns()
        self.words[Word.SURFACE] = version
        return version

    def surface(self, seen: int = 0) -> Surface | None:
        """The newest surface if it is newer than version `seen` and complete; else None."""
        version = self[Word.SURFACE]
        if version <= seen:
            return None
        slot = self._surfaces[version % 2].copy()
        head = slot[: 8 * SURFACE_HEAD].view(np.int64)
        if not head[0] == head[11] == version or head[8] != _surface_checksum(slot):
            return None  # being overwritten: the next call finds its successor
        steps, rows, columns = head[1:4].tolist()
        numbers = slot[8 * SURFACE_HEAD :].view(np.float32)
        shape = self.shape
        if min(rows, columns) < 0 or rows * columns > shape.nodes:
            return None
        left, low, right, high = head[4:8].view(np.float64).tolist()
        first, second = head[9:11].view(np.float64).tolist()
        values = numbers[: rows * columns].reshape(rows, columns) if rows * columns else None
        weights = numbers[shape.nodes : shape.nodes + shape.weights]
        return Surface(version, steps, values, (left, low), (right, high), (first, second), weights)


def row_checksum(slot: np.ndarray) -> int:
    """Checksum of a row's contents, without its head; never 0."""
    return zlib.crc32(slot[8 * ROW_HEAD :].data) | 1 << 32


def _surface_checksum(slot: np.ndarray) -> int:
    return zlib.crc32(slot[8 * SURFACE_HEAD :].data, zlib.crc32(slot[8:64].data))


def _mapped(path: str, size: int) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    try:
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)


def _shape(words: np.ndarray) -> Shape | None:
    """The shape that a header names; None if no board has it."""
    fields = (Word.AGENTS, Word.ROWS, Word.COLUMNS, Word.WIDE, Word.NODES, Word.WEIGHTS)
    agents, rows, columns, wide, nodes, weights = (int(words[field]) for field in fields)
    if min(agents, rows) < 1 or min(columns, nodes, weights) < 0 or wide not in (0, 1):
        return None
    shape = Shape(agents, rows, columns, bool(wide), nodes, weights)
    return shape if shape.parts()[-1] <= MOST_BYTES else None
