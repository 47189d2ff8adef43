"""`calf-viz train` and `calf-viz evaluate`, as functions."""

import csv
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from calf_viz import systems
from calf_viz.agent import checkpoint, presets, resume
from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.evaluation import HORIZON, Row, evaluate_agent
from calf_viz.agent.modes import NAMES
from calf_viz.agent.progress import TrainingProgress
from calf_viz.agent.trainer import Trainer
from calf_viz.errors import UserError
from calf_viz.files import write_aside

COLUMNS = ("episode", "steps", "return", "goal", *NAMES, "p_relax")
"""Columns of `FILE.metrics.csv`; the modes are counts of steps."""


def metrics_path(path: str | Path) -> Path:
    """The metrics file beside a checkpoint."""
    path = Path(path)
    return path.with_name(path.name + ".metrics.csv")


def train(
    system: str | None,
    preset: str,
    seed: int,
    output: str | Path | None,
    resume_from: str | Path | None = None,
    progress: bool = True,
    overwrite: bool = False,
) -> Trainer:
    """Train an agent, without a window, and write `output` and the two files beside it.

    `output` holds the best agent so far (see `Trainer._select`), `output.resume` the whole state,
    `output.metrics.csv` a line per episode. Ctrl-C stops between two steps, with all three.

    Args:
        system: name of the system; may be None when resuming.
        preset: quick, standard or thorough; a resumed training keeps its own.
        seed: decides everything random; a resumed training goes on with its own state.
        output: defaults to `<system>.safetensors`, or to the file resumed from.
        resume_from: checkpoint whose `.resume` file to go on from.
        progress: whether to show a progress bar.
        overwrite: whether a new training may replace an older one's file.

    Raises:
        UserError: an unknown name, a resume file that cannot be used, an output that cannot be
            written.
    """
    # The products are too small to share: a second thread would only wait.
    torch.set_num_threads(1)
    if resume_from is not None:
        trainer = resume.load(resume.resume_path(resume_from))
        if system is not None and systems.get(system) is not trainer.system:
            raise UserError(
                f"{resume_from} trains {trainer.system.name}, not {system}: leave --system out"
            )
        output = output or resume_from
    elif system is None:
        raise UserError("no system to train: give --system, or --resume with a checkpoint")
    else:
        trainer = Trainer(systems.get(system), presets.get(preset), seed)
        output = output or f"{trainer.system.name}.safetensors"
        if Path(output).exists() and not overwrite:
            raise UserError(
                f"{output} exists: give another --output, --resume {output}, or --overwrite"
            )
    # At once, so that a place that cannot be written is known before an hour's work.
    save(trainer, output)

    with _interruptible() as interrupted, TrainingProgress(trainer, progress) as shown:

        def each_episode(trainer: Trainer) -> None:
            shown.update(trainer)
            if len(trainer.episodes) % trainer.preset.select_every == 0:
                save(trainer, output)

        trainer.run(each_episode, stop=lambda: bool(interrupted))
    save(trainer, output)
    said = f"{output}"
    if not trainer.finished:
        said = f"stopped after {len(trainer.episodes)} episodes; go on with --resume {output}"
    Console().print(said, soft_wrap=True)
    return trainer


def save(trainer: Trainer, output: str | Path) -> None:
    """Write checkpoint, resume file and metrics, each whole or not at all."""
    trainer.result().save(output)
    resume.save(trainer, resume.resume_path(output))
    with write_aside(metrics_path(output)) as part, part.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(COLUMNS)
        for e in trainer.episodes:
            lines.writerow((e.episode, e.steps, e.ret, int(e.goal), *e.modes, e.p_relax))


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
