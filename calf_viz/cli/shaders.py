"""The commands `calf-viz shaders new | list | check`."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import click

from calf_viz.cli.option_types import GIVEN_PATH
from calf_viz.console import say
from calf_viz.console import tables as console_of
from calf_viz.errors import visible
from calf_viz.glsl import variants
from calf_viz.glsl.library import ShaderLibrary, read_define
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.shipped_shaders import look_names
from calf_viz.workbench import parts
from calf_viz.workbench.look_file import Look, look_file, read_look

_DEFINE = click.option(
    "--define", multiple=True, metavar="NAME[=VALUE]", help="An additional macro."
)


@click.group(invoke_without_command=True)
@click.pass_context
def shaders(context: click.Context) -> None:
    """Make, list and check shaders of your own: see docs/shaders.md."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@shaders.command()
@click.argument("folder", type=GIVEN_PATH)
@click.option(
    "--from", "starts", multiple=True,
    help="A part such as trail, a file, or a look; may be repeated.  [default: all]",
)  # fmt: skip
def new(folder: Path, starts: tuple[str, ...]) -> None:
    """Copy the files that you want to change into FOLDER."""
    from calf_viz.workbench import overlay

    for path in overlay.create(folder, starts):
        say(path)
    command = shlex.join(["calf-viz", "--shaders", str(folder)])
    say(f"now change a file there, and watch: {command}")


@shaders.command("list")
@click.argument("overlay", type=GIVEN_PATH, required=False)
@click.pass_context
def list_files(context: click.Context, overlay: Path | None) -> None:
    """Show files, hooks, inputs, variants and controls; with OVERLAY, where each comes from.

    Exits with 1, and file:line: message, if some of it cannot be read.
    """
    from calf_viz.workbench import catalogue, tables
    from calf_viz.workbench.check import find_controls

    library = ShaderLibrary(None if overlay is None else parts.overlay(overlay, "OVERLAY"))
    files = catalogue.describe(library)
    console = console_of(160)
    console.print(tables.files(files, library.shipped))
    console.print(tables.macros())
    controls, problems = find_controls(library)
    look = Look()
    try:
        look = read_look(look_file(library.overlay))
        look.parsed(controls)
    except ShaderError as error:
        problems += error.problems
    if controls:
        console.print(tables.controls(controls, look))
    say(f"looks: {', '.join(look_names()) or 'none'}")
    told = dict.fromkeys([*(file.problem for file in files if file.problem), *problems])
    for problem in told:
        click.echo(visible(str(problem)), err=True)
    context.exit(1 if told else 0)


@shaders.command()
@click.argument("overlay", type=GIVEN_PATH)
@_DEFINE
@click.pass_context
def check(context: click.Context, overlay: Path, define: tuple[str, ...]) -> None:
    """Compile OVERLAY in every variant on every host; exits with 1 and file:line: message."""
    from calf_viz.workbench.check import check as compile_all

    defines = dict(map(read_define, define))
    variants.check(defines)
    report = compile_all(parts.overlay(overlay, "OVERLAY"), defines)
    for note in report.notes:
        click.echo(visible(str(replace(note, text=f"note: {note.text}"))), err=True)
    for line in report.lines():
        say(line)
    if report.problems:
        context.exit(1)
    count = sum(1 for _ in variants.combinations())
    linked = f"; {report.linked_by} links them" if report.linked_by else ""
    say(
        f"{overlay}: {report.compiled} programs compile, in {count} variants, under "
        f"{' and '.join(report.hosts)}{linked}"
    )
