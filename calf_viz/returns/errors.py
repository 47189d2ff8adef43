"""Where on the plane a recorded critic lies: errors by region, and as a surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown
from calf_viz.heightfield import Heightfield
from calf_viz.recording.recording import Recording
from calf_viz.returns.meaning import Meaning
from calf_viz.returns.regions import Regions, smoothed
from calf_viz.returns.walk import backwards

CELLS = 96
"""Of the map along each axis."""
OUTLIERS = 0.02
"""Part of the map whose errors may be beyond the ends of its scale."""


class Errors(NamedTuple):
    """What came out."""

    regions: Regions
    map: Heightfield
    """Mean errors, smoothed; `bad` where there are no steps, and fading to 0 there."""

    @property
    def limit(self) -> float:
        """Of a scale from minus to plus it, which has nearly all errors of the map."""
        known = np.abs(self.map.values[~self.map.bad]).astype(np.float64)
        return float(np.quantile(known, 1.0 - OUTLIERS)) or float(known.max()) or 1.0

    def at(self, positions: NDArray[np.floating]) -> NDArray[np.float64]:
        """The map's errors at those positions (n, 2) where they are known."""
        field = self.map
        unknown = Heightfield(field.bad.astype(np.float32), field.lo, field.hi).heights(positions)
        return field.heights(positions)[unknown == 0.0]


def measure(
    recording: Recording,
    meaning: Meaning,
    regions: int,
    steps: tuple[int, int] | None = None,
    each: Callable[[int], Any] = lambda rows: None,
) -> Errors:
    """Compare all steps. regions: number of them along each axis. steps, each: as for `backwards`.

    Raises UserError if there is no step to compare, or if the recording is damaged.
    """
    view = recording.view
    if recording.critics:  # a loop's plane grows while it is not known
        newest = recording.critic(recording.critics - 1).field
        view = replace(view, lo=newest.lo, hi=newest.hi)
    coarse, fine = Regions(view, regions, regions), Regions(view, CELLS, CELLS)
    for found in backwards(recording, meaning, steps, each):
        coarse.add(found)
        fine.add(found)
    if not coarse.steps:
        why = "" if meaning.every_step or meaning.system is None else (
            ", or the nominal policy acted in all of them: `every_step` counts those"
        )  # fmt: skip
        raise UserError(
            f"{shown(recording.folder)} has no step on the plane whose return is known{why}"
        )
    values, unknown = smoothed(fine, regions)
    field = Heightfield(values, view.lo, view.hi)
    field.bad = unknown | field.bad
    return Errors(coarse, field)
