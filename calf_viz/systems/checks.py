"""Checks that a system from outside satisfies what `System` promises."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from calf_viz.errors import UserError, shown
from calf_viz.settings import one_of
from calf_viz.systems.base import Plane, System
from calf_viz.value_limits import read_clim
from calf_viz.value_scale import SCALES

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
"""Restricted, as files and folders are named after systems."""
MOST_STATES = 100
MOST_ACTIONS = 16
ONE_PERIOD = 1e-4
"""[rad] that an angle's axis may miss 2 pi by: less than shows."""
_AGENTS = 5
"""Tried at once; unlikely to be the length of another axis by chance."""


def check(system: System) -> None:
    """Raise UserError for invalid attributes, or invalid results of its methods at a few starts;
    exceptions in the methods pass."""
    name = getattr(system, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UserError(
            f"name = {shown(name)}: give a string of at most 60 lower-case letters, digits and _"
        )
    _numbers(system)
    _axes(system)
    _plane(system)
    with np.errstate(all="ignore"):  # bad results are reported below
        _methods(system)


def _require(sound: bool, name: str, value: Any, wanted: str) -> None:
    if not sound:
        raise UserError(f"{name} = {shown(value)}: give {wanted}")


def _numbers(system: System) -> None:
    for name, least, most in (("state_dim", 2, MOST_STATES), ("action_dim", 1, MOST_ACTIONS)):
        value = getattr(system, name, None)
        sound = isinstance(value, int) and least <= value <= most
        _require(sound, name, value, f"{least} to {most}")
    limits = np.asarray(getattr(system, "action_limits", ()), dtype=np.float64)
    sound = limits.shape == (system.action_dim,) and bool(np.isfinite(limits).all())
    _require(
        sound and bool((limits > 0).all()), "action_limits", limits,
        f"an array of {system.action_dim}, each above 0",
    )  # fmt: skip
    _require(math.isfinite(system.dt) and system.dt > 0, "dt", system.dt, "seconds above 0")
    _require(system.max_steps >= 1, "max_steps", system.max_steps, "at least 1")
    one_of("value_scale", system.value_scale, SCALES)
    read_clim(system.clim)
    _require(system.marker in ("sphere", "arrow"), "marker", system.marker, "sphere or arrow")


def _axes(system: System) -> None:
    states = range(system.state_dim)
    names = system.state_names
    sound = not names or len({*names}) == len(names) == system.state_dim
    _require(sound, "state_names", names, f"{system.state_dim} different names")
    for name in names:
        _require(name.isidentifier(), "state_names", names, "names of letters, digits and _")
    sound = len({*system.angles}) == len(system.angles) and all(a in states for a in system.angles)
    _require(sound, "angles", system.angles, f"states, each of 0 to {system.state_dim - 1}")
    heading = system.heading_axis
    _require(
        heading is None or heading in system.angles, "heading_axis", heading,
        "a state that is also in angles",
    )  # fmt: skip
    if system.marker == "arrow":
        _require(heading is not None, "heading_axis", heading, "the angle that the arrow points at")
    edges = system.edges
    _require(
        edges is None or isinstance(edges, Mapping), "edges", edges, "such as {0: (-5.0, 5.0)}"
    )
    for state, ends in (edges or {}).items():
        sound = state in states and len(ends) == 2 and ends[0] < ends[1]
        _require(sound, "edges", edges, "for a state its least and its largest value")


def _plane(system: System) -> None:
    plane = getattr(system, "plane", None)
    if not isinstance(plane, Plane):
        raise UserError(f"plane = {shown(plane)}: give a Plane")
    axes = plane.axes
    sound = len(axes) == 2 == len({*axes}) and all(axis in range(system.state_dim) for axis in axes)
    _require(sound, "plane.axes", axes, "two states")
    for lo, hi in zip(plane.lo, plane.hi, strict=True):
        sound = math.isfinite(lo) and math.isfinite(hi) and lo < hi
        _require(sound, "plane", f"{plane.lo} to {plane.hi}", "for each axis the lower end first")
    for axis, lo, hi in zip(axes, plane.lo, plane.hi, strict=True):
        if axis in system.angles and abs(hi - lo - 2 * math.pi) > ONE_PERIOD:
            raise UserError(
                f"plane: a periodic axis whose bounds are not one period: state {axis} is an "
                f"angle, from {shown(lo)} to {shown(hi)}: give 2 pi, such as -math.pi and math.pi"
            )


def _methods(system: System) -> None:
    rng = np.random.default_rng(0)
    n, d, m = _AGENTS, system.state_dim, system.action_dim
    states = _array("initial_states", system.initial_states(n, rng), (n, d))
    states = states.astype(np.float32)
    actions = _array("nominal", system.nominal(states), (n, m))
    over = np.abs(actions) > np.asarray(system.action_limits) * (1 + 1e-6)
    _require(not over.any(), "nominal", actions[over], "actions within action_limits: self.clip")
    _array("derivative", system.derivative(states.astype(float), actions.astype(float)), (n, d))
    _array("step", system.step(states, actions), (n, d))
    rewards = _array("reward", system.reward(states, actions), (n,))
    _require(bool((rewards <= 0).all()), "reward", rewards, "values that are never above 0")
    _goal(system)
    goal = np.asarray(system.in_goal(states))
    _require(
        goal.shape == (n,) and goal.dtype == np.bool_, "in_goal", goal, "a bool for each agent"
    )


def _goal(system: System) -> None:
    """What is drawn as the goal is one: its middle is reached, with all other states at 0."""
    given: Any = system.goal
    if given is None:
        return
    numbers = np.asarray(given) if isinstance(given, (tuple, list, np.ndarray)) else np.empty(0)
    sound = numbers.shape in ((3,), (4,)) and numbers.dtype.kind in "fi"
    sound = sound and bool(np.isfinite(numbers).all() and (numbers[2:] > 0.0).all())
    _require(sound, "goal", given, "centre and radius, (x, y, r), or semi-axes, (x, y, rx, ry)")
    reached = np.asarray(system.in_goal(system.plane_states(numbers[None, :2])))
    _require(bool(reached.all()), "goal", given, "a centre that is in_goal")


def _array(name: str, value: Any, shape: tuple[int, ...]) -> Any:
    array = np.asarray(value)
    if array.shape != shape or array.dtype.kind not in "fiu":
        raise UserError(
            f"{name} returns {array.dtype} of shape {array.shape} for {_AGENTS} agents: return "
            f"numbers of shape {shape}"
        )
    if not np.isfinite(array).all():
        columns = np.flatnonzero(~np.isfinite(array).all(axis=0)) if array.ndim == 2 else ()
        where = f" in column {', '.join(map(str, columns))}" if len(columns) else ""
        raise UserError(f"{name} returns values that are not finite at a start{where}: fix them")
    return array
