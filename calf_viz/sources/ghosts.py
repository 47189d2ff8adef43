"""Ghosts: agents of a recording that go on from one of its steps by other policies, beside what
happened."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown
from calf_viz.recording.recording import Recording
from calf_viz.samples import Samples
from calf_viz.sources.fork import Way, way_of
from calf_viz.sources.rollout import MOST_STEPS, STEPS

if TYPE_CHECKING:
    from calf_viz.sources.environment_fork import EnvironmentWay

MOST = 4
"""Policies at once: then all modes are distinguished."""
LONGEST_NAME = 30
"""Characters of a ghost's name: a mode's may have twice as many."""


class _Drawn(NamedTuple):
    """All that is drawn of k agents at a step."""

    places: NDArray[np.float32]
    headings: NDArray[np.float32]


class Ghosts:
    """What agents would have done from a row on, by each of some policies.

    They are computed as they are shown, and kept, so that one can go back and forth.

    Attributes:
        row, step: where they begin.
        policies, names: by which they go on, as given, and distinct names.
        steps: how many steps they take at most.
    """

    def __init__(
        self,
        recording: Recording,
        row: int,
        policies: Sequence[str],
        agents: Sequence[int] | None = None,
        steps: int = STEPS,
    ) -> None:
        """As `fork`. Raises UserError as that, and for no policies or too many."""
        if not 1 <= len(policies) <= MOST:
            raise UserError(f"`with`: {len(policies)} policies: give 1 to {MOST}")
        if not 1 <= steps <= MOST_STEPS:
            raise UserError(f"`steps` {shown(steps)}: give 1 to {MOST_STEPS}")
        self.row, self.step, self.steps = row, recording.step(row), steps
        self.policies = tuple(policies)
        self._ways: list[Way | EnvironmentWay] = []
        with ExitStack() as failed:
            failed.callback(self.close)
            for policy in policies:
                self._ways.append(way_of(recording, row, policy, agents))
            self.names = _distinct([way.policy for way in self._ways])
            self._found = [[_drawn(way.first) for way in self._ways]]
            # Their numbers, behind the others', change with how many those are: they end there.
            ends = [stop for _, stop in recording.spans()]
            self._end = next((stop for stop in ends[:-1] if row < stop), None)
            self.at(1)  # raises for what cannot be put into a state
            failed.pop_all()

    def __len__(self) -> int:
        """Ghosts."""
        return sum(len(way.agents) for way in self._ways)

    @property
    def known(self) -> int:
        """Steps for which they can be shown now: one more than were computed, until all are."""
        return 0 if self._end is not None else len(self._found) - self.over

    @property
    def over(self) -> bool:
        """Whether all of them have arrived, or taken all their steps."""
        return len(self._found) > self.steps or all(way.over.all() for way in self._ways)

    def at(self, age: int) -> list[_Drawn]:
        """The ghosts of each policy, so many steps after the first."""
        while len(self._found) <= age and not self.over:
            self._found.append([_drawn(way.step()) for way in self._ways])
        return self._found[min(age, len(self._found) - 1)]

    def beside(self, samples: Samples, row: int, step: int, mode: int) -> Samples:
        """The samples of a row and step, with the ghosts behind them, if there are any by then.

        mode: number of the first policy's mode.
        """
        if row < self.row or (self._end is not None and row >= self._end):
            return samples
        places, headings, modes = samples.positions, samples.headings, samples.modes
        found = self.at(step - self.step)
        if headings is not None:
            headings = np.concatenate([headings, *(one.headings for one in found)])
        theirs = [np.full(len(one.places), mode + i, modes.dtype) for i, one in enumerate(found)]
        return Samples(
            np.concatenate([places, *(one.places for one in found)]),
            np.concatenate([modes, *theirs]),
            np.concatenate([samples.first, np.full(len(self), row == self.row)]),
            headings,
            samples.step,
            {name: _extended(values, len(self)) for name, values in samples.columns.items()},
        )

    def close(self) -> None:
        """Close what they step in: they go no further."""
        for way in self._ways:
            way.close()


def _distinct(names: list[str]) -> list[str]:
    """Names of modes: printable, short, and none twice."""
    found: list[str] = []
    for name in (shown(name, LONGEST_NAME) for name in names):
        same = sum(other.partition(" (")[0] == name for other in found)
        found.append(f"{name} ({same + 1})" if same else name)
    return found


def _drawn(samples: Samples) -> _Drawn:
    n, headings = len(samples), samples.headings
    kept = np.zeros(n, np.float32) if headings is None else headings.astype(np.float32)
    return _Drawn(samples.positions.astype(np.float32), kept)


def _extended(values: NDArray[Any], more: int) -> NDArray[Any]:
    """A column with nothing known of so many more agents."""
    unknown = np.nan if values.dtype.kind == "f" else 0
    return np.concatenate([values, np.full((more, *values.shape[1:]), unknown, values.dtype)])
