"""The streams of a recording that is being written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from calf_viz.errors import FileDamaged
from calf_viz.files import is_file
from calf_viz.recording import critics, events
from calf_viz.recording.agents import Block
from calf_viz.recording.critics import Critic
from calf_viz.recording.events import Events
from calf_viz.recording.folder import EVENTS, segment_name, segments
from calf_viz.recording.stream import ADVICE, Stream, StreamWriter, seal_torn

SEGMENT_BYTES = 64 << 20
SEGMENT_SECONDS = 300.0
"""Size and age at which a stream is sealed."""
Entry = Block | Critic | Events


class Files:
    """The newest stream of each kind.

    Attributes:
        bytes: size of all streams.
    """

    def __init__(self, folder: Path, zstd: bool, clock: Callable[[], float]) -> None:
        self._folder, self._clock = folder, clock
        self._compression = "zstd" if zstd else None
        self._open: dict[str, tuple[StreamWriter, Any, float]] = {}
        self._numbers: dict[str, int] = {}
        self._sealed = 0

    def go_on(self) -> None:
        """Append to what is there from now on: tails that were torn are cut, and rows go to new
        streams, events to the end of theirs.

        Raises OSError, FileTrouble, FileDamaged."""
        for kind in ("agents", "critic"):
            paths = segments(self._folder, kind)
            if paths and not seal_torn(paths[-1]):
                paths.pop()
            self._numbers[kind] = len(paths) - 1
            self._sealed += sum(path.stat().st_size for path in paths)
        path, schema = self._folder / EVENTS, events.schema()
        if not is_file(path) or not seal_torn(path):
            return
        found = Stream(path)
        found.close()
        if not found.schema.equals(schema):
            raise FileDamaged(path, "its columns are not those of events", ADVICE)
        writer = StreamWriter(path, schema, self._compression, found.end)
        self._open["events"] = writer, None, self._clock()

    @property
    def bytes(self) -> int:
        return self._sealed + sum(writer.size for writer, _, _ in self._open.values())

    def write(self, entries: Sequence[Entry]) -> int:
        """Append each to the stream it belongs to; returns how many steps they are. Raises OSError:
        one could not be written, and those after it were not tried."""
        # Rows come last: whatever belongs to those that are there, is there.
        happened = [entry for entry in entries if isinstance(entry, Events)]
        if happened:
            self._stream("events", None, events.schema).write(events.batch(happened))
        for entry in entries:
            if isinstance(entry, Critic):
                self._stream("critic", None, critics.schema).write(critics.batch(entry))
        steps = 0
        for entry in entries:
            if isinstance(entry, Block):
                stream = self._stream("agents", entry.shape, entry.shape.schema)
                stream.write(entry.batch(stream.schema))
                steps += entry.rows
        return steps

    def sync(self) -> None:
        """Bring what was written to disk. Raises OSError."""
        for writer, _, _ in self._open.values():
            writer.sync()

    def _stream(self, kind: str, shape: Any, schema: Callable[[], Any]) -> StreamWriter:
        found = self._open.get(kind)
        if found is not None:
            writer, of, since = found
            old = self._clock() - since >= SEGMENT_SECONDS or writer.size >= SEGMENT_BYTES
            if of == shape and (kind == "events" or not old):
                return writer
            del self._open[kind]
            writer.seal()
            self._sealed += writer.size
        number = self._numbers.get(kind, -1) + 1
        name = EVENTS if kind == "events" else segment_name(kind, number)
        writer = StreamWriter(self._folder / name, schema(), self._compression)
        self._numbers[kind] = number
        self._open[kind] = writer, shape, self._clock()
        return writer

    def seal(self) -> None:
        """End all streams. Raises OSError, the first, once all were tried."""
        failures = []
        for kind in list(self._open):
            writer = self._open.pop(kind)[0]
            try:
                writer.seal()
            except OSError as error:
                failures.append(error)
            self._sealed += writer.size
        if failures:
            raise failures[0]
