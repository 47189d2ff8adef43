"""`calf-viz train` and `calf-viz evaluate`, as functions."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from calf_viz import systems
from calf_viz.agent import checkpoint, metrics, resume
from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.config import TrainingConfig
from calf_viz.agent.evaluation import HORIZON, Row, evaluate_agent
from calf_viz.agent.modes import NAMES
from calf_viz.agent.progress import TrainingProgress
from calf_viz.agent.run import Run, is_run
from calf_viz.agent.tensorboard import TensorBoard, summary_writer
from calf_viz.agent.trainer import Trainer
from calf_viz.errors import UserError


class Records(Protocol):
    """Where a training leaves what it is to be resumed from: a run, or files beside each other."""

    def start(self, trainer: Trainer) -> None:
        """Before the first step, so that a place that cannot be written is known at once."""

    def episode(self, trainer: Trainer) -> None:
        """An episode ended."""

    def finish(self, trainer: Trainer) -> None:
        """The training ended, or was stopped."""


class Files:
    """`FILE` with the best agent so far (see `Trainer._select`), `FILE.resume` with the whole
    state, `FILE.metrics.csv` with a line per episode."""

    def __init__(self, output: str | Path) -> None:
        self.output = output

    def start(self, trainer: Trainer) -> None:
        save(trainer, self.output)

    def episode(self, trainer: Trainer) -> None:
        if len(trainer.episodes) % trainer.preset.select_every == 0:
            save(trainer, self.output)

    def finish(self, trainer: Trainer) -> None:
        save(trainer, self.output)


def train(
    system: str | None,
    preset: str,
    seed: int,
    output: str | Path | None = None,
    resume_from: str | Path | None = None,
    progress: bool = True,
    overwrite: bool = False,
    runs: str | Path = "runs",
    tensorboard: bool = False,
    **changes: Any,
) -> Trainer:
    """Train an agent, without a window, and write a run (see `run.py`), or `Files` at `output`.

    Ctrl-C stops between two steps, with all files written.

    Args:
        system: name of the system; may be None when resuming.
        preset: quick, standard or thorough; a resumed training keeps its own.
        seed: decides everything random; a resumed training goes on with its own state.
        output: a file to write instead of a run, with two beside it.
        resume_from: a run, or a checkpoint whose `.resume` file to go on from.
        progress: whether to show a progress bar.
        overwrite: whether a new training may replace an older one's file.
        runs: folder for new runs.
        tensorboard: whether to write a run's metrics for TensorBoard too.
        changes: settings of `TrainingConfig` that differ from the preset's.

    Raises:
        UserError: an unknown name, a resume file that cannot be used, an output that cannot be
            written.
    """
    # The products are too small to share: a second thread would only wait.
    torch.set_num_threads(1)
    if tensorboard and output is not None:
        raise UserError("--tensorboard writes into a run: leave --output out")
    if tensorboard:
        summary_writer()  # before there is a run without it
    records: Run | Files
    if resume_from is not None:
        if changes:
            raise UserError(f"--resume keeps the settings it began with: leave {min(changes)} out")
        trainer, records = _resume(resume_from, output)
        if system is not None and systems.get(system) is not trainer.system:
            raise UserError(
                f"{resume_from} trains {trainer.system.name}, not {system}: leave --system out"
            )
    elif system is None:
        raise UserError("no system to train: give --system, or --resume with a run or checkpoint")
    else:
        config = TrainingConfig.from_preset(preset, system=system, seed=seed, **changes)
        trainer = Trainer.of(config)
        if output is None:
            records = Run.create(trainer, config, runs)
        elif Path(output).exists() and not overwrite:
            raise UserError(
                f"{output} exists: give another --output, --resume {output}, or --overwrite"
            )
        else:
            records = Files(output)
    kept: list[Records] = [records]
    if tensorboard:
        if isinstance(records, Files):  # resumed from one
            raise UserError("--tensorboard writes into a run: leave --output out")
        kept.append(TensorBoard(records.folder / "tensorboard", trainer))
    follow(trainer, kept, progress)
    where = records.folder if isinstance(records, Run) else records.output
    said = str(records.agent if isinstance(records, Run) else where)
    if not trainer.finished:
        said = f"stopped after {len(trainer.episodes)} episodes; go on with --resume {where}"
    Console().print(said, soft_wrap=True)
    return trainer


def _resume(path: str | Path, output: str | Path | None) -> tuple[Trainer, Run | Files]:
    if not is_run(path):
        return resume.load(resume.resume_path(path)), Files(output or path)
    if output is not None:
        raise UserError(f"{path} is a run, which is written where it is: leave --output out")
    run, trainer = Run.open(path)
    return trainer, run


def follow(trainer: Trainer, kept: Sequence[Records], progress: bool = True) -> None:
    """Train to the end, or until Ctrl-C, and keep the records."""
    for records in kept:
        records.start(trainer)
    with _interruptible() as interrupted, TrainingProgress(trainer, progress) as shown:

        def each_episode(trainer: Trainer) -> None:
            shown.update(trainer)
            for records in kept:
                records.episode(trainer)

        trainer.run(each_episode, stop=lambda: bool(interrupted))
    for records in kept:
        records.finish(trainer)


def metrics_path(path: str | Path) -> Path:
    """The metrics file beside a checkpoint."""
    path = Path(path)
    return path.with_name(path.name + ".metrics.csv")


def save(trainer: Trainer, output: str | Path) -> None:
    """Write checkpoint, resume file and metrics, each whole or not at all."""
    trainer.result().save(output)
    resume.save(trainer, resume.resume_path(output))
    metrics.write(metrics_path(output), trainer.episodes)


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """A list that Ctrl-C puts its signal into; a second Ctrl-C stops the hard way."""
    caught: list[int] = []

    def handler(number: int, _frame: object) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)

    try:
        old = signal.signal(signal.SIGINT, handler)
    except ValueError:  # not the main thread: there Ctrl-C never arrives anyway
        yield caught
        return
    try:
        yield caught
    finally:
        signal.signal(signal.SIGINT, old)


def evaluate(
    system: str,
    checkpoint_file: str | Path | None = None,
    episodes: int = 200,
    seed: int = 0,
) -> list[Row]:
    """The table's rows for a checkpoint, by default the one that comes with the program.

    Raises:
        UserError: an unknown system, a bad checkpoint, or fewer than one episode.
    """
    if episodes < 1:
        raise UserError(f"--episodes {episodes} is too few: give at least 1")
    name = systems.get(system).name
    torch.set_num_threads(1)
    agent = CALFAgent.load(checkpoint_file or checkpoint.shipped(name), name)
    return evaluate_agent(agent, episodes, seed)


def table(rows: list[Row], title: str = "") -> Table:
    """The rows as a table for the terminal."""
    out = Table(title=title)
    heads = ("policy", "goal %", "steps", "cost", *(f"{name} %" for name in NAMES))
    for head in (*heads, "in time %", "over edge %", "longest"):
        out.add_column(head, justify="left" if head == "policy" else "right")
    for row in rows:
        steps = "-" if np.isnan(row.steps) else f"{row.steps:.0f}"
        # The actor alone is asked no certificate, so it has no modes to share.
        unasked = row.policy == "actor alone"
        modes = ("-",) * len(NAMES) if unasked else tuple(f"{100 * m:.1f}" for m in row.modes)
        shares = (f"{100 * row.within:.1f}", f"{100 * row.crossed:.1f}", str(row.longest))
        cost = f"{row.cost:.1f}"
        out.add_row(row.policy, f"{100 * row.goal:.1f}", steps, cost, *modes, *shares)
    out.caption = (
        f"steps: mean of the episodes that reached the goal. cost: mean over {HORIZON} steps, "
        "zero after the goal."
    )
    return out
