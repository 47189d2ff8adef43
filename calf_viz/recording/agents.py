"""Rows of agents: a row is a step of all of them, in columns that pandas reads as they are.

    step     int64                     number of the step, as the source counted
    time     double                    seconds since the recording began
    x, y     n floats or doubles       positions as pushed, bit for bit
    mode     n bytes or integers       the rule that led there
    first    n bytes                   whether an episode begins here
    heading  n floats or doubles       where agents have one
    …        n (times a width) numbers whatever else is known: reward, ended, state, action

A source's column of such a name, or of another shape than its name says, has `_` behind it.

A stream holds rows of one shape; when the number of agents changes, the next stream begins.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.recording.arrow import arrow
from calf_viz.samples import Samples

KEY = b"calf_viz"
"""Of a schema's metadata: what a stream holds, as JSON."""
BLOCK_BYTES = 1 << 20
"""Size of a block of rows, roughly: what is read at once when one seeks."""
MOST_ROWS = 1024
RESERVED = ("step", "time", "x", "y", "mode", "first", "heading")
"""Columns that are no `Samples.columns`."""
SINGLE = ("reward", "ended", "value", "q", "q_plus", "margin")
"""Columns of one number of each agent."""


@dataclass(frozen=True)
class Shape:
    """What the rows of one stream have in common.

    Attributes:
        agents: their number.
        columns: of each agent, by name: type, and how many numbers; 0: one, without an axis for it.
    """

    agents: int
    columns: Mapping[str, tuple[np.dtype[Any], int]]

    @classmethod
    def of(cls, samples: Samples, modes: int) -> Shape:
        """That of samples whose view has that number of modes."""
        place = _floats(samples.positions)
        mode = np.dtype(np.uint8 if modes <= 256 else np.int32)
        columns = {"x": (place, 0), "y": (place, 0), "mode": (mode, 0)}
        columns["first"] = np.dtype(np.uint8), 0
        if samples.headings is not None:
            columns["heading"] = _floats(samples.headings), 0
        for given, name in stored_names(samples.columns).items():
            values = samples.columns[given]
            columns[name] = _stored(values), 0 if values.ndim == 1 else values.shape[1]
        return cls(len(samples), columns)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return 16 + self.agents * sum(
            kind.itemsize * max(width, 1) for kind, width in self.columns.values()
        )

    def schema(self) -> Any:
        """As Arrow's."""
        pa = arrow()
        about = {
            "agents": self.agents,
            "widths": {name: width for name, (_, width) in self.columns.items() if width},
        }
        fields = [pa.field("step", pa.int64(), False), pa.field("time", pa.float64(), False)]
        for name, (kind, width) in self.columns.items():
            item = pa.field("item", pa.from_numpy_dtype(kind), False)
            fields.append(pa.field(name, pa.list_(item, self.agents * max(width, 1)), False))
        return pa.schema(fields, {KEY: json.dumps(about).encode()})


def stored_names(columns: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """Names in a recording of a source's columns, by their own: none is that of a column of the
    recording's, each is text that can be written, and what has no numbers has none."""
    found: dict[str, str] = {}
    for given, values in columns.items():
        if values.ndim > 1 and not values.shape[1]:
            continue
        name = str(given).encode("utf-8", "backslashreplace").decode()
        if name in RESERVED or (name in SINGLE and values.ndim > 1):
            name += "_"
        while name in found.values() or (name != given and name in columns):
            name += "_"
        found[given] = name
    return found


def _floats(values: NDArray[Any]) -> np.dtype[Any]:
    return np.dtype(np.float32 if values.dtype == np.float32 else np.float64)


def _stored(values: NDArray[Any]) -> np.dtype[Any]:
    """The type of a column on disk: its own, if Arrow and everybody else have it."""
    kind = values.dtype.newbyteorder("=")
    if kind == np.bool_:
        return np.dtype(np.uint8)
    return kind if kind.kind != "f" or kind.itemsize in (4, 8) else np.dtype(np.float64)


def _like(samples: Samples) -> tuple[Any, ...]:
    """What decides on the shape of a row: cheaper than the shape itself."""
    headings = samples.headings
    return (
        samples.positions.shape[0],
        samples.positions.dtype,
        None if headings is None else headings.dtype,
        [(name, c.dtype, c.shape) for name, c in samples.columns.items()],
    )


class Block:
    """Rows that are not yet on disk.

    Attributes:
        shape: of the rows.
        rows: how many there are.
    """

    def __init__(self, shape: Shape, like: Samples) -> None:
        """like: samples of that shape."""
        self.shape, self.rows = shape, 0
        self._like: tuple[Any, ...] = _like(like)
        self._names = stored_names(like.columns)
        self._room = min(max(BLOCK_BYTES // shape.row_bytes, 1), MOST_ROWS)
        self._step = np.empty(self._room, np.int64)
        self._time = np.empty(self._room, np.float64)
        self._columns = {
            name: np.empty((self._room, shape.agents * max(width, 1)), kind)
            for name, (kind, width) in shape.columns.items()
        }

    @classmethod
    def of(
        cls,
        shape: Shape,
        steps: NDArray[np.integer],
        times: NDArray[np.floating],
        columns: Mapping[str, NDArray[Any]],
    ) -> Block:
        """A full one: the shape's columns, (rows, agents) or (rows, agents, width)."""
        block = cls.__new__(cls)
        block.shape, block.rows, block._room, block._like = shape, len(steps), len(steps), ()
        block._names = {}
        block._step, block._time = steps.astype(np.int64), times.astype(np.float64)
        block._columns = {
            name: np.ascontiguousarray(columns[name], kind).reshape(len(steps), -1)
            for name, (kind, _) in shape.columns.items()
        }
        return block

    def takes(self, samples: Samples) -> bool:
        """Whether a step of these samples may be one of its rows."""
        return self._like == _like(samples)

    @property
    def full(self) -> bool:
        """Whether there is no room for another row."""
        return self.rows == self._room

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return self._room * self.shape.row_bytes

    def append(self, step: int, time: float, samples: Samples, first: NDArray[np.bool_]) -> None:
        """Add a step; `first` stands for the samples' own."""
        row, columns = self.rows, self._columns
        self._step[row], self._time[row] = step, time
        columns["x"][row] = samples.positions[:, 0]
        columns["y"][row] = samples.positions[:, 1]
        columns["mode"][row] = samples.modes
        columns["first"][row] = first
        if samples.headings is not None:
            columns["heading"][row] = samples.headings
        for given, name in self._names.items():
            values = samples.columns[given]
            columns[name][row] = values if values.ndim == 1 else values.reshape(-1)
        self.rows += 1

    def batch(self, schema: Any) -> Any:
        """The rows as an Arrow record batch, on the same memory."""
        pa, rows = arrow(), self.rows
        arrays = [pa.array(self._step[:rows]), pa.array(self._time[:rows])]
        for name, values in self._columns.items():
            flat = pa.array(values[:rows].reshape(-1))
            # (from_arrays knows no lists of 0.)
            kind = schema.field(name).type
            arrays.append(pa.Array.from_buffers(kind, rows, [None], children=[flat]))
        return pa.RecordBatch.from_arrays(arrays, schema=schema)
