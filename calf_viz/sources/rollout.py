"""Agents that go on from given states, each until its episode ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.samples import Samples
from calf_viz.sources.simulation import Simulation

STEPS = 1000
"""Most steps, unless said otherwise."""
MOST_STEPS = 1_000_000


class Rollout(Simulation):
    """A simulation whose agents are placed, and stay where their episode ended until they are
    placed again. Before that they stay at the origin."""

    def place(
        self,
        which: NDArray[np.bool_],
        states: NDArray[Any],
        q_plus: NDArray[Any] | float = np.nan,
        over: NDArray[np.bool_] | bool = False,
    ) -> None:
        """Put agents into states, in which they begin to go on with the next step.

        Args:
            which: the agents, (n,), m of them.
            states: theirs, (m, state_dim).
            q_plus: of their last certified triples, (m,) or for all; NaN without one.
            over: whose episode has ended there, (m,) or for all.
        """
        self.states[which] = states
        known = np.isfinite(q_plus)
        self.memory.q_plus[which] = np.where(known, q_plus, 0.0)
        self.memory.has_triple[which] = known
        self._steps[which] = 0
        self._over[which] = over
        self.episodes[which] += 1

    @property
    def over(self) -> NDArray[np.bool_]:
        """Whose episode has ended, (n,)."""
        return self._over.copy()

    def step(self) -> Samples:
        """Advance those whose episode goes on."""
        stay, arrived = self._over.copy(), self.arrived
        kept = self.states[stay]
        self.states[stay] = np.where(np.isfinite(kept), kept, 0.0)  # they are computed in vain
        self._over[:] = False
        samples = super().step()
        self.arrived = arrived + int(self.system.in_goal(self.states[~stay]).sum())
        if not stay.any():
            return samples
        self.states[stay] = kept
        self._over |= stay
        samples.positions[stay] = kept[:, list(self.system.plane.axes)]
        columns = {name: np.array(values) for name, values in samples.columns.items()}
        for name in ("action", "q", "q_plus", "value", "margin"):
            if name in columns:
                columns[name][stay] = np.nan
        if "reward" in columns:
            columns["reward"][stay], columns["state"][stay] = 0.0, kept
            columns["ended"][stay] = np.maximum(columns["ended"][stay], 1)
        heading = self.system.heading_axis
        headings = None if heading is None else self.states[:, heading]
        return replace(samples, headings=headings, columns=columns)
