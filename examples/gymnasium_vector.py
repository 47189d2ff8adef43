"""Gymnasium's vectorised environments: one line around them.

An actor-critic of a few lines, with tile features of CartPole's state, in NumPy.

    python examples/gymnasium_vector.py [--steps 3000] [--window]
"""

import argparse

import gymnasium as gym
import numpy as np
from calf_attach import attach

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=3000)
parser.add_argument("--window", action="store_true", help="start a viewer")
arguments = parser.parse_args()

ENVS, GAMMA = 16, 0.98
rng = np.random.default_rng(0)
scale = np.array([2.4, 2.5, 0.21, 2.5])
mixing, phases = rng.normal(0, 1.5, (4, 256)), rng.uniform(0, 2 * np.pi, 256)
value, policy = np.zeros(256), np.zeros((256, 2))


def features(obs):
    return np.cos(obs / scale @ mixing + phases) / 16


viz = attach(
    [(-2.4, 2.4), (-0.3, 0.3)], name="cartpole", axes=(0, 2), labels=("x [m]", "θ [rad]"),
    critic=lambda obs: features(obs) @ value, value="V(s)", modes=("left", "right"), rate=2000,
    window=arguments.window,
)  # fmt: skip
envs = viz.wrap(gym.make_vec("CartPole-v1", ENVS, vectorization_mode="sync"))
obs, _ = envs.reset(seed=0)
begins = np.zeros(ENVS, bool)  # whose step only resets
lengths, length = [], np.zeros(ENVS)
for _ in range(arguments.steps):
    known = features(obs)
    preference = known @ policy
    right = 1 / (1 + np.exp(preference[:, 0] - preference[:, 1]))
    actions = (rng.random(ENVS) < right).astype(int)
    obs, rewards, terminations, truncations, _ = envs.step(actions)
    future = GAMMA * ~terminations * (features(obs) @ value)
    error = np.where(begins, 0.0, 0.1 * rewards + future - known @ value)
    value += 0.5 * known.T @ error
    grip = np.stack([actions == 0, actions == 1], axis=1) - np.stack([1 - right, right], axis=1)
    policy += 2.0 * known.T @ (error[:, None] * grip)
    length += ~begins
    begins = terminations | truncations
    lengths += length[begins].tolist()
    length[begins] = 0
viz.refresh()  # the critic as it is at the end, whatever the budget
envs.close()
print(f"{len(lengths)} episodes, the last 20 of {np.mean(lengths[-20:]):.0f} steps")
