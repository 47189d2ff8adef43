"""`look.toml`, beside an overlay's shaders: what a look wants that is no shader, and its values.

background = "#f4efe4"             # of the picture
colour_map = ["#fffaf0", "#7d8b6a"]  # or a name that cmap knows; HUD and shaders follow it

[values]                           # of the controls; the program writes them when asked to
u_glow = 1.5
u_ink = "#203040"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from calf_viz.errors import UserError
from calf_viz.files import write_aside
from calf_viz.render.colours import ColourMap, colour_map
from calf_viz.render.controls import Control, ControlValues, Value
from calf_viz.render.problems import Problem, ShaderError

FILE = "look.toml"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LINE = re.compile(r"at line (\d+)")
_WHERE = re.compile(r" \(at [^()]*\)$")


@dataclass(frozen=True)
class Look:
    """What the file says; None where it says nothing.

    Attributes:
        values: texts for `Control.parse`, by name.
    """

    background: tuple[float, float, float] | None = None
    colour_map: ColourMap | None = None
    values: dict[str, str] = field(default_factory=dict)


def look_file(overlay: Path | None) -> Path | None:
    """Where an overlay's look is written: in the folder, or beside a single file."""
    if overlay is None:
        return None
    single = overlay.suffix != "" and not overlay.is_dir()
    return overlay.with_suffix(".toml") if single else overlay / FILE


def read_look(path: Path | None) -> Look:
    """The look of a file; an empty one where there is none.

    Raises ShaderError, with the file's name, for what cannot be read.
    """
    if path is None:
        return Look()
    try:
        text = path.read_text(encoding="utf-8")
        said = tomllib.loads(text)
    except FileNotFoundError:
        return Look()
    except tomllib.TOMLDecodeError as error:
        line = _LINE.search(str(error))
        number = int(line[1]) if line else len(text.splitlines())  # "at end of document"
        raise ShaderError([Problem(path, number, _WHERE.sub("", str(error)))]) from None
    except UnicodeDecodeError as error:
        broken = error.object.count(b"\n", 0, error.start) + 1
        raise ShaderError([Problem(path, broken, f"not UTF-8 (byte {error.start})")]) from None
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise ShaderError([Problem(path, None, what)]) from None
    known = {"background": _background, "colour_map": _colours, "values": _values}
    read: dict[str, Any] = {}
    problems = []
    for key, value in said.items():
        try:
            if key not in known:
                raise ValueError(f"{key} is unknown: write {', '.join(known)}")
            read[key] = known[key](value)
        except (ValueError, UserError) as error:
            problems.append(problem_at(path, key, str(error)))
    if problems:
        raise ShaderError(problems)
    return Look(**read)


def parsed(
    path: Path, texts: Mapping[str, str], controls: Mapping[str, Control]
) -> dict[str, Value]:
    """Values of those controls that there are. Raises ShaderError for all that do not fit."""
    values, problems = {}, []
    for name in texts.keys() & controls.keys():
        try:
            values[name] = controls[name].parse(texts[name])
        except ValueError as error:
            problems.append(problem_at(path, name, f"{name} = {error}"))
    if problems:
        raise ShaderError(sorted(problems, key=lambda problem: problem.line or 0))
    return values


def problem_at(path: Path, key: str, text: str) -> Problem:
    """A problem with what a file says of a key, at the line that begins with it, if one does."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    begins = re.compile(rf"""\s*\[*\s*(values\s*\.\s*)?["']?{re.escape(key)}["']?\s*[]=.]""")
    number = next((i for i, line in enumerate(lines, 1) if begins.match(line)), None)
    return Problem(path, number, text, lines[number - 1].strip() if number else "")


def _background(said: Any) -> tuple[float, float, float]:
    if not (isinstance(said, str) and _COLOUR.fullmatch(said)):
        raise ValueError("background: give a colour such as #f4efe4")
    red, green, blue = (int(said[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _colours(said: Any) -> ColourMap:
    colours = tuple(said) if isinstance(said, list) else said
    if not all(isinstance(c, str) for c in (colours if isinstance(colours, tuple) else [colours])):
        raise ValueError(
            'colour_map: give a name that cmap knows, or colours, ["#fffaf0", "#7d8b6a"]'
        )
    colour_map(colours)  # raises where cmap knows no such colours
    return colours


def _values(said: Any) -> dict[str, str]:
    if not isinstance(said, dict):
        raise ValueError("values: write a table, [values]")
    return {name: _text(value) for name, value in said.items()}


def _text(value: Any) -> str:
    return ("off", "on")[value] if isinstance(value, bool) else str(value)


def save_values(path: Path, controls: ControlValues) -> None:
    """Write the values into the file; whatever else stands there stays, comments included.

    Raises UserError where it cannot be read or written.
    """
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        document = tomlkit.parse(text)
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise UserError(f"{path} cannot be changed ({error}): mend it, or move it away") from None
    table = document.setdefault("values", tomlkit.table())
    if not isinstance(table, MutableMapping):
        raise UserError(f"{path}: values is no table: write [values]")
    for name, control in controls.controls.items():
        value = controls.values[name]
        if control.kind == "slider":
            table[name] = value
        elif control.kind == "toggle":
            table[name] = bool(value)
        else:
            table[name] = control.text(value)
    with write_aside(path) as part:
        part.write_text(tomlkit.dumps(document), encoding="utf-8")
