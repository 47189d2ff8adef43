"""Settings as dataclass fields: checked, read from TOML, written with a comment on each.

    [training]
    # Steps after which an episode is cut off.
    steps = 500

TOML has no None: a field that is None is written as a comment.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import Field, field, fields
from difflib import get_close_matches
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Self

import numpy as np
import tomlkit
from tomlkit.items import Table

from calf_viz.errors import FileDamaged, UserError, shown
from calf_viz.files import parsing, read_text

LARGEST = 65_536
"""Bytes of a TOML file; the largest that the program writes has a tenth of that."""
_LINE, _PLACE = re.compile(r"at line (\d+)"), re.compile(r" \(at [^()]*\)$")
_ADDRESS = re.compile(r"([a-zA-Z]\w*::)*[a-zA-Z][a-zA-Z0-9+.-]*://")
MOST_DIGITS = 9
"""Digits of a width or height: beyond any picture, and small enough for any int."""
LONGEST_LINE = 4096
"""Characters. A dotted key this long parses in a moment; one ten times longer takes minutes."""


def is_address(text: Any) -> bool:
    """Whether it is an address, such as s3://bucket/name, rather than a path, which would lose one
    of the slashes."""
    return isinstance(text, str) and _ADDRESS.match(text) is not None


def option(default: Any, text: str, form: str | None = None) -> Any:
    """A field with its help text, shown on the command line and in files.

    form: metavar of each value, for an option that may be repeated.
    """
    return field(default=default, metadata={"help": text, "form": form})


def within(name: str, value: float, low: float, high: float) -> None:
    """Raise UserError for a value outside [low, high], NaN included."""
    if not low <= value <= high:
        raise UserError(f"{name} {shown(value)} is out of range: give {low} to {high}")


def one_of(name: str, value: str, choices: Iterable[str]) -> None:
    """Raise UserError, listing the choices, for a value that is not one of them."""
    choices = tuple(choices)
    if value not in choices:
        raise UserError(f"unknown {name} '{shown(value)}': choose one of {', '.join(choices)}")


def known(names: Iterable[str], choices: Iterable[str], where: str = "") -> None:
    """Raise UserError for the first unknown setting, suggesting the closest known one."""
    meant = {name: name for name in sorted(choices)}
    unknown = sorted(set(names) - set(meant))
    if "size" in meant:
        meant |= dict.fromkeys(("width", "height"), "size")
    for name in unknown:
        near = get_close_matches(shown(name), meant, n=1, cutoff=0.0)
        hint = f": did you mean {meant[near[0]]}?" if near else ""
        raise UserError(f"unknown setting '{shown(name)}'{where}{hint}")


class Known:
    """Base of a dataclass of settings: an unknown name raises UserError, which suggests the
    nearest."""

    kind = "settings"
    """The thing that they configure, for messages."""

    def __new__(cls, *_: Any, **values: Any) -> Self:
        known(values, fields_of(cls), f" of {cls.kind}")
        return super().__new__(cls)


def fields_of(kind: Any) -> dict[str, Field[Any]]:
    """A dataclass's fields by name."""
    return {f.name: f for f in fields(kind)}


def convert(values: Mapping[str, Any], kind: Any, where: str = "") -> dict[str, Any]:
    """TOML values converted to the types of a dataclass's fields: strings to paths, arrays to
    tuples.

    Raises UserError for a value of the wrong type, and for names that are not fields.
    """
    by_name = fields_of(kind)
    known(values, by_name, where)
    return {
        name: _convert(name, value, str(by_name[name].type), where)
        for name, value in values.items()
    }


def check_types(settings: Any) -> None:
    """Convert each field of a dataclass to its declared type, in place.

    NumPy scalars become Python's, strings become paths, lists become tuples. Raises UserError for
    other mismatches.
    """
    for name, f in fields_of(settings).items():
        value, annotation = getattr(settings, name), str(f.type)
        if value is not None or not annotation.endswith(" | None"):
            object.__setattr__(settings, name, _convert(name, value, annotation))


_EXPECTED = {
    "str": "a string in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "Path": "a path in quotes",
    "tuple[int, int]": 'two whole numbers, such as [1280, 720] or "1280x720"',
    "tuple[str, ...]": 'strings in quotes, such as ["TRAILS=0"]',
    "float | tuple[str, ...]": "a number, or strings in quotes",
    "str | tuple[float, float]": "a string in quotes, or two numbers, such as [0, 500]",
}


def _convert(name: str, value: Any, annotation: str, where: str = "") -> Any:
    kind = annotation.removesuffix(" | None")
    if kind == "str | Path":
        kind = "str" if is_address(value) else "Path"
    if kind == "Path" and value == "":
        raise UserError(f"{name} is empty{where}: give a path, . for this folder")
    if kind == "Path" and isinstance(value, str | Path) and "\0" in str(value):
        raise UserError(f"{name} = '{shown(value)}'{where} is not a path: leave the zero byte out")
    if kind == "float | tuple[str, ...]":
        kind = "float" if isinstance(value, Real) else "tuple[str, ...]"
        value, expected = (value,) if isinstance(value, str) else value, _EXPECTED[annotation]
    else:
        expected = _EXPECTED.get(kind, kind)
    if kind == "str | tuple[float, float]":
        if isinstance(value, list | tuple) and all(isinstance(v, Real) for v in value):
            return tuple(value)
        kind = "str"
    many = value if isinstance(value, list | tuple) else ()
    if kind == "tuple[int, int]" and len(many) == 2 and all(map(_whole, many)):
        return int(many[0]), int(many[1])
    if kind == "tuple[int, int]" and isinstance(value, str) and (size := read_size(value)):
        return size
    if kind == "tuple[str, ...]" and many is value and all(isinstance(v, str) for v in many):
        return tuple(map(str.__str__, many))
    if kind == "Path" and isinstance(value, str | Path):
        return Path(value)
    if kind == "int" and _whole(value):
        return int(value)
    if kind == "float" and isinstance(value, Real) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf  # out of range for every setting, whose own check reports it
    if kind == "str" and isinstance(value, str):
        return str.__str__(value)  # a plain str, even from NumPy's or an enumeration's
    if kind == "bool" and isinstance(value, bool | np.bool_):
        return bool(value)
    said = f"'{shown(value)}'" if isinstance(value, str) else shown(value)
    raise UserError(f"{name} = {said}{where} has the wrong type: give {expected}")


def read_size(text: str) -> tuple[int, int] | None:
    """Width and height from WxH; None for any other text."""
    width, _, height = text.lower().partition("x")
    if not all(s.isdecimal() and len(s) <= MOST_DIGITS for s in (width, height)):
        return None
    return int(width), int(height)


def _whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def read_toml(path: str | Path) -> dict[str, Any]:
    """A TOML file's contents.

    Raises:
        FileTrouble: it cannot be read.
        FileDamaged: it is not TOML; with the line, if known.
    """
    return parse_toml(path, read_text(path, LARGEST))


def parse_toml(path: str | Path, text: str) -> dict[str, Any]:
    """The contents of a TOML file, given its text; raises as `read_toml`."""
    with parsing(path, "TOML"):
        for number, line in enumerate(text.split("\n"), start=1):
            if len(line) > LONGEST_LINE:
                raise FileDamaged(
                    path, f"a line of {len(line):,} characters", f"write at most {LONGEST_LINE:,}",
                    number,
                )  # fmt: skip
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            where = _LINE.search(str(error))
            number = int(where[1]) if where else text.count("\n") + 1  # "at end of document"
            reason = f"not TOML: {_PLACE.sub('', str(error))}"
            raise FileDamaged(path, reason, "fix it, or give another file", number) from None


def table(settings: Any, leave_out: Iterable[str] = (), unsaid: Iterable[str] = ()) -> Table:
    """A dataclass's values as a TOML table, each below its help. unsaid: fields left without a
    value."""
    made = tomlkit.table()
    for name, f in fields_of(settings).items():
        if name in leave_out:
            continue
        value = getattr(settings, name)
        made.add(tomlkit.comment(f.metadata["help"]))
        if value is None or name in unsaid:
            made.add(tomlkit.comment(f"{name} ="))
        elif isinstance(value, tuple):
            made.add(name, list(value))
        else:
            made.add(name, str(value) if isinstance(value, Path) else value)
    return made


def document(**tables: Table) -> str:
    """The text of a TOML file with these tables."""
    made = tomlkit.document()
    for name, values in tables.items():
        made.add(name, values)
    return tomlkit.dumps(made)
