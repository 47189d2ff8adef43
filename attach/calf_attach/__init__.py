"""Watch any training loop in calf_viz: `viz = attach(...)`, then `viz.step(...)` in the loop."""

from __future__ import annotations

import os
from typing import Any, Callable, Mapping, Sequence

from calf_attach.handle import Handle
from calf_attach.plan import plan_of

__all__ = ["Handle", "attach"]
__version__ = "0.1.0"

SWITCH = "CALF_ATTACH"


def attach(
    bounds: Sequence[Sequence[float]] | None = None,
    *,
    name: str = "loop",
    title: str | None = None,
    labels: tuple[str, str] = ("x", "y"),
    periodic: tuple[bool, bool] = (False, False),
    axes: Sequence[int] | str = (0, 1),
    others: Mapping[int, float] | str = "mean",
    chosen: int = 0,
    entries: Sequence[str] = (),
    project: Callable[[Any], Any] | None = None,
    lift: Callable[[Any], Any] | None = None,
    critic: Callable[[Any], Any] | None = None,
    value: str = "value",
    modes: Sequence[str] = ("agents",),
    colours: Sequence[str | tuple[float, float, float]] | None = None,
    dt: float | None = None,
    space: Any = None,
    autoreset: str | None = None,
    nodes: int = 65,
    budget: float = 0.01,
    rate: float = 120.0,
    window: bool = False,
) -> Handle:
    """Make a loop visible to calf_viz. Returns a handle whose `step` goes into the loop.

    Args:
        bounds: of the plane, [(low, high), (low, high)]; None: those of `space` where it is finite,
            else of what was seen, in powers of two.
        name: what `calf-viz attach NAME` joins.
        title: heading in the viewer; by default the name.
        labels: names and units of the axes, such as `x [m]`.
        periodic: whether each axis wraps.
        axes: which two entries of an observation the plane shows; or text, such as
            `angle(0,1),2` for the angle whose cosine and sine are entries 0 and 1, and entry 2.
        others: what the critic gets for the entries that are not shown: their `mean` in the first
            observations, values by entry such as {3: 0.5}, or what one `agent` observes, as it
            goes on.
        chosen: that agent, until a viewer chooses another.
        entries: names of an observation's entries, for sliders in the viewer.
        project: makes positions (n, 2) of observations, in place of `axes`.
        lift: makes observations of points (m, 2), for the critic; by default by axes and others.
        critic: makes a value for each observation, (m,) or (m, 1); any framework's.
        value: name of what it returns.
        modes: names of what `step(modes=...)` counts.
        colours: of the modes, `#rrggbb` or three numbers from 0 to 1.
        dt: seconds that a step stands for.
        space: the observation space, of a single environment.
        autoreset: what a step returns at an episode's end: `next_step`, `same_step` or `disabled`
            (see `episodes`); None: by what `infos` holds.
        nodes: per side of the grid that the critic is evaluated on.
        budget: share of the loop's time for the critic, with what `step` takes.
        rate: most rows per second that viewers get; steps in which episodes begin or end may come
            four times as fast, and others half as fast where the budget asks for it.
        window: whether to start a viewer, unless one of this name is there: `calf-viz` from PATH,
            or the command in the variable CALF_VIZ.

    Raises:
        ValueError: an argument that cannot be used; nothing after this call raises.
    """
    if os.environ.get(SWITCH) == "0":
        return Handle(None)
    return Handle(
        plan_of(
            bounds, space, name=name, title=title, labels=labels, periodic=periodic, axes=axes,
            others=others, chosen=chosen, entries=entries, project=project, lift=lift,
            critic=critic, value=value, modes=modes, colours=colours, dt=dt, autoreset=autoreset,
            nodes=nodes, budget=budget, rate=rate, window=window,
        )
    )  # fmt: skip
