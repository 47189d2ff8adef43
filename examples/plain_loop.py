"""Any loop: attach, then one line in it. NumPy alone.

Forty walkers look for the top of a value function that a small tabular critic learns meanwhile.

    python examples/plain_loop.py [--steps 2000] [--window]
"""

import argparse

import numpy as np
from calf_attach import attach

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=2000)
parser.add_argument("--window", action="store_true", help="start a viewer")
arguments = parser.parse_args()

CELLS, GAMMA, RATE = 24, 0.95, 0.1
rng = np.random.default_rng(0)
table = np.zeros((CELLS, CELLS))


def cells(xy):
    return tuple(np.clip(((xy + 2) / 4 * CELLS).astype(int), 0, CELLS - 1).T)


def critic(xy):  # bilinear between the centres of cells
    at = np.clip((xy + 2) / 4 * CELLS - 0.5, 0, CELLS - 1.001)
    i, f = at.astype(int), at % 1
    (x, y), (u, v) = i.T, f.T
    return ((1 - u) * (1 - v) * table[x, y] + u * (1 - v) * table[x + 1, y]
            + (1 - u) * v * table[x, y + 1] + u * v * table[x + 1, y + 1])  # fmt: skip


bounds = [(-2, 2), (-2, 2)]
with attach(bounds, name="walkers", labels=("x [m]", "y [m]"), critic=critic, value="V(x, y)",
            modes=("greedy", "random"), rate=2000, window=arguments.window) as viz:  # fmt: skip
    at = rng.uniform(-2, 2, (40, 2))
    viz.reset(at)
    for _ in range(arguments.steps):
        before = cells(at)
        moves = rng.normal(0, 0.05, (8, 40, 2))
        best = np.argmax([critic(at + move) for move in moves], axis=0)
        random = rng.random(40) < 0.3
        best[random] = 0
        at = np.clip(at + moves[best, np.arange(40)], -2, 2)
        rewards = -np.hypot(at[:, 0] - 0.8, at[:, 1] + 0.5)
        done = rewards > -0.1
        np.add.at(
            table, before, RATE * (rewards + GAMMA * ~done * table[cells(at)] - table[before])
        )
        viz.step(at, rewards, done, np.zeros(40, bool), modes=random)
        if done.any():
            at[done] = rng.uniform(-2, 2, (done.sum(), 2))
            viz.reset(at, mask=done)
    viz.refresh()  # the critic as it is at the end, whatever the budget
print(f"mean value {table.mean():.2f}")
