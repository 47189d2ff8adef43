"""CALF on an environment of Gymnasium's: Pendulum-v1, with a policy that swings it up for certain.

calf-viz --system examples/pendulum_v1.py --policy nominal --n-agents 20
calf-viz --system examples/pendulum_v1.py --train
"""

import numpy as np

from calf_viz.environments.environment_system import EnvironmentSystem
from calf_viz.systems import Plane


class PendulumV1(EnvironmentSystem):
    """theta'' = 15 sin(theta) + 3 u with |u| <= 2; the goal is rest at theta = 0, upright."""

    name = "pendulum_v1"
    env_id = "Pendulum-v1"
    state_dim, action_dim = 2, 1
    action_limits = np.array([2.0])
    state_names = ("theta", "omega")
    angles = (0,)
    plane = Plane((-np.pi, -8.0), (np.pi, 8.0), labels=("θ [rad]", "ω [rad/s]"))
    goal = (0.0, 0.0, 0.2)
    dt = 0.05
    max_steps = 300

    def states_of(self, observations):
        cosine, sine, omega = observations.T
        return np.stack([np.arctan2(sine, cosine), omega], axis=1)

    def put(self, env, state):
        env.unwrapped.state = np.array(state, np.float64)

    def in_goal(self, states):
        return self.norm(states) <= 0.2

    def nominal(self, states):
        """Energy shaping: swing until the energy is that of rest upright, then PD."""
        theta, omega = np.asarray(states, np.float64).T
        missing = 5.0 * (1.0 - np.cos(theta)) - omega**2 / 6.0
        swing = missing * np.where(omega < 0.0, -1.0, 1.0)
        near = (np.abs(theta + omega / np.sqrt(15.0)) < 0.3) & (np.abs(theta) < 1.0)
        u = np.where(near, -12.0 * theta - 3.0 * omega, swing)
        return self.clip(u[:, None]).astype(states.dtype)


SYSTEM = PendulumV1()
