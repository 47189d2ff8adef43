"""A point mass on a line, pushed: state (x [m], v [m/s]), action acceleration [m/s^2]."""

from types import MappingProxyType

import numpy as np

from calf_viz.systems.base import Array, Bools, Plane, System


class PointMass(System):
    """x' = v, v' = a; the goal is a disc of radius 0.1 about rest at the origin."""

    name = "point_mass"
    state_dim = 2
    action_dim = 1
    action_limits = np.array([5.0])
    plane = Plane(labels=("x [m]", "v [m/s]"))
    goal = (0.0, 0.0, 0.1)
    # Agents start where the critic is two fifths of its highest at most; corners are not visited.
    value_scale = "sqrt"
    state_names = ("x", "v")
    edges = MappingProxyType({0: (-5.0, 5.0)})

    kp = 2.0
    kd = 0.4

    def derivative(self, states: Array, actions: Array) -> Array:
        rates = np.empty(states.shape)
        rates[:, 0] = states[:, 1]
        rates[:, 1] = actions[:, 0]
        return rates

    def initial_states(self, n: int, rng: np.random.Generator) -> Array:
        """Uniform in [-2, 2]^2."""
        return rng.uniform(-2.0, 2.0, (n, 2)).astype(np.float32)

    def reward(self, states: Array, actions: Array) -> Array:
        a = self.clip(np.asarray(actions, dtype=np.float64))[:, 0]
        return -self.norm(states) - 0.01 * a * a

    def in_goal(self, states: Array) -> Bools:
        return self.norm(states) <= 0.1

    def nominal(self, states: Array) -> Array:
        """PD control, lightly damped on purpose: slow, but it always arrives."""
        s = np.asarray(states, dtype=np.float64)
        a = -self.kp * s[:, :1] - self.kd * s[:, 1:]
        return self.clip(a).astype(states.dtype)


SYSTEM = PointMass()
