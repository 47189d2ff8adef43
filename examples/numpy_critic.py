"""A critic that no framework evaluates: random features and least squares, in NumPy alone.

The value of a damped pendulum that nobody drives is fitted to returns that were really seen.
`viz.surface` shows a grid that one has anyway; `critic=` would do as well.

    python examples/numpy_critic.py [--steps 2000] [--window]
"""

import argparse

import numpy as np
from calf_attach import attach

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=2000)
parser.add_argument("--window", action="store_true", help="start a viewer")
arguments = parser.parse_args()

AGENTS, FEATURES, GAMMA, DT, EPISODE = 30, 200, 0.98, 0.05, 120
rng = np.random.default_rng(1)
frequencies = rng.normal(0, 1.2, (3, FEATURES))
phases = rng.uniform(0, 2 * np.pi, FEATURES)
gram, targets = 1e-2 * np.eye(FEATURES), np.zeros(FEATURES)


def features(xy):
    seen = np.stack([np.cos(xy[:, 0]), np.sin(xy[:, 0]), xy[:, 1] / 4], axis=1)
    return np.cos(seen @ frequencies + phases)


def starts(n):
    return np.stack([rng.uniform(-np.pi, np.pi, n), rng.uniform(-5, 5, n)], axis=1)


x, y = np.linspace(-np.pi, np.pi, 65), np.linspace(-6, 6, 65)
grid = np.stack([np.tile(x, 65), np.repeat(y, 65)], axis=1)
bounds = [(-np.pi, np.pi), (-6, 6)]
with attach(bounds, name="pendulum", labels=("θ [rad]", "ω [rad/s]"), periodic=(True, False),
            value="V(θ, ω)", dt=DT, rate=2000, window=arguments.window) as viz:  # fmt: skip
    at, path, paid = starts(AGENTS), [], []
    viz.reset(at)
    for step in range(1, arguments.steps + 1):
        path.append(at.copy())
        force = -9.81 * np.sin(at[:, 0]) - 0.4 * at[:, 1]
        at[:, 1] = np.clip(at[:, 1] + DT * force, -6, 6)
        at[:, 0] = (at[:, 0] + DT * at[:, 1] + np.pi) % (2 * np.pi) - np.pi
        paid.append(-(at[:, 0] ** 2) - 0.1 * at[:, 1] ** 2)
        over = np.full(AGENTS, step % EPISODE == 0)
        viz.step(at, paid[-1], np.zeros(AGENTS, bool), over)
        if over.all():
            value = np.zeros(AGENTS)
            for states, rewards in zip(reversed(path), reversed(paid)):
                value = rewards + GAMMA * value
                known = features(states)
                gram += known.T @ known
                targets += known.T @ value
            weights = np.linalg.solve(gram, targets)
            viz.surface((features(grid) @ weights).reshape(65, 65))
            at, path, paid = starts(AGENTS), [], []
            viz.reset(at)
print(f"{arguments.steps // EPISODE} fits")
