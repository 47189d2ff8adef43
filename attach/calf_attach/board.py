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
from typing import Any, Sequence, TypeVar

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
from calf_attach.records import Row, Rows, Surface, separate

ORDERED = platform.machine().lower() in ("x86_64", "amd64", "i686", "i386", "x86")
"""Whether other processes see writes in the order in which they were made."""


B = TypeVar("B", bound="Board")


class BoardError(Exception):
    """A file that is no board, or one of another version; the message is one line."""


class NoRoom(Exception):
    """There is no memory for a board; the message is one line."""


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
        self._file = _identity(path)
        self.words = np.frombuffer(memory, np.int64, WORDS)
        self._longs = memoryview(memory).cast("q")  # single ones take half the time of an array's
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
    def create(cls: type[B], name: str, shape: Shape, meta: dict[str, Any]) -> B:
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
    def open(cls: type[B], path: str) -> B:
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

    def adopt(self) -> None:
        """This process writes it from now on: another made it for this one."""
        self[Word.PID] = pid = os.getpid()
        self[Word.STARTED] = mapped_file.started(pid) or 0
        self[Word.HEARTBEAT] = time.perf_counter_ns()

    def unlink(self) -> None:
        """Remove the file; whoever has mapped it keeps it."""
        with suppress(OSError):  # swept already, or mapped on Windows
            if _identity(self.path) == self._file:  # else it is a later one of that name
                os.unlink(self.path)

    # Words

    def __getitem__(self, word: Word) -> int:
        return self._longs[word]

    def __setitem__(self, word: Word, value: int) -> None:
        self._longs[word] = value

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
        return separate(self.table_since(number))

    def row(self, number: int) -> Row | None:
        """One row; None if it is overwritten, or just being written."""
        found = separate(self._read(np.array([number])))
        return found[0] if found else None

    def table_since(self, number: int) -> Rows:
        """As `rows_since`, but as arrays."""
        end = self[Word.ROW]
        return self._read(np.arange(max(number, end - self.shape.rows), end))

    def _read(self, numbers: np.ndarray) -> Rows:
        """Those of some rows that are whole."""
        shape, slots = self.shape, numbers % self.shape.rows
        raw = self._rows[slots]  # a copy
        again = self._rows.view(np.int64)[slots, 0]
        head = raw.view(np.int64)[:, :ROW_HEAD]
        first, _, _, agents, _, check, _, last = head.T
        whole = (first == numbers + 1) & (last == first) & (again == first)
        whole &= (agents >= 0) & (agents <= shape.agents)
        for at in np.flatnonzero(whole & (check != 0)).tolist():
            whole[at] = check[at] == row_checksum(raw[at])
        if not whole.all():
            raw, head, numbers = raw[whole], head[whole], numbers[whole]
        room, k = shape.agents, len(raw)
        positions, flags, modes, columns, _ = shape.row_parts()
        places = raw.view(np.float64 if shape.wide else np.float32)
        first = positions // shape.position_bytes
        values = raw.view(np.float32)[:, columns // 4 :]
        _, step, time, agents, merged, *_ = head.T
        return Rows(
            numbers, step, time, agents, merged,
            places[:, first : first + 2 * room].reshape(k, room, 2),
            raw[:, flags : flags + room],
            raw[:, modes : modes + room],
            values[:, : room * shape.columns].reshape(k, shape.columns, room),
        )  # fmt: skip

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


def _identity(path: str) -> tuple[int, int] | None:
    try:
        about = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return about.st_dev, about.st_ino


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
