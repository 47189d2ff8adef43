"""A watched training: the agent in training, followed by agents with its newest policy.

Reads a trainer's board: snapshots of the networks, and the steps of the agent in training.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from calf_attach.layout import Phase, Word
from numpy.typing import NDArray

from calf_viz import systems
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.samples import Samples
from calf_viz.sources.simulation import Simulation
from calf_viz.sources.trainer_board import Snapshot, TrainerBoard
from calf_viz.sources.trainer_handle import TrainerProcess
from calf_viz.training.config import TrainingConfig
from calf_viz.training.run import Run
from calf_viz.training.trainer import Trainer
from calf_viz.view import Certificate

if TYPE_CHECKING:
    from calf_viz.agent.explanation import Explanation
    from calf_viz.critic_networks import CriticNetworks

log = logging.getLogger("calf_viz")

TRAINEE = 0
"""Index of the agent in training among those shown; 0, so that it never changes."""


class Training:
    """A `Source`: a simulation that adopts each new policy, plus the agent in training.

    Attributes:
        run: the run being trained.
        version: of the snapshot shown; 0 before the first.
        trained: training steps behind it.
    """

    def __init__(
        self, simulation: Simulation, process: TrainerProcess, run: Run, start: NDArray[Any]
    ) -> None:
        """start: initial state of the agent in training, (state_dim,)."""
        self.simulation, self.process, self.run = simulation, process, run
        self.view = replace(simulation.view, trainee=TRAINEE)
        self.version = 0
        self._snapshot: Snapshot | None = None
        self._seen = 0
        self._last = _place(simulation, start)
        self._mode, self._first, self._q_plus = 0, True, float("nan")
        self._episode = -1
        self._failure_reported = False
        self.trained = 0

    # As `Source`

    def step(self) -> Samples:
        """The simulation's samples, preceded by that of the agent in training."""
        samples = self.simulation.step()
        new = self.process.board.newest_step(self._seen)
        if new is not None:
            self._seen = int(new.number[-1]) + 1
            self._first |= int(new.episode[-1]) != self._episode
            self._episode = int(new.episode[-1])
            self._last = np.array([new.x[-1], new.y[-1], new.heading[-1]], np.float32)
            self._mode, self._q_plus = int(new.mode[-1]), float(new.q_plus[-1])
        x, y, heading = self._last
        first, self._first = self._first, False
        headings = samples.headings
        return Samples(
            np.concatenate([[(x, y)], samples.positions]),
            np.concatenate([[self._mode], samples.modes]).astype(np.uint8),
            np.concatenate([[first], samples.first]),
            None if headings is None else np.concatenate([[heading], headings]),
            columns={name: self._joined(name, column) for name, column in samples.columns.items()},
        )

    def _joined(self, name: str, column: NDArray[Any]) -> NDArray[Any]:
        """A column of the simulation's, preceded by what is known of the agent in training: it
        takes more steps than are shown, so that no action led from one of those to the next."""
        known = {"q_plus": self._q_plus, "ended": 0}.get(name, np.nan)
        return np.concatenate([np.full_like(column[:1], known), column])

    def record(self) -> None:
        """As `Recordable`."""
        self.simulation.record()

    def about(self) -> dict[str, Any]:
        """As `Recordable`."""
        learnt = {"gamma": self.run.config.gamma, "reward_scale": self.run.config.reward_scale}
        return {**self.simulation.about(), **learnt}

    def weights(self) -> NDArray[np.float32]:
        """As `Recordable`."""
        return self.simulation.weights()

    def surface(self) -> Heightfield | None:
        """The surface of the newest snapshot or, before the first, of the initial networks."""
        self._take()
        snapshot, self._snapshot = self._snapshot, None
        return self.simulation.surface() if snapshot is None else snapshot.surface

    def networks(self) -> CriticNetworks | None:
        """As `Evaluable`."""
        self._take()
        if self._snapshot is not None:
            self._snapshot = None
            self.simulation.critic_changed()
        return self.simulation.networks()

    def _take(self) -> None:
        """Adopt the newest snapshot."""
        self._report_failure()
        snapshot = self.process.board.snapshot(self.version)
        if snapshot is not None:
            self.version, self._snapshot = snapshot.version, snapshot
            self.trained = snapshot.steps
            self.simulation.policy_changes()
            self.simulation.agent.set_flat_weights(snapshot.weights)

    def close(self) -> None:
        """End the training with a checkpoint or, detached, let it go on."""
        self.process.close()
        self._report_failure()

    # As `Resizable`, `Pausable`, `Certified`, `Valued`, `Foreseeing`, `Noticing`, `Recordable`,
    # `Accountable`

    def __len__(self) -> int:
        return len(self.simulation)

    def resize(self, n_agents: int) -> None:
        self.simulation.resize(n_agents)

    def pause(self, paused: bool) -> None:
        self.process.pause(paused)

    def single_step(self) -> None:
        self.process.single_step()  # both sides take it

    def certificate(self, chosen: int) -> Certificate:
        if chosen != TRAINEE:
            found = self.simulation.certificate(chosen - 1)
            return replace(found, chosen=found.chosen + 1)
        known = self._q_plus if np.isfinite(self._q_plus) else None
        return replace(self.simulation.certificate(0), chosen=TRAINEE, q_plus=known)

    def why(self, agent: int) -> Explanation | None:
        """As `Accountable`. Of the agent in training too little is known: its process has it."""
        found = None if agent == TRAINEE else self.simulation.why(agent - 1)
        return None if found is None else replace(found, agent=agent)

    def mean_value(self) -> float:
        return self.simulation.mean_value()

    def foresee(self, steps: int) -> NDArray[np.float32]:
        return self.simulation.foresee(steps)

    @property
    def notice(self) -> str | None:
        if self.failure is not None:
            return f"the training died: {self.failure}"
        texts = {
            Phase.STARTING: "the training is starting",
            Phase.FINISHED: "the training is finished",
            Phase.STOPPED: "the training was stopped",
        }
        return texts.get(Phase(self.process.board[Word.PHASE]))

    @property
    def failure(self) -> str | None:
        """Why the trainer died, if it did; does not change afterwards."""
        return self.process.failure

    def _report_failure(self) -> None:
        """Log it at once, but only once: the HUD may be hidden, and the viewer open for hours."""
        if not self._failure_reported and (report := self.process.failure_report) is not None:
            self._failure_reported = True
            log.error(report)


def begin(
    config: TrainingConfig,
    simulation: Simulation,
    runs: Path,
    resume: Path | None = None,
    rate: float = float("inf"),
    detached: bool = False,
) -> Training:
    """Start a training, new below `runs` or resumed, and give the simulation's agent its initial
    networks. The trainer evaluates its critic on the simulation's grid, if there is one.

    Args:
        simulation: whose agents follow the training.
        config: what to train; for a resumed run its own settings, except those that may change
            (see `run_config`).
        resume: the run to resume; None for a new one.
        runs: folder for new runs.
        rate: steps per second.
        detached: whether it outlives the viewer.

    Raises:
        UserError: the run cannot be written or resumed, or is for another system.
    """
    agent = simulation.agent
    reference = systems.reference(agent.system.name)
    if resume is None:
        trainer = Trainer(config)
        run = Run.create(trainer, config, runs)
    else:
        run, trainer = Run.open(resume, **asdict(config))
    run.close()  # from now on the trainer's process holds it
    if trainer.system is not agent.system:
        raise UserError(f"{resume} trains {trainer.system.name}, not {agent.system.name}")
    weights = trainer.agent.flat_weights()
    simulation.policy_changes()
    agent.set_flat_weights(weights)
    board = TrainerBoard.make(
        run.folder.name, simulation.view, simulation.grid, len(weights), simulation.hidden.tolist()
    )
    process = TrainerProcess(run.folder, board, rate, detached, reference)
    return Training(simulation, process, run, trainer.state[0])


def _place(simulation: Simulation, state: NDArray[Any]) -> NDArray[np.float32]:
    """x, y on the plane shown, and heading, (3,)."""
    system = simulation.system
    x, y = state[list(system.plane.axes)]
    heading = 0.0 if system.heading_axis is None else state[system.heading_axis]
    return np.array([x, y, heading], np.float32)
