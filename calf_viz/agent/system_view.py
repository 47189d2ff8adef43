"""How a system's agents and critics are shown."""

from __future__ import annotations

from functools import cache

from calf_viz.agent.modes import NAMES
from calf_viz.systems import System
from calf_viz.view import View


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
