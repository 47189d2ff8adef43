"""Profiles as JSON files, with all raw samples.

    {"kind": "calf_viz profile", "schema": 1, "created": ..., "program": ...,
     "machine": {...}, "configuration": {...}, "reported": 1, "summary": {...},
     "runs": [{"start_s": [...], "frame_ms": [...], "sections_ms": {NAME: [...]},
               "own_ms": {NAME: [...]}, "counters": {NAME: [...]}, "gpu_ms": [...] or null,
               "resources": {"seconds": [...], "cpu_seconds": [...], "memory_bytes": [...]}}]}

A list holds one value per frame, those in `resources` one per sample; times start at 0. Unknown
values are null: GPU times, non-finite counts, figures of the summary. `summary` is for human
readers: it is recomputed when a file is loaded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from calf_viz.errors import FileDamaged, FileTrouble, shown
from calf_viz.files import parsing, read_text, write_aside
from calf_viz.profiling.profile import Profile
from calf_viz.profiling.run import Column, Resources, Run
from calf_viz.version import __version__

KIND = "calf_viz profile"
ANEW = "profile anew"
LARGEST = 2**26
"""Bytes of a profile; a frame takes some 150."""
MOST_NAMES, MOST_RUNS = 1000, 100
"""Sections and counters of a run, and runs; each is judged separately."""
LARGEST_NUMBER = 1e18
SCHEMA = 1
LONGEST = 86_400e3
"""Longest plausible frame [ms]."""
DIGITS = 6
"""Decimals: nanoseconds in milliseconds."""


def save_profile(profile: Profile, path: str | Path) -> None:
    """Write a profile; the folder is created if it is missing.

    Raises:
        UserError: the file cannot be written.
    """
    text = json.dumps(
        {
            "kind": KIND,
            "schema": SCHEMA,
            "created": profile.created,
            "program": f"calf_viz {__version__}",
            "machine": _known(profile.machine),
            "configuration": _known(profile.configuration),
            "reported": profile.reported,
            "summary": _known(profile.summary),
            "runs": [_run_to_json(run) for run in profile.runs],
        },
        allow_nan=False,
    )
    with write_aside(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def load_profile(path: str | Path) -> Profile:
    """Read a profile.

    Raises:
        UserError: the file is missing, empty, truncated, not a profile, of a newer schema, without
            samples, or damaged; the message says which.
    """
    text = read_text(path, LARGEST, "give a profile's JSON")
    if not text.strip():
        raise FileDamaged(path, "it is empty", ANEW)
    with parsing(path, "complete JSON", ANEW):
        content = json.loads(text, parse_constant=_refuse)
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise FileDamaged(
            path, "not a profile of calf_viz", "give a file written by calf-viz --profile"
        )
    schema = content.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        made = f"(schema {shown(schema)}, this one reads up to {SCHEMA})"
        raise FileTrouble(path, f"a newer calf_viz made it {made}", "update calf_viz")
    with parsing(path, "a complete profile", ANEW):
        try:
            return _profile_from_json(content)
        except _NoSamples as error:
            raise FileDamaged(path, "it holds no samples", "profile anew, for longer") from error


class _NoSamples(Exception):
    pass


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def _run_to_json(run: Run) -> dict[str, Any]:
    zero = run.start_s[0] if len(run) else 0.0
    used = run.resources
    return {
        "start_s": _numbers(run.start_s - zero),
        "frame_ms": _numbers(run.frame_ms),
        "sections_ms": {name: _numbers(column) for name, column in run.sections_ms.items()},
        "own_ms": {name: _numbers(column) for name, column in run.own_ms.items()},
        "counters": {name: _numbers(column) for name, column in run.counters.items()},
        "gpu_ms": _numbers(run.gpu_ms) if np.isfinite(run.gpu_ms).any() else None,
        "resources": {
            "seconds": _numbers(used.seconds - zero),
            "cpu_seconds": _numbers(used.cpu_seconds),
            "memory_bytes": _numbers(used.memory_bytes),
        },
    }


def _numbers(column: Column) -> list[float | int | None]:
    """In their shortest form: integers without a decimal point, null for non-finite numbers, which
    JSON does not have."""
    rounded = np.round(column, DIGITS).tolist()
    return [None if not math.isfinite(x) else int(x) if x == int(x) else x for x in rounded]


def _known(values: Any) -> Any:
    """With null in place of non-finite numbers, at any depth."""
    if isinstance(values, Mapping):
        return {key: _known(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_known(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


def _profile_from_json(content: dict[str, Any]) -> Profile:
    if content.get("schema") != SCHEMA or isinstance(content["schema"], bool):
        raise ValueError(f"its schema is {shown(content.get('schema'))}")
    runs = content["runs"]
    if not isinstance(runs, list):
        raise TypeError("runs is not a list")
    if not runs:
        raise _NoSamples
    if len(runs) > MOST_RUNS:
        raise ValueError(f"there are {len(runs)} runs, at most {MOST_RUNS} are read")
    reported = content["reported"]
    if type(reported) is not int or not 0 <= reported < len(runs):
        raise ValueError(f"reported is {shown(reported)}, and there are {len(runs)} runs")
    return Profile(
        runs=[
            _run_from_json(_mapping(run, f"runs[{i}]"), f"runs[{i}]") for i, run in enumerate(runs)
        ],
        reported=reported,
        configuration=_mapping(content["configuration"], "configuration"),
        machine=_mapping(content["machine"], "machine"),
        created=str(content["created"]),
    )


def _run_from_json(run: dict[str, Any], where: str) -> Run:
    frame_ms = _column(run["frame_ms"], f"{where}.frame_ms")
    n = len(frame_ms)
    if n == 0:
        raise _NoSamples
    if frame_ms.min() < 0.0:
        raise ValueError(f"{where}.frame_ms holds a negative number")
    if frame_ms.max() > LONGEST:
        raise ValueError(f"{where}.frame_ms holds a frame of more than a day")

    def columns(key: str, gaps: bool = False) -> dict[str, Column]:
        named = _mapping(run[key], f"{where}.{key}")
        if len(named) > MOST_NAMES:
            raise ValueError(f"{where}.{key} holds {len(named)} names, at most {MOST_NAMES}")
        return {
            name: _column(x, f"{where}.{key}.{shown(name)}", n, gaps) for name, x in named.items()
        }

    used = _mapping(run["resources"], f"{where}.resources")
    seconds = _column(used["seconds"], f"{where}.resources.seconds")
    sections, own = columns("sections_ms"), columns("own_ms")
    if sections.keys() != own.keys():
        raise ValueError(f"{where}: sections_ms and own_ms differ in their names")
    gpu = run["gpu_ms"]
    return Run(
        start_s=_column(run["start_s"], f"{where}.start_s", n),
        frame_ms=frame_ms,
        sections_ms=sections,
        own_ms=own,
        counters=columns("counters", gaps=True),
        gpu_ms=(
            np.full(n, np.nan) if gpu is None else _column(gpu, f"{where}.gpu_ms", n, gaps=True)
        ),
        resources=Resources(
            seconds,
            *(
                _column(used[key], f"{where}.resources.{key}", len(seconds))
                for key in ("cpu_seconds", "memory_bytes")
            ),
        ),
    )


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{where} is not an object")
    return dict(value)


def _column(values: Any, where: str, n: int | None = None, gaps: bool = False) -> Column:
    """n finite numbers; with gaps, null becomes NaN."""
    if not isinstance(values, list):
        raise TypeError(f"{where} is not a list")
    if n is not None and len(values) != n:
        raise ValueError(f"{where} has {len(values)} values, not {n}")
    if gaps:
        values = [np.nan if value is None else value for value in values]
    if not all(type(value) in (int, float) for value in values):
        raise TypeError(f"{where} holds something that is not a number")
    column = np.array(values, dtype=np.float64)
    if not gaps and not np.isfinite(column).all():
        raise ValueError(f"{where} holds a number that is not finite")
    if np.nanmax(np.abs(column), initial=0.0) > LARGEST_NUMBER:
        raise ValueError(f"{where} holds a number beyond {LARGEST_NUMBER:g}")
    return column
