"""A source that shows a recording: agents as they were, on the critic of then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.explanation import Explanation
from calf_viz.agent.torch_import import whole_imports
from calf_viz.errors import FileDamaged, UserError, shown
from calf_viz.heightfield import Heightfield
from calf_viz.recording.contents import Contents
from calf_viz.recording.recording import Recording
from calf_viz.recording.rules import decided
from calf_viz.samples import Samples
from calf_viz.sources.recorded_agent import RecordedAgent
from calf_viz.sources.rollout import STEPS
from calf_viz.sources.simulation import FORESEEN
from calf_viz.view import Certificate, View

if TYPE_CHECKING:
    from calf_viz.sources.ghosts import Ghosts

LONGEST = 80
"""Characters of what decided, as the panel shows it."""
GHOST = "ghost"
"""Name of the ghosts' mode."""
WAYS = (("nominal",), ("actor",), ("calf",))
"""What one may fork by, unless the ghosts were given."""


class Replay:
    """Steps through a recording, and follows one that grows. As `Source`, `Pausable`, `Foreseeing`,
    `Seekable`, `Forkable`, `Certified`, `Valued`, `Explained`, `Noticing` and `Accountable`.

    Attributes:
        recording: what is shown; closed with this, unless others keep it.
        contents: modes, episodes and marks along it.
        of_today: whether agents are shown on the newest critic instead of that of then.
        row: the next row.
        at: the row shown; -1 before the first.
        ghosts: agents that go on from one of its rows by other policies, closed with this; None
            without a fork.
    """

    def __init__(
        self,
        recording: Recording,
        row: int = 0,
        ghosts: Ghosts | None = None,
        kept: bool = False,
    ) -> None:
        """row: where to begin. kept: whether the recording stays open, as others use it. Raises
        UserError if nothing was recorded."""
        if not len(recording):
            raise UserError(f"{shown(recording.folder)} has no steps: nothing can be shown")
        self.recording, self.row, self.at, self._kept = recording, row, row - 1, kept
        self._view, self._agent = recording.view, RecordedAgent(recording)
        self.contents = Contents(recording)
        self.of_today = False
        self.ghosts = ghosts
        self.ways: Sequence[Sequence[str]] = WAYS if ghosts is None else (ghosts.policies,)
        self._ghost_steps = STEPS if ghosts is None else ghosts.steps
        if decided(recording) or ghosts is not None:
            names = (GHOST,) if ghosts is None else tuple(f"{GHOST}: {n}" for n in ghosts.names)
            self._view = replace(self._view, modes=(*self._view.modes, *names))
        self._critic: int | None = None  # number of the one shown
        self._shown: Samples | None = None
        self._newest: tuple[int, Heightfield] | None = None  # the surface read last
        self._begun: tuple[tuple[int, int], list[int]] = (0, 0), []  # see `beginnings`
        self._at_end = False

    @property
    def view(self) -> View:
        """As `Source`: its bounds are those of the surface shown."""
        return self._view

    def step(self) -> Samples | None:
        """The next row's agents; None at the end."""
        if self.row >= len(self.recording):
            self.recording.refresh()
        self._at_end = self.row >= self.rows
        if self._at_end:
            return None
        samples = self._shown = self._samples(self.row)
        self.at = self.row
        self.row += 1
        return samples

    def _samples(self, row: int) -> Samples:
        """A row's agents, and the ghosts."""
        samples = self._happened(row)
        if self.ghosts is None:
            return samples
        mode = len(self.recording.view.modes)
        return self.ghosts.beside(samples, row, self._step_of(row), mode)

    def _happened(self, row: int) -> Samples:
        """A row's agents. Where ghosts go on beyond the end, the others stay."""
        last = len(self.recording) - 1
        samples = self.recording.samples(min(row, last))
        if row <= last:
            return samples
        still = np.zeros(len(samples), bool)
        return replace(samples, step=self._step_of(row), first=still)

    def _step_of(self, row: int) -> int:
        """A row's step; beyond the recording's end, as if it went on."""
        last = len(self.recording) - 1
        return self.recording.step(min(row, last)) + max(row - last, 0) * self.recording.every

    @property
    def ghost_modes(self) -> range:
        """As `Forkable`."""
        return range(len(self.recording.view.modes), len(self._view.modes))

    def fork(self, policies: Sequence[str], agents: Sequence[int] | None = None) -> None:
        """As `Forkable`."""
        with whole_imports():
            from calf_viz.sources.ghosts import Ghosts

        if policies and not self.ghost_modes:
            raise UserError(
                "only agents of our own systems go on by a key: try `calf-viz replay` with --fork"
            )
        row = min(max(self.at, 0), len(self.recording) - 1)
        before = self.ghosts
        self.ghosts = (
            Ghosts(self.recording, row, policies, agents, self._ghost_steps) if policies else None
        )
        if before is not None:
            before.close()

    @property
    def rows(self) -> int:
        """As `Seekable`: of the recording, or until the ghosts arrived."""
        ghosts, recording = self.ghosts, self.recording
        if ghosts is None:
            return len(recording)
        return max(len(recording), ghosts.row + ghosts.known // recording.every + 1)

    @property
    def grows(self) -> bool:
        """As `Seekable`."""
        return self.recording.torn

    def seek(self, row: int) -> None:
        """As `Seekable`."""
        self.row, self._at_end = row, False

    def show(self, row: int) -> None:
        """As `Seekable`."""
        self.at, self._shown, self._at_end = row, self._samples(row), False

    def samples(self, row: int) -> Samples:
        """As `Seekable`."""
        known = self._shown if row == self.at else None
        return known or self._samples(row)

    def beginnings(self) -> list[int]:
        """As `Seekable`."""
        recording = self.recording
        state = recording.critics, len(recording)
        if self._begun[0] != state:
            last = len(recording) - 1
            rows = [min(recording.about_row(step), last) for step in recording.critic_steps]
            self._begun = state, rows
        return self._begun[1]

    def _step(self) -> int:
        """The number of the step shown, or at first of the next one."""
        known = None if self._shown is None else self._shown.step
        return self.recording.step(max(self.row, 0)) if known is None else known

    def _number(self) -> int | None:
        """The number of the critic to show."""
        if self.of_today:
            return self.recording.critics - 1 if self.recording.critics else None
        return self.recording.critic_at(self._step())

    def moment(self) -> str:
        """As `Seekable`."""
        step = self._step()
        said = f"step {step + 1:,}"
        if self.view.dt is not None:
            said = f"{(step + 1) * self.view.dt:.2f} s, {said}"
        number = self._number()
        if number is not None and self.recording.critics > 1:
            said += f", critic {number + 1} of {self.recording.critics}"
            if self.of_today:
                said += ", the newest"
        if self.ghosts is not None and step >= self.ghosts.step:
            said += f", {step - self.ghosts.step:,} after the fork"
        return said

    def surface(self) -> Heightfield | None:
        """The critic of the newest step, or at first of the next one, if it is not shown yet."""
        number = self._number()
        if number is None or number == self._critic:
            return None
        self._critic = number
        field = self._field(number)
        if (field.lo, field.hi) != (self._view.lo, self._view.hi):
            self._view = replace(self._view, lo=field.lo, hi=field.hi)
        return field

    def _field(self, number: int) -> Heightfield:
        if self._newest is None or self._newest[0] != number:
            self._newest = number, self.recording.critic(number).field
        return self._newest[1]

    def why(self, agent: int) -> Explanation | None:
        """As `Accountable`: from what was recorded."""
        if self._shown is None or self._shown.step is None:
            return None
        try:
            return self.recording.explain(self._shown.step, agent)
        except FileDamaged:
            raise
        except UserError:
            return None

    def foresee(self, steps: int) -> NDArray[np.floating]:
        """As `Foreseeing`: where the first agents are in the first steps, which it knows."""
        rows = range(min(steps, len(self.recording)))
        found = [self.recording.samples(row).positions[:FORESEEN] for row in rows]
        return np.concatenate(found)

    def certificate(self, chosen: int) -> Certificate:
        """As `Certified`."""
        return self._agent.certificate(chosen, self._shown)

    def mean_value(self) -> float:
        """As `Valued`, without the ghosts: as recorded or, if that is not known, as the surface
        shows it."""
        if self._shown is None:
            return math.nan
        samples, number = self._happened(self.at), self._number()
        found = self._agent.mean_value(samples, number)
        if found is not None:
            return found
        if number is None:
            return math.nan
        return self._field(number).mean_height(self._view.wrapped(samples.positions))

    def explain(self) -> str:
        """As `Explained`."""
        said = self.recording.meta.get("shown")
        return "".join(filter(str.isprintable, said[:LONGEST])) if isinstance(said, str) else ""

    def pause(self, paused: bool) -> None:
        """As `Pausable`; nothing to do, as it advances only on request."""

    def single_step(self) -> None:
        """As `Pausable`."""

    @property
    def notice(self) -> str | None:
        """As `Noticing`."""
        said = [] if self.recording.critics else ["no critic was recorded: the plane is flat"]
        if self._at_end and self.grows:
            said.append("the end so far: it is being recorded, or its recorder was killed")
        elif self._at_end:
            said.append("the end of the recording")
        return "; ".join(said) or None

    def close(self) -> None:
        """As `Source`."""
        if self.ghosts is not None:
            self.ghosts.close()
        if not self._kept:
            self.recording.close()
