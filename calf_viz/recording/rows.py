"""The rows of one block of a stream of agents, as arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import FileDamaged, shown
from calf_viz.files import parsing
from calf_viz.recording.agents import KEY, SINGLE
from calf_viz.recording.arrow import arrow
from calf_viz.recording.folder import ADVICE
from calf_viz.recording.storage import Location
from calf_viz.recording.stream import Stream
from calf_viz.samples import Samples

FLOATS, WHOLE = ("x", "y", "heading"), ("mode", "first")
"""Columns of rows with the kind of number that they hold."""


class Columns(NamedTuple):
    """What the rows of a stream hold of each agent.

    Attributes:
        agents: their number.
        kinds: Arrow's type of a number of each column, by the column's name.
        widths: how many numbers of each agent there are, of columns with an axis for them.
    """

    agents: int
    kinds: Mapping[str, Any]
    widths: Mapping[str, int]

    @classmethod
    def of(cls, schema: Any, path: Location) -> Columns:
        """Those of a stream. Raises FileDamaged."""
        agents, widths = about(schema, path)
        kinds = {f.name: f.type.value_type for f in schema if f.name not in ("step", "time")}
        return cls(agents, kinds, widths)


class Rows:
    """Some of a block's rows.

    Attributes:
        columns: what they hold.
        steps, times: of each row, (rows,).
    """

    def __init__(self, batch: Any, columns: Columns) -> None:
        self._batch, self.columns = batch, columns
        self.steps: NDArray[np.int64] = batch.column("step").to_numpy(zero_copy_only=True)
        self.times: NDArray[np.float64] = batch.column("time").to_numpy(zero_copy_only=True)

    def values(self, name: str) -> NDArray[Any]:
        """A column, (rows, agents), or (rows, agents, width) if it has an axis for that."""
        # `flatten` heeds where a slice begins, `values` does not.
        flat = self._batch.column(name).flatten().to_numpy(zero_copy_only=True)
        shape = len(self.steps), self.columns.agents
        if name in self.columns.widths:
            return flat.reshape(*shape, self.columns.widths[name])
        return flat.reshape(shape)


def check(schema: Any, path: Location) -> None:
    """Raise FileDamaged for columns of other types than rows have: a number of each agent, or
    several, in lists of one size."""
    types = arrow().types
    agents, widths = about(schema, path)
    if len(set(schema.names)) < len(schema.names):
        raise FileDamaged(path, "no stream of agents: two columns have one name", ADVICE)
    for field in schema:
        name, kind, width = field.name, field.type, widths.get(field.name, 1)
        if name in ("step", "time"):
            right = (types.is_int64 if name == "step" else types.is_float64)(kind)
        elif not types.is_fixed_size_list(kind) or kind.list_size != agents * width:
            right = False
        else:
            of = kind.value_type
            whole, real = types.is_integer(of), types.is_float32(of) or types.is_float64(of)
            right = real if name in FLOATS else whole if name in WHOLE else whole or real
            right &= name not in widths or name not in (*FLOATS, *WHOLE, *SINGLE)
        if not right:
            several = f", {width} numbers of each of {agents} agents" if name in widths else ""
            said = f"no stream of agents: its column {shown(name)} is {shown(kind)}{several}"
            raise FileDamaged(path, said, ADVICE)


def batch(stream: Stream, number: int) -> Any:
    """A block of a stream of agents or events that was checked, as an Arrow batch: without nulls.
    Raises FileDamaged."""
    found, listing = stream.batch(number), arrow().types.is_fixed_size_list
    for name, column in zip(found.schema.names, found.columns, strict=True):
        listed = listing(column.type)
        if column.null_count or (listed and column.flatten().null_count):
            raise FileDamaged(stream.path, f"its column {shown(name)} has nulls", ADVICE)
    return found


def known(
    samples: Samples, name: str, where: Location, width: int | None = None
) -> NDArray[Any] | None:
    """A column of a recording's row that is of use only in its own shape, (n,), or (n, width);
    None if there is none. Raises FileDamaged for another shape."""
    found = samples.columns.get(name)
    wanted = (len(samples),) if width is None else (len(samples), width)
    if found is not None and found.shape != wanted:
        said = f"its column {name} is {found.shape} where {wanted} is wanted"
        raise FileDamaged(where, f"step {samples.step}: {said}", ADVICE)
    return found


def about(schema: Any, path: Location) -> tuple[int, dict[str, int]]:
    """Agents of a stream, and the width of columns with an axis for it. Raises FileDamaged."""
    with parsing(path, "a stream of agents", ADVICE):
        found = json.loads(schema.metadata[KEY])
        agents, widths = int(found["agents"]), {str(k): int(v) for k, v in found["widths"].items()}
        if agents < 0 or min(widths.values(), default=1) < 1:
            raise ValueError(f"{agents} agents, columns of {widths} numbers")
        return agents, widths
