"""The commands `train` and `evaluate`. torch is imported only when one of them runs."""

import click

from calf_viz import systems
from calf_viz.agent.presets import PRESETS
from calf_viz.errors import UserError

_SYSTEM_HELP = f"System: {', '.join(systems.names())}."


@click.command()
@click.option("--system", help=_SYSTEM_HELP)
@click.option("--preset", default="standard", show_default=True, help=f"{', '.join(PRESETS)}.")
@click.option("--seed", default=0, show_default=True, help="Decides everything random.")
@click.option("--output", help="Checkpoint to write.  [default: <system>.safetensors]")
@click.option("--resume", help="Checkpoint to go on from (needs the .resume file beside it).")
@click.option("--progress/--no-progress", default=True, help="Show a progress bar.")
@click.option("--overwrite", is_flag=True, help="Let a new training replace an older one's file.")
def train(
    system: str | None,
    preset: str,
    seed: int,
    output: str | None,
    resume: str | None,
    progress: bool,
    overwrite: bool,
) -> None:
    """Train an agent without a window; Ctrl-C stops with a checkpoint."""
    from calf_viz.agent import training

    if seed < 0:
        raise UserError(f"--seed {seed} is negative: give 0 or more")
    training.train(system, preset, seed, output, resume, progress, overwrite)


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
