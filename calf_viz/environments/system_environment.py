"""A system as a Gymnasium environment."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from calf_viz import systems

SIDE, DOT = 256, 5.0
"""Side of a picture, and an agent's radius in it, in pixels."""
GROUND, GOAL, AGENT = (24, 28, 36), (70, 167, 88), (77, 171, 247)


class SystemEnvironment(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """One agent of a system, which is to reach its goal.

    Observations are the state, each angle replaced by its cosine and sine. Reaching the goal
    terminates an episode; crossing an edge, or `max_steps`, truncates it. `infos` has `is_success`.

    Attributes:
        state: (state_dim,) float32.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012  (as Gymnasium's)

    def __init__(self, system: str, render_mode: str | None = None) -> None:
        """system: its name. render_mode: `rgb_array`, or None."""
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode {render_mode!r}: give rgb_array or None")
        self.system = made = systems.get(system)
        self.render_mode = render_mode
        limits = np.asarray(made.action_limits, np.float32)
        self.action_space = Box(-limits, limits, dtype=np.float32)
        names = made.state_names or tuple(f"s{i}" for i in range(made.state_dim))
        labels = dict(zip(made.plane.axes, made.plane.labels, strict=True))
        entries: list[str] = []
        self._entries: list[int] = []  # where each state begins
        for state in range(made.state_dim):
            name = labels.get(state, names[state])
            plain = name.partition(" [")[0]
            self._entries.append(len(entries))
            entries += [f"cos {plain}", f"sin {plain}"] if state in made.angles else [name]
        high = np.full(len(entries), np.inf, np.float32)
        for state in made.angles:
            high[self._entries[state] : self._entries[state] + 2] = 1.0
        self.observation_space = Box(-high, high, dtype=np.float32)
        self.metadata = {
            **self.metadata, "observation_names": tuple(entries), "plane": self._plane(),
        }  # fmt: skip
        self.state = np.zeros(made.state_dim, np.float32)
        self._steps = 0

    def _plane(self) -> str:
        def axis(state: int) -> str:
            entry = self._entries[state]
            return f"angle({entry},{entry + 1})" if state in self.system.angles else str(entry)

        return ",".join(axis(state) for state in self.system.plane.axes)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed)
        self.state = self.system.initial_states(1, self.np_random)[0]
        self._steps = 0
        return self._observed(), {}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        system, actions = self.system, np.asarray(action, np.float32)[None]
        reward = float(system.reward(self.state[None], actions)[0])
        self.state = system.step(self.state[None], actions)[0]
        self._steps += 1
        reached = bool(system.in_goal(self.state[None])[0])
        left = bool(system.out_of_plane(self.state[None])[0])
        truncated = not reached and (left or self._steps >= system.max_steps)
        return self._observed(), reward, reached, truncated, {"is_success": reached}

    def _observed(self) -> NDArray[np.float32]:
        found: list[float] = []
        for state, value in enumerate(self.state.tolist()):
            found += [np.cos(value), np.sin(value)] if state in self.system.angles else [value]
        return np.array(found, np.float32)

    def render(self) -> NDArray[np.uint8] | None:
        """The agent and its goal on the plane seen from above, (SIDE, SIDE, 3)."""
        if self.render_mode is None:
            return None
        plane, goal = self.system.plane, self.system.goal
        lo, width = np.array(plane.lo), np.subtract(plane.hi, plane.lo)
        picture = np.full((SIDE, SIDE, 3), GROUND, np.uint8)
        down, right = np.mgrid[0.5:SIDE, 0.5:SIDE] / SIDE
        places = lo + width * np.stack([right, 1.0 - down], axis=-1)
        if goal is not None:
            radii = np.array((goal[2], goal[-1]))
            least = np.maximum(radii, width / SIDE * 3)  # pixels
            picture[(((places - goal[:2]) / least) ** 2).sum(axis=-1) <= 1.0] = GOAL
        apart = (places - self.state[list(plane.axes)]) / width * SIDE
        picture[(apart**2).sum(axis=-1) <= DOT**2] = AGENT
        return picture
