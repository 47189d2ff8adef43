"""Poses between that of the agents and that of the whole plane, which taller surfaces get."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.scene.camera import OrbitCamera
from calf_viz.scene.composition import WITHIN, Composition
from calf_viz.scene.frame import Frame
from calf_viz.scene.placement import Picture
from calf_viz.scene.viewpoint import Viewpoint

LO, HI = (-5.0, -5.0), (5.0, 5.0)
SQUARES = np.linspace(-1, 1, 17) ** 2


@pytest.mark.parametrize("seed", range(40))
def test_agents_on_a_tall_surface_are_in_the_picture_and_clear_of_panels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height = rng.uniform(2.2, 5.8)
    ground = Heightfield(0.5 * height * np.add.outer(SQUARES, SQUARES), LO, HI)
    camera = OrbitCamera()
    nodes = plane_nodes(LO, HI, 17, 17)
    camera.frame((*LO, *HI, height), np.column_stack([nodes, ground.values.ravel()]))
    panel = (-1.0, 1.0 - rng.uniform(0.4, 1.2), -1.0 + rng.uniform(0.3, 0.55), 1.0)
    picture = Picture(rng.uniform(1.2, 1.9), (panel, (0.8, 0.3, 1.0, 1.0)))
    low = rng.uniform(-4.5, 2.0, 2)
    high = np.minimum(low + rng.uniform(1.0, 5.0, 2), 5.0)
    region = (low[0], low[1]), (high[0], high[1])
    composition = Composition(camera, ground, Frame(), picture)
    pose = composition.pose(Viewpoint(), region)
    points = composition._region_points(region)
    x, y = replace(camera, **pose._asdict()).places(points, picture.aspect).T
    assert max(np.abs(x).max(), np.abs(y).max()) <= WITHIN + 1e-6
    for left, lower, right, upper in picture.covered:
        assert not ((x > left) & (x < right) & (y > lower) & (y < upper)).any()
