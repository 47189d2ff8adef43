"""An Arrow IPC stream on disk that can be read while it is written, and after any crash.

    schema | batch | batch | … | end of stream, once sealed

Every message is written by one call, unbuffered: what the call returned from survives the process.
A message that was cut short is no error, as a reader of a growing file meets the same; but what
cannot begin a message is.
"""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, overload

from calf_viz.errors import FileDamaged, FileTrouble
from calf_viz.recording.arrow import arrow
from calf_viz.recording.storage import Location, readable

SEAL = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""Ends a stream; also what a message's header begins with, and a length of 0."""
MOST_HEADER = 1 << 24
"""Bytes of a message's header: those written here have less than 10 000."""
USUAL_HEADER = 4096
"""Bytes that most headers fit into."""
BATCH = 3
"""A message that holds a record batch, by the format's own numbers."""
MOST_PAIRS = 64
"""Of a batch's metadata that are looked at."""
SECTOR = 512
"""Bytes that reach a disk together, at least."""
ZEROS_TOGETHER = 1 << 20
"""Bytes that are looked at together for zeros."""
STEP = "step"
"""Of a batch's metadata."""
ADVICE = "give another recording"


class _Collected:
    """Where Arrow writes to; a file for it."""

    closed = False

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data, self.parts = b"".join(self.parts), []
        return data


class Unbegun(FileDamaged):
    """A stream that ends within its schema: its writer is at it, or was killed there."""


class StreamWriter:
    """Writes a stream.

    Attributes:
        schema: its Arrow schema.
        size: bytes that it holds.
    """

    def __init__(
        self, path: Path, schema: Any, compression: str | None = None, end: int | None = None
    ) -> None:
        """Create the file, with its schema; or append to one that is there.

        Args:
            compression: `zstd` or None.
            end: where to go on in a file that is there and has this schema; what follows is cut.

        Raises OSError if it cannot be written, and FileExistsError if a new one is there."""
        pa = arrow()
        self.schema, self.size = schema, 0
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
        if end is None:
            flags |= os.O_CREAT | os.O_EXCL
        self._file = os.open(path, flags, 0o666)
        self._sink = _Collected()
        options = pa.ipc.IpcWriteOptions(compression=compression)
        self._writer = pa.ipc.new_stream(pa.PythonFile(self._sink, "w"), schema, options=options)
        # Arrow would write the schema with the first batch: readers shall not have to wait.
        self._begun = schema.serialize().to_pybytes()
        if end is not None:
            os.ftruncate(self._file, end)
            self.size = end
            return
        try:
            self._put(self._begun)
        except OSError:
            os.close(self._file)
            path.unlink()
            raise

    def write(self, batch: Any) -> None:
        """Append a batch whose first column is `step`; it is in the file when this returns. Raises
        OSError if it does not fit: then the file ends with the batch before."""
        # Its first step stands in its header, so that one who seeks reads headers alone.
        self._writer.write_batch(batch, {STEP: str(batch.column(0)[0].as_py())})
        self._put(self._sink.take().removeprefix(self._begun))
        self._begun = b""

    def _put(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self.size)
            raise
        self.size += len(data)

    def sync(self) -> None:
        """Bring it to disk, as the system may lose what it has only in memory."""
        os.fsync(self._file)

    def seal(self) -> None:
        """End the stream: it never changes from now on. Raises OSError; it is closed in any
        case."""
        try:
            self._put(SEAL)
            self.sync()
        finally:
            os.close(self._file)


class Block(NamedTuple):
    """A batch in a stream."""

    start: int
    """Offset of its message in the file."""
    end: int
    rows: int
    step: int
    """Number of its first step."""


class Blocks(Sequence[Block]):
    """Those of a stream, one after another; three numbers each, as there may be millions."""

    def __init__(self) -> None:
        self._starts, self._rows, self._steps = array("q"), array("q"), array("q")
        self._end = 0

    def add(self, block: Block) -> None:
        """The next one, which begins where the one before ends."""
        self._starts.append(block.start)
        self._rows.append(block.rows)
        self._steps.append(block.step)
        self._end = block.end

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, number: int) -> Block: ...
    @overload
    def __getitem__(self, number: slice) -> list[Block]: ...
    def __getitem__(self, number: int | slice) -> Block | list[Block]:
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        number = range(len(self))[number]
        last = number + 1 == len(self)
        end = self._end if last else self._starts[number + 1]
        return Block(self._starts[number], end, self._rows[number], self._steps[number])


class Stream:
    """A stream to read, growing or not. (Read rather than mapped: a writer that runs out of room
    cuts what it began, and a process that reads mapped memory that is gone is killed.)

    Attributes:
        path: the file.
        schema: its Arrow schema.
        blocks: the whole batches in it.
        end: offset after the last whole one.
        sealed: whether it is complete.
        torn: whether there is something after `end`: its writer is at it, or was killed there.
    """

    def __init__(self, path: Location) -> None:
        """Raises FileTrouble if it cannot be read, and FileDamaged if it is no stream."""
        self.path, self.sealed, self.torn, self.end = path, False, False, 0
        self.blocks = Blocks()
        with self._trouble():
            self._file = readable(path)
        try:
            self.schema = self._read_schema()
            self._look()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise FileTrouble(self.path, f"cannot be read ({reason})", ADVICE) from error

    def _read(self, at: int, size: int) -> bytes:
        """Fewer bytes where the file ends."""
        with self._trouble():
            return self._file.read(at, size)

    def _size(self) -> int:
        with self._trouble():
            return self._file.size()

    def _read_schema(self) -> Any:
        pa, message = arrow(), self._message(0)
        if message is None:
            if self.sealed:
                raise _no_batch(self.path, 0)
            raise Unbegun(self.path, "it ends within its schema", ADVICE)
        self.end = message.end
        try:
            schema = pa.ipc.read_schema(pa.py_buffer(self._read(0, message.end)))
            schema.names  # noqa: B018 (decoded only now)
            return schema
        except (pa.ArrowException, OSError, ValueError) as error:
            raise FileDamaged(self.path, f"no Arrow stream ({error})", ADVICE) from error

    def refresh(self) -> None:
        """Look for batches that were appended, after its end as well, as events may go on there.
        Raises FileTrouble, and FileDamaged for what is no message."""
        with self._trouble():
            self._file.renew()
        self._look()

    def _look(self) -> None:
        while (message := self._message(self.end)) is not None:
            if message.kind != BATCH:
                raise _no_batch(self.path, self.end)
            self.blocks.add(Block(self.end, message.end, message.rows, message.step))
            self.end = message.end

    def batch(self, number: int) -> Any:
        """A batch. Raises FileTrouble and FileDamaged."""
        pa, block = arrow(), self.blocks[number]
        data = self._read(block.start, block.end - block.start)
        try:
            batch = pa.ipc.read_record_batch(pa.ipc.read_message(data), self.schema)
            batch.validate(full=True)
        except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
            where = f"byte {block.start}: {error or 'not enough memory'}"
            raise FileDamaged(self.path, where, ADVICE) from error
        return batch

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _message(self, at: int) -> _Header | None:
        """The message there; None if it is not whole, or if the stream ends. After a power cut the
        file may be as long as it was, with zeros where its end was not yet on disk: that is not
        whole, either. Raises FileDamaged if it is no message."""
        try:
            return self._header(at)
        except FileDamaged:
            if not self._is_zeros(at):
                raise
            self.torn = True
            return None

    def _is_zeros(self, at: int) -> bool:
        """Whether there are zeros up to the end of the file, from there or from the sector after
        it."""
        if any(self._read(at, 4)):
            at += SECTOR - at % SECTOR
        found = False
        while data := self._read(at, ZEROS_TOGETHER):
            if data.count(0) < len(data):
                return False
            found, at = True, at + len(data)
        return found

    def _header(self, at: int) -> _Header | None:
        """The message there; None if it is not whole, or if the stream ends. Only its header is
        read, as a batch would have to be uncompressed. (The header is a flatbuffer, `Message` in
        Arrow's format/Message.fbs.) Raises FileDamaged if it is none."""
        data = self._read(at, USUAL_HEADER)
        self.sealed = data[:8] == SEAL
        self.torn = bool(data) and not self.sealed
        if data[:4] != SEAL[: min(len(data), 4)]:
            raise _no_batch(self.path, at)
        if len(data) < 8 or self.sealed:
            return None
        (size,) = struct.unpack_from("<i", data, 4)
        if not 0 < size <= MOST_HEADER:
            raise _no_batch(self.path, at)
        if len(data) < 8 + size:
            data = self._read(at, 8 + size)
        if len(data) < 8 + size:
            return None
        try:
            header = data[8 : 8 + size]
            root = _Table(header, struct.unpack_from("<I", header)[0])
            kind, body = root.number(1, "<B"), root.number(3, "<q")
            rows, step = 0, -1
            if kind == BATCH:
                rows, step = root.table(2).number(0, "<q"), int(root.text(4, STEP.encode()))
        except (struct.error, IndexError, ValueError) as error:
            raise _no_batch(self.path, at) from error
        if min(body, rows) < 0 or not -1 <= step < 1 << 62:
            raise _no_batch(self.path, at)
        end = at + 8 + size + body
        whole = end <= self._size()
        self.torn = not whole
        return _Header(end, kind, rows, step) if whole else None


def seal_torn(path: Path) -> bool:
    """Cut what its writer did not finish, and seal the stream; returns False if it had not begun,
    and removes it then.

    Raises OSError, FileTrouble, FileDamaged."""
    try:
        stream = Stream(path)
    except Unbegun:
        path.unlink()
        return False
    stream.close()
    if not stream.sealed:
        StreamWriter(path, stream.schema, end=stream.end).seal()
    return True


class _Header(NamedTuple):
    end: int
    kind: int
    rows: int
    step: int


def _no_batch(path: Location, at: int) -> FileDamaged:
    return FileDamaged(path, f"byte {at}: no Arrow message", ADVICE)


class _Table:
    """A table of a flatbuffer."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._fields = at - struct.unpack_from("<i", data, at)[0]
        if self._fields < 0:
            raise IndexError

    def _place(self, field: int) -> int:
        """Offset of a field; 0 if it has its default."""
        (size,) = struct.unpack_from("<H", self._data, self._fields)
        if 4 + 2 * field >= size:
            return 0
        (offset,) = struct.unpack_from("<H", self._data, self._fields + 4 + 2 * field)
        return self._at + offset if offset else 0

    def number(self, field: int, form: str) -> int:
        place = self._place(field)
        return struct.unpack_from(form, self._data, place)[0] if place else 0

    def table(self, field: int) -> _Table:
        place = self._place(field)
        if not place:
            raise IndexError
        return self._pointed(place)

    def text(self, field: int, key: bytes) -> bytes:
        """The value of a key in a vector of pairs of texts."""
        place = self._place(field)
        if place:
            (start,) = struct.unpack_from("<I", self._data, place)
            (count,) = struct.unpack_from("<I", self._data, place + start)
            for number in range(min(count, MOST_PAIRS)):
                pair = self._pointed(place + start + 4 + 4 * number)
                if pair._string(0) == key:
                    return pair._string(1)
        raise IndexError

    def _pointed(self, place: int) -> _Table:
        return _Table(self._data, place + struct.unpack_from("<I", self._data, place)[0])

    def _string(self, field: int) -> bytes:
        place = self._place(field)
        place += struct.unpack_from("<I", self._data, place)[0]
        (size,) = struct.unpack_from("<I", self._data, place)
        return self._data[place + 4 : place + 4 + size]
