"""The nominal policies reach the goal from everywhere, in the number of steps that is claimed."""

from __future__ import annotations

import numpy as np
import pytest

from calf_viz import systems
from calf_viz.systems import System


def steps_to_goal(system: System, states: np.ndarray, horizon: int) -> np.ndarray:
    """Steps each start needs under the nominal policy, -1 where `horizon` is not enough."""
    states = states.astype(np.float32)
    steps = np.where(system.in_goal(states), 0, -1)
    for step in range(1, horizon + 1):
        alive = steps < 0
        if not alive.any():
            break
        states[alive] = system.step(states[alive], system.nominal(states[alive]))
        steps[alive & system.in_goal(states)] = step
    return steps


def grid(*axes: np.ndarray) -> np.ndarray:
    """Every combination of the axes' values, (m, len(axes))."""
    return np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")], axis=1)


def test_pd_brings_the_point_mass_to_rest_from_every_start() -> None:
    axis = np.linspace(-2, 2, 41)
    steps = steps_to_goal(systems.get("point_mass"), grid(axis, axis), 2000)
    assert (steps >= 0).all()
    # Lightly damped on purpose: slow, so that there is something for the actor to gain.
    assert steps.max() <= 1771
    assert 1350 <= np.median(steps) <= 1450
    assert 0.02 <= (steps <= 750).mean() <= 0.06


def test_move_to_point_parks_the_robot_from_every_start() -> None:
    axis = np.linspace(-2, 2, 9)
    turns = np.linspace(-np.pi, np.pi, 17)
    steps = steps_to_goal(systems.get("differential_drive"), grid(axis, axis, turns), 1000)
    assert (steps >= 0).all()
    assert steps.max() <= 930


@pytest.mark.parametrize(("fastest", "most"), [(1.0, 620), (30.0, 1200)])
def test_the_pendulum_swings_up_from_every_start(fastest: float, most: int) -> None:
    """And from wherever an actor may have sent it, which is what the guarantee needs."""
    axes = np.linspace(-np.pi, np.pi, 73), np.linspace(-fastest, fastest, 21)
    steps = steps_to_goal(systems.get("pendulum"), grid(*axes), 2000)
    assert (steps >= 0).all()
    assert steps.max() <= most


@pytest.mark.parametrize(
    "start",
    [
        [np.pi, 0.0],  # at rest below
        [-np.pi, -0.0],
        [0.5, 0.0],  # beyond what the action holds
        [0.25, 0.0],  # at the switch from swinging to PD
        [-0.25, 0.0],
        [1.0, -np.sqrt(9.81)],
        [0.0, 6.26],
    ],
)
def test_the_pendulum_swings_up_from_awkward_starts(start: list[float]) -> None:
    assert steps_to_goal(systems.get("pendulum"), np.array([start]), 1000)[0] >= 0


@pytest.mark.parametrize(
    "start",
    [
        [0.0, 0.0, np.pi],  # there, but facing away
        [0.0, 0.0, -np.pi],
        [0.0499, 0.0, 3.0],  # at the stop radius, on either side
        [0.0501, 0.0, 3.0],
        [1.0, 0.0, 0.0],  # the goal straight behind: either way round will do
        [-1e-8, 0.0, np.pi / 2],
        [1.0, 1.0, -np.pi / 4],  # the goal exactly abeam
        [2.0, 2.0, np.pi / 4],
    ],
)
def test_move_to_point_from_awkward_starts(start: list[float]) -> None:
    assert steps_to_goal(systems.get("differential_drive"), np.array([start]), 1000)[0] >= 0


def test_move_to_point_turns_before_it_drives_and_stops_before_it_turns() -> None:
    drive = systems.get("differential_drive")
    behind, ahead, there = drive.nominal(
        np.array([[1.0, 0.5, 0.0], [-0.5, 0.0, 0.1], [0.01, 0.02, 0.5]])
    )
    # Bearing of the goal from (1, 0.5) is -(pi - atan(0.5)): by the right is the shorter way.
    assert behind.tolist() == [0.0, -2.0]
    np.testing.assert_allclose(ahead, [0.8 * 0.5 * np.cos(0.1), -3.0 * 0.1])
    assert there.tolist() == [0.0, -1.0]
