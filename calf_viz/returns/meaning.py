"""What the numbers of a recording mean: which of them are the critic's promises, of what reward."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.modes import NOMINAL
from calf_viz.errors import UserError, shown
from calf_viz.recording.recording import Recording
from calf_viz.recording.rules import decided, rules
from calf_viz.samples import Samples
from calf_viz.systems import System

PROMISES = ("q", "value", "surface")
"""Where a promise is found, the best first: a column `q`, made before the action that led to its
row; a column `value`, of the state in its row; the surface, where the agent is on the plane."""


@dataclass(frozen=True)
class Meaning:
    """How promises and rewards of a recording are compared.

    Attributes:
        promise: one of `PROMISES`.
        sign: factor on it that makes a cost a value.
        gamma: discount per step.
        reward_scale: factor on rewards with which the critic was trained.
        system: our own, if it is one, which says what is the goal.
        bootstrapped: whether the promise made before the last action takes the place of what would
            have followed in an episode that was cut off; else its steps are left out.
        every_step: whether steps count in which the nominal policy acted, so that q is of an action
            that was not taken.
    """

    promise: str
    sign: float
    gamma: float
    reward_scale: float
    system: System | None = None
    bootstrapped: bool = True
    every_step: bool = False

    def promised(self, before: Samples, after: Samples, surface: Any) -> NDArray[np.float64]:
        """Values of the states before an action, (n,), for the agents of both rows.

        surface: function of a step that gives the critic's surface then; None if there was none.
        """
        n = min(len(before), len(after))
        if self.promise == "surface":
            assert before.step is not None
            field = surface(before.step)
            if field is None:
                return np.full(n, np.nan)
            return self.sign * field(before.positions[:n])
        samples = after if self.promise == "q" else before
        found = samples.columns.get(self.promise)
        return np.full(n, np.nan) if found is None else self.sign * found[:n].astype(np.float64)

    def over(self, samples: Samples) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether each agent's episode has ended there, and whether it terminated, so that nothing
        follows; (n,) each."""
        ended = samples.columns.get("ended")
        if ended is None:
            none = np.zeros(len(samples), bool)
            return none, none
        terminated = ended == 1
        state = samples.columns.get("state")
        if self.system is not None and state is not None and terminated.any():
            # Beyond the plane's edge an episode ends as well, which training takes as cut off.
            terminated = terminated & self.system.in_goal(state)
        return ended > 0, terminated

    def counts(self, samples: Samples) -> NDArray[np.bool_]:
        """Whether the promise before the action that led to a row was of that action, (n,)."""
        if self.every_step or self.system is None:
            return np.ones(len(samples), bool)
        return samples.modes != NOMINAL


def read(
    recording: Recording,
    gamma: float | None = None,
    reward_scale: float | None = None,
    bootstrapped: bool = True,
    every_step: bool = False,
) -> Meaning:
    """That of a recording. gamma, reward_scale: in place of what it says itself.

    Raises UserError if it has no rewards or critics, if steps are missing, or if its discount is
    not known.
    """
    where = shown(recording.folder)
    if not len(recording):
        raise UserError(f"{where} has no steps: there are no returns")
    if recording.every != 1:
        raise UserError(
            f"{where} has one of {recording.every} steps, and rewards of those between are not "
            "known: record it without `record_every`"
        )
    columns = recording.samples(len(recording) - 1).columns
    if "reward" not in columns:
        raise UserError(f"{where} has no rewards, so that returns are not known: record others")
    by = rules(recording) if decided(recording) else None
    system = None if by is None else by.system
    gamma = by.gamma if gamma is None and by is not None else gamma
    if gamma is None:
        raise UserError(f"{where} does not say how returns are discounted: give `gamma`, as 0.99")
    if not 0.0 <= gamma <= 1.0:
        raise UserError(f"gamma {gamma:g} is not within 0 and 1")
    known = None if by is None else by.reward_scale
    scale = reward_scale if reward_scale is not None else 1.0 if known is None else known
    if not math.isfinite(scale) or scale == 0.0:
        raise UserError(f"reward_scale {scale:g}: give a factor, as 1, or -1 for a critic of costs")
    promise = next((name for name in PROMISES if name in columns), "surface")
    if promise == "surface" and not recording.critics:
        raise UserError(f"{where} has no critic: no column q or value, and no surface")
    cost = promise != "q" and system is not None  # whose values and surfaces are -Q
    return Meaning(promise, -1.0 if cost else 1.0, gamma, scale, system, bootstrapped, every_step)
