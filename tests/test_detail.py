"""The stride of drawn trails: as long as no chord leaves its samples visibly."""

from __future__ import annotations

import math

import numpy as np
import pytest

from calf_viz.heightfield import Heightfield
from calf_viz.render.detail import LADDER, RISE, TOLERANCE, DetailChooser
from calf_viz.render.scene import Scene

LEVEL = Heightfield(np.zeros((5, 5)), (-5, -5), (5, 5))
RANGE = (0.0, 1.0)


def circling(speed: float, radius: float, steps: int, agents: int = 3) -> np.ndarray:
    """Agents on a circle, `speed` units a step: (steps, agents, 2)."""
    angle = speed / radius * np.arange(steps)[:, None] + np.arange(agents)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def watch(scene: Scene, path: np.ndarray, first: np.ndarray | None = None) -> DetailChooser:
    chooser = DetailChooser(scene)
    for step, positions in enumerate(path):
        begins = np.zeros(len(positions), bool) if first is None else first[step]
        chooser.see(positions, begins)
        chooser.stride(LEVEL, RANGE)
    return chooser


def test_before_anything_is_known_every_sample_is_drawn() -> None:
    assert DetailChooser(Scene()).stride(LEVEL, RANGE) == 1
    assert DetailChooser(Scene(stride=3)).stride(LEVEL, RANGE) == 3


@pytest.mark.parametrize("speed", [0.002, 0.01, 0.02, 0.05, 0.2])
def test_a_circles_chords_stay_within_the_tolerance(speed: float) -> None:
    """A chord over s steps leaves a circle by r (1 - cos(s speed / 2 r))."""
    scene, radius = Scene(), 2.0
    stride = watch(scene, circling(speed, radius, 200)).stride(LEVEL, RANGE)
    scale = scene.camera.pixels_per_unit(scene.size, nearest=True)
    error = {s: scale * radius * (1 - math.cos(s * speed / radius / 2)) for s in LADDER}
    taken = [s for s in LADDER if error[s] <= RISE * TOLERANCE]
    assert stride == max(taken, default=1)


def test_agents_that_go_straight_or_rest_need_few_samples() -> None:
    line = np.linspace(-4, 4, 300)[:, None, None] * np.array([1.0, 0.5])
    assert watch(Scene(), np.tile(line, (1, 2, 1))).stride(LEVEL, RANGE) == max(LADDER)
    assert watch(Scene(), np.ones((300, 2, 2))).stride(LEVEL, RANGE) == max(LADDER)


def test_it_follows_the_camera() -> None:
    chooser = watch(Scene(), circling(0.02, 2.0, 200))
    usual = chooser.stride(LEVEL, RANGE)
    chooser.scene.camera.distance = 5.0
    near = chooser.stride(LEVEL, RANGE)
    chooser.scene.camera.distance = 100.0
    far = chooser.stride(LEVEL, RANGE)
    assert near < usual < far


def test_on_a_curved_surface_chords_are_shorter() -> None:
    x, y = np.meshgrid(np.linspace(-5, 5, 41), np.linspace(-5, 5, 41))
    bowl = Heightfield(x * x + y * y, (-5, -5), (5, 5))
    line = np.linspace(-4, 4, 200)[:, None, None] * np.array([[1.0, 0.5]])
    chooser = watch(Scene(), line)
    assert chooser.stride(bowl, bowl.range) < max(LADDER)


def test_jumps_to_a_new_start_are_no_movement() -> None:
    path = np.repeat(np.random.default_rng(0).uniform(-2, 2, (10, 4, 2)), 30, axis=0)
    path[..., 0] += 0.02 * (np.arange(300) % 30)[:, None]
    first = np.zeros(path.shape[:2], bool)
    first[::30] = True
    assert watch(Scene(), path, first).stride(LEVEL, RANGE) == max(LADDER)
    assert watch(Scene(), path).stride(LEVEL, RANGE) < max(LADDER)


def test_it_shortens_at_once_and_lengthens_late() -> None:
    scene = Scene(trail=100)
    slow, fast = circling(0.005, 2.0, 200), circling(0.1, 2.0, 70)
    chooser = watch(scene, slow)
    assert (before := chooser.stride(LEVEL, RANGE)) > 4
    for positions in fast:
        chooser.see(positions, np.zeros(3, bool))
    assert (during := chooser.stride(LEVEL, RANGE)) < before
    for positions in slow[:32]:
        chooser.see(positions, np.zeros(3, bool))
    assert chooser.stride(LEVEL, RANGE) < before, "fast samples are still in the trail"
    for positions in np.concatenate([slow, slow]):
        chooser.see(positions, np.zeros(3, bool))
    assert chooser.stride(LEVEL, RANGE) == before > during


def test_no_position_but_finite_ones_counts() -> None:
    path = circling(0.01, 2.0, 100)
    path[40:60, 1] = np.nan
    assert watch(Scene(), path).stride(LEVEL, RANGE) >= 4
