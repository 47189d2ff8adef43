"""A run: the folder that a training writes, from which it can be resumed at any moment.

    runs/point_mass-0-20260131_120000/
        config.toml                     what was asked for
        metrics.csv                     a line for each episode, appended as it ends
        agent.safetensors               the best agent so far, to be shown or evaluated
        certificate.csv, *.png          to be looked at (see `views.py`)
        checkpoints/000040.resume       all that the training needs to go on; the newest few

The folder gets its name only when the first checkpoint is in it, and every file but the metrics is
written aside and renamed: whenever the training is killed, what has the name of a run resumes.
Metrics later than the checkpoint resumed from are dropped, and come again as they were. A
checkpoint that cannot be used is set aside, and the one before is resumed from.
"""

import logging
import os
import shutil
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from calf_viz.agent import metrics, resume, views
from calf_viz.agent.config import TrainingConfig
from calf_viz.agent.run_config import LATER, continued, read_config, write_config
from calf_viz.agent.tensorboard import TensorBoard, summary_writer
from calf_viz.agent.trainer import Trainer
from calf_viz.errors import UserError
from calf_viz.files import make_folder
from calf_viz.settings import fields_of

log = logging.getLogger("calf_viz")

SUFFIX, DAMAGED = ".resume", ".damaged"


class Run:
    """A run's folder.

    One process at a time has it, until it closes it or ends, however it ends.

    Attributes:
        folder: where it is.
        config: what its `config.toml` says; with `tensorboard`, each episode is written for it
            too, from `start` on.
        saved: steps of the training that its newest checkpoint holds.
    """

    def __init__(self, folder: Path, config: TrainingConfig) -> None:
        self.folder, self.config = folder, config
        self.saved = 0
        self._tensorboard: TensorBoard | None = None
        if config.tensorboard:
            summary_writer()  # before there is work to lose without it
        self._lock = FileLock(folder / ".lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise UserError(f"{folder} is being trained by another process: end that") from error
        except OSError as error:
            raise UserError(f"cannot write to {folder}: {error.strerror}") from error

    @classmethod
    def create(cls, trainer: Trainer, config: TrainingConfig, root: str | Path = "runs") -> "Run":
        """A new run below `root`, with its first checkpoint.

        Raises:
            UserError: the folder cannot be written.
        """
        make_folder(root)
        name = f"{config.system}-{config.seed}-{datetime.now():%Y%m%d_%H%M%S}"
        building = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root))
        try:
            building.chmod(0o777 & ~_umask())
            run = cls(building, config)
            write_config(building, config)
            metrics.write(run.metrics, trainer.episodes)
            run.checkpoint(trainer)
            run.folder = _named(building, Path(root) / name)
        except OSError as error:
            raise UserError(f"cannot write to {root}: {error.strerror}; choose another") from error
        finally:
            shutil.rmtree(building, ignore_errors=True)  # there is none once it has its name
        return run

    @classmethod
    def open(cls, folder: str | Path, **changes: Any) -> tuple["Run", Trainer]:
        """A run and its trainer as the newest checkpoint has it; metrics beyond it are dropped.

        changes: settings for the rest of it; of them only those of `LATER` may differ.

        Raises:
            UserError: no run is there, it is in use, no checkpoint of it can be used, a setting
                cannot change, or `config.toml` was edited to say other than the checkpoint.
        """
        folder = Path(folder)
        said = read_config(folder)
        run = cls(folder, continued(said, changes, folder))
        try:
            trainer = run._newest()
            _check(said, trainer.config, folder / "config.toml")
            trainer.plan(run.config.episodes)
            if run.config != said:
                write_config(folder, run.config)
            run.saved = trainer.steps
            metrics.write(run.metrics, trainer.episodes)
            views.write_certificate(folder, trainer)
        except BaseException:
            run.close()
            raise
        tell_finished(trainer, folder)
        return run, trainer

    def _newest(self) -> Trainer:
        """The trainer of the newest checkpoint that can be used; newer ones are set aside."""
        failures: dict[Path, UserError] = {}
        for path in reversed(self.checkpoints()):
            try:
                trainer = resume.load(path)
            except UserError as error:
                failures[path] = error
                continue
            for damaged, failure in failures.items():
                # Or it would pass for one of the newest, and the others be dropped for it.
                aside = damaged.with_suffix(DAMAGED)
                os.replace(damaged, aside)
                log.warning("%s (now %s); going on from %s", failure, aside.name, path.name)
            return trainer
        raise next(
            iter(failures.values()), UserError(f"{self.folder} has no checkpoint: train anew")
        )

    @property
    def metrics(self) -> Path:
        """The metrics file."""
        return self.folder / "metrics.csv"

    @property
    def agent(self) -> Path:
        """The best agent so far."""
        return self.folder / "agent.safetensors"

    def checkpoints(self) -> list[Path]:
        """The checkpoints that there are, oldest first."""
        return sorted((self.folder / "checkpoints").glob(f"*{SUFFIX}"))

    def start(self, trainer: Trainer) -> None:
        """Before the first step: this is the process that trains."""
        if self.config.tensorboard:
            self._tensorboard = TensorBoard(self.folder / "tensorboard", trainer)

    def episode(self, trainer: Trainer) -> None:
        """Note the episode that just ended; a checkpoint where one is due."""
        if self._tensorboard is not None:
            self._tensorboard.episode(trainer)
        metrics.append(self.metrics, trainer.episodes[-1])
        if len(trainer.episodes) % self.config.checkpoint_every == 0:
            self.checkpoint(trainer)

    def finish(self, trainer: Trainer) -> None:
        """Last checkpoint and pictures of a training that ended or was stopped; closes the run."""
        self.checkpoint(trainer)
        views.write_pictures(self.folder)
        self.close()

    def close(self) -> None:
        """Let another process have it."""
        if self._tensorboard is not None:
            self._tensorboard.close()
            self._tensorboard = None
        self._lock.release()

    def checkpoint(self, trainer: Trainer) -> None:
        """Write a checkpoint and the best agent; drop the oldest beyond those to keep.

        Raises:
            UserError: it cannot be written, or the training diverged: then all stays as it was.
        """
        if self._tensorboard is not None:
            self._tensorboard.flush()  # what a checkpoint is later than never comes again
        name = f"{len(trainer.episodes):06d}{SUFFIX}"
        resume.save(trainer, self.folder / "checkpoints" / name)
        self.saved = trainer.steps
        trainer.result().save(self.agent)
        views.write_certificate(self.folder, trainer)
        for path in self.checkpoints()[: -self.config.checkpoints]:
            with suppress(OSError):
                path.unlink()


def is_run(path: str | Path) -> bool:
    """Whether a path is a folder, as runs are, and not a checkpoint's file."""
    return Path(path).is_dir()


def tell_finished(trainer: Trainer, where: str | Path) -> None:
    """Say so of a training in which there is nothing left to do."""
    if trainer.finished:
        done = len(trainer.episodes)
        log.warning("%s is finished, after %d episodes: --episodes gives it more", where, done)


def _check(said: TrainingConfig, true: TrainingConfig, path: Path) -> None:
    """Raise UserError where a file says other than a checkpoint does."""
    for name in fields_of(said):
        if name not in LATER and getattr(said, name) != getattr(true, name):
            raise UserError(
                f"{path} says {name} = {getattr(said, name)}, its checkpoint "
                f"{getattr(true, name)}: put that back, or train anew"
            )


def _named(building: Path, wanted: Path) -> Path:
    """Rename a folder to what is wanted, or to that with a number where it is taken."""
    number = 1
    while True:
        target = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        number += 1
        # A folder may be renamed over an empty one; a run never is empty.
        if target.exists():
            continue
        try:
            os.rename(building, target)
        except OSError:
            if target.exists():
                continue
            raise
        return target


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
