"""A recording's folder: its files' names, and what its `meta.json` says.

    walk.calf/
        meta.json               what is shown, by what, on which machine
        agents-000000.arrows    a row a step: `agents.py`
        critic-000000.arrows    a row a surface: `critics.py`
        events.arrows           a row an event: `events.py`

Streams of agents and critics roll: the newest of each grows, those before it are sealed and never
change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, cast

from calf_viz.errors import FileDamaged, FileTrouble, UserError, shown
from calf_viz.files import is_folder, parsing
from calf_viz.recording.storage import Location, exists, names_in, read_text
from calf_viz.version import __version__
from calf_viz.view import View

Where = TypeVar("Where", bound=Location)
FORMAT = 1
"""Version of the format. Older ones are read; newer ones are refused."""
META = "meta.json"
EVENTS = "events.arrows"
MOST_META = 1 << 22
MOST_EVERY = 2**53
"""Steps from a row to the next: up to there, JSON has every whole number."""
ADVICE = "give a recording, a folder *.calf"
_NAME = re.compile(r"(agents|critic)-(\d{6,9})\.arrows")


def check_new(folder: Location, setting: str = "") -> None:
    """Raise UserError if a folder is there, or a recording at an address. setting: in backquotes,
    if it was given by one."""
    # (Object stores have no folders without files.)
    if exists(folder if isinstance(folder, Path) else folder / META):
        raise UserError(
            f"{setting} {shown(folder)} is there already, and a recording is never written over: "
            "give another name".lstrip()
        )


def segment_name(kind: str, number: int) -> str:
    """Name of a stream. kind: `agents` or `critic`."""
    return f"{kind}-{number:06}.arrows"


def segments(folder: Where, kind: str) -> list[Where]:
    """The streams of a kind, in order. Raises FileDamaged if one is missing."""
    matches = map(_NAME.fullmatch, names_in(folder))
    found = [match for match in matches if match and match[1] == kind]
    found.sort(key=lambda match: int(match[2]))
    for number, match in enumerate(found):
        if int(match[2]) != number:
            missing = segment_name(kind, number)
            raise FileDamaged(folder, f"{missing} is missing", ADVICE)
    return [cast(Where, folder / match[0]) for match in found]


def meta(view: View, about: Mapping[str, Any]) -> str:
    """The text of `meta.json`, for UTF-8. about: JSON values, such as configuration and machine;
    raises UserError for others."""
    described = {field.name: getattr(view, field.name) for field in fields(view)}
    found = {"format": FORMAT, "calf_viz": __version__, "view": described, **about}
    try:
        text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise UserError(
            f"{META}: what the source says of itself is no JSON ({shown(error)}): "
            "give texts, finite numbers, lists and dictionaries"
        ) from error
    # Bytes of a path that are no text become what JSON reads as they were.
    return text.encode("utf-8", "backslashreplace").decode()


def read_meta(folder: Location) -> tuple[View, dict[str, Any]]:
    """What a recording shows, and all that `meta.json` says: `every`, steps from a row to the
    next, is 1 if it is not there.

    Raises:
        FileTrouble, FileDamaged, UserError: it is no recording, or of a newer version.
    """
    if isinstance(folder, Path) and not is_folder(folder):
        raise FileTrouble(folder, "no such recording", ADVICE)
    path = folder / META
    with parsing(path, "a recording's meta.json", ADVICE):
        found = json.loads(read_text(path, MOST_META, ADVICE))
        version = found["format"]
        if not isinstance(version, int) or version < 1:
            raise FileDamaged(path, f"format {shown(version)}", ADVICE)
        if version > FORMAT:
            raise UserError(
                f"{shown(folder)} is of format {version}, by calf_viz "
                f"{shown(found.get('calf_viz'))}; this one reads {FORMAT}: update calf_viz"
            )
        every = found.setdefault("every", 1)
        if type(every) is not int or not 1 <= every <= MOST_EVERY:
            raise FileDamaged(path, f"every {shown(every)} is no number of steps", ADVICE)
        known = {field.name for field in fields(View)}
        described = {name: value for name, value in found["view"].items() if name in known}
        for name in ("labels", "modes", "lo", "hi", "periodic"):
            described[name] = tuple(described[name])
        for name in ("colours", "goal", "clim"):
            value = described.get(name)
            if isinstance(value, list):
                described[name] = tuple(
                    tuple(part) if isinstance(part, list) else part for part in value
                )
        return View(**{**described, "live": False}), found
