"""Compares two agents of one system: the same episodes, and the values of both critics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.evaluation import (
    POLICIES,
    Outcomes,
    actor_outcomes,
    held_out_starts,
    nominal_outcomes,
    strict_outcomes,
)
from calf_viz.agent.system_view import surface_of
from calf_viz.agent.threads import one_thread
from calf_viz.comparison.intervals import Interval, mean, share, share_difference
from calf_viz.comparison.sides import Given, Side, side
from calf_viz.errors import UserError
from calf_viz.heightfield import Grid, Heightfield
from calf_viz.settings import within
from calf_viz.systems.hidden_states import hidden_values
from calf_viz.training.train import MOST_STARTS

NODES = 129
"""Of a surface per side."""
STRICT, ACTOR, NOMINAL = POLICIES


@dataclass(frozen=True)
class Figures:
    """What came of episodes, or by how much it differs, each with its 95 % interval.

    Attributes:
        goal: share of the episodes that reached the goal.
        steps: mean steps to the goal of those that did; of differences, of those that both did.
        cost: mean of minus the summed rewards.
        certified: share of certified steps.
    """

    goal: Interval
    steps: Interval
    cost: Interval
    certified: float


@dataclass(frozen=True)
class ComparedRow:
    """A policy's figures for both agents, and those of A less those of B; of the nominal policy,
    which knows no agent, `a` alone."""

    policy: str
    a: Figures
    b: Figures | None = None
    difference: Figures | None = None


@dataclass(frozen=True)
class Comparison:
    """What came out.

    Attributes:
        a, b: names of the two.
        system: theirs.
        episodes, seed: how many held-out starts, and what determines them.
        rows: the table.
        surfaces: the critic of each, -Q at its own actor's action.
        difference: the first less the second; NaN where either is not finite.
    """

    a: str
    b: str
    system: str
    episodes: int
    seed: int
    rows: tuple[ComparedRow, ...]
    surfaces: tuple[Heightfield, Heightfield]
    difference: Heightfield


@one_thread()  # as for `evaluate`
def compare(
    a: Given, b: Given, episodes: int = 200, seed: int = 0, slice: float | tuple[str, ...] = 0.0
) -> Comparison:
    """Compare two agents of one system, from the same held-out starts as `calf-viz evaluate`.

    Args:
        a, b: a checkpoint's file, a run's folder, a recording's (`swing.calf@120` for its critic at
            a step), the name of a system whose shipped agent is meant, or a `CALFAgent`.
        episodes: held-out starts.
        seed: determines them, and the intervals' resamples.
        slice: value of the states that the surfaces' plane does not show, as the setting.

    Raises:
        UserError: one cannot be used, they are of different systems, or numbers out of range.
    """
    within("episodes", episodes, 1, MOST_STARTS)
    within("seed", seed, 0, 2**63 - 1)
    one, other = pair(a, b)
    system = one.agent.system
    hidden = hidden_values(system, slice)
    surfaces = surface(one.agent, hidden), surface(other.agent, hidden)
    starts = held_out_starts(system, episodes, seed)
    rows = (
        _row(
            STRICT, strict_outcomes(one.agent, starts), strict_outcomes(other.agent, starts), seed
        ),
        _row(ACTOR, actor_outcomes(one.agent, starts), actor_outcomes(other.agent, starts), seed),
        ComparedRow(NOMINAL, _figures(nominal_outcomes(system, starts), seed)),
    )
    return Comparison(
        one.name, other.name, system.name, episodes, seed, rows, surfaces, difference(*surfaces)
    )


def pair(a: Given, b: Given) -> tuple[Side, Side]:
    """Both sides. Raises UserError if one cannot be used, or they are of different systems."""
    one, other = side(a), side(b)
    mine, its = one.agent.system, other.agent.system
    if mine.name != its.name:
        raise UserError(
            f"{one.name} is for system {mine.name}, {other.name} for {its.name}: give two of one "
            "system"
        )
    return one, other


def surface(agent: CALFAgent, hidden: NDArray[np.float64], nodes: int = NODES) -> Heightfield:
    """The critic of an agent on its system's plane. hidden: values of the other states."""
    plane = agent.system.plane
    return surface_of(agent, Grid((nodes, nodes), plane.lo, plane.hi), hidden)


def difference(a: Heightfield, b: Heightfield) -> Heightfield:
    """Values of a less those of b at the same nodes; NaN, drawn as a wall, where either is not
    finite."""
    values = a.values.astype(np.float64) - b.values.astype(np.float64)
    values[a.bad | b.bad] = np.nan
    return Heightfield(values, a.lo, a.hi)


def _row(policy: str, a: Outcomes, b: Outcomes, seed: int) -> ComparedRow:
    both = a.reached & b.reached
    less = Figures(
        share_difference(a.reached, b.reached),
        mean((a.arrived - b.arrived)[both].astype(np.float64), seed),
        mean(a.cost - b.cost, seed),
        float(a.shares[0] - b.shares[0]),
    )
    return ComparedRow(policy, _figures(a, seed), _figures(b, seed), less)


def _figures(found: Outcomes, seed: int) -> Figures:
    return Figures(
        share(found.reached),
        mean(found.arrived[found.reached].astype(np.float64), seed),
        mean(found.cost, seed),
        float(found.shares[0]),
    )
