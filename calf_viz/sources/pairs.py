"""Two agents in pairs: each pair begins in the same state, one goes on by A, the other by B."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.system_view import view_of
from calf_viz.comparison.compare import difference, surface
from calf_viz.comparison.sides import Side
from calf_viz.errors import shown
from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.settings import one_of
from calf_viz.sources.rollout import Rollout
from calf_viz.sources.simulation import FORESEEN
from calf_viz.view import View

SURFACES = ("a", "b", "difference")
COLOURS = ("#3da5ff", "#ff9a2e")
"""Of A's agents and of B's."""
LONGEST = 40
"""Characters of a name in the legend."""
CELLS = 64


@dataclass(frozen=True)
class On:
    """The surface that pairs move on.

    Attributes:
        surface: A's critic, B's, or the first less the second: one of `SURFACES`.
        hidden: values of the states that the plane does not show, (state_dim,); None: 0.
        cells: per side.
    """

    surface: str = "difference"
    hidden: NDArray[np.float64] | None = None
    cells: int = CELLS

    def field(self, a: CALFAgent, b: CALFAgent) -> Heightfield:
        """It, of these agents."""
        hidden = np.zeros(a.system.state_dim) if self.hidden is None else self.hidden
        if self.surface == "difference":
            both = (surface(agent, hidden, self.cells + 1) for agent in (a, b))
            return difference(*both)
        return surface(a if self.surface == "a" else b, hidden, self.cells + 1)


class Pairs:
    """n pairs: agents 0 to n - 1 are A's, n to 2 n - 1 B's. Who arrives first waits for the other;
    then both begin anew. As `Source`, `Pausable`, `Foreseeing` and `Explained`.

    Attributes:
        view: calls their modes by the names of the two.
    """

    def __init__(
        self, a: Side, b: Side, n: int, seed: int = 0, policy: str = "calf", on: On | None = None
    ) -> None:
        """policy: `calf`, which is strict, `actor`, or `nominal`, the same for both. Raises
        UserError for another one, or an unknown surface."""
        self._sides, self._n, self._seed, self._policy = (a, b), n, seed, policy
        on = on or On()
        one_of("surface", on.surface, SURFACES)
        self._rollouts = [Rollout(side.agent, n, seed, policy) for side in (a, b)]
        self._rng = np.random.default_rng(seed)
        field = on.field(a.agent, b.agent)
        self._field: Heightfield | None = field
        names = f"A: {shown(a.name, LONGEST)}", f"B: {shown(b.name, LONGEST)}"
        view = replace(view_of(a.agent.system), modes=names, colours=COLOURS)
        if on.surface == "difference":
            most = float(np.abs(field.values[~field.bad]).max(initial=0.0)) or 1.0
            view = replace(
                view, value="critic −Q, A − B", symbol="A − B", value_scale="symlog",
                clim=(-most, most),
            )  # fmt: skip
        else:
            view = replace(view, value=f"critic −Q of {on.surface.upper()}")
        self.view: View = view

    def step(self) -> Samples:
        """As `Source`."""
        a, b = self._rollouts
        system, begin = a.system, a.over & b.over
        found = [rollout.step() for rollout in self._rollouts]
        if begin.any():
            starts = system.initial_states(int(begin.sum()), self._rng)
            over = system.in_goal(starts) | system.out_of_plane(starts)
            for rollout in self._rollouts:
                rollout.place(begin, starts, over=over)
        headings = None
        if system.heading_axis is not None:
            headings = np.concatenate([r.states[:, system.heading_axis] for r in self._rollouts])
        return Samples(
            np.concatenate([r.states[:, list(system.plane.axes)] for r in self._rollouts]),
            np.repeat(np.arange(2, dtype=np.uint8), self._n),
            np.tile(begin, len(found)),
            headings,
        )

    def surface(self) -> Heightfield | None:
        """As `Source`."""
        field, self._field = self._field, None
        return field

    def foresee(self, steps: int) -> NDArray[np.floating]:
        """As `Foreseeing`: a few pairs go ahead from the same seed."""
        n = min(self._n, FORESEEN)
        ahead = Pairs(*self._sides, n, self._seed, self._policy, On("a", cells=1))
        return np.concatenate([ahead.step().positions for _ in range(steps)])

    def explain(self) -> str:
        """As `Explained`."""
        return f"{self._policy}, A and B"

    def pause(self, paused: bool) -> None:
        """As `Pausable`; nothing to do, as it advances only on request."""

    def single_step(self) -> None:
        """As `Pausable`."""

    def close(self) -> None:
        """As `Source`."""
