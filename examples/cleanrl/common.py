"""What the scripts beside this one share: arguments, networks, a replay buffer."""

import argparse
import random

import gymnasium as gym
import numpy as np
import torch
from torch import nn


def arguments(steps):
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--starts", type=int, default=1000, help="steps before learning")
    parser.add_argument("--watch", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--window", action="store_true", help="start a viewer")
    return parser.parse_args()


def seeded(args):
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)


def make_envs(env_id, n, seed):
    # Steps in which episodes end return the next one's first observation, as in CleanRL.
    mode = gym.vector.AutoresetMode.SAME_STEP
    envs = gym.make_vec(env_id, n, vectorization_mode="sync",
                        vector_kwargs={"autoreset_mode": mode})  # fmt: skip
    envs.action_space.seed(seed)
    return envs


def mlp(inputs, outputs, hidden):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                         nn.Linear(hidden, outputs))  # fmt: skip


class Replay:
    def __init__(self, size, observations, actions):
        self.rows = [
            np.zeros((size, k), np.float32) for k in (observations, observations, actions, 1, 1)
        ]
        self.size, self.at, self.full = size, 0, False

    def add(self, *columns):
        n = len(columns[0])
        where = (self.at + np.arange(n)) % self.size
        for rows, column in zip(self.rows, columns):
            rows[where] = np.asarray(column, np.float32).reshape(n, -1)
        self.full |= self.at + n >= self.size
        self.at = (self.at + n) % self.size

    def sample(self, batch):
        where = np.random.randint(0, self.size if self.full else self.at, batch)
        return [torch.from_numpy(rows[where]) for rows in self.rows]


def true_next(next_obs, infos, truncations, terminations):
    """Next observations, with the terminal ones where episodes ended."""
    real = next_obs.copy()
    for i in np.flatnonzero(terminations | truncations):
        real[i] = infos["final_obs"][i]
    return real


def follow(targets, networks, tau=0.005):
    for target, network in zip(targets, networks):
        for old, new in zip(target.parameters(), network.parameters()):
            old.data.lerp_(new.data, tau)


def digest(*networks):
    """A number that says whether two trainings are the same, to the bit."""
    import hashlib

    found = hashlib.sha256()
    for network in networks:
        for tensor in network.state_dict().values():
            found.update(tensor.numpy().tobytes())
    for state in (torch.get_rng_state().numpy(), np.random.get_state()[1]):
        found.update(state.tobytes())
    found.update(repr(random.getstate()).encode())
    return found.hexdigest()[:16]


PENDULUM = {"axes": "angle(0,1),2", "labels": ("θ [rad]", "θ' [rad/s]")}
CARTPOLE = {"axes": (0, 2), "labels": ("x [m]", "θ [rad]"), "bounds": [(-2.5, 2.5), (-0.25, 0.25)]}
