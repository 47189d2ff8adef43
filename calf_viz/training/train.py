"""`calf-viz train` and `calf-viz evaluate`, as functions."""

import re
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from rich import box
from rich.table import Table

from calf_viz import systems
from calf_viz.agent import shipped_agents as shipped
from calf_viz.agent.evaluation import HORIZON, Row, evaluate_agent, held_out_starts, nominal_row
from calf_viz.agent.modes import NAMES
from calf_viz.agent.threads import one_thread
from calf_viz.console import as_options, say
from calf_viz.errors import FileTrouble, UserError, shown
from calf_viz.files import check_writable, exists, hold, is_folder, not_over, same, sweep_parts
from calf_viz.settings import fields_of, within
from calf_viz.training import metrics, resume
from calf_viz.training.config import MOST_STARTS, TrainingConfig
from calf_viz.training.progress import TrainingProgress
from calf_viz.training.run import Run, is_run, report_finished
from calf_viz.training.run_config import KEPT, continued
from calf_viz.training.trainer import Trainer
from calf_viz.training.writers import MetricsFile, MetricsWriter, Writers


class Records(Protocol):
    """Where a training writes what it can be resumed from: a run, or individual files.

    Attributes:
        writers: its metrics writers.
    """

    writers: Writers

    def start(self, trainer: Trainer) -> None:
        """Called before the first step, so that an unwritable place is reported at once."""

    def episode(self, trainer: Trainer) -> None:
        """Called when an episode ended."""

    def finish(self, trainer: Trainer) -> None:
        """Called when the training ended or was stopped."""

    def close(self) -> None:
        """Release them to other processes; may be called again."""


class Files:
    """`FILE` with the best agent so far (see `Trainer._select`), `FILE.resume` with the complete
    state, `FILE.metrics.csv` with a line per episode.

    One process at a time holds them, until it closes them or exits, in any way.
    """

    def __init__(
        self,
        output: str | Path,
        ours: bool = False,
        read: Iterable[str | Path] = (),
        resumed: bool = False,
    ) -> None:
        """Lock the files.

        Args:
            output: path of `FILE`.
            ours: whether existing files may be replaced.
            read: inputs, which are never replaced.
            resumed: whether a resumed training is to be written there.

        Raises:
            UserError: another process holds them, they exist or are inputs, or one is a folder.
        """
        self.output = Path(output)
        self.writers = Writers(MetricsFile(metrics_path(output)))
        if is_folder(self.output):
            raise UserError(f"{shown(output)} is a folder: name a file in it")
        read, instead = tuple(read), "" if resumed else f"`resume` {shown(output)}, "

        def check() -> None:
            for path in (self.output, resume.resume_path(output), metrics_path(output)):
                check_writable(path)
                if exists(path) and not ours:
                    raise UserError(
                        f"{shown(path)} exists: give another `output`, {instead}or `overwrite=True`"
                    )
                not_over(path, read)

        check()  # before creating a lock file beside them
        self._lock = hold(self.output, "is being trained by another process: end that")
        try:
            check()
        except BaseException:
            self.close()
            raise
        ends = (self.output, resume.resume_path(self.output), metrics_path(self.output))
        sweep_parts(self.output.parent, "|".join(re.escape(path.name) for path in ends))

    def close(self) -> None:
        """Release them to other processes."""
        try:
            self.writers.close()
        finally:
            self._lock.release()

    def start(self, trainer: Trainer) -> None:
        self.writers.start(trainer)
        self._save(trainer)

    def episode(self, trainer: Trainer) -> None:
        self.writers.episode(trainer)
        if trainer.done % trainer.config.select_every == 0:
            self._save(trainer)

    def finish(self, trainer: Trainer) -> None:
        self._save(trainer)
        self.close()

    def _save(self, trainer: Trainer) -> None:
        """Write checkpoint and resume file, each completely or not at all."""
        self.writers.checkpoint(trainer)  # as the resume file relies on the metrics' lines
        resume.save(trainer, resume.resume_path(self.output))
        trainer.result().save(self.output)


@one_thread()  # the products are too small to share: a second thread would only wait
def train(
    system: str | None = None,
    preset: str | None = None,
    seed: int | None = None,
    output: str | Path | None = None,
    resume_from: str | Path | None = None,
    progress: bool = True,
    overwrite: bool = False,
    runs: str | Path = "runs",
    config_file: str | Path | None = None,
    writers: Iterable[MetricsWriter] = (),
    **changes: Any,
) -> Trainer:
    """Train an agent, without a window, and write a run (see `run.py`), or `Files` at `output`.

    Ctrl-C, SIGTERM and SIGHUP stop it between two steps, after all files have been written.

    Args:
        system: name of the system.
        preset: quick, standard (the default) or thorough.
        seed: determines everything random; 0 by default.
        output: a file to write instead of a run, with two beside it.
        resume_from: a run, or a checkpoint with a `.resume` file beside it, to resume.
        progress: whether to show a progress bar.
        overwrite: whether `output` may replace an earlier training's files.
        runs: folder for new runs.
        config_file: where the settings came from; it is never replaced.
        writers: additional metrics writers, called in this order after the program's own.
        changes: settings of `TrainingConfig` that differ from the preset's; for a resumed training
            only those in `run_config.LATER`, and its system, preset and seed cannot change.

    Raises:
        UserError: an unknown name, a resume file that cannot be used, an output that cannot be
            written, a training that diverged.
    """
    records: Run | Files
    if resume_from is not None:
        own = {"system": system, "preset": preset, "seed": seed}
        changes |= {name: value for name, value in own.items() if value is not None}
        trainer, records = _resume(resume_from, output, overwrite, changes)
    elif system is None:
        raise UserError("no system to train: give `system`, or `resume` with a run or checkpoint")
    else:
        config = TrainingConfig.from_preset(
            preset or "standard", system=system, seed=seed or 0, **changes
        )
        if output is None:
            trainer = Trainer(config)
            records = Run.create(trainer, config, runs)
        else:
            _for_files(config)
            records = Files(output, overwrite, () if config_file is None else (config_file,))
            trainer = Trainer(config)
    records.writers.add(writers)
    try:
        follow(trainer, records, progress)
    finally:
        records.close()
    where = records.folder if isinstance(records, Run) else records.output
    said = str(records.agent if isinstance(records, Run) else where)
    if not trainer.finished:
        said = f"stopped after {trainer.done} episodes; go on with `resume` {where}"
    say(as_options(said))
    return trainer


def _resume(
    path: str | Path, output: str | Path | None, overwrite: bool, changes: dict[str, Any]
) -> tuple[Trainer, Run | Files]:
    if is_run(path):
        if output is not None:
            raise UserError(f"{path} is a run, which is written where it is: leave `output` out")
        run, trainer = Run.open(path, **changes)
        return trainer, run
    source = resume.resume_path(path)
    if not exists(source):  # before creating a lock file beside it
        reason = f"neither a run's folder nor a checkpoint with {shown(source)} beside it"
        raise FileTrouble(path, reason, "give another, or train one")
    own = output is None or same(output, path)
    read = () if own else (source, metrics_path(path))
    records = Files(path if output is None else output, own or overwrite, read, resumed=True)
    try:
        trainer = resume.load(source)
        config = continued(trainer.config, changes, path)
        _for_files(config)
        trainer.plan(config.episodes)
        metrics.go_on(metrics_path(records.output), trainer, metrics_path(path))
        report_finished(trainer, path)
    except BaseException:
        records.close()
        raise
    return trainer, records


def _for_files(config: TrainingConfig) -> None:
    """Raise UserError for a setting that only applies to a run."""
    for name in KEPT:
        if getattr(config, name) != fields_of(config)[name].default:
            raise UserError(f"`{name}` requires a run: leave it out, or `output` and its `resume`")


def follow(trainer: Trainer, records: Records, progress: bool = True) -> None:
    """Train until finished or interrupted, and keep the records."""
    records.start(trainer)
    with _interruptible() as interrupted:
        with TrainingProgress(trainer, progress) as shown:

            def each_episode(trainer: Trainer) -> None:
                shown.update(trainer)
                records.episode(trainer)

            trainer.run(each_episode, stop=lambda: bool(interrupted))
        records.finish(trainer)


def metrics_path(path: str | Path) -> Path:
    """The metrics file beside a checkpoint."""
    path = Path(path)
    return path.parent / f"{path.name}.metrics.csv"


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """A list that receives Ctrl-C, SIGTERM and SIGHUP; a second signal raises KeyboardInterrupt.

    Except SIGHUP, which a lost terminal may send more than once. A signal that was ignored before,
    as under nohup, stays ignored.
    """
    caught: list[int] = []

    def handler(number: int, _frame: object) -> None:
        if caught and number != signal.SIGHUP:
            raise KeyboardInterrupt
        caught.append(number)

    old: dict[signal.Signals, Any] = {}
    with suppress(ValueError):  # not the main thread, where signals never arrive
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                old[number] = signal.signal(number, handler)
    try:
        yield caught
    finally:
        for number, before in old.items():
            signal.signal(number, before)


@one_thread()  # the products are too small to share: a second thread would only wait
def evaluate(
    system: str,
    checkpoint_file: str | Path | None = None,
    episodes: int = 200,
    seed: int = 0,
) -> list[Row]:
    """The table's rows for a checkpoint, by default the shipped one; the nominal policy's alone if
    there is none.

    Raises:
        UserError: unknown system, bad checkpoint, or episodes or seed out of range.
    """
    within("episodes", episodes, 1, MOST_STARTS)
    within("seed", seed, 0, 2**63 - 1)
    file, known = None if checkpoint_file is None else Path(checkpoint_file), systems.get(system)
    if file is None and known.name not in shipped.trained():
        return [nominal_row(known, held_out_starts(known, episodes, seed))]
    return evaluate_agent(shipped.load(known, file), episodes, seed)


def table(rows: list[Row], title: str = "") -> Table:
    """The rows as a table for the terminal."""
    out = narrow_table(title)
    heads = ("policy", "goal\n%", "steps", "cost", *(f"{name}\n%" for name in NAMES))
    for head in (*heads, "in\ntime\n%", "edge\n%", "most\nsteps"):
        out.add_column(head, justify="left" if head == "policy" else "right")
    for row in rows:
        steps = "-" if np.isnan(row.steps) else f"{row.steps:.0f}"
        # The actor alone is not certified, so it has no modes.
        unasked = row.policy == "actor alone"
        modes = ("-",) * len(NAMES) if unasked else tuple(f"{100 * m:.1f}" for m in row.modes)
        shares = (f"{100 * row.within:.1f}", f"{100 * row.crossed:.1f}", str(row.longest))
        cost = f"{row.cost:.1f}"
        out.add_row(row.policy, f"{100 * row.goal:.1f}", steps, cost, *modes, *shares)
    out.caption = (
        f"steps: mean of the episodes that reached the goal. cost: mean over {HORIZON} steps, "
        "zero after the goal. in time: episodes in the goal within a training episode's steps. "
        "edge: episodes that crossed it. most steps: of the longest episode."
    )
    return out


def narrow_table(title: str) -> Table:
    """A table without lines between its columns: ten of them fit in 80 characters."""
    padding = (0, 0, 0, 1)  # in addition to the space in place of each line
    return Table(title=title, box=box.SIMPLE_HEAD, padding=padding, show_edge=False, pad_edge=False)
