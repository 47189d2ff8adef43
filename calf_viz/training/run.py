"""A run: the folder that a training writes, from which it can be resumed at any moment.

    runs/point_mass-0-20260131_120000/
        config.toml                     the settings
        metrics.csv                     a line for each episode, appended as it ends
        agent.safetensors               the best agent so far, to be shown or evaluated
        certificate.csv, *.png          for people to look at (see `views.py`)
        recording.calf, strict.calf     if configured: each step (see `recorded.py`)
        checkpoints/000040.resume       everything needed to resume; the newest few, each named
                                        after the number of complete episodes before it

The folder gets its name only once the first checkpoint is in it, and every file except the metrics
is written under a temporary name and renamed: whenever the training is killed, a folder with the
name of a run can be resumed. Checkpoints are written when an episode ends; that of a stopped
training may be from any step of the next one. Metrics later than the checkpoint resumed from are
dropped, and written again as they were. A damaged checkpoint is set aside, and the one before it is
resumed from.
"""

import logging
import os
import re
import shutil
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import Timeout

from calf_viz.errors import FileDamaged, UserError, shown
from calf_viz.files import exists, hold, is_folder, make_folder, set_aside, sweep_parts
from calf_viz.settings import fields_of
from calf_viz.training import metrics, resume, views
from calf_viz.training.config import TrainingConfig
from calf_viz.training.recorded import RecordedTraining
from calf_viz.training.run_config import LATER, continued, read_config, write_config
from calf_viz.training.tensorboard import TensorBoard
from calf_viz.training.trainer import Trainer
from calf_viz.training.writers import MetricsFile, Writers

log = logging.getLogger("calf_viz")

AGENT = "agent.safetensors"
"""Name of the file of a run's best agent so far."""
_CHECKPOINT = re.compile(r"[0-9]{6,18}\.resume")
_WRITTEN = (
    r"config\.toml|metrics\.csv|agent\.safetensors|(certificate|training)\.(csv|png)|"
    + _CHECKPOINT.pattern
)
"""Names of files that only the run's own process writes."""
_BUILDING = re.compile(r"\.\w+-[0-9]+-[0-9]{8}_[0-9]{6}-[a-z0-9_]{8}")
"""Names of folders that are not runs yet."""


class Run:
    """A run's folder.

    One process at a time holds it, until it closes the run or exits, in any way.

    Attributes:
        folder: its path.
        config: the contents of its `config.toml`.
        writers: its metrics writers: `metrics.csv` and, if configured, TensorBoard and recordings.
        saved: training steps at its newest checkpoint.
    """

    def __init__(self, folder: Path, config: TrainingConfig) -> None:
        self.config = config
        self.saved = 0
        self._write_to(folder)
        self._lock = hold(folder, "is being trained by another process: end that")

    def _write_to(self, folder: Path) -> None:
        """Set the folder and the writers below it."""
        self.folder = folder
        self.writers = Writers(MetricsFile(self.metrics))
        if self.config.tensorboard:
            self.writers.add([TensorBoard(folder / "tensorboard")])
        if self.config.recording:
            self.writers.add([RecordedTraining(folder)])

    @classmethod
    def create(cls, trainer: Trainer, config: TrainingConfig, root: str | Path = "runs") -> "Run":
        """A new run below `root`, with its first checkpoint.

        Raises:
            UserError: the folder cannot be written.
        """
        make_folder(root)
        _sweep(Path(root))
        name = f"{config.system}-{config.seed}-{datetime.now():%Y%m%d_%H%M%S}"
        run: Run | None = None
        try:
            while run is None:
                building = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root))
                run = cls._building(building, config)
            building.chmod(0o777 & ~_umask())
            write_config(building, config)
            metrics.write(run.metrics)
            run.checkpoint(trainer)
            run._write_to(_named(building, Path(root) / name))
        except BaseException as error:
            if run is not None:
                run.close()
                shutil.rmtree(run.folder, ignore_errors=True)
            if not isinstance(error, OSError):
                raise
            raise UserError(
                f"cannot write to {shown(root)}: {error.strerror}; choose another"
            ) from error
        return run

    @classmethod
    def _building(cls, folder: Path, config: TrainingConfig) -> "Run | None":
        """The run of a new folder; None if another process took it for a leftover and removed it
        just before it was locked."""
        try:
            run = cls(folder, config)
        except UserError as error:
            if is_folder(folder) and not isinstance(error.__cause__, Timeout):
                shutil.rmtree(folder, ignore_errors=True)
                raise
            return None
        if exists(folder / ".lock"):
            return run
        run.close()
        return None

    @classmethod
    def open(cls, folder: str | Path, **changes: Any) -> tuple["Run", Trainer]:
        """A run, and its trainer from the newest checkpoint; later metrics are dropped.

        changes: settings from now on; only those in `LATER` may differ.

        Raises:
            UserError: it is not a run, is in use, has no usable checkpoint, a setting cannot
                change, or `config.toml` was edited to contradict the checkpoint.
        """
        folder = Path(folder)
        said = read_config(folder)
        run = cls(folder, continued(said, changes, folder))
        try:
            trainer = run._newest()
            _check(said, trainer.config, folder / "config.toml")
            for written in (folder, folder / "checkpoints"):
                sweep_parts(written, _WRITTEN)
            trainer.plan(run.config.episodes)
            if run.config != said:
                write_config(folder, run.config)
            run.saved = trainer.steps
            metrics.go_on(run.metrics, trainer)
            views.write_certificate(folder, trainer)
        except BaseException:
            run.close()
            raise
        report_finished(trainer, folder)
        return run, trainer

    def _newest(self) -> Trainer:
        """The trainer of the newest intact checkpoint; damaged newer ones are set aside."""
        failures: list[FileDamaged] = []
        for path in reversed(self.checkpoints()):
            try:
                trainer = resume.load(path)
            except FileDamaged as error:
                failures.append(error)
                continue
            for damaged in failures:
                # Otherwise it would count as one of the newest, and displace intact ones.
                aside = set_aside(damaged.path)
                log.warning(
                    "%s: %s (now %s): going on from %s",
                    damaged.path, damaged.reason, aside.name, path.name,
                )  # fmt: skip
            return trainer
        if failures:
            raise failures[0]
        raise UserError(f"{shown(self.folder)} has no checkpoint: train anew")

    @property
    def metrics(self) -> Path:
        """The metrics file."""
        return self.folder / "metrics.csv"

    @property
    def agent(self) -> Path:
        """The best agent so far."""
        return self.folder / AGENT

    def checkpoints(self) -> list[Path]:
        """The checkpoints, oldest first.

        Raises:
            UserError: the folder cannot be read.
        """
        folder = self.folder / "checkpoints"
        try:
            names = [name for name in os.listdir(folder) if _CHECKPOINT.fullmatch(name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UserError(
                f"{shown(folder)} cannot be read ({error.strerror}); put that right"
            ) from error
        return [folder / name for name in sorted(names, key=_episodes)]

    def start(self, trainer: Trainer) -> None:
        """Called before the first step, in the process that trains."""
        self.writers.start(trainer)

    def episode(self, trainer: Trainer) -> None:
        """Record the episode that just ended; write a checkpoint if one is due."""
        self.writers.episode(trainer)
        if trainer.done % self.config.checkpoint_every == 0:
            self.checkpoint(trainer)

    def finish(self, trainer: Trainer) -> None:
        """Write the last checkpoint and the plots after a training ended or was stopped; close."""
        self.checkpoint(trainer)
        views.write_pictures(self.folder)
        self.close()

    def close(self) -> None:
        """Release the run to other processes."""
        try:
            self.writers.close()
        finally:
            self._lock.release()

    def checkpoint(self, trainer: Trainer) -> None:
        """Write a checkpoint and the best agent; drop the oldest beyond those to keep.

        Raises:
            UserError: it cannot be written, or the training diverged; nothing is changed then.
        """
        if not is_folder(self.folder):  # must not be created again without its contents
            raise UserError(
                f"{shown(self.folder)} is gone: put it back where it was, or `resume` it elsewhere"
            )
        self.writers.checkpoint(trainer)  # as the checkpoint relies on the metrics' lines
        name = f"{trainer.done:06d}.resume"
        resume.save(trainer, self.folder / "checkpoints" / name)
        self.saved = trainer.steps
        trainer.result().save(self.agent)
        views.write_certificate(self.folder, trainer)
        for path in self.checkpoints()[: -self.config.checkpoints]:
            with suppress(OSError):
                path.unlink()


def _episodes(name: str) -> int:
    """The number of complete episodes in a checkpoint's name."""
    return int(name.partition(".")[0])


def is_run(path: str | Path) -> bool:
    """Whether a path is a folder, as a run is, rather than a checkpoint file."""
    return is_folder(path)


def report_finished(trainer: Trainer, where: str | Path) -> None:
    """Log that a training has nothing left to do, if so."""
    if trainer.finished:
        log.warning(
            "%s is finished, after %d episodes: `episodes` gives it more", where, trainer.done
        )


def _check(said: TrainingConfig, true: TrainingConfig, path: Path) -> None:
    """Raise UserError if a file contradicts its checkpoint."""
    for name in fields_of(said):
        if name not in LATER and getattr(said, name) != getattr(true, name):
            raise UserError(
                f"{path} says {name} = {getattr(said, name)}, its checkpoint "
                f"{getattr(true, name)}: put that back, or train anew"
            )


def _named(building: Path, wanted: Path) -> Path:
    """Rename a folder to the wanted name, with a number appended if it is taken."""
    number = 1
    while True:
        target = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        number += 1
        # A rename can replace an empty folder, but a run is never empty.
        if exists(target):
            continue
        try:
            os.rename(building, target)
        except OSError:
            if exists(target):
                continue
            raise
        return target


def _sweep(root: Path) -> None:
    """Remove the unfinished folders of killed processes.

    A live process has locked its folder, or is about to (see `Run._building`).
    """
    names: list[str] = []
    with suppress(OSError):  # a folder that can be written but not listed
        names = os.listdir(root)
    for name in names:
        folder = root / name
        if not _BUILDING.fullmatch(name) or folder.is_symlink() or not is_folder(folder):
            continue
        with suppress(UserError, OSError):
            lock = hold(folder)
            try:
                shutil.rmtree(folder)
            finally:
                lock.release()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
