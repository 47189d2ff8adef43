"""A pendulum that must swing up: state (theta [rad], omega [rad/s]), action acceleration u
[rad/s^2]."""

import numpy as np

from calf_viz.systems.base import Array, Bools, Plane, System, wrap_angle


class Pendulum(System):
    """theta'' = g sin(theta) + u, 1 m long; the goal is rest at theta = 0, upright.

    |u| <= 3 can hold it against gravity only within 0.31 rad of the goal: from elsewhere it must
    gather energy by swinging.
    """

    name = "pendulum"
    state_dim = 2
    action_dim = 1
    action_limits = np.array([3.0])
    plane = Plane((-np.pi, -8.0), (np.pi, 8.0), labels=("θ [rad]", "ω [rad/s]"))
    goal = (0.0, 0.0, 0.1)
    state_names = ("theta", "omega")
    angles = (0,)

    g = 9.81
    k_energy = 2.0
    kp = 20.0
    kd = 5.0
    catch = 0.25
    """Largest unstable part of the state, theta + omega / sqrt(g) [rad], that PD brings back: less
    than 3 / g = 0.306, beyond which no action within the limits can."""

    def derivative(self, states: Array, actions: Array) -> Array:
        rates = np.empty(states.shape)
        rates[:, 0] = states[:, 1]
        rates[:, 1] = self.g * np.sin(states[:, 0]) + actions[:, 0]
        return rates

    def initial_states(self, n: int, rng: np.random.Generator) -> Array:
        """theta uniform in [-pi, pi), omega in [-1, 1]."""
        states = (rng.uniform(-1.0, 1.0, (n, 2)) * (np.pi, 1.0)).astype(np.float32)
        states[:, 0] = wrap_angle(states[:, 0])
        return states

    def reward(self, states: Array, actions: Array) -> Array:
        u = self.clip(np.asarray(actions, dtype=np.float64))[:, 0]
        return -self.norm(states) - 0.01 * u * u

    def in_goal(self, states: Array) -> Bools:
        return self.norm(states) <= 0.1

    def nominal(self, states: Array) -> Array:
        """Energy shaping: swing until the energy is that of rest upright, then PD."""
        s = np.asarray(states, dtype=np.float64)
        theta, omega = wrap_angle(s[:, 0]), s[:, 1]
        missing = self.g * (1.0 - np.cos(theta)) - 0.5 * omega * omega
        # Energy changes by u omega; at rest either direction will do.
        swing = self.k_energy * missing * np.where(omega < 0.0, -1.0, 1.0)
        unstable = theta + omega / np.sqrt(self.g)
        near = (np.abs(unstable) < self.catch) & (np.abs(theta) < 1.0)
        u = np.where(near, -self.kp * theta - self.kd * omega, swing)
        return self.clip(u[:, None]).astype(states.dtype)


SYSTEM = Pendulum()
