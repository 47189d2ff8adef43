"""A real, short training from scratch: it learns, and its guarantee holds all along."""

from __future__ import annotations

import numpy as np

from calf_viz import systems
from calf_viz.agent.evaluation import held_out_starts, nominal_row, strict_row
from calf_viz.training.config import TrainingConfig
from calf_viz.training.trainer import Trainer

EPISODES = 30


def test_point_mass_learns_and_always_arrives() -> None:
    """Against its own first episodes; and, strict, against the policy that it may fall back on."""
    system = systems.get("point_mass")
    config = TrainingConfig.from_preset("quick", system="point_mass", seed=0, episodes=EPISODES)
    trainer = Trainer(config)
    starts = held_out_starts(system, 50, seed=0)
    strict = []
    while not trainer.finished:
        if trainer.step() and trainer.done % 15 == 0:
            strict.append(strict_row(trainer.agent, starts))
    rewards = np.array([episode.ret for episode in trainer.recent])
    assert rewards[-15:].mean() > 0.85 * rewards[:5].mean()
    best = strict_row(trainer.result(), starts)
    assert [row.goal for row in (*strict, best)] == [1.0] * 3
    assert best.cost < 0.9 * nominal_row(system, starts).cost
    assert best.modes[0] > 0.2, "and the actor did much of it"
