"""The commands `train` and `evaluate`. torch is imported only when one of them runs."""

from dataclasses import asdict
from typing import Any, TypeVar

import click

from calf_viz import systems
from calf_viz.agent.config import TrainingConfig
from calf_viz.agent.presets import PRESETS, Preset
from calf_viz.app_config import AppConfig
from calf_viz.errors import UserError
from calf_viz.settings import fields_of

Command = TypeVar("Command", bound=Any)

_SYSTEM_HELP = f"System: {', '.join(systems.names())}."


def training_options(command: Command, hidden: bool = False) -> Command:
    """An option for each setting of a training but system, seed and preset; None if not given.

    hidden: not in the help, where only some uses of the command train.
    """
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
        command = click.option(
            option, name, type=kinds[str(f.type)], default=None, help=text, hidden=hidden
        )(command)
    return command


@click.command()
@click.option("--system", help=_SYSTEM_HELP)
@click.option("--preset", help=f"{', '.join(PRESETS)}.  [default: standard]")
@click.option("--seed", type=int, help="Decides everything random.  [default: 0]")
@click.option("--config", help="TOML file with settings, which options override.")
@click.option("--output", help="Checkpoint to write, with two files beside it, instead of a run.")
@click.option("--runs", default="runs", show_default=True, help="Folder for runs.")
@click.option("--resume", help="Run, or checkpoint with a .resume file beside it, to go on from.")
@click.option("--progress/--no-progress", default=True, help="Show a progress bar.")
@click.option("--overwrite", is_flag=True, help="Let a new training replace an older one's file.")
@click.option("--tensorboard", is_flag=True, help="Write a run's metrics for TensorBoard too.")
@training_options
def train(
    system: str | None,
    preset: str | None,
    seed: int | None,
    config: str | None,
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

    given = {name: value for name, value in changes.items() if value is not None}
    given |= {"seed": seed} if seed is not None else {}
    if config is not None and resume is not None:
        raise UserError("--resume keeps the settings it began with: leave --config out")
    if config is not None:
        given |= {"system": system} if system is not None else {}
        given |= {"training_preset": preset} if preset is not None else {}
        made = asdict(AppConfig.load(config, **given).training)
        system, preset, given = made.pop("system"), made.pop("preset"), made
    training.train(
        system, preset or "standard", given.pop("seed", 0), output, resume, progress, overwrite,
        runs, tensorboard, **given,
    )  # fmt: skip


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
