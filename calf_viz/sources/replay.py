"""A source that shows a recording: agents as they were, on the critic of then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError, shown
from calf_viz.heightfield import Heightfield
from calf_viz.recording.recording import Recording
from calf_viz.samples import Samples
from calf_viz.sources.simulation import FORESEEN
from calf_viz.view import View


class Replay:
    """Steps through a recording, and follows one that grows. As `Source`, `Pausable`, `Foreseeing`,
    `Seekable` and `Noticing`.

    Attributes:
        recording: what is shown; closed with this.
        row: the next row.
    """

    def __init__(self, recording: Recording, row: int = 0) -> None:
        """row: where to begin. Raises UserError if nothing was recorded."""
        if not len(recording):
            raise UserError(f"{shown(recording.folder)} has no steps: nothing can be shown")
        self.recording, self.row = recording, row
        self._view = recording.view
        self._critic: int | None = None  # number of the one shown
        self._step: int | None = None  # the newest that was shown
        self._at_end = False

    @property
    def view(self) -> View:
        """As `Source`: its bounds are those of the surface shown."""
        return self._view

    def step(self) -> Samples | None:
        """The next row's agents; None at the end."""
        if self.row >= len(self.recording):
            self.recording.refresh()
        self._at_end = self.row >= len(self.recording)
        if self._at_end:
            return None
        samples = self.recording.samples(self.row)
        self.row += 1
        self._step = samples.step
        return samples

    @property
    def rows(self) -> int:
        """As `Seekable`."""
        return len(self.recording)

    @property
    def at(self) -> int:
        """As `Seekable`."""
        return self.row - 1

    def seek(self, row: int) -> None:
        """As `Seekable`."""
        self.row, self._at_end = row, False

    def beginnings(self) -> list[int]:
        """As `Seekable`."""
        return [self.recording.row(step) for step in self.recording.critic_steps]

    def moment(self) -> str:
        """As `Seekable`."""
        step = self.recording.step(max(self.at, 0))
        said = f"step {step + 1:,}"
        if self.view.dt is not None:
            said = f"{(step + 1) * self.view.dt:.2f} s, {said}"
        number = self.recording.critic_at(step)
        if number is not None and self.recording.critics > 1:
            said += f", critic {number + 1} of {self.recording.critics}"
        return said

    def surface(self) -> Heightfield | None:
        """The critic of the newest step, or at first of the next one, if it is not shown yet."""
        step = self.recording.step(self.row) if self._step is None else self._step
        number = self.recording.critic_at(step)
        if number is None or number == self._critic:
            return None
        self._critic = number
        field = self.recording.critic(number).field
        if (field.lo, field.hi) != (self._view.lo, self._view.hi):
            self._view = replace(self._view, lo=field.lo, hi=field.hi)
        return field

    def foresee(self, steps: int) -> NDArray[np.floating]:
        """As `Foreseeing`: where the first agents are in the first steps, which it knows."""
        rows = range(min(steps, len(self.recording)))
        found = [self.recording.samples(row).positions[:FORESEEN] for row in rows]
        return np.concatenate(found)

    def pause(self, paused: bool) -> None:
        """As `Pausable`; nothing to do, as it advances only on request."""

    def single_step(self) -> None:
        """As `Pausable`."""

    @property
    def notice(self) -> str | None:
        """As `Noticing`."""
        if not self._at_end:
            return None
        if self.recording.torn:
            return "the end so far: it is being recorded, or its recorder was killed"
        return "the end of the recording"

    def close(self) -> None:
        """As `Source`."""
        self.recording.close()
