"""What every system has: dynamics, rewards, a goal, a nominal policy, and how it is shown.

Arrays are vectorised over agents: states (n, state_dim), actions (n, action_dim). Arithmetic is in
float64; states and actions come back in the dtype of the states given (float32 in the program).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Plane:
    """The part of the state space that is shown: two axes of the state and their range."""

    lo: tuple[float, float] = (-5.0, -5.0)
    hi: tuple[float, float] = (5.0, 5.0)
    axes: tuple[int, int] = (0, 1)
    labels: tuple[str, str] = ("x [m]", "y [m]")


def wrap_angle(angle: Array) -> Array:
    """Angles [rad] wrapped to [-pi, pi), in their own dtype."""
    wrapped = np.mod(np.asarray(angle, dtype=np.float64) + np.pi, 2 * np.pi) - np.pi
    wrapped = wrapped.astype(angle.dtype)
    # Rounding, to float32 above all, can land on pi itself, which belongs to the other end.
    pi = angle.dtype.type(np.pi)
    return np.where(wrapped >= pi, -pi, wrapped)


class System(ABC):
    """A continuous system, sampled each `dt` seconds.

    A subclass sets the attributes below and writes the abstract methods; `step` (RK4, with the
    action held over the step) and the rest follow from them.
    """

    name: str
    state_dim: int
    action_dim: int
    action_limits: Array
    """Largest absolute value of each action, (action_dim,)."""
    state_labels: tuple[str, ...]
    """Name and unit of each state, for axes and stats."""
    plane: Plane
    marker: Literal["sphere", "arrow"] = "sphere"
    heading_axis: int | None = None
    """The state that is an angle [rad]: wrapped after each step, and where an arrow points."""
    edge_axes: tuple[int, ...] = (0,)
    """The states whose leaving the plane's range ends a training episode."""
    edge: float = 5.0
    dt: float = 0.01
    """Sampling time [s]."""
    max_steps: int = 750
    """Steps after which a training episode is cut off."""

    @abstractmethod
    def derivative(self, states: Array, actions: Array) -> Array:
        """ds/dt, (n, state_dim), for actions already within the limits."""

    @abstractmethod
    def initial_states(self, n: int, rng: np.random.Generator) -> Array:
        """n starts, (n, state_dim) float32."""

    @abstractmethod
    def reward(self, states: Array, actions: Array) -> Array:
        """Reward of one step, (n,) float64, never positive; actions are clipped first."""

    @abstractmethod
    def in_goal(self, states: Array) -> Bools:
        """Whether each agent is in the goal set, (n,)."""

    @abstractmethod
    def nominal(self, states: Array) -> Array:
        """The stabilising policy pi_0, clipped to the limits, (n, action_dim)."""

    def clip(self, actions: Array) -> Array:
        """Actions clipped to the limits, (n, action_dim)."""
        return np.minimum(np.maximum(actions, -self.action_limits), self.action_limits)

    def step(self, states: Array, actions: Array) -> Array:
        """States one `dt` later, by the classical Runge-Kutta method of order 4."""
        a = self.clip(np.asarray(actions, dtype=np.float64))
        s = np.asarray(states, dtype=np.float64)
        h = self.dt
        k1 = self.derivative(s, a)
        k2 = self.derivative(s + 0.5 * h * k1, a)
        k3 = self.derivative(s + 0.5 * h * k2, a)
        k4 = self.derivative(s + h * k3, a)
        new = (s + h / 6.0 * (k1 + 2.0 * (k2 + k3) + k4)).astype(states.dtype)
        if self.heading_axis is not None:
            new[:, self.heading_axis] = wrap_angle(new[:, self.heading_axis])
        return new

    def norm(self, states: Array) -> NDArray[np.float64]:
        """Euclidean norm of the full state, angle wrapped, (n,) float64."""
        s = np.array(states, dtype=np.float64)
        if self.heading_axis is not None:
            s[:, self.heading_axis] = wrap_angle(s[:, self.heading_axis])
        return np.sqrt((s * s).sum(axis=1))

    def out_of_plane(self, states: Array) -> Bools:
        """Whether each agent has left the plane over its edge, (n,)."""
        return np.any(np.abs(states[:, self.edge_axes]) > self.edge, axis=1)

    def plane_states(self, points: Array, slice_value: float = 0.0) -> Array:
        """Full states (m, state_dim) float32 at points (m, 2) of the plane shown.

        Every state that is not an axis of the plane is `slice_value`.
        """
        states = np.full((len(points), self.state_dim), slice_value, dtype=np.float32)
        states[:, list(self.plane.axes)] = points
        return states
