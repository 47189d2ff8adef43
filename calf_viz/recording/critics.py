"""Rows of critics: a row is a surface as it was from a step on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.recording.arrow import arrow

ENTRY_BYTES = 1000
"""Memory of a critic without its numbers, about."""
UNKNOWN = -1
"""In place of a training step, where there is none."""


class Critic(NamedTuple):
    """A critic of then."""

    step: int
    """The first step that was shown on it."""
    time: float
    trained: int
    """Steps of the training so far, or `UNKNOWN`."""
    field: Heightfield
    weights: NDArray[np.float32] | None
    """Of actor and critic, where they are the program's own."""

    @property
    def nbytes(self) -> int:
        """Memory that it takes, about."""
        return ENTRY_BYTES + self.field.values.nbytes + getattr(self.weights, "nbytes", 0)


def schema() -> Any:
    """Arrow's schema of the rows."""
    pa = arrow()
    numbers = pa.list_(pa.field("item", pa.float64(), False), 4)
    heights = pa.list_(pa.field("item", pa.float32(), False))
    return pa.schema(
        [
            pa.field("step", pa.int64(), False),
            pa.field("time", pa.float64(), False),
            pa.field("trained", pa.int64(), False),
            pa.field("bounds", numbers, False),
            pa.field("rows", pa.int32(), False),
            pa.field("columns", pa.int32(), False),
            pa.field("low", pa.float64(), False),
            pa.field("high", pa.float64(), False),
            pa.field("heights", heights, False),
            pa.field("weights", heights),
        ]
    )


def batch(critic: Critic) -> Any:
    """A row."""
    pa, field = arrow(), critic.field
    values = np.where(field.bad, np.float32(np.nan), field.values)
    finite = field.values[~field.bad]
    low, high = (finite.min(), finite.max()) if finite.size else (np.nan, np.nan)
    row = {
        "step": critic.step,
        "time": critic.time,
        "trained": critic.trained,
        "bounds": [*field.lo, *field.hi],
        "rows": values.shape[0],
        "columns": values.shape[1],
        "low": float(low),
        "high": float(high),
        "heights": values.reshape(-1),
        "weights": critic.weights,
    }
    return pa.RecordBatch.from_pylist([row], schema=schema())


def critic(batch: Any, row: int) -> Critic:
    """The critic in a row. Raises ValueError for one that is none."""
    found = batch.slice(row, 1)

    def number(name: str) -> Any:
        return found.column(name)[0].as_py()

    rows, columns = number("rows"), number("columns")
    heights = found.column("heights").flatten().to_numpy()
    if rows * columns != heights.size or min(rows, columns) < 2:
        raise ValueError(f"a surface of {rows} x {columns} nodes with {heights.size} heights")
    left, low, right, high = number("bounds")
    weights = found.column("weights")
    return Critic(
        number("step"),
        number("time"),
        number("trained"),
        Heightfield(heights.reshape(rows, columns), (left, low), (right, high)),
        None if weights.null_count else weights.flatten().to_numpy(),
    )
