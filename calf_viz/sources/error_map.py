"""A source that shows a recording's agents on the errors of its critic."""

from __future__ import annotations

import math
from dataclasses import replace

from calf_viz.heightfield import Heightfield
from calf_viz.recording.recording import Recording
from calf_viz.returns.errors import Errors
from calf_viz.returns.meaning import Meaning
from calf_viz.sources.replay import Replay

SYMBOLS = {"q": "Q", "value": "V", "surface": "value"}
"""Of each kind of promise."""


class ErrorMap(Replay):
    """A `Replay` whose surface is what the critic promised minus what came: above 0 where it
    promised too much, from minus to plus one limit."""

    def __init__(self, recording: Recording, meaning: Meaning, errors: Errors) -> None:
        super().__init__(recording)
        self._errors, self._given = errors, False
        symbol = "Q" if meaning.system is not None else SYMBOLS[meaning.promise]
        self._view = replace(
            self._view,
            lo=errors.map.lo,
            hi=errors.map.hi,
            value=f"{symbol} − return",
            symbol=f"{symbol} − return",
            value_scale="linear",
            deviations=True,
            clim=(-errors.limit, errors.limit),
        )

    def surface(self) -> Heightfield | None:
        """The map, once: it is that of all steps."""
        given, self._given = self._given, True
        return None if given else self._errors.map

    def mean_value(self) -> float:
        """As `Valued`: of the map, where agents are and it is known."""
        if self._shown is None:
            return math.nan
        found = self._errors.at(self._view.wrapped(self._happened(self.at).positions))
        return float(found.mean()) if len(found) else math.nan
