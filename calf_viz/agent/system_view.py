"""How a system's agents and critics are shown."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.modes import NAMES
from calf_viz.heightfield import Grid, Heightfield
from calf_viz.systems import System
from calf_viz.view import View

if TYPE_CHECKING:
    from calf_viz.agent.calf import CALFAgent


@cache
def view_of(system: System) -> View:
    """The view of a system's agents and critic on its plane."""
    plane = system.plane
    return View(
        title=system.name.replace("_", " "),
        lo=plane.lo,
        hi=plane.hi,
        labels=plane.labels,
        modes=NAMES,
        value="critic −Q",
        symbol="−Q",
        value_scale=system.value_scale,
        clim=system.clim,
        periodic=(plane.axes[0] in system.angles, plane.axes[1] in system.angles),
        marker=system.marker,
        goal=system.goal,
        dt=system.dt,
    )


def surface_of(
    agent: CALFAgent, grid: Grid, hidden: float | NDArray[np.float64] = 0.0
) -> Heightfield:
    """An agent's critic as it is now, from one batched pass of the networks. hidden: as
    `System.plane_states`."""
    values = agent.lyapunov(agent.system.plane_states(grid.nodes(), hidden))
    return Heightfield(values.reshape(grid.shape), grid.lo, grid.hi)
