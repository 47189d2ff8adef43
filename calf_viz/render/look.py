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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from calf_viz.errors import UserError
from calf_viz.files import write_aside
from calf_viz.render.colours import ColourMap, colour_map
from calf_viz.render.controls import ControlValues
from calf_viz.render.problems import Problem, ShaderError

FILE = "look.toml"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LINE = re.compile(r"at line (\d+)")


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
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Look()
    except tomllib.TOMLDecodeError as error:
        line = _LINE.search(str(error))
        raise ShaderError([Problem(path, int(line[1]) if line else None, str(error))]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ShaderError([Problem(path, None, f"cannot be read ({error})")]) from None
    try:
        return _look(said)
    except (ValueError, UserError) as error:
        raise ShaderError([Problem(path, None, str(error))]) from None


def _look(said: dict[str, Any]) -> Look:
    known = {"background", "colour_map", "values"}
    if set(said) - known:
        raise ValueError(f"{min(set(said) - known)} is unknown: write {', '.join(sorted(known))}")
    background, colours, values = (said.get(key) for key in ("background", "colour_map", "values"))
    if background is not None and not (
        isinstance(background, str) and _COLOUR.fullmatch(background)
    ):
        raise ValueError("background: give a colour such as #f4efe4")
    if colours is not None:
        colours = tuple(colours) if isinstance(colours, list) else colours
        colour_map(colours)  # raises where cmap knows no such colours
    if values is not None and not isinstance(values, dict):
        raise ValueError("values: write a table, [values]")
    return Look(
        None if background is None else _components(background),
        colours,
        {name: _text(value) for name, value in (values or {}).items()},
    )


def _components(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


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
