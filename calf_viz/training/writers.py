"""Metrics writers: where a training's metrics go, to a CSV file, TensorBoard or the user's own."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from calf_viz.training import metrics
from calf_viz.training.trainer import Trainer


class MetricsWriter(Protocol):
    """Receives the events of a training. An exception in it ends the training, which can be
    resumed from its last checkpoint; a UserError is reported in one line."""

    def start(self, trainer: Trainer) -> None:
        """Called before the first step. In a resumed training `trainer.done` episodes are over
        already; any later ones reported before the interruption are reported again, unchanged."""

    def episode(self, trainer: Trainer) -> None:
        """Called when an episode ended: `trainer.recent[-1]`."""

    def checkpoint(self, trainer: Trainer) -> None:
        """Called before a checkpoint is written: flush to disk, as earlier episodes will not be
        reported again."""

    def close(self) -> None:
        """Called once when the training ended, in any way, and only after `start`."""


class MetricsFile:
    """Writes a line for each episode, as CSV (see `metrics.py`), after any existing lines."""

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
        """Nothing to do: each line is written at once."""


class Writers:
    """Several writers as one: called in order, and closed in reverse order, whatever they raise."""

    def __init__(self, *writers: MetricsWriter) -> None:
        self.all = list(writers)
        self._started: list[MetricsWriter] = []
        self._closing = ExitStack()

    def add(self, writers: Iterable[MetricsWriter]) -> None:
        """Add writers, before the start."""
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
        """See `MetricsWriter`. A run's first checkpoint precedes the start, and has no episode."""
        for writer in self._started:
            writer.checkpoint(trainer)

    def close(self) -> None:
        """Close those that were started; does nothing when called again."""
        self._started.clear()
        self._closing.close()
