"""What `attach` was asked for, checked."""

from __future__ import annotations

import json
import math
import operator
import re
from dataclasses import dataclass
from typing import Any, Callable

from calf_attach.episodes import MODES
from calf_attach.layout import META_BYTES
from calf_attach.observation_plane import MEAN, ObservationPlane, ends_of, read_axes
from calf_attach.plane import Pair, bounds_of, checked_bounds, shown, slice_of

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
    for name, read in _READ.items():
        given[name] = _as(name, given[name], read)
    axes, plane = given["axes"], None
    for name in ("project", "lift", "critic"):
        if given[name] is not None and not callable(given[name]):
            raise ValueError(f"{name}: {shown(given[name])}: give a function")
    if not isinstance(axes, str):
        slice_of(axes)
    if given["project"] is None:
        plane = ObservationPlane(read_axes(axes), given["others"], given["chosen"])
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
        corners = checked_bounds(bounds) if bounds is not None else bounds_of(space, axes)
    if plane is not None:
        given.update(lift=given["lift"] or plane.lift)
    if given["lift"] is None and given["critic"] is not None:
        raise ValueError("critic with project: give lift=, which makes observations of points")
    nodes, budget, rate = given["nodes"], given["budget"], given["rate"]
    if not 2 <= nodes <= MOST_NODES:
        raise ValueError(f"nodes: {shown(nodes)}: give 2 to {MOST_NODES}")
    if not 0.0 < budget <= 1.0:
        raise ValueError(f"budget: {shown(budget)}: give a share of the loop's time, such as 0.01")
    if not rate > 0.0:
        raise ValueError(f"rate: {shown(rate)}: give rows per second, such as 120")
    if given["autoreset"] is not None and str(given["autoreset"]) not in MODES:
        raise ValueError(f"autoreset: {shown(given['autoreset'])}: give {', '.join(MODES)}")
    meta = {
        "name": safe_name(given["name"]),
        "title": ("" if given["title"] is None else _line(given["title"])) or _line(given["name"]),
        "labels": given["labels"],
        "periodic": list(given["periodic"]),
        "modes": given["modes"],
        "colours": _colours(given["colours"], len(given["modes"])),
        "value": _line(given["value"]),
        "dt": given["dt"],
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
        entries=given["entries"],
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


def _as(name: str, given: Any, read: tuple[Callable[[Any], Any], str]) -> Any:
    """An argument as it is used. Raises ValueError, with what to give, for one that cannot be."""
    try:
        return read[0](given)
    except Exception as error:
        if isinstance(error, ValueError) and str(error).startswith(name):
            raise
        raise ValueError(f"{name}: {shown(given)}: give {read[1]}") from None


def _agent(chosen: Any) -> int:
    found = _whole(chosen)
    if found < 0:
        raise ValueError
    return found


def _whole(given: Any) -> int:
    if isinstance(given, bool):
        raise ValueError
    return operator.index(given)


def _number(given: Any) -> float:
    if isinstance(given, (str, bytes, bool)):
        raise ValueError
    return float(given)


def _axes(given: Any) -> str | tuple[int, ...]:
    return given if isinstance(given, str) else tuple(_whole(each) for each in given)


def _others(given: Any) -> str | dict[int, float]:
    if isinstance(given, str):
        return given
    found = {_whole(entry): _number(value) for entry, value in given.items()}
    if not all(entry >= 0 and math.isfinite(value) for entry, value in found.items()):
        raise ValueError
    return found


def _pair_of_bools(given: Any) -> tuple[bool, bool]:
    first, second = (bool(each) for each in given)
    return first, second


def _seconds(dt: Any) -> float | None:
    if dt is None:
        return None
    if isinstance(dt, (str, bytes)) or not 0.0 < float(dt) < math.inf:
        raise ValueError(f"dt: {shown(dt)}: give seconds, or None if steps have no duration")
    return float(dt)


def _modes(given: Any) -> list[str]:
    found = _texts("modes", given)
    if not all(found) or len(set(found)) < len(found):
        raise ValueError(f"modes: {shown(given)}: give different names")
    if len(found) > MOST_MODES:
        raise ValueError(f"modes: {len(found)}: give {MOST_MODES} at most")
    return found


def _texts(name: str, given: Any, count: int | None = None) -> list[str]:
    found = None if isinstance(given, str) else [_line(each) for each in given]
    if not found or (count is not None and len(found) != count):
        many = "some" if count is None else str(count)
        raise ValueError(f"{name}: {shown(given)}: give {many} texts")
    return found


def _colours(given: Any, count: int) -> list[str | list[float]] | None:
    if given is None:
        return None
    try:
        found = [each if isinstance(each, str) else [float(v) for v in each] for each in given]
    except (TypeError, ValueError):
        raise ValueError(
            f"colours: {shown(given)}: give #rrggbb or three numbers from 0 to 1, of each mode"
        ) from None
    if len(found) != count:
        raise ValueError(f"colours: {len(found)} of {count} modes: give one of each")
    for each in found:
        hexed = isinstance(each, str) and re.fullmatch("#[0-9a-fA-F]{6}", each)
        numbers = not isinstance(each, str) and len(each) == 3 and all(0 <= v <= 1 for v in each)
        if not (hexed or numbers):
            raise ValueError(f"colours: {shown(each)}: give #rrggbb or three numbers from 0 to 1")
    return found


_READ: dict[str, tuple[Callable[[Any], Any], str]] = {
    "axes": (_axes, "two entries, such as (0, 2), or text, such as angle(0,1),2"),
    "others": (_others, "mean, agent, or numbers by entry, such as {3: 0.5}"),
    "chosen": (_agent, "an agent's number, counted from 0"),
    "entries": (lambda given: _texts("entries", given) if len(given) else [], "texts"),
    "labels": (lambda given: _texts("labels", given, 2), "2 texts"),
    "periodic": (_pair_of_bools, "two booleans"),
    "modes": (_modes, "names"),
    "colours": (lambda given: given if given is None else list(given), "one of each mode"),
    "dt": (_seconds, "seconds, or None if steps have no duration"),
    "nodes": (_whole, f"2 to {MOST_NODES}"),
    "budget": (_number, "a share of the loop's time, such as 0.01"),
    "rate": (_number, "rows per second, such as 120"),
}
"""Reads arguments, and what to give in place of others."""
