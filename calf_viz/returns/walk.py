"""Walks a recording backwards: what was promised at each step, and what followed.

    row        t - 1            t          t + 1        …      the episode's last
    state      s ──── action ── s' ───────────────────────────▶
    promise    p(t), made before the action
    return     R(t - 1) = scale r(t) + gamma R(t)              R = 0 where it terminated

If the episode was cut off after row t, by its source or by the end of the recording, R(t - 1) is
p(t), which is then no error, or unknown. Memory is taken for a few rows, whatever the length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from calf_viz.heightfield import Heightfield
from calf_viz.recording.recording import Recording
from calf_viz.returns.meaning import Meaning
from calf_viz.samples import Samples

Floats = NDArray[np.float64]
ROWS = 256
"""Rows that are returned at once."""


class Compared(NamedTuple):
    """Steps of agents, in no particular order."""

    positions: Floats
    """On the plane where the promise was made, (m, 2)."""
    promised: Floats
    """(m,)."""
    returned: Floats
    """The discounted return that followed, in the promise's unit, (m,)."""
    steps: NDArray[np.int64]
    """Numbers of the steps that the promised actions led to, (m,)."""
    agents: NDArray[np.int64]

    @property
    def errors(self) -> Floats:
        """Promised minus returned, (m,): above 0 where the critic promised too much."""
        return self.promised - self.returned


def backwards(
    recording: Recording,
    meaning: Meaning,
    steps: tuple[int, int] | None = None,
    each: Callable[[int], Any] = lambda rows: None,
) -> Iterator[Compared]:
    """All steps that can be compared, the last ones first.

    steps: only promises made in steps from one to another, both included; what follows them counts
    in any case. each: called with the number of rows as they are done.

    Raises UserError if it is damaged.
    """
    walk = _Walk(recording, meaning, steps)
    for stop in range(len(recording), 0, -ROWS):
        start = max(stop - ROWS, 0)
        found = walk.rows(start, stop)
        if found is not None:
            yield found
        each(stop - start)


class _Walk:
    """Where it is, between a row and the one after it."""

    def __init__(
        self, recording: Recording, meaning: Meaning, steps: tuple[int, int] | None
    ) -> None:
        self.recording, self.meaning, self.steps = recording, meaning, steps
        self._after: Samples | None = None
        self._follows = np.zeros(0)
        """Return from the row after on, of each of its agents."""
        self._critic = lru_cache(maxsize=2)(self._field)

    def rows(self, start: int, stop: int) -> Compared | None:
        """The steps from the rows start … stop - 1 to those after them."""
        found = []
        for row in range(stop - 1, start - 1, -1):
            samples = self.recording.samples(row)
            if self._after is not None:
                step = self._step(samples, self._after)
                if step is not None:
                    found.append(step)
            else:
                self._end(samples)
            self._after = samples
        if not found:
            return None
        return Compared(*(np.concatenate(parts) for parts in zip(*found, strict=True)))

    def _end(self, samples: Samples) -> None:
        """The recording ends there."""
        _, terminated = self.meaning.over(samples)
        self._follows = np.where(terminated, 0.0, np.nan)
        self._cut = ~terminated

    def _step(self, before: Samples, after: Samples) -> Compared | None:
        """From a row to the next."""
        meaning, n = self.meaning, min(len(before), len(after))
        over, terminated = meaning.over(before)
        went = ~after.first[:n] & ~over[:n]
        assert before.step is not None and after.step is not None
        went &= after.step == before.step + 1  # else steps were left out
        promised = meaning.promised(before, after, self._surface)
        reward = after.columns.get("reward")
        gained = np.full(n, np.nan) if reward is None else reward[:n].astype(np.float64)
        cut = self._cut[:n]
        returned = meaning.reward_scale * gained + meaning.gamma * self._follows[:n]
        returned[cut] = promised[cut] if meaning.bootstrapped else np.nan
        counted = went & ~cut & meaning.counts(after)[:n]
        if _of_others(before, after, went, gained):
            returned, counted[:] = self._follows[:n], False
        else:
            cut = np.zeros(n, bool)
        counted &= np.isfinite(promised) & np.isfinite(returned)
        if self.steps is not None and not self.steps[0] <= after.step <= self.steps[1]:
            counted[:] = False
        # From the row before on: what was found, or the end of its episode.
        ends = np.ones(len(before), bool)
        ends[:n] = ~went
        self._follows = np.full(len(before), np.nan)
        self._follows[:n] = returned
        self._follows[ends] = np.nan
        self._follows[ends & terminated] = 0.0
        self._cut = ends & ~terminated
        self._cut[:n] |= went & cut
        if not counted.any():
            return None
        agents = np.flatnonzero(counted)
        return Compared(
            self.recording.view.wrapped(before.positions[agents]).astype(np.float64),
            promised[agents],
            returned[agents],
            np.full(len(agents), after.step),
            agents,
        )

    def _surface(self, step: int) -> Callable[[Floats], Floats] | None:
        number = self.recording.critic_at(step)
        return None if number is None else self._critic(number)

    def _field(self, number: int) -> Callable[[Floats], Floats]:
        field, view = self.recording.critic(number).field, self.recording.view
        bad = (
            Heightfield(field.bad.astype(np.float32), field.lo, field.hi)
            if field.bad.any()
            else None
        )

        def values(positions: Floats) -> Floats:
            places = view.wrapped(positions)
            found = field.heights(places)
            outside = ((places < field.lo) | (places > field.hi)).any(axis=1)
            if bad is not None:
                outside |= bad.heights(places) > 0.0
            found[outside] = np.nan
            return found

        return values


def _of_others(
    before: Samples, after: Samples, went: NDArray[np.bool_], gained: NDArray[np.float64]
) -> bool:
    """Whether a row only shows where episodes began: those who went on took no step. (Loops whose
    environments begin anew within a step have a row for its end, and one for what begins.)"""
    agents = np.flatnonzero(went)
    if len(agents) == len(after) or not len(agents) or gained[agents].any():
        return False
    return np.array_equal(before.positions[agents], after.positions[agents], equal_nan=True)
