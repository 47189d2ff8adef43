"""The rows of one block of a stream of agents, as arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.files import parsing
from calf_viz.recording.agents import KEY
from calf_viz.recording.folder import ADVICE
from calf_viz.recording.storage import Location


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


def about(schema: Any, path: Location) -> tuple[int, dict[str, int]]:
    """Agents of a stream, and the width of columns with an axis for it. Raises FileDamaged."""
    with parsing(path, "a stream of agents", ADVICE):
        found = json.loads(schema.metadata[KEY])
        return int(found["agents"]), {str(k): int(v) for k, v in found["widths"].items()}
