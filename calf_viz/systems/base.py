"""Base class of systems: dynamics, rewards, a goal, a nominal policy, and how it is shown.

Arrays are vectorised over agents: states (n, state_dim), actions (n, action_dim). Arithmetic is in
float64; states and actions are returned in the dtype of the given states (float32 in the program).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Plane:
    """The part of the state space that is shown: two axes of the state and their range.

    Attributes:
        lo, hi: its corners, in the units of its axes; of any size, different for each axis.
        axes: indices of the states shown.
        labels: name and unit of each axis.
    """

    lo: tuple[float, float] = (-5.0, -5.0)
    hi: tuple[float, float] = (5.0, 5.0)
    axes: tuple[int, int] = (0, 1)
    labels: tuple[str, str] = ("x [m]", "y [m]")


def wrap_angle(angle: Array) -> Array:
    """Angles [rad] wrapped to [-pi, pi), in their own dtype."""
    wrapped = np.mod(np.asarray(angle, dtype=np.float64) + np.pi, 2 * np.pi) - np.pi
    wrapped = wrapped.astype(angle.dtype)
    # Rounding, especially to float32, can give pi itself, which is equivalent to -pi.
    pi = angle.dtype.type(np.pi)
    return np.where(wrapped >= pi, -pi, wrapped)


class System(ABC):
    """A continuous-time system, sampled every `dt` seconds.

    A subclass sets the attributes below and implements the abstract methods; `step` (RK4, with the
    action held over the step) and the rest follow from them.
    """

    name: str
    state_dim: int
    action_dim: int
    action_limits: Array
    """Largest absolute value of each action, (action_dim,)."""
    state_names: tuple[str, ...] = ()
    """Name of each state, by which `slice` sets those that the plane does not show; by default s0,
    s1, ..."""
    plane: Plane
    value_scale: Literal["linear", "sqrt", "symlog", "rank"] = "linear"
    """How values of the critic become heights and colours, unless the configuration says."""
    clim: str | tuple[float, float] = "auto"
    """The values at the lowest and the highest; see `View`."""
    marker: Literal["sphere", "arrow"] = "sphere"
    goal: tuple[float, float, float] | tuple[float, float, float, float] | None = None
    """The goal set on the plane, where it is drawn: centre and radius, or semi-axes, as in a
    `View`."""
    angles: tuple[int, ...] = ()
    """Indices of the states that are angles [rad]: wrapped to [-pi, pi) after each step; networks
    see their cosine and sine."""
    heading_axis: int | None = None
    """Index of the angle that gives an arrow's direction."""
    edges: Mapping[int, tuple[float, float]] | None = None
    """Range of each state that ends a training episode when left; by default the plane's axes,
    except angles."""
    dt: float = 0.01
    """Sampling time [s]."""
    max_steps: int = 750
    """Steps after which a training episode is cut off."""

    @abstractmethod
    def derivative(self, states: Array, actions: Array) -> Array:
        """ds/dt, (n, state_dim), for actions already within the limits."""

    @abstractmethod
    def initial_states(self, n: int, rng: np.random.Generator) -> Array:
        """Random initial states of n agents, (n, state_dim) float32."""

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
        with np.errstate(over="ignore", invalid="ignore"):  # who is lost starts anew
            k1 = self.derivative(s, a)
            k2 = self.derivative(s + 0.5 * h * k1, a)
            k3 = self.derivative(s + 0.5 * h * k2, a)
            k4 = self.derivative(s + h * k3, a)
            new = (s + h / 6.0 * (k1 + 2.0 * (k2 + k3) + k4)).astype(states.dtype)
            for angle in self.angles:
                new[:, angle] = wrap_angle(new[:, angle])
        return new

    def norm(self, states: Array) -> NDArray[np.float64]:
        """Euclidean norm of the full state, angles wrapped, (n,) float64."""
        s = np.array(states, dtype=np.float64)
        for angle in self.angles:
            s[:, angle] = wrap_angle(s[:, angle])
        return np.sqrt((s * s).sum(axis=1))

    def out_of_plane(self, states: Array) -> Bools:
        """Whether each agent is beyond an edge, (n,)."""
        edges = self._plane_edges() if self.edges is None else self.edges
        out = np.zeros(len(states), dtype=np.bool_)
        for state, (least, largest) in edges.items():
            out |= (states[:, state] < least) | (states[:, state] > largest)
        return out

    def _plane_edges(self) -> dict[int, tuple[float, float]]:
        bounds = zip(self.plane.axes, zip(self.plane.lo, self.plane.hi, strict=True), strict=True)
        return {axis: ends for axis, ends in bounds if axis not in self.angles}

    def plane_states(self, points: Array, hidden: float | Array = 0.0) -> Array:
        """Full states (m, state_dim) float32 at points (m, 2) of the plane shown.

        hidden: value of every state that is not an axis of the plane; or (state_dim,), one each.
        """
        states = np.full((len(points), self.state_dim), hidden, dtype=np.float32)
        states[:, list(self.plane.axes)] = points
        return states
