"""Heights of the critic's surface: of many states at once, and of one after another."""

from __future__ import annotations

import numpy as np
import pytest
from oracles import heights_loop

from calf_viz.heightfield import Heightfield

CLOSE = 1e-6


@pytest.mark.parametrize("shape", [(2, 2), (15, 15), (65, 65), (7, 40)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_vectorized_interpolation(shape: tuple[int, int], seed: int) -> None:
    """In the plane, on nodes, edges and diagonals, and outside."""
    rng = np.random.default_rng(seed)
    field = Heightfield(rng.normal(size=shape), (-5.0, -2.0), (5.0, 3.0))
    rows, columns = shape
    x, y = np.linspace(-5, 5, columns), np.linspace(-2, 3, rows)
    nodes = np.stack(np.meshgrid(x, y), axis=-1)
    diagonals = 0.5 * (nodes[:-1, 1:] + nodes[1:, :-1])
    edges = 0.5 * (nodes[:, 1:] + nodes[:, :-1])
    states = np.concatenate(
        [rng.uniform(-7, 7, (400, 2)), *(at.reshape(-1, 2) for at in (nodes, diagonals, edges))]
    )
    at_once = field.heights(states)
    one_by_one = heights_loop(field, states)
    np.testing.assert_allclose(at_once, one_by_one, rtol=0, atol=CLOSE)
    np.testing.assert_allclose(
        field.heights(nodes.reshape(-1, 2)), field.values.ravel(), rtol=0, atol=CLOSE
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_slopes_are_those_of_the_heights(seed: int) -> None:
    """Within a triangle, by differences."""
    rng = np.random.default_rng(seed)
    field = Heightfield(rng.normal(size=(9, 14)), (-5.0, -2.0), (5.0, 3.0))
    points = rng.uniform((-4.9, -1.9), (4.9, 2.9), (300, 2))
    step = 1e-6
    planes = field.tangent_planes(points)
    np.testing.assert_array_equal(planes[:, 0], field.heights(points))
    for axis, offset in enumerate(step * np.eye(2)):
        ahead, behind = field.heights(points + offset), field.heights(points - offset)
        slopes = (ahead - behind) / (2 * step)
        off = np.abs(slopes - planes[:, 1 + axis]) > 1e-4
        assert off.mean() < 0.01, "only across an edge do they differ"
