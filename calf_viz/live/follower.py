"""Keeps what is shown up to date with a training: surface, policy, the agent in training."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.agent.calf import CALFAgent
from calf_viz.agent.run import Run
from calf_viz.heightfield import Grid, Heightfield
from calf_viz.hosts.base import Host
from calf_viz.hud.hud import Hud
from calf_viz.live.board import Phase, Snapshot, Word
from calf_viz.live.networks import critic_networks
from calf_viz.live.panel import TrainingPanel
from calf_viz.live.process import TrainerProcess
from calf_viz.samples import Samples
from calf_viz.stats_cache import StatsCache

log = logging.getLogger("calf_viz")

TRAINEE = 0
"""Index of the agent in training among those drawn: the first, which stays so when others come."""


class Follower:
    """Reads a trainer's board before each frame.

    Attributes:
        run: what is trained.
        version: of the snapshot shown; 0 before the first.
        morph_frames: frames over which the surface changes to a new snapshot's, or fewer.
    """

    def __init__(
        self,
        process: TrainerProcess,
        agent: CALFAgent,
        host: Host,
        start: NDArray[Any],
        run: Run,
        morph_frames: int = 15,
        on_gpu: bool = False,
        slice_value: float = 0.0,
    ) -> None:
        """agent: takes each new policy. start: where the agent in training is, (state_dim,).

        on_gpu: whether `host` evaluates the critic, at `slice_value`, or snapshots hold it.
        """
        self.process, self.agent, self.host = process, agent, host
        self.run, self.morph_frames = run, morph_frames
        self.on_gpu, self.slice = on_gpu, slice_value
        self._waiting = False  # a newer critic than the one being evaluated
        self.panel: TrainingPanel | None = None
        self.version = 0
        # Where frames are slow the next snapshot comes before so many: each morph then has as many
        # as there were for the one before, so that it ends.
        self._frames = self._steps = morph_frames
        self._seen = 0
        self._last = _place(agent, start)
        self._mode, self._first = 0, True
        self._episode = -1
        self._told = False
        host.scene.training_agent = TRAINEE

    @property
    def failure(self) -> str | None:
        """Why the trainer died, if it did; once dead, it stays so."""
        return self.process.failure

    @property
    def notice(self) -> str | None:
        """What one must not miss about the training."""
        if self.failure is not None:
            return f"the training died: {self.failure}"
        phase = self.process.board[Word.PHASE]
        texts = {
            Phase.STARTING: "the training is starting",
            Phase.FINISHED: "the training is finished",
            Phase.STOPPED: "the training was stopped",
        }
        return texts.get(Phase(phase))

    @property
    def evaluating(self) -> bool:
        """Whether the GPU has still to evaluate the critic of `version`, or is about to."""
        return self._waiting or self.host.evaluating

    def frame(self, paused: bool) -> None:
        """Before each frame: take up the newest snapshot, go on with the morph."""
        self.process.pause(paused)
        self._tell_death()
        host = self.host
        snapshot = self.process.board.snapshot(self.version)
        if snapshot is not None:
            self.version = snapshot.version
            self.agent.set_flat_weights(snapshot.weights)
            self._waiting = self.on_gpu
        with host.profiler.section("heatmap"):
            if self.on_gpu:
                begun = self._evaluate()
            elif begun := snapshot is not None:
                self._show(snapshot)
        self._frames += 1
        if begun:
            self._steps, self._frames = min(self.morph_frames, self._frames), 0
        if begun or host.morph < 1.0:  # a morph's first step is in the frame that begins it
            host.morph = min(1.0, host.morph + 1.0 / self._steps)
        if self.panel is not None:
            self.panel.frame(self.notice)

    def _tell_death(self) -> None:
        """At once and once, for the HUD may be hidden and the viewer stay open for hours."""
        if not self._told and (obituary := self.process.obituary) is not None:
            self._told = True
            log.error(obituary)

    def _show(self, snapshot: Snapshot) -> None:
        """Begin the morph to a snapshot's surface."""
        shown = self.host.heightfield
        values = snapshot.values.reshape(shown.shape)
        self.host.set_heightfield(Heightfield(values, shown.lo, shown.hi), morph=0.0)

    def _evaluate(self) -> bool:
        """A frame's share of the newest critic; whether a morph to its surface begins.

        One that was begun is shown before the next is.
        """
        host = self.host
        if self._waiting and not host.evaluating:
            self._waiting = False
            grid = host.grid
            networks = critic_networks(self.agent, self.slice)
            host.evaluate_critic(networks, Grid(grid.shape, grid.lo, grid.hi))
        return host.evaluating and host.continue_critic()

    def join(self, samples: Samples) -> Samples:
        """A step's samples with the agent in training at its place."""
        new = self.process.board.samples(self._seen)
        if len(new):
            last = new[-1]
            self._seen = int(last["number"]) + 1
            self._first |= int(last["episode"]) != self._episode
            self._episode = int(last["episode"])
            self._last = np.array([last["x"], last["y"], last["heading"]], np.float32)
            self._mode = int(last["mode"])
        x, y, heading = self._last
        first, self._first = self._first, False
        headings = samples.headings
        return Samples(
            np.concatenate([[(x, y)], samples.positions]),
            np.concatenate([[self._mode], samples.modes]).astype(np.uint8),
            np.concatenate([[first], samples.first]),
            None if headings is None else np.concatenate([[heading], headings]),
        )

    def add_panel(self, hud: Hud, stats: StatsCache) -> None:
        """Show the training's counts and plots on a HUD, at the interval of "training"."""
        config, colours = self.run.config, self.host.scene.mode_colours
        board = self.process.board
        self.panel = TrainingPanel(hud, stats, board, colours, config.episodes, config.steps)

    def close(self) -> None:
        """End the training with a checkpoint; or let it go on, detached."""
        self.process.close()
        self._tell_death()


def _place(agent: CALFAgent, state: NDArray[Any]) -> NDArray[np.float32]:
    """x, y on the plane shown, and heading, (3,)."""
    system = agent.system
    x, y = state[list(system.plane.axes)]
    heading = 0.0 if system.heading_axis is None else state[system.heading_axis]
    return np.array([x, y, heading], np.float32)
