"""Where a training's metrics go: to a file of lines, to TensorBoard, to what a user adds."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from calf_viz.training import metrics
from calf_viz.training.trainer import Trainer


class MetricsWriter(Protocol):
    """Is told how a training goes. What it raises ends the training, which goes on from its last
    checkpoint when it is resumed; a UserError is reported in one line."""

    def start(self, trainer: Trainer) -> None:
        """Before the first step. Of a training that is resumed, `trainer.done` episodes are over
        already; those told of later than that, before it ended, come again as they were."""

    def episode(self, trainer: Trainer) -> None:
        """An episode ended: `trainer.recent[-1]`."""

    def checkpoint(self, trainer: Trainer) -> None:
        """A checkpoint is about to be written: what it is later than never comes again, so have
        it on disk."""

    def close(self) -> None:
        """The training ended, however it did; called once, and only after `start`."""


class MetricsFile:
    """A line for each episode, as CSV (see `metrics.py`); lines that are there already stay."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, trainer: Trainer) -> None:
        if not trainer.done:
            metrics.write(self.path)

    def episode(self, trainer: Trainer) -> None:
        metrics.append(self.path, trainer.recent[-1])

    def checkpoint(self, trainer: Trainer) -> None:
        metrics.to_disk(self.path)

    def close(self) -> None:
        """Each line is written at once."""


class Writers:
    """Several as one: told in their order, and closed in the opposite one, whatever they raise."""

    def __init__(self, *writers: MetricsWriter) -> None:
        self.all = list(writers)
        self._started: list[MetricsWriter] = []
        self._closing = ExitStack()

    def add(self, writers: Iterable[MetricsWriter]) -> None:
        """More of them, before the start."""
        self.all += writers

    def start(self, trainer: Trainer) -> None:
        """See `MetricsWriter`."""
        for writer in self.all:
            writer.start(trainer)
            self._started.append(writer)
            self._closing.callback(writer.close)

    def episode(self, trainer: Trainer) -> None:
        """See `MetricsWriter`."""
        for writer in self.all:
            writer.episode(trainer)

    def checkpoint(self, trainer: Trainer) -> None:
        """See `MetricsWriter`. A run's first one comes before the start, and holds no episode."""
        for writer in self._started:
            writer.checkpoint(trainer)

    def close(self) -> None:
        """Those that were started; a second time, nothing happens."""
        self._started.clear()
        self._closing.close()
