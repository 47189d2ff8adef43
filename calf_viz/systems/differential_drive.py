"""A robot on two driven wheels: state (x, y [m], theta [rad]), action (v [m/s], omega [rad/s])."""

import numpy as np

from calf_viz.systems.base import Array, Bools, Plane, System, wrap_angle


class DifferentialDrive(System):
    """x' = v cos(theta), y' = v sin(theta), theta' = omega; the goal is the origin, facing +x."""

    name = "differential_drive"
    state_dim = 3
    action_dim = 2
    action_limits = np.array([1.0, 2.0])
    plane = Plane(labels=("x [m]", "y [m]"))
    value_scale = "sqrt"  # as for the point mass
    marker = "arrow"
    goal = (0.0, 0.0, 0.1)
    state_names = ("x", "y", "theta")
    angles = (2,)
    heading_axis = 2

    k_rho = 0.8
    k_alpha = 3.0
    k_theta = 2.0
    stop_radius = 0.05
    """Distance [m] within which move-to-point stops and turns to theta = 0."""

    def derivative(self, states: Array, actions: Array) -> Array:
        theta, v = states[:, 2], actions[:, 0]
        rates = np.empty(states.shape)
        rates[:, 0] = v * np.cos(theta)
        rates[:, 1] = v * np.sin(theta)
        rates[:, 2] = actions[:, 1]
        return rates

    def initial_states(self, n: int, rng: np.random.Generator) -> Array:
        """x, y uniform in [-2, 2], theta uniform in [-pi, pi)."""
        states = rng.uniform(-1.0, 1.0, (n, 3)) * (2.0, 2.0, np.pi)
        states = states.astype(np.float32)
        states[:, 2] = wrap_angle(states[:, 2])
        return states

    def reward(self, states: Array, actions: Array) -> Array:
        s = np.asarray(states, dtype=np.float64)
        a = self.clip(np.asarray(actions, dtype=np.float64))
        turned = np.abs(wrap_angle(s[:, 2]))
        return -np.hypot(s[:, 0], s[:, 1]) - 0.1 * turned - 0.01 * np.sum(a * a, axis=1)

    def in_goal(self, states: Array) -> Bools:
        s = np.asarray(states, dtype=np.float64)
        turned = np.abs(wrap_angle(s[:, 2]))
        return (np.hypot(s[:, 0], s[:, 1]) <= 0.1) & (turned <= 0.1)

    def nominal(self, states: Array) -> Array:
        """Move-to-point: turn to the goal, drive to it, then turn to theta = 0.

        rho is the distance and alpha the bearing of the goal relative to the heading.
        """
        s = np.asarray(states, dtype=np.float64)
        x, y, theta = s[:, 0], s[:, 1], wrap_angle(s[:, 2])
        rho = np.hypot(x, y)
        alpha = wrap_angle(np.arctan2(-y, -x) - theta)
        ahead = np.abs(alpha) <= np.pi / 2
        v = np.where(ahead, self.k_rho * rho * np.cos(alpha), 0.0)
        # Behind: turn at full speed, by the shorter way.
        omega = np.where(ahead, self.k_alpha * alpha, np.sign(alpha) * self.action_limits[1])
        there = rho < self.stop_radius
        v = np.where(there, 0.0, v)
        omega = np.where(there, -self.k_theta * theta, omega)
        return self.clip(np.stack([v, omega], axis=1)).astype(states.dtype)


SYSTEM = DifferentialDrive()
