"""Options of the command line that are made from the settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import click

from calf_viz.cli.option_types import GIVEN_PATH, GIVEN_RECORDING, SIZE, option_name
from calf_viz.cli.system_option import SYSTEM, SYSTEM_HELP
from calf_viz.console import as_options
from calf_viz.viewer.config import PRESETS, options

Command = TypeVar("Command", bound=Any)


_TYPES: dict[str, Any] = {
    "str": str,
    "str | None": str,
    "int": int,
    "int | None": int,
    "float": float,
    "bool": bool,
    "Path": GIVEN_PATH,
    "Path | None": GIVEN_PATH,
    "str | Path | None": GIVEN_RECORDING,
    "tuple[str, ...]": str,
    "float | tuple[str, ...]": str,
    "str | tuple[float, float] | None": str,
    "tuple[int, int]": SIZE,
}


def config_options(
    command: Command, without: Collection[str] = (), told: Mapping[str, str] | None = None,
    of_preset: str | None = None,
) -> Command:  # fmt: skip
    """Add an option for each field of the configuration; None if not given.

    without: fields that get none. told: help texts of fields in place of the settings'. of_preset:
    the preset that the command uses, if it has no option for it.
    """
    own = {"system": SYSTEM_HELP, **(told or {})}
    names = {field.name: option_name(field.name) for field in options()}
    for field in reversed(options()):
        if field.name in without:
            continue
        flag = str(field.type).startswith("bool")
        flags: dict[str, Any] = {"is_flag": True} if flag else {"type": _TYPES[str(field.type)]}
        if "tuple[str, ...]" in str(field.type):
            flags |= {"multiple": True, "metavar": field.metadata["form"]}
        if field.name == "system":
            flags["type"] = SYSTEM
        default = field.default
        shown = "x".join(map(str, default)) if isinstance(default, tuple) else default
        shown = "on" if default is True else shown
        text = as_options(own.get(field.name, field.metadata["help"]), names)
        said = default is None or default is False or default in ("", ()) or "[default: " in text
        preset = any(field.name in values for values in PRESETS.values())
        if preset:
            value = (
                "by preset" if of_preset is None else PRESETS[of_preset].get(field.name, default)
            )
            text += f"  [default: {value}]"
        elif not said:
            text += f"  [default: {shown}]"
        name = field.name.replace("_", "-")
        both = flag and default is not False
        name = f"--{name}/--no-{name}" if both else f"--{name}"
        command = click.option(name, field.name, default=None, help=text, **flags)(command)
    return command
