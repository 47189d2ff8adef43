"""The command line: `calf-viz`, and its commands."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from calf_attach.layout import Word

from calf_viz import systems
from calf_viz.cli.attach import attach
from calf_viz.cli.compare import compare
from calf_viz.cli.config_options import config_options
from calf_viz.cli.environment import (
    check_environment_options,
    convert,
    environment_options,
    open_environment,
)
from calf_viz.cli.export import export
from calf_viz.cli.option_types import GIVEN_PATH, option_name, options_named, typed
from calf_viz.cli.pictures import picture_of, write_picture, write_screenshots
from calf_viz.cli.recordings import record, replay
from calf_viz.cli.render import render
from calf_viz.cli.returns import returns
from calf_viz.cli.shaders import shaders
from calf_viz.cli.showing import show
from calf_viz.cli.train import benchmark, evaluate, train, training_options
from calf_viz.cli.verify import verify
from calf_viz.cli.without_effect import refuse_without_effect
from calf_viz.console import as_options, say
from calf_viz.errors import UserError, shown
from calf_viz.run_command import run_command
from calf_viz.version import __version__
from calf_viz.viewer.app_config import AppConfig
from calf_viz.viewer.config import PRESETS

if TYPE_CHECKING:
    from calf_viz.viewer.app import CALFApplication

Command = TypeVar("Command", bound=Any)

# Hyphens and underscores are the same in names of options and commands.
_CONTEXT = {"token_normalize_func": lambda name: name.replace("_", "-"), "max_content_width": 100}


def _all_options(command: Command) -> Command:
    """Add preset, file, and an option for each field of visualisation and training."""
    text = f"{', '.join(PRESETS)}: how much to show and to train.  [default: medium]"
    command = training_options(config_options(command), hidden=True)
    command = click.option("--training-preset", hidden=True)(command)
    said = "TOML file with settings; options override them."
    command = click.option("--config", type=GIVEN_PATH, help=said)(command)
    return click.option("--preset", help=text)(command)


def _config(preset: str | None, config: Path | None, given: dict[str, Any]) -> AppConfig:
    """The configuration in force: the preset, changed by the file, changed by the options."""
    given = {name: value for name, value in given.items() if value not in (None, ())}
    with options_named(given):
        if config is None:
            return AppConfig.from_preset(preset or "medium", **given)
        return AppConfig.load(config, preset, **given)


class _Commands(click.Group):
    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(context, args[0]) is None and ("." in args[0] or "/" in args[0]):
            raise click.UsageError(
                f"'{shown(args[0])}' belongs to no option: --output FILE.png names a picture, "
                "--system FILE a system"
            )
        return super().resolve_command(context, args)

    def invoke(self, context: click.Context) -> Any:
        with systems.errors_reported():
            return super().invoke(context)


@click.group(cls=_Commands, invoke_without_command=True, context_settings=_CONTEXT)
@_all_options
@environment_options
@click.option("--screenshot", is_flag=True, help="Write pictures of a few fixed frames and exit.")
@click.option(
    "--profile",
    is_flag=True,
    help="Measure 50 + 300 frames (or --frames) three times; report the median run.",
)
@click.option(
    "--trace", is_flag=True, help="With --profile: also write a trace for ui.perfetto.dev."
)
@click.option("--output", type=GIVEN_PATH,
              help="Folder for pictures or profiles, or FILE.png for the picture after --frames, "
              "without a window.  [default: pictures, profiles]")  # fmt: skip
@click.version_option(__version__, prog_name="calf-viz")
@click.pass_context
def calf_viz(
    context: click.Context,
    preset: str | None,
    config: Path | None,
    screenshot: bool,
    profile: bool,
    trace: bool,
    output: Path | None,
    env: str | None,
    model: Path | None,
    axes: str | None,
    **changes: Any,
) -> None:
    """Show agents driven by a CALF policy on the surface of their own critic.

    Opens a window if there is a display, and draws without one otherwise.
    """
    given = typed(context)
    if context.invoked_subcommand is not None:
        if given:
            option, command = option_name(given[0]), context.invoked_subcommand
            raise UserError(
                f"{option} comes before {command} and has no effect there: put it after {command}"
            )
        return
    if profile and screenshot:
        raise UserError("--profile and --screenshot cannot be combined: give one of them")
    if trace and not profile:
        raise UserError("--trace needs --profile: give both")
    file = picture_of(output)
    if profile and file is not None:
        raise UserError(f"--output {shown(file)}: profiles need a folder: give another name")
    check_environment_options(given)
    others = changes.pop("slice") if env is not None else ()  # of the environment's entries
    if screenshot or file is not None:
        changes["headless"] = True
    if profile:
        changes["no_vsync"] = True  # else it would measure the display
    folder = output or Path("profiles" if profile else "pictures")
    in_force = _config(preset, config, changes)
    if profile and "camera" not in given and in_force.visualization.camera == "home":
        # What is in the picture determines the cost of a frame: the same, wherever agents are.
        in_force = in_force.changed(camera="plane")
    idle = [name for name in given if env is None or name != "slice"]
    refuse_without_effect(
        idle, in_force.visualization, screenshot=screenshot and file is None, profile=profile
    )
    from calf_viz.viewer.app import CALFApplication

    source = None
    if env is not None and model is not None:
        source = open_environment(env, model, axes, others, in_force.visualization)
    app = CALFApplication(in_force, source=source)
    if output is not None and file is None:
        app.profiles = output
    try:
        if screenshot or file is not None:
            app.fit_surface(still=True)
        if in_force.visualization.train:
            say(f"training {app.start_training()}{_process(app)}")
        if profile:
            from calf_viz.cli import profile as profile_run

            profile_run.profile(app, folder, trace)
        elif file is not None:
            write_picture(app, file)
            _say_if_early(app)
        elif screenshot:
            write_screenshots(app, folder)
        else:
            show(app, folder)
            if not app.host.has_window:
                _say_if_early(app)
    finally:
        app.close()
    if app.training_failure is not None:  # reported already
        sys.exit(1)
    if goes_on := _process(app):
        say(f"the training goes on{goes_on}")


@calf_viz.command("config")
@_all_options
def show_config(preset: str | None, config: Path | None, **changes: Any) -> None:
    """Print the configuration in force as TOML, which --config reads.

    Takes every option of `calf-viz` and of `calf-viz train` that is a setting.
    """
    click.echo(_config(preset, config, changes).text(), nl=False)


calf_viz.add_command(attach)
calf_viz.add_command(record)
calf_viz.add_command(replay)
calf_viz.add_command(render)
calf_viz.add_command(verify)
calf_viz.add_command(returns)
calf_viz.add_command(compare)
calf_viz.add_command(export)
calf_viz.add_command(train)
calf_viz.add_command(benchmark)
calf_viz.add_command(evaluate)
calf_viz.add_command(shaders)
calf_viz.add_command(convert)


def _process(app: CALFApplication) -> str:
    """How to end a training that outlives the viewer; empty if there is none."""
    if app.live is None or not (app.live.process.detached and app.live.process.running):
        return ""
    pid = app.live.process.process.pid
    return f", in process {pid}: `kill {pid}` ends it with a checkpoint"


def _say_if_early(app: CALFApplication) -> None:
    """Say so if a training that ends with its viewer has had no episode."""
    if app.live is None or app.live.process.detached or app.training_failure is not None:
        return
    if app.live.process.board[Word.END] == 0:
        from calf_viz.viewer.app import HEADLESS_FRAMES

        say(f"0 episodes in {app.config.frames or HEADLESS_FRAMES} frames: give more --frames")


class _AsOptions(logging.Formatter):
    """Log messages with settings written as options."""

    def format(self, record: logging.LogRecord) -> str:
        return as_options(super().format(record))


@contextmanager
def _logged() -> Iterator[None]:
    """During the block, log messages of level INFO and above go to stderr."""
    log, handler = logging.getLogger("calf_viz"), logging.StreamHandler()
    handler.setFormatter(_AsOptions())
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


def main() -> None:
    """Entry point of `calf-viz`."""
    with _logged():
        run_command(calf_viz, "calf-viz", "calf-viz: ")
