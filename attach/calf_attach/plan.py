"""What `attach` was asked for, checked."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Callable

from calf_attach.episodes import MODES
from calf_attach.layout import META_BYTES
from calf_attach.observation_plane import MEAN, ObservationPlane, ends_of, read_axes
from calf_attach.plane import Pair, bounds_of, checked_bounds, slice_of

MOST_MODES = 256
MOST_NODES = 1025
"""Per side of the grid."""
APART = 4096
"""Bytes of a board's meta block that are kept for bounds and a path."""
COLUMNS = ("reward", "margin", "action")
"""Named numbers of each agent in a row, the reward first."""


@dataclass(frozen=True)
class Plan:
    """What a handle does."""

    name: str
    meta: dict[str, Any]
    """What viewers show, without the bounds: see `attached.view_of` in calf_viz."""
    bounds: tuple[Pair, Pair] | None
    """Corners lo, hi; None: from what is seen."""
    ends: tuple[Pair | None, Pair | None]
    """Of each axis, where they are known even so."""
    axes: tuple[int, int]
    plane: ObservationPlane | None
    """Which part of an observation is shown; None if `project` is the user's."""
    entries: list[str]
    """Names of an observation's entries, as far as they are known."""
    space: Any
    project: Callable[[Any], Any] | None
    lift: Callable[[Any], Any] | None
    critic: Callable[[Any], Any] | None
    nodes: int
    budget: float
    rate: float
    autoreset: str | None
    window: bool

    @property
    def modes(self) -> int:
        """How many there are."""
        return len(self.meta["modes"])


def plan_of(bounds: Any, space: Any, **given: Any) -> Plan:
    """The plan that `attach` makes of its arguments. Raises ValueError for those that cannot be
    used."""
    ends: tuple[Pair | None, Pair | None] = (None, None)
    axes, plane = given["axes"], None
    for name in ("project", "lift", "critic"):
        if given[name] is not None and not callable(given[name]):
            raise ValueError(f"{name}: {_shown(given[name])}: give a function")
    if not isinstance(axes, str):
        slice_of(axes)
    if given["project"] is None:
        plane = ObservationPlane(read_axes(axes), given["others"], _agent(given["chosen"]))
    if isinstance(axes, str) or given["others"] != MEAN:
        if plane is None:
            raise ValueError("project makes positions: leave axes and others out")
        given.update(project=plane.project)
        given.update(periodic=plane.periodic, axes=(0, 1))
        ends = ends_of(space, plane)
        axes = (0, 1)
        corners = None if bounds is None else checked_bounds(bounds)
        if corners is None and ends[0] and ends[1]:
            corners = (ends[0][0], ends[1][0]), (ends[0][1], ends[1][1])
    else:
        axes = tuple(axes)
        corners = checked_bounds(bounds) if bounds is not None else bounds_of(space, axes)
    if plane is not None:
        given.update(lift=given["lift"] or plane.lift)
    if given["lift"] is None and given["critic"] is not None:
        raise ValueError("critic with project: give lift=, which makes observations of points")
    nodes, budget, rate = given["nodes"], given["budget"], given["rate"]
    if not (isinstance(nodes, int) and 2 <= nodes <= MOST_NODES):
        raise ValueError(f"nodes: {_shown(nodes)}: give 2 to {MOST_NODES}")
    if not 0.0 < budget <= 1.0:
        raise ValueError(f"budget: {_shown(budget)}: give a share of the loop's time, such as 0.01")
    if not rate > 0.0:
        raise ValueError(f"rate: {_shown(rate)}: give rows per second, such as 120")
    if given["autoreset"] not in (None, *MODES):
        raise ValueError(f"autoreset: {_shown(given['autoreset'])}: give {', '.join(MODES)}")
    meta = {
        "name": safe_name(given["name"]),
        "title": _line(given["title"] or given["name"]),
        "labels": _texts("labels", given["labels"], 2),
        "periodic": [bool(each) for each in given["periodic"]],
        "modes": _modes(given["modes"]),
        "colours": _colours(given["colours"], len(given["modes"])),
        "value": _line(given["value"]),
        "dt": _seconds(given["dt"]),
        "columns": list(COLUMNS),
        "critic": given["critic"] is not None,
    }
    length = len(json.dumps(meta))
    if length > META_BYTES - APART:
        raise ValueError(f"names take {length} bytes: give at most {META_BYTES - APART}")
    return Plan(
        name=safe_name(given["name"]),
        meta=meta,
        bounds=corners,
        ends=ends,
        axes=(int(axes[0]), int(axes[1])),
        plane=plane,
        entries=[_line(each) for each in given["entries"]],
        space=space,
        **{name: given[name] for name in _AS_GIVEN},
    )


_AS_GIVEN = (
    "project", "lift", "critic", "nodes", "budget", "rate", "autoreset", "window"
)  # fmt: skip


def safe_name(name: Any) -> str:
    """A name as part of a file's: letters, digits, `_` and `-`."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", str(name))[:40].strip("_") or "loop"


def _line(text: Any) -> str:
    """Text on one line."""
    return " ".join(str(text).split())


def _agent(chosen: Any) -> int:
    if isinstance(chosen, bool) or not isinstance(chosen, int) or chosen < 0:
        raise ValueError(f"chosen: {_shown(chosen)}: give an agent's number, counted from 0")
    return chosen


def _seconds(dt: Any) -> float | None:
    if dt is None:
        return None
    if isinstance(dt, (str, bytes)) or not 0.0 < float(dt) < math.inf:
        raise ValueError(f"dt: {_shown(dt)}: give seconds, or None if steps have no duration")
    return float(dt)


def _modes(given: Any) -> list[str]:
    found = _texts("modes", given)
    if not all(found) or len(set(found)) < len(found):
        raise ValueError(f"modes: {_shown(given)}: give different names")
    if len(found) > MOST_MODES:
        raise ValueError(f"modes: {len(found)}: give {MOST_MODES} at most")
    return found


def _texts(name: str, given: Any, count: int | None = None) -> list[str]:
    found = None if isinstance(given, str) else [_line(each) for each in given]
    if not found or (count is not None and len(found) != count):
        many = "some" if count is None else str(count)
        raise ValueError(f"{name}: {_shown(given)}: give {many} texts")
    return found


def _colours(given: Any, count: int) -> list[str | list[float]] | None:
    if given is None:
        return None
    found = [each if isinstance(each, str) else [float(v) for v in each] for each in given]
    if len(found) != count:
        raise ValueError(f"colours: {len(found)} of {count} modes: give one of each")
    for each in found:
        hexed = isinstance(each, str) and re.fullmatch("#[0-9a-fA-F]{6}", each)
        numbers = not isinstance(each, str) and len(each) == 3 and all(0 <= v <= 1 for v in each)
        if not (hexed or numbers):
            raise ValueError(f"colours: {_shown(each)}: give #rrggbb or three numbers from 0 to 1")
    return found


def _shown(value: Any) -> str:
    return repr(value)[:80]
