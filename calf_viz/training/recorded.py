"""A run's recordings: the agent in training, and the strict agents that it is compared by.

    RUN/recording.calf    a row for each beginning of an episode, and for each training step
    RUN/strict.calf       the same for the episodes of each comparison, from all starts at once

Numbers of rows follow from the training alone: what a crash threw back to a checkpoint is trained
again, the same to the bit, and finds its rows there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.evaluation import Watch
from calf_viz.recording.arrow import arrow
from calf_viz.training.recorded_strict import StrictRecording
from calf_viz.training.recorded_trainee import TraineeRecording
from calf_viz.training.trainer import Trainer

TRAINEE, STRICT = "recording.calf", "strict.calf"


class RecordedTraining:
    """A `MetricsWriter` that records a run, and the trainer's `Observer`.

    The constructor raises UserError if pyarrow is not installed, `start` if a folder cannot be
    written, or what is there cannot be appended to. Without room the training goes on, and a line
    says so.
    """

    def __init__(self, folder: Path) -> None:
        """folder: the run's."""
        arrow()
        self._folder = folder
        self.q = np.zeros(1)
        self._strict: StrictRecording | None = None

    def start(self, trainer: Trainer) -> None:
        """As `MetricsWriter`."""
        self._trainee = TraineeRecording(self._folder / TRAINEE, trainer, self.q)
        try:
            if trainer.config.certificate:
                self._strict = StrictRecording(self._folder / STRICT, trainer)
        except BaseException:
            self._trainee.recorder.close()
            raise
        self.began, self.took = self._trainee.began, self._trainee.took
        trainer.observer = self
        self._trainee.start()

    def compares(self, starts: NDArray[np.float32]) -> Watch:
        """As `Observer`."""
        assert self._strict is not None
        return self._strict.begins(starts)

    def episode(self, trainer: Trainer) -> None:
        """As `MetricsWriter`."""
        self._trainee.episode(trainer.recent[-1])
        if self._strict is not None:
            self._strict.ends()

    def checkpoint(self, trainer: Trainer) -> None:
        """As `MetricsWriter`: who resumes from it does not repeat the rows before it."""
        self._trainee.recorder.sync()
        if self._strict is not None:
            self._strict.recorder.sync()

    def close(self) -> None:
        """As `MetricsWriter`."""
        self._trainee.trainer.observer = None
        self._trainee.recorder.close()
        if self._strict is not None:
            self._strict.recorder.close()
