"""A run: the folder that a training writes, from which it can be resumed at any moment.

    runs/point_mass-0-20260131_120000/
        config.toml                     what was asked for
        metrics.csv                     a line for each episode, appended as it ends
        agent.safetensors               the best agent so far, to be shown or evaluated
        certificate.csv, *.png          to be looked at (see `views.py`)
        checkpoints/000040.resume       all that the training needs to go on; the newest few

The folder gets its name only when the first checkpoint is in it, and every file but the metrics is
written aside and renamed: whenever the training is killed, what has the name of a run resumes.
Metrics later than the checkpoint resumed from are dropped, and come again as they were.
"""

import logging
import os
import shutil
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from calf_viz import settings
from calf_viz.agent import metrics, resume, views
from calf_viz.agent.config import TrainingConfig
from calf_viz.agent.trainer import Trainer
from calf_viz.errors import UserError
from calf_viz.files import make_folder, write_aside

log = logging.getLogger("calf_viz")

SUFFIX = ".resume"


class Run:
    """A run's folder.

    One process at a time has it, until it closes it or ends, however it ends.

    Attributes:
        folder: where it is.
        config: what its `config.toml` says.
        saved: steps of the training that its newest checkpoint holds.
    """

    def __init__(self, folder: Path, config: TrainingConfig) -> None:
        self.folder, self.config = folder, config
        self.saved = 0
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
            run._write_config()
            metrics.write(run.metrics, trainer.episodes)
            run.checkpoint(trainer)
            run.folder = _named(building, Path(root) / name)
        except OSError as error:
            raise UserError(f"cannot write to {root}: {error.strerror}; choose another") from error
        finally:
            shutil.rmtree(building, ignore_errors=True)  # there is none once it has its name
        return run

    @classmethod
    def open(cls, folder: str | Path) -> tuple["Run", Trainer]:
        """A run and its trainer as the newest checkpoint has it; metrics beyond it are dropped.

        Raises:
            UserError: no run is there, it is in use, or no checkpoint of it can be used.
        """
        folder = Path(folder)
        run = cls(folder, read_config(folder))
        try:
            trainer = run._newest()
            run.saved = trainer.steps
            metrics.write(run.metrics, trainer.episodes)
        except BaseException:
            run.close()
            raise
        return run, trainer

    def _newest(self) -> Trainer:
        """The trainer of the newest checkpoint that can be used."""
        failure = UserError(f"{self.folder} has no checkpoint: train anew")
        for path in reversed(self.checkpoints()):
            try:
                return resume.load(path)
            except UserError as error:
                log.warning("%s", error)
                failure = error
        raise failure

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
        """Nothing: a run begins with a checkpoint."""

    def episode(self, trainer: Trainer) -> None:
        """Note the episode that just ended; a checkpoint where one is due."""
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
        self._lock.release()

    def checkpoint(self, trainer: Trainer) -> None:
        """Write a checkpoint and the best agent; drop the oldest beyond those to keep."""
        name = f"{len(trainer.episodes):06d}{SUFFIX}"
        resume.save(trainer, self.folder / "checkpoints" / name)
        self.saved = trainer.steps
        trainer.result().save(self.agent)
        views.write_certificate(self.folder, trainer)
        for path in self.checkpoints()[: -self.config.checkpoints]:
            with suppress(OSError):
                path.unlink()

    def _write_config(self) -> None:
        with write_aside(self.folder / "config.toml") as part:
            text = settings.document(training=settings.table(self.config))
            part.write_text(text, encoding="utf-8")


def is_run(path: str | Path) -> bool:
    """Whether a path is a folder, as runs are, and not a checkpoint's file."""
    return Path(path).is_dir()


def read_config(folder: Path) -> TrainingConfig:
    """What a run's `config.toml` says.

    Raises:
        UserError: it is missing, or is no such file.
    """
    path = folder / "config.toml"
    if not path.is_file():
        raise UserError(f"{folder} is no run (it has no config.toml): give a folder of runs/")
    values = settings.read_toml(path).get("training", {})
    return TrainingConfig(**settings.convert(values, TrainingConfig, f" in {path}"))


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
