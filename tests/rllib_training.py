"""A short training of RLlib's with its callback, in an environment of its own, for test_rllib.py:

    python tests/rllib_training.py ALGORITHM RUNNERS [normalised]

Prints a line of JSON for each board of its runners, and how many are left at the end.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from typing import Any

import ray
from calf_attach.layout import FIRST, TERMINATED, Word
from calf_attach.rllib import Callback
from calf_attach.search import loops
from ray.rllib.algorithms.dqn import DQNConfig
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.algorithms.sac import SACConfig
from ray.rllib.connectors.env_to_module import MeanStdFilter

ENVS = {"PPO": "CartPole-v1", "DQN": "CartPole-v1", "SAC": "Pendulum-v1"}
KINDS = {"PPO": PPOConfig, "DQN": DQNConfig, "SAC": SACConfig}
OFF_POLICY = {"train_batch_size_per_learner": 16, "num_steps_sampled_before_learning_starts": 20}
ON_POLICY = {"train_batch_size_per_learner": 200, "minibatch_size": 50, "num_epochs": 1}


def told(one: Any) -> dict[str, Any]:
    """What a test wants to know of a board."""
    board = one.board
    rows, surface, ends = board.rows_since(0), board.surface(), board.ends_since(0)
    return {
        "name": one.name, "title": one.meta["title"], "value": one.meta["value"],
        "modes": one.meta["modes"], "labels": one.meta["labels"],
        "here": board[Word.PID] == os.getpid(), "steps": board[Word.STEP],
        "agents": len(rows[-1].positions), "faults": board[Word.FAULTS],
        "fault": board.newest_fault,
        "surface": None if surface is None else [
            surface.values.shape[0], float(surface.values.min()), float(surface.values.max())],
        "terminal": [row.positions[row.flags & TERMINATED > 0].tolist() for row in rows],
        "first": [row.positions[row.flags & FIRST > 0].tolist() for row in rows],
        "lengths": ends["length"].tolist(), "returns": ends["ret"].tolist(),
    }  # fmt: skip


def main(name: str, runners: int, normalised: bool) -> None:
    """Train for two iterations."""
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=80_000_000)
    given: dict[str, Any] = {"num_env_runners": runners, "num_envs_per_env_runner": 2}
    if normalised:
        given["env_to_module_connector"] = lambda env, spaces, device: MeanStdFilter()
    config = KINDS[name]().environment(ENVS[name]).env_runners(**given)
    config.training(**(ON_POLICY if name == "PPO" else OFF_POLICY))
    config.reporting(min_sample_timesteps_per_iteration=60, min_time_s_per_iteration=0)
    config.callbacks(partial(Callback, rate=1e9, budget=1.0)).debugging(seed=0)
    algorithm = config.build_algo()
    for _ in range(2):
        algorithm.train()
    for one in loops()[0]:
        print(json.dumps(told(one)))
    algorithm.stop()
    ray.shutdown()
    print(json.dumps({"left": len([one for one in loops()[0] if one.board.alive])}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), "normalised" in sys.argv)
