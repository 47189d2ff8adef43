"""The tables of `calf-viz shaders list`. Text from files is never taken as markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.table import Table

from calf_viz.console import plain
from calf_viz.glsl import variants
from calf_viz.glsl.controls import Control
from calf_viz.workbench.catalogue import ShaderFile
from calf_viz.workbench.look_file import Look


def files(found: Iterable[ShaderFile], shipped: Path) -> Table:
    """Every file in force, with its hook, its inputs and where it comes from.

    shipped: the folder of the shipped files.
    """
    table = Table("file", "what it is", "inputs", "from", title="shaders")
    for file in found:
        own = not file.path.is_relative_to(shipped)
        about = plain(file.about)
        if file.hook:
            about.append("\n").append_text(plain(file.hook, "bold"))
        inputs = " ".join(file.inputs)
        if file.name.startswith("lib/") and file.name.endswith("contract.glsl"):
            inputs = "declares them"
        path = file.path if own else "shipped"
        table.add_row(plain(file.name), about, plain(inputs), plain(path))
    return table


def macros() -> Table:
    """The built-in variants."""
    table = Table("--define", "what it does", title="variants")
    for variant in variants.VARIANTS:
        for value, meaning in variant.values.items():
            default = " (default)" if value == variant.default else ""
            table.add_row(f"{variant.name}={value}", f"{meaning}{default}")
    table.add_row("", "a flat surface: --height-scale 0, which sets u_height_scale")
    return table


def controls(found: Mapping[str, Control], look: Look) -> Table:
    """The controls, with their values in the look's file."""
    table = Table("--set", "label", "values", "default", "now", title="controls")
    for control in found.values():
        default = control.text(control.default)
        row = control.name, control.label, control.wanted, default
        table.add_row(*map(plain, row), plain(look.values.get(control.name, default)))
    return table
