"""The streams of a recording that is being written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from calf_viz.recording import critics, events
from calf_viz.recording.agents import Block
from calf_viz.recording.critics import Critic
from calf_viz.recording.events import Events
from calf_viz.recording.folder import EVENTS, segment_name
from calf_viz.recording.stream import StreamWriter

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

    @property
    def bytes(self) -> int:
        return self._sealed + sum(writer.size for writer, _, _ in self._open.values())

    def write(self, entries: Sequence[Entry]) -> int:
        """Append each to the stream it belongs to; returns how many steps they are. Raises OSError:
        one could not be written, and those after it were not tried."""
        steps, happened = 0, []
        for entry in entries:
            if isinstance(entry, Block):
                stream = self._stream("agents", entry.shape, entry.shape.schema)
                stream.write(entry.batch(stream.schema))
                steps += entry.rows
            elif isinstance(entry, Critic):
                self._stream("critic", None, critics.schema).write(critics.batch(entry))
            else:
                happened.append(entry)
        if happened:
            self._stream("events", None, events.schema).write(events.batch(happened))
        return steps

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
        """End all streams. Raises OSError."""
        for kind in list(self._open):
            writer = self._open.pop(kind)[0]
            writer.seal()
            self._sealed += writer.size
