"""The commands `train`, `evaluate` and `benchmark`; torch is imported only when one runs."""

import sys
from collections.abc import Collection
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from calf_viz import systems
from calf_viz.agent.torch_import import whole_imports
from calf_viz.cli.option_types import GIVEN_PATH, option_name
from calf_viz.cli.signals import ended_as_by_ctrl_c
from calf_viz.cli.system_option import SYSTEM, SYSTEM_HELP
from calf_viz.console import bar, say, tables
from calf_viz.errors import UserError, shown
from calf_viz.files import exists, make_folder
from calf_viz.settings import fields_of, within
from calf_viz.training.config import PRESETS, SIZE, TrainingConfig
from calf_viz.training.run_config import KEPT
from calf_viz.viewer.app_config import AppConfig

Command = TypeVar("Command", bound=Any)
ALSO = {"recording": ("--record/--no-record",)}
"""Other names of options; `calf-viz --train` has a --record of its own, for what it shows."""


def training_options(
    command: Command, hidden: bool = False, without: Collection[str] = ()
) -> Command:
    """Add an option for each training setting except system, seed and preset; None if not given.

    hidden: leave them out of the help, for a command that only sometimes trains.
    without: settings left out.
    """
    for name, f in reversed(fields_of(TrainingConfig).items()):
        if name in ("system", "seed", "preset", *without):
            continue
        option = option_name(name)
        also = () if hidden else ALSO.get(name, ())
        kinds: dict[str, Any] = {"int": int, "float": float, "bool": None}
        if f.type == "bool":
            option += option.replace("--", "/--no-", 1)
        default: Any = "by preset" if name in SIZE else f.default
        shown = ("no", "yes")[default] if isinstance(default, bool) else default
        text = f"{f.metadata['help']}  [default: {shown}]"
        command = click.option(
            option, *also, name, type=kinds[str(f.type)], default=None, help=text, hidden=hidden
        )(command)
    return command


@click.command()
@click.option("--system", type=SYSTEM, help=SYSTEM_HELP)
@click.option("--preset", help=f"{', '.join(PRESETS)}.  [default: standard]")
@click.option("--seed", type=int, help="Determines everything random.  [default: 0]")
@click.option("--config", type=GIVEN_PATH, help="TOML file with settings; options override them.")
@click.option("--output", type=GIVEN_PATH,
              help="Checkpoint to write, with two files beside it, instead of a run.")  # fmt: skip
@click.option("--runs", type=GIVEN_PATH, help="Folder for runs.  [default: runs]")
@click.option(
    "--resume",
    type=GIVEN_PATH,
    help="Run, or checkpoint with a .resume file beside it, to resume.",
)
@click.option("--progress/--no-progress", default=True, help="Show a progress bar.")
@click.option("--overwrite", is_flag=True, help="Let --output replace an earlier training's files.")
@training_options
def train(
    system: str | None,
    preset: str | None,
    seed: int | None,
    config: Path | None,
    output: Path | None,
    runs: Path | None,
    resume: Path | None,
    progress: bool,
    overwrite: bool,
    **changes: Any,
) -> None:
    """Train an agent without a window; Ctrl-C stops with a checkpoint.

    Writes a run, RUNS/<system>-<seed>-<time>/: configuration, metrics, checkpoints, best agent.

    A resumed run keeps the settings that it began with; only --episodes and what the run keeps may
    be changed.
    """
    with whole_imports():
        from calf_viz.sources.publisher import PublishedTraining
        from calf_viz.training import train as training

    if config is not None and resume is not None:
        raise UserError("--resume keeps the settings it began with: leave --config out")
    if runs is not None and (resume is not None or output is not None):
        raise UserError("--runs is for a new run: leave it out, or --output and --resume")
    if output is not None and changes["recording"]:
        raise UserError("--record requires a run: leave --output out")
    if overwrite and output is None:
        raise UserError("--overwrite goes with --output: a run replaces nothing")
    given = {name: value for name, value in changes.items() if value is not None}
    if config is not None:
        flags = {"system": system, "seed": seed, "training_preset": preset}
        given |= {name: value for name, value in flags.items() if value is not None}
        given = asdict(AppConfig.load(config, **given).training)
        system, preset, seed = (given.pop(name) for name in ("system", "preset", "seed"))
    training.train(
        system, preset, seed, output, resume, progress, overwrite, runs or "runs", config,
        [PublishedTraining()], **given,
    )  # fmt: skip


@click.command()
@click.option("--system", type=SYSTEM, required=True, help=SYSTEM_HELP)
@click.option("--checkpoint", type=GIVEN_PATH, help="Checkpoint.  [default: the shipped one]")
@click.option("--episodes", default=200, show_default=True, help="Held-out starts.")
@click.option("--seed", default=0, show_default=True, help="Determines where episodes start.")
def evaluate(system: str, checkpoint: Path | None, episodes: int, seed: int) -> None:
    """Compare the strict CALF agent, its actor alone and the nominal policy.

    Without a checkpoint, of a system with which none comes, only the nominal policy.
    """
    with whole_imports():
        from calf_viz.training import train as training

    rows = training.evaluate(system, checkpoint, episodes, seed)
    title = f"{systems.get(system).name}, {episodes} held-out starts, seed {seed}"
    tables(130).print(training.table(rows, title))


@click.command()
@click.option("--system", type=SYSTEM, required=True, help=SYSTEM_HELP)
@click.option("--seeds", default=10, show_default=True, help="Number of seeds, from --seed on.")
@click.option("--seed", default=0, show_default=True, help="The first seed.")
@click.option("--preset", default="quick", show_default=True, help=f"{', '.join(PRESETS)}.")
@click.option("--jobs", default=1, show_default=True, help="Trainings to run in parallel.")
@click.option("--output", type=GIVEN_PATH, default="benchmarks", show_default=True,
              help="Folder for plot and CSV.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace files of an earlier benchmark.")
@partial(training_options, without=("certificate", *KEPT))
def benchmark(
    system: str,
    seeds: int,
    seed: int,
    preset: str,
    jobs: int,
    output: Path,
    overwrite: bool,
    **changes: Any,
) -> None:
    """Compare CALF, plain TD3 and the nominal policy over several seeds.

    Prints and plots median and 95 % interval of episode cost and goal rate. The exit code is 1 if a
    strict CALF episode did not reach the goal.
    """
    with whole_imports():
        from calf_viz.training import benchmark as benchmarks

    within("seeds", seeds, 1, benchmarks.MOST_SEEDS)
    within("jobs", jobs, 1, benchmarks.most_jobs())
    given = {name: value for name, value in changes.items() if value is not None}
    config = TrainingConfig.from_preset(preset, system=system, seed=seed, **given)
    within("seeds times episodes", seeds * config.episodes, 1, benchmarks.MOST_EPISODES)
    name = f"{config.system}-{config.preset}"
    files = benchmarks.files(output, name)
    for path in files:
        if exists(path) and not overwrite:
            raise UserError(f"{shown(path)} exists: give another --output, or --overwrite")
    make_folder(output)
    tasks = seeds * len(benchmarks.POLICIES)
    with ended_as_by_ctrl_c(), bar() as progress:
        task = progress.add_task(name, total=tasks)
        results = benchmarks.run(
            config, range(seed, seed + seeds), jobs, lambda result: progress.advance(task)
        )
    benchmarks.write_csv(results, *files[:2])
    title = f"{config.system}, {config.preset}, {seeds} seeds"
    benchmarks.plot(results, files[2], title)
    tables(130).print(benchmarks.table(results, title))
    for path in files:
        say(path)
    missed = [r.seed for r in benchmarks.of_policy(results, "CALF") if r.final.goal < 1.0]
    if missed:
        click.echo(f"strict CALF missed the goal with seeds {missed}", err=True)
        sys.exit(1)
