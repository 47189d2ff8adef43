"""`look.toml`, beside an overlay's shaders: a look's other settings and its control values.

background = "#f4efe4"             # of the picture
colour_map = ["#fffaf0", "#7d8b6a"]  # or a name that cmap knows; HUD and shaders follow it
chosen = true                      # it shows the chosen agent's certificate: draw its ring

[values]                           # of the controls; the program writes them on request
u_glow = 1.5
u_ink = "#203040"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from calf_viz import files
from calf_viz.errors import FileTrouble, UserError, shown
from calf_viz.glsl.contract import PALETTE_COLOURS
from calf_viz.glsl.controls import Control, ControlValues, Value
from calf_viz.glsl.problems import Problem, ShaderError, as_shader_errors
from calf_viz.scene.colours import ColourMap, colour_map

FILE = "look.toml"
LARGEST = 2**15
"""Bytes; ten times what a full colour map and all values take."""
_ADVICE = "fix it, or move it away"
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LONGEST_COLOUR = 100
_LINE = re.compile(r"at line (\d+)")
_WHERE = re.compile(r" \(at [^()]*\)$")
_KEY = re.compile(r"""\s*+\[*+\s*+(values\s*+\.\s*+)?(["']?)([\w-]++)\2\s*+[]=.]""")
_DEEP = re.compile(r"""(?<![\w"'.-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){16}""")
"""Deeply dotted names, for which parsers take quadratic time."""


@dataclass(frozen=True)
class Look:
    """The contents of the file; None for what it leaves out.

    Attributes:
        background: colour of the picture's background.
        colour_map: the surface's colours.
        chosen: whether it is about the chosen agent, which then has a ring.
        values: texts for `Control.parse`, by name.
        path: the file; None if there is none.
        lines: number and text of the line on which each key begins.
    """

    background: tuple[float, float, float] | None = None
    colour_map: ColourMap | None = None
    chosen: bool | None = None
    values: dict[str, str] = field(default_factory=dict)
    path: Path | None = field(default=None, compare=False)
    lines: dict[str, tuple[int, str]] = field(default_factory=dict, compare=False, repr=False)

    def parsed(
        self, controls: Mapping[str, Control], names: Iterable[str] | None = None
    ) -> dict[str, Value]:
        """Values for those of the controls that the file sets; names: only for these.

        Raises ShaderError for all values that do not fit.
        """
        values, problems = {}, []
        for name in self.values if names is None else names:
            if name in controls:
                try:
                    values[name] = controls[name].parse(self.values[name])
                except ValueError as error:
                    problems.append(self.problem(name, f"{name} = {error}"))
        if problems:
            raise ShaderError(sorted(problems, key=lambda problem: problem.line or 0))
        return values

    def problem(self, key: str, text: str) -> Problem:
        """A problem with a key, at the line on which it begins, if known."""
        number, code = self.lines.get(key, (None, ""))
        return Problem(self.path or Path(FILE), number, text, code)


def look_file(overlay: Path | None) -> Path | None:
    """The path of an overlay's look file: in the folder, or beside a single file."""
    if overlay is None:
        return None
    single = overlay.suffix != "" and not files.is_folder(overlay)
    return overlay.with_suffix(".toml") if single else overlay / FILE


def read_look(path: Path | None) -> Look:
    """The look in a file; an empty one if there is no file.

    Raises ShaderError, with the file's name, if it cannot be read.
    """
    if path is None:
        return Look()
    try:
        with as_shader_errors():
            text = files.read_text(path, LARGEST, _ADVICE)
            with files.parsing(path, "TOML", _ADVICE):
                said = _parse(path, text)
    except ShaderError as error:
        trouble = error.__cause__
        if isinstance(trouble, FileTrouble) and isinstance(
            trouble.__cause__, FileNotFoundError | NotADirectoryError
        ):
            return Look()
        raise
    lines = _lines_of_keys(text)
    said_of = Look(path=path, lines=lines).problem
    known = {
        "background": _background, "colour_map": _colours, "chosen": _chosen, "values": _values,
    }  # fmt: skip
    read: dict[str, Any] = {}
    problems = []
    for key, value in said.items():
        try:
            if key not in known:
                raise ValueError(f"{shown(key)} is unknown: write {', '.join(known)}")
            read[key] = known[key](value)
        except (ValueError, UserError) as error:
            problems.append(said_of(key, str(error)))
    for name, value in read.get("values", {}).items():
        try:
            read["values"][name] = _text(value)
        except ValueError as error:
            problems.append(said_of(name, f"{shown(name)}: {error}"))
    if problems:
        raise ShaderError(problems)
    return Look(**read, path=path, lines=lines)


def _parse(path: Path, text: str) -> dict[str, Any]:
    """The parsed text. Raises ShaderError, with the line, and whatever parsers raise."""

    def refuse(number: int, what: str) -> ShaderError:
        code = text.split("\n")[number - 1 : number]
        return ShaderError([Problem(path, number, what, *code)])

    deep = _DEEP.search(text)
    if deep is not None:
        raise refuse(text.count("\n", 0, deep.start()) + 1, "not TOML: nested too deep")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = _LINE.search(str(error))
        number = (
            int(line[1]) if line else len(text.removesuffix("\n").split("\n"))
        )  # "at end of document"
        raise refuse(number, _WHERE.sub("", str(error))) from None


def _lines_of_keys(text: str) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if key := _KEY.match(line):
            found.setdefault(key[3], (number, line))
            if key[1]:
                found.setdefault("values", (number, line))
    return found


def _background(said: Any) -> tuple[float, float, float]:
    if not (isinstance(said, str) and _COLOUR.fullmatch(said)):
        raise ValueError("background: give a colour such as #f4efe4")
    red, green, blue = (int(said[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _colours(said: Any) -> ColourMap:
    colours = tuple(said) if isinstance(said, list) else said
    each = colours if isinstance(colours, tuple) else [colours]
    if not all(isinstance(c, str) and len(c) <= _LONGEST_COLOUR for c in each):
        raise ValueError(
            'colour_map: give a name that cmap knows, or colours, ["#fffaf0", "#7d8b6a"]'
        )
    if len(each) > PALETTE_COLOURS:
        raise ValueError(f"colour_map: {len(each):,} colours, at most {PALETTE_COLOURS} are used")
    colour_map(colours)  # raises where cmap knows no such colours
    return colours


def _chosen(said: Any) -> bool:
    if not isinstance(said, bool):
        raise ValueError("chosen: give true or false")
    return said


def _values(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise ValueError("values: write a table, [values]")
    return said


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return ("off", "on")[value]
    if not isinstance(value, str | int | float):
        raise ValueError("give a number, a string, true or false")
    return value if isinstance(value, str) else shown(value)


def save_values(path: Path, controls: ControlValues) -> None:
    """Write the values into the file, keeping everything else, comments included.

    Raises UserError if it cannot be read or written.
    """
    text = files.read_text(path, LARGEST, _ADVICE) if files.exists(path) else ""
    with files.parsing(path, "TOML", _ADVICE):
        _parse(path, text)
        document = tomlkit.parse(text)
        table = document.setdefault("values", tomlkit.table())
        if not isinstance(table, MutableMapping):
            raise UserError(f"{shown(path)}: values is not a table: write [values]")
        for name, control in controls.controls.items():
            value = controls.values[name]
            if control.kind == "slider":
                table[name] = value
            elif control.kind == "toggle":
                table[name] = bool(value)
            else:
                table[name] = control.text(value)
        written = tomlkit.dumps(document)
    with files.write_aside(path) as part:
        part.write_text(written, encoding="utf-8")
