"""A safety filter of one's own: its rule as modes, its margins as margin=.

A point heads for the goal; a control barrier function h(x) = |x - obstacle|^2 - r^2 keeps it
outside of an obstacle, by the smallest change of its action that gives dh/dt >= -alpha h. NumPy
alone.

    python examples/certificate_filter.py [--steps 1500] [--window]
"""

import argparse

import numpy as np
from calf_attach import attach

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=1500)
parser.add_argument("--window", action="store_true", help="start a viewer")
arguments = parser.parse_args()

AGENTS, DT, ALPHA, RADIUS = 30, 0.02, 2.0, 0.8
OBSTACLE, GOAL = np.array([0.0, 0.1]), np.array([1.6, 0.0])
rng = np.random.default_rng(0)


def barrier(xy):
    return ((xy - OBSTACLE) ** 2).sum(axis=1) - RADIUS**2


def starts(n):
    return np.stack([rng.uniform(-2, -1.2, n), rng.uniform(-1.5, 1.5, n)], axis=1)


bounds = [(-2, 2), (-2, 2)]
with attach(bounds, name="filter", labels=("x [m]", "y [m]"), critic=barrier, value="h(x, y)",
            modes=("as wanted", "filtered"), colours=("#4dabf7", "#f76707"), dt=DT, rate=2000,
            window=arguments.window) as viz:  # fmt: skip
    at, worst = starts(AGENTS), np.inf
    viz.reset(at)
    for _ in range(arguments.steps):
        wanted = GOAL - at
        wanted /= np.maximum(np.linalg.norm(wanted, axis=1, keepdims=True), 0.3)
        slope = 2 * (at - OBSTACLE)
        lack = -(slope * wanted).sum(axis=1) - ALPHA * barrier(at)  # above 0: not safe
        filtered = lack > 0
        push = np.where(filtered, lack / (slope**2).sum(axis=1), 0.0)[:, None] * slope
        around = np.stack([-slope[:, 1], slope[:, 0]], axis=1) * filtered[:, None] * 0.15
        action = wanted + push + around  # along the barrier: dh/dt does not change by it
        at = at + DT * action
        margin = (slope * action).sum(axis=1) + ALPHA * barrier(at - DT * action)
        worst = min(worst, float(margin.min()))
        arrived = np.hypot(*(at - GOAL).T) < 0.1
        viz.step(at, -np.hypot(*(at - GOAL).T), arrived, np.zeros(AGENTS, bool),
                 modes=filtered, margin=margin.round(9))  # fmt: skip
        if arrived.any():
            at[arrived] = starts(arrived.sum())
            viz.reset(at, mask=arrived)
print(f"least margin {worst:.1e}, least h {barrier(at).min():.3f}")
