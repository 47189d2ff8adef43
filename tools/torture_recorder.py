"""A recorder in a process of its own, and what it records: the same in every process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from torture_process import Forked, Report

from calf_viz.cli.signals import ended_as_by_ctrl_c
from calf_viz.heightfield import Heightfield
from calf_viz.recording.recorder import Recorder
from calf_viz.samples import Samples
from calf_viz.view import View

VIEW = View("torture", modes=("one", "two"))
STEPS = 300
FLUSH_EVERY, CRITIC_EVERY, CHANGE_EVERY, EPISODE = 7, 20, 50, 31
"""Steps between what is said to be written, critics, changes of n, and beginnings of episodes."""
SECONDS = 60.0
"""That a process may take."""


def agents_at(step: int) -> int:
    """How many there are."""
    return (3, 8)[step // CHANGE_EVERY % 2]


def row_at(step: int) -> Samples:
    """The step's agents; the first one begins episodes."""
    rng, n = np.random.default_rng(step), agents_at(step)
    first = np.zeros(n, bool)
    first[0] = step % EPISODE == 0
    return Samples.of(rng.normal(size=(n, 2)).astype(np.float32), first=first, step=step)


def field_at(step: int) -> Heightfield:
    """The critic that begins there."""
    values = np.random.default_rng(step).normal(size=(9, 9)).astype(np.float32)
    return Heightfield(values, VIEW.lo, VIEW.hi)


def record(folder: Path, acknowledge: Callable[[int], Any]) -> int:
    """Record everything that is not there yet; returns an exit code, 3 if there was no room.

    acknowledge: called with the number of steps that are in the files."""
    with ended_as_by_ctrl_c():
        recorder = Recorder(folder, VIEW, append=True)
        try:
            for step in range(STEPS):
                if step % CRITIC_EVERY == 0:
                    recorder.critic(field_at(step), step, step=step)
                recorder.see(row_at(step))
                if step % FLUSH_EVERY == 0:
                    recorder.flush()
                    if recorder.ended is None:
                        acknowledge(step + 1)
        except KeyboardInterrupt:
            recorder.close()
            raise
        recorder.close()
        if recorder.ended is not None:
            return 3
        acknowledge(STEPS)
        return 0


class Writer(Forked):
    """A forked process that records, and reports and prints how many rows are acknowledged."""

    def __init__(
        self, folder: Path, prepare: Callable[[], Any] = lambda: None, output: int | None = None
    ) -> None:
        """prepare: called in it first. output: as for `Forked`."""

        def run(report: Report) -> int:
            def acknowledge(steps: int) -> None:
                report(steps)
                print(steps, flush=True)

            prepare()
            return record(folder, acknowledge)

        super().__init__(run, SECONDS, output)
