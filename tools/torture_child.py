"""A training in a process of its own, and where it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.backends.backend_agg  # here, so that not every child must import it
import matplotlib.figure  # noqa: F401 (likewise)
from numpy.typing import NDArray
from torture_process import Forked, Report

from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.evaluation import Row, Watch, actor_row
from calf_viz.training import resume
from calf_viz.training import train as training
from calf_viz.training import trainer as trainers
from calf_viz.training.trainer import Trainer

SETTINGS: dict[str, Any] = {
    "episodes": 6, "steps": 30, "batch": 8, "select_every": 2, "selection_episodes": 1,
    "replay": 100,
}  # fmt: skip
KEPT: dict[str, Any] = {"checkpoint_every": 1, "checkpoints": 2}
"""Settings that only apply to a run."""
COMPARED = 20
"""Steps over which agents are compared."""
SECONDS = 120.0
"""Seconds that a process may take."""


@dataclass
class Place:
    """Where a training is written: a run below `root`, or a file and two beside it.

    Attributes:
        saved: steps of the newest checkpoint that a process reported as written.
    """

    root: Path
    as_run: bool
    saved: int = 0

    @property
    def output(self) -> Path:
        return self.root / "agent.safetensors"

    @property
    def run(self) -> Path | None:
        """The run's folder, once it has its name."""
        return next(iter(sorted(self.root.glob("point_mass-*"))), None)

    @property
    def begun(self) -> Path | None:
        """What can be resumed, if anything can."""
        if self.as_run:
            return self.run
        return self.output if resume.resume_path(self.output).exists() else None

    def train(self) -> None:
        """In the child: start, or resume what there is."""
        begun = self.begun
        if begun is not None:
            training.train(resume_from=begun, progress=False)
        elif self.as_run:
            training.train(
                "point_mass", "quick", 5, runs=self.root, progress=False, **SETTINGS, **KEPT
            )
        else:
            training.train(
                "point_mass", "quick", 5, self.output, progress=False, overwrite=True, **SETTINGS
            )

    def steps(self) -> int:
        """Steps of the newest checkpoint on disk."""
        begun = self.begun
        if begun is None:
            return 0
        if not self.as_run:
            return resume.load(resume.resume_path(begun)).steps
        checkpoints = (begun / "checkpoints").glob("*.resume")
        return resume.load(max(checkpoints, key=lambda path: int(path.stem))).steps

    def contents(self) -> dict[str, bytes]:
        """All files of the training by name, but for locks, which hold nothing; of checkpoints
        before the newest whether they are what their names say."""
        top = self.run if self.as_run and self.run is not None else self.root
        found = {str(path.relative_to(top)): path for path in top.rglob("*") if path.is_file()}
        if self.as_run:  # what is beside the run
            found |= {path.name: path for path in self.root.iterdir() if path != top}
        return {
            name: _content(path)
            for name, path in sorted(found.items())
            if not name.endswith(".lock")
        }


def _content(path: Path) -> bytes:
    newest = max(path.parent.glob("[0-9]*.resume"), default=path)
    if path.is_dir():
        return b"a folder"
    if path.suffix == ".resume" and path.parent.name == "checkpoints" and path != newest:
        return b"%d" % (resume.load(path).done == int(path.stem))
    return path.read_bytes()


class Child(Forked):
    """A forked process that trains, and reports how many steps it saved."""

    def __init__(self, place: Place, prepare: Callable[[], Any]) -> None:
        super().__init__(lambda report: _train(place, prepare, report), SECONDS)


def _train(place: Place, prepare: Callable[[], Any], report: Report) -> int:
    save = resume.save

    def save_and_report(trainer: Trainer, path: str | Path) -> None:
        save(trainer, path)
        report(trainer.steps)

    resume.save = save_and_report
    # Over few steps, as what is compared is no part of this and most of the time otherwise.
    trainers.strict_row = _compared
    prepare()
    place.train()
    return 0


def _compared(
    agent: CALFAgent, starts: NDArray[Any], horizon: int = COMPARED, watch: Watch | None = None
) -> Row:
    return actor_row(agent, starts, horizon)
