"""The beginning of a training that is watched."""

from __future__ import annotations

from dataclasses import asdict
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
    on_gpu: bool = False,
    detached: bool = False,
) -> Follower:
    """Start a training, new below `runs` or resumed, and give `agent` the networks it begins with.

    config: of a run that is resumed, its own, but for what may change (see `run_config`).

    The critic is evaluated on the grid of the surface that `host` shows now, by the trainer or,
    where `on_gpu`, by the host. rate: steps a second. detached: whether it outlives the viewer.

    Raises:
        UserError: the run cannot be written or resumed, or is of another system.
    """
    if resume is None:
        trainer = Trainer(config)
        run = Run.create(trainer, config, runs)
    else:
        run, trainer = Run.open(resume, **asdict(config))
    run.close()  # from now on it is the trainer's process that has it
    if trainer.system is not agent.system:
        raise UserError(f"{resume} trains {trainer.system.name}, not {agent.system.name}")
    weights = trainer.agent.flat_weights()
    agent.set_flat_weights(weights)
    rows, columns = host.grid.shape
    assert rows == columns, "the surface's grid is as fine along both axes"
    nodes, cells = (0, 0) if on_gpu else (rows * columns, columns - 1)
    process = TrainerProcess(run.folder, nodes, len(weights), cells, slice_value, rate, detached)
    start = trainer.state[0]
    return Follower(process, agent, host, start, run, morph_frames, on_gpu, slice_value)
