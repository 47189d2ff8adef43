"""A recording as a table that any tool reads: Parquet or CSV.

    agents    a row per step and agent: step, time, agent, x, y, mode, first, then what there is of
              heading, reward, ended, state_0 …, action_0 …, q, q_plus, margin, value and others
    critics   a row per critic and node of its surface: critic, step, time, trained, x, y, value
    events    a row per event: step, time, kind, agent, number, text

Where nothing is known there is null, not NaN, which each tool takes for something else.

Block after block, so that memory does not depend on the recording's length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown
from calf_viz.files import check_writable, write_aside
from calf_viz.heightfield import plane_nodes
from calf_viz.recording import events
from calf_viz.recording.arrow import arrow
from calf_viz.recording.recording import Recording
from calf_viz.recording.rows import Columns, Rows

FIRST = ("step", "time", "agent", "x", "y", "mode", "first", "heading", "reward", "ended")
OWN = FIRST[:3]
LAST = ("q", "q_plus", "value", "margin")
"""Columns of agents that come first, and last of those that are known, where they are there."""
GROUP = 1 << 19
"""Rows of a row group, about: what a reader decodes at once."""


Names = dict[tuple[str, int | None], str]
"""Names in a table of a recording's columns: of each part, or of those without an axis."""


class Written(NamedTuple):
    """What was written."""

    rows: int
    columns: list[str]


def export(
    recording: Recording,
    path: Path,
    table: str = "agents",
    start: int = 0,
    stop: int | None = None,
    each: Callable[[int], None] = lambda rows: None,
) -> Written:
    """Write a table of a recording as `.parquet` or `.csv`, by the file's suffix; an existing file
    is replaced once the new one is complete.

    Args:
        recording: what to write.
        path: the file.
        table: `agents`, `critics` or `events`.
        start, stop: rows of the recording, of `agents`.
        each: called with the number of rows of the recording that were written last.

    Raises:
        UserError: there is no such table, or the file cannot be written.
    """
    check_writable(path)
    schema, batches = _table(recording, table, start, stop)
    writers: dict[str, type[_Parquet] | type[_Csv]] = {".parquet": _Parquet, ".csv": _Csv}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise UserError(f"{shown(path)}: give a name that ends in .parquet or .csv")
    rows, gathered, waiting = 0, [], 0
    with write_aside(path) as part, writer(part, schema) as out:
        for steps, batch in batches:
            gathered.append(batch)
            waiting += batch.num_rows
            if waiting >= GROUP:
                out.write(_joined(gathered))
                gathered, waiting = [], 0
            rows += batch.num_rows
            each(steps)
        if gathered:
            out.write(_joined(gathered))
    return Written(rows, list(schema.names))


def _table(
    recording: Recording, table: str, start: int, stop: int | None
) -> tuple[Any, Iterator[tuple[int, Any]]]:
    if table == "agents":
        schema, names = _agents_schema(recording)
        return schema, _agents(recording, schema, names, start, stop)
    if table == "critics":
        return _critics_schema(), _critics(recording)
    if table == "events":
        return events.schema(), _events(recording)
    raise UserError(f"unknown table '{shown(table)}': choose one of agents, critics, events")


def _joined(batches: list[Any]) -> Any:
    return arrow().Table.from_batches(batches).combine_chunks()


class _Parquet:
    """Floats as streams of their bytes, which compress well as they are; the rest by dictionary."""

    def __init__(self, path: Path, schema: Any) -> None:
        import pyarrow.parquet

        pa = arrow()
        floats = [field.name for field in schema if pa.types.is_floating(field.type)]
        others = [field.name for field in schema if field.name not in floats]
        self._writer = pyarrow.parquet.ParquetWriter(
            path, schema, compression="zstd", use_dictionary=others, use_byte_stream_split=floats
        )

    def __enter__(self) -> _Parquet:
        return self

    def write(self, table: Any) -> None:
        self._writer.write_table(table, row_group_size=len(table))

    def __exit__(self, *_: object) -> None:
        self._writer.close()


class _Csv:
    def __init__(self, path: Path, schema: Any) -> None:
        import pyarrow.csv

        self._writer = pyarrow.csv.CSVWriter(path, schema)

    def __enter__(self) -> _Csv:
        return self

    def write(self, table: Any) -> None:
        self._writer.write_table(table)

    def __exit__(self, *_: object) -> None:
        self._writer.close()


def _agents_schema(recording: Recording) -> tuple[Any, Names]:
    """That of all streams together, and the names in it."""
    pa = arrow()
    known = dict(zip(OWN, (pa.int64(), pa.float64(), pa.int32()), strict=True))
    shapes = recording.shapes()
    names = _names(shapes)
    for columns in shapes:
        for name, kind in columns.kinds.items():
            kind = pa.bool_() if name == "first" else kind
            for part in _parts(columns, name):
                known[names[name, part]] = _common(known.get(names[name, part], kind), kind)
    order = [name for name in FIRST if name in known]
    order += [name for name in known if name not in (*FIRST, *LAST)]
    order += [name for name in LAST if name in known]
    return pa.schema([(name, known[name]) for name in order]), names


def _parts(columns: Columns, name: str) -> Sequence[int | None]:
    """Numbers of a column's parts; None alone if it has no axis."""
    width = columns.widths.get(name, 0)
    return range(width) if width else (None,)


def _names(shapes: Sequence[Columns]) -> Names:
    """Names of all parts in the table. What would have the name of another one has `_` behind it;
    columns without an axis keep theirs."""
    wanted = {
        (name, part): name if part is None else f"{name}_{part}"
        for columns in shapes
        for name in columns.kinds
        for part in _parts(columns, name)
    }
    taken, found = set(OWN), Names()
    for key in sorted(wanted, key=lambda key: key[1] is not None):
        name = wanted[key]
        if name in taken:
            while name in taken or name in wanted.values():
                name += "_"
        taken.add(name)
        found[key] = name
    return found


def _common(one: Any, other: Any) -> Any:
    """A type for the values of both."""
    if one == other:
        return one
    kinds = one.to_pandas_dtype(), other.to_pandas_dtype()
    return arrow().from_numpy_dtype(np.result_type(*kinds))


def _agents(
    recording: Recording, schema: Any, names: Names, start: int, stop: int | None
) -> Iterator[tuple[int, Any]]:
    pa, stop = arrow(), len(recording) if stop is None else stop
    for block in recording.row_blocks(start, stop):
        n, rows = block.columns.agents, len(block.steps)
        # A block of a few steps of many agents is taken in parts of a row group each.
        most = max(GROUP // max(n, 1), 1)
        for first in range(0, rows, most):
            part = slice(first, min(first + most, rows))
            found = _tidy(block, part, names)
            count = part.stop - part.start
            arrays = [
                pa.array(found[field.name], field.type, from_pandas=True)
                if field.name in found
                else pa.nulls(n * count, field.type)
                for field in schema
            ]
            yield count, pa.RecordBatch.from_arrays(arrays, schema=schema)


def _tidy(block: Rows, part: slice, names: Names) -> dict[str, NDArray[Any]]:
    """Some of a block's rows, each column flat: a row per step and agent."""
    n, count = block.columns.agents, part.stop - part.start
    found: dict[str, NDArray[Any]] = {
        "step": np.repeat(block.steps[part], n),
        "time": np.repeat(block.times[part], n),
        "agent": np.tile(np.arange(n, dtype=np.int32), count),
    }
    for name in block.columns.kinds:
        values = block.values(name)[part]
        if name == "first":
            values = values.astype(bool)
        for number in _parts(block.columns, name):
            found[names[name, number]] = (
                values if number is None else values[:, :, number]
            ).ravel()
    return found


def _critics_schema() -> Any:
    pa = arrow()
    kinds = {"critic": pa.int32(), "step": pa.int64(), "time": pa.float64(), "trained": pa.int64()}
    kinds |= {"x": pa.float64(), "y": pa.float64(), "value": pa.float32()}
    return pa.schema(list(kinds.items()))


def _critics(recording: Recording) -> Iterator[tuple[int, Any]]:
    pa, schema = arrow(), _critics_schema()
    for number in range(recording.critics):
        found = recording.critic(number)
        field = found.field
        nodes, size = plane_nodes(field.lo, field.hi, *field.values.shape), field.values.size
        columns = [
            np.full(size, number, np.int32),
            np.full(size, found.step, np.int64),
            np.full(size, found.time),
            np.full(size, found.trained, np.int64),
            nodes[:, 0],
            nodes[:, 1],
            np.where(field.bad, np.float32(np.nan), field.values).ravel(),
        ]
        arrays = [
            pa.array(column, kind.type, from_pandas=True)
            for column, kind in zip(columns, schema, strict=True)
        ]
        yield 0, pa.RecordBatch.from_arrays(arrays, schema=schema)


def _events(recording: Recording) -> Iterator[tuple[int, Any]]:
    for batch in recording.event_batches():
        yield 0, batch
