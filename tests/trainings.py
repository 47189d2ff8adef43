"""Trainings that are watched: small ones, applications that show them, and their boards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from calf_viz import AppConfig, CALFApplication
from calf_viz.agent.system_view import view_of
from calf_viz.heightfield import Grid
from calf_viz.sources.trainer_board import TrainerBoard
from calf_viz.systems import get

TINY = {
    "training_preset": "quick",
    "episodes": 4,
    "steps": 50,
    "batch": 16,
    "select_every": 2,
    "selection_episodes": 2,
}
SMALL = {"size": (192, 108), "grid": 16, "trail_length": 40, "headless": True, "n_agents": 2}


def configured(runs: Path, **changes: Any) -> AppConfig:
    return AppConfig.from_preset("low", **{**SMALL, **TINY, "runs": runs, "stride": 1, **changes})


def watched(tmp_path: Path) -> Iterator[Callable[..., CALFApplication]]:
    """Applications that train, closed in the end: the fixture of files that make it theirs."""
    made: list[CALFApplication] = []

    def start(**changes: Any) -> CALFApplication:
        app = CALFApplication(configured(tmp_path, **changes))
        made.append(app)
        app.start_training()
        return app

    yield start
    for app in made:
        app.close()


def board(app: CALFApplication) -> Any:
    assert app.live is not None
    return app.live.process.board


def new_board(
    grid: Grid | None = None, weights: int = 1, hidden: Sequence[float] = (), name: str = "training"
) -> TrainerBoard:
    """A board in the folder that the fixture `boards` makes, or in shared memory."""
    return TrainerBoard.make(name, view_of(get("point_mass")), grid, weights, hidden)
