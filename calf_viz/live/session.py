"""The beginning of a training that is watched."""

from __future__ import annotations

from pathlib import Path

from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.config import TrainingConfig
from calf_viz.agent.run import Run
from calf_viz.agent.trainer import Trainer
from calf_viz.errors import UserError
from calf_viz.hosts.base import Host
from calf_viz.live.follower import Follower
from calf_viz.live.process import TrainerProcess


def begin(
    config: TrainingConfig,
    agent: CALFAgent,
    host: Host,
    runs: Path,
    resume: Path | None = None,
    rate: float = float("inf"),
    slice_value: float = 0.0,
    morph_frames: int = 15,
) -> Follower:
    """Start a training, new below `runs` or resumed, and give `agent` the networks it begins with.

    The critic is evaluated on the grid of the surface that `host` shows now. rate: steps a second.

    Raises:
        UserError: the run cannot be written or resumed, or is of another system.
    """
    if resume is None:
        trainer = Trainer.of(config)
        run = Run.create(trainer, config, runs)
    else:
        run, trainer = Run.open(resume)
    run.close()  # from now on it is the trainer's process that has it
    if trainer.system is not agent.system:
        raise UserError(f"{resume} trains {trainer.system.name}, not {agent.system.name}")
    weights = trainer.agent.flat_weights()
    agent.set_flat_weights(weights)
    rows, columns = host.heightfield.shape
    assert rows == columns, "the surface's grid is as fine along both axes"
    process = TrainerProcess(
        run.folder, rows * columns, len(weights), columns - 1, slice_value, rate
    )
    return Follower(process, agent, host, trainer.state[0], run, morph_frames)
