"""The commands `calf-viz shaders new | list | check`."""

from __future__ import annotations

from pathlib import Path

import click

from calf_viz.render import variants
from calf_viz.render.sources import ShaderLibrary, look_names, overlay_path, read_define

_FOLDER = click.Path(path_type=Path)
_DEFINE = click.option("--define", multiple=True, metavar="NAME[=VALUE]", help="A macro more.")


@click.group()
def shaders() -> None:
    """Make, list and check shaders of your own: see docs/shaders.md."""


@shaders.command()
@click.argument("folder", type=_FOLDER)
@click.option("--from", "start", help="A part such as trail, a file, or a look.  [default: all]")
def new(folder: Path, start: str | None) -> None:
    """Copy what one wants to change into FOLDER."""
    from calf_viz.workbench import overlay

    for path in overlay.create(folder, start):
        click.echo(str(path))
    click.echo(f"now change a file there, and watch: calf-viz --shaders {folder}")


@shaders.command("list")
@click.argument("overlay", type=_FOLDER, required=False)
def list_files(overlay: Path | None) -> None:
    """Show files, hooks, inputs, variants and controls; with OVERLAY, where each comes from."""
    from rich.console import Console
    from rich.table import Table

    from calf_viz.hosts.programs import load_program
    from calf_viz.workbench import catalogue

    library = ShaderLibrary(overlay)
    console = Console()
    if not console.is_terminal:  # a table cut to a narrow pipe is of no use
        console = Console(width=160)
    table = Table("file", "what it is", "inputs", "from", title="shaders")
    for file in catalogue.describe(library):
        own = not file.path.is_relative_to(library.shipped)
        about = f"{file.about}\n[bold]{file.hook}[/bold]" if file.hook else file.about
        inputs = " ".join(file.inputs)
        if file.name.startswith("lib/") and file.name.endswith("contract.glsl"):
            inputs = "declares them"
        table.add_row(file.name, about, inputs, str(file.path) if own else "shipped")
    console.print(table)
    table = Table("--define", "what it does", title="variants")
    for variant in variants.VARIANTS:
        for value, meaning in variant.values.items():
            default = " (default)" if value == variant.default else ""
            table.add_row(f"{variant.name}={value}", f"{meaning}{default}")
    table.add_row("", "a flat surface: --height-scale 0, which sets u_height_scale")
    console.print(table)
    controls = load_program(library, "field").controls
    if controls:
        table = Table("--set", "values", "default", title="controls")
        for control in controls.values():
            table.add_row(control.name, control.wanted, control.text(control.default))
        console.print(table)
    console.print(f"looks: {', '.join(look_names()) or 'none'}", highlight=False)


@shaders.command()
@click.argument("overlay", type=_FOLDER)
@_DEFINE
@click.pass_context
def check(context: click.Context, overlay: Path, define: tuple[str, ...]) -> None:
    """Compile OVERLAY in every variant on every host; exit 1 with file:line: message."""
    from calf_viz.workbench.check import check as compile_all

    defines = dict(map(read_define, define))
    variants.check(defines)
    report = compile_all(overlay_path(overlay), defines)
    for path in report.unused:
        click.echo(f"{path}: note: replaces nothing, and nothing includes it", err=True)
    for line in report.lines():
        click.echo(line)
    if report.problems:
        context.exit(1)
    count = sum(1 for _ in variants.combinations())
    click.echo(
        f"{overlay}: {report.compiled} programs compile, in {count} variants, under "
        f"{' and '.join(report.hosts)}"
    )
