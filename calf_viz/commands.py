"""The commands `train` and `evaluate`. torch is imported only when one of them runs."""

from typing import Any, TypeVar

import click

from calf_viz import systems
from calf_viz.agent.config import TrainingConfig
from calf_viz.agent.presets import PRESETS, Preset
from calf_viz.errors import UserError
from calf_viz.settings import fields_of

Command = TypeVar("Command", bound=Any)

_SYSTEM_HELP = f"System: {', '.join(systems.names())}."


def training_options(command: Command) -> Command:
    """An option for each setting of a training but system, seed and preset; None if not given."""
    for name, f in reversed(fields_of(TrainingConfig).items()):
        if name in ("system", "seed", "preset"):
            continue
        option = f"--{name.replace('_', '-')}"
        kinds: dict[str, Any] = {"int": int, "float": float, "bool": None}
        if f.type == "bool":
            option += f"/--no-{name.replace('_', '-')}"
        default: Any = "by preset" if name in fields_of(Preset) else f.default
        shown = ("no", "yes")[default] if isinstance(default, bool) else default
        text = f"{f.metadata['help']}  [default: {shown}]"
        command = click.option(option, name, type=kinds[str(f.type)], default=None, help=text)(
            command
        )
    return command


@click.command()
@click.option("--system", help=_SYSTEM_HELP)
@click.option("--preset", default="standard", show_default=True, help=f"{', '.join(PRESETS)}.")
@click.option("--seed", default=0, show_default=True, help="Decides everything random.")
@click.option("--output", help="Checkpoint to write, with two files beside it, instead of a run.")
@click.option("--runs", default="runs", show_default=True, help="Folder for runs.")
@click.option("--resume", help="Run, or checkpoint with a .resume file beside it, to go on from.")
@click.option("--progress/--no-progress", default=True, help="Show a progress bar.")
@click.option("--overwrite", is_flag=True, help="Let a new training replace an older one's file.")
@click.option("--tensorboard", is_flag=True, help="Write a run's metrics for TensorBoard too.")
@training_options
def train(
    system: str | None,
    preset: str,
    seed: int,
    output: str | None,
    runs: str,
    resume: str | None,
    progress: bool,
    overwrite: bool,
    tensorboard: bool,
    **changes: Any,
) -> None:
    """Train an agent without a window; Ctrl-C stops with a checkpoint.

    Writes a run, RUNS/<system>-<seed>-<time>/: configuration, metrics, checkpoints, best agent.
    """
    from calf_viz.agent import training

    if seed < 0:
        raise UserError(f"--seed {seed} is negative: give 0 or more")
    given = {name: value for name, value in changes.items() if value is not None}
    training.train(
        system, preset, seed, output, resume, progress, overwrite, runs, tensorboard, **given
    )


@click.command()
@click.option("--system", required=True, help=_SYSTEM_HELP)
@click.option("--checkpoint", help="Checkpoint.  [default: the one that is shipped]")
@click.option("--episodes", default=200, show_default=True, help="Held-out starts.")
@click.option("--seed", default=0, show_default=True, help="Decides the starts.")
def evaluate(system: str, checkpoint: str | None, episodes: int, seed: int) -> None:
    """Compare the strict CALF agent, its actor alone and the nominal policy."""
    from rich.console import Console

    from calf_viz.agent import training

    if seed < 0:
        raise UserError(f"--seed {seed} is negative: give 0 or more")
    rows = training.evaluate(system, checkpoint, episodes, seed)
    title = f"{systems.get(system).name}, {episodes} held-out starts, seed {seed}"
    console = Console()
    # A table cut to a narrow pipe is of no use; a terminal is as wide as it is.
    if not console.is_terminal:
        console = Console(width=130)
    console.print(training.table(rows, title))
