"""Heights between nodes: the vectorised form against the plain loop, and against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles import heights_loop

from calf_viz.heightfield import Heightfield, plane_nodes

LO, HI = (-5.3, -2.0), (4.1, 6.7)
SHAPES = [(2, 2), (2, 7), (9, 3), (33, 50), (101, 77)]  # (rows, columns); no squares past 2 x 2
SEEDS = [1, 2]


def random_field(shape: tuple[int, int], seed: int) -> Heightfield:
    return Heightfield(np.random.default_rng(seed).normal(size=shape), LO, HI)


def special_points(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Nodes, points on cells' edges and both diagonals, inside cells, and outside the plane."""
    rng = np.random.default_rng(seed)
    rows, columns = shape
    lo, hi = np.array(LO), np.array(HI)
    step = (hi - lo) / (columns - 1, rows - 1)
    nodes = plane_nodes(LO, HI, rows, columns)
    corners = lo + step * rng.integers((0, 0), (columns - 1, rows - 1), (200, 2))
    t = rng.uniform(size=(200, 1))
    outside = rng.uniform(lo - 4 * (hi - lo), hi + 4 * (hi - lo), (400, 2))
    return np.concatenate(
        [
            nodes,
            corners + step * t * (1, 0),  # edges
            corners + step * t * (0, 1),
            corners + step * np.hstack([t, 1 - t]),  # the cut
            corners + step * t,  # the other diagonal
            corners + step * rng.uniform(size=(200, 2)),
            outside,
        ]
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_heights_agree_with_the_loop(shape, seed):
    field = random_field(shape, seed)
    points = special_points(shape, seed)
    np.testing.assert_allclose(
        field.heights(points), heights_loop(field, points), rtol=0, atol=1e-12
    )


@given(
    values=hnp.arrays(
        np.float32,
        st.tuples(st.integers(2, 9), st.integers(2, 9)),
        elements=st.floats(-100, 100, width=32),
    ),
    points=hnp.arrays(
        np.float64, st.tuples(st.integers(1, 9), st.just(2)), elements=st.floats(-20, 20)
    ),
)
def test_heights_agree_with_the_loop_on_anything(values, points):
    field = Heightfield(values, LO, HI)
    # 1e-12 of the values' size, which is 100.
    np.testing.assert_allclose(
        field.heights(points), heights_loop(field, points), rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_nodes_have_their_own_values(shape):
    field = random_field(shape, 3)
    heights = field.heights(plane_nodes(LO, HI, *shape)).reshape(shape)
    np.testing.assert_allclose(heights, field.values, atol=1e-12)


def test_the_first_axis_runs_along_a_row():
    field = Heightfield([[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]], (0.0, 0.0), (2.0, 1.0))
    points = [[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [1.5, 0.5]]
    np.testing.assert_allclose(field.heights(points), [1.0, 2.0, 10.0, 6.5], atol=1e-12)


def test_cells_are_cut_along_the_anti_diagonal():
    """A single raised corner tells the cuts apart: bilinear gives 0.25, the other cut 0 or 0.5."""
    for corner, expected in [((0, 0), 0.0), ((1, 1), 0.0), ((0, 1), 0.5), ((1, 0), 0.5)]:
        values = np.zeros((2, 2))
        values[corner] = 1.0
        field = Heightfield(values, (0.0, 0.0), (1.0, 1.0))
        assert field.heights([[0.5, 0.5]])[0] == pytest.approx(expected, abs=1e-12), corner
    raised = Heightfield([[0.0, 0.0], [0.0, 1.0]], (0.0, 0.0), (1.0, 1.0))
    np.testing.assert_allclose(raised.heights([[0.3, 0.6], [0.8, 0.6]]), [0.0, 0.4], atol=1e-12)


def test_planes_are_reproduced():
    """Linear on triangles: a linear function comes out exactly, whatever the cut."""
    nodes = plane_nodes((0.0, 0.0), (8.0, 4.0), 5, 9)  # whole numbers: exact in float32
    values = (2.0 * nodes[:, 0] - 3.0 * nodes[:, 1] + 1.0).reshape(5, 9)
    field = Heightfield(values, (0.0, 0.0), (8.0, 4.0))
    points = np.random.default_rng(5).uniform((0, 0), (8, 4), (100, 2))
    expected = 2.0 * points[:, 0] - 3.0 * points[:, 1] + 1.0
    np.testing.assert_allclose(field.heights(points), expected, atol=1e-12)


def test_outside_the_plane_the_edge_goes_on():
    field = random_field((6, 11), 7)
    rng = np.random.default_rng(7)
    points = rng.uniform(-1e3, 1e3, (300, 2))
    np.testing.assert_array_equal(field.heights(points), field.heights(np.clip(points, LO, HI)))
    corner = field.heights([[1e30, -1e30]])[0]
    assert corner == pytest.approx(float(field.values[0, -1]), abs=1e-12)


def test_a_state_that_is_nan_has_no_height():
    heights = random_field((4, 5), 9).heights([[np.nan, 0.0], [0.0, np.nan], [0.0, 0.0]])
    assert np.isnan(heights[:2]).all() and np.isfinite(heights[2])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_bad_values_become_a_wall(value):
    values = np.arange(12.0).reshape(3, 4)
    values[1, 2] = values[2, 3] = value  # the second hides the highest, 11
    field = Heightfield(values, LO, HI)
    assert field.bad.sum() == 2 and field.bad[1, 2] and field.bad[2, 3]
    assert field.values[1, 2] == field.values[2, 3] == 10.0
    assert field.range == (0.0, 10.0)
    assert np.isfinite(field.heights(plane_nodes(LO, HI, 9, 9))).all()


def test_a_field_without_one_finite_value_is_flat():
    field = Heightfield(np.full((3, 3), np.nan), LO, HI)
    assert field.bad.all() and field.range == (0.0, 0.0)
    np.testing.assert_array_equal(field.heights([[0.0, 0.0]]), [0.0])


def test_the_callers_array_is_left_alone():
    values = np.array([[np.nan, 1.0], [2.0, 3.0]], dtype=np.float32)
    Heightfield(values, LO, HI)
    assert np.isnan(values[0, 0])


@pytest.mark.parametrize(
    ("shape", "lo", "hi"),
    [
        ((1, 5), LO, HI),
        ((5, 1), LO, HI),
        ((5,), LO, HI),
        ((3, 3), (0, 0), (0, 1)),
        ((3, 3), (0, 2), (1, 1)),
        ((3, 3), (0, np.nan), (1, 1)),
    ],
)
def test_grids_that_are_none_are_refused(shape, lo, hi):
    with pytest.raises(ValueError, match=r"nodes|corners"):
        Heightfield(np.zeros(shape), lo, hi)


def test_of_a_function() -> None:
    field = Heightfield.of(lambda x, y: x + 10 * y, (0.0, 1.0), (2.0, 5.0), nodes=5)
    assert field.shape == (5, 5)
    np.testing.assert_allclose(field.heights([[0.5, 2.0], [2.0, 5.0]]), [20.5, 52.0])
    assert Heightfield.of(lambda x, y: 3.0, (0.0, 0.0), (1.0, 1.0)).range == (3.0, 3.0)


def test_values_in_place_of_a_function_are_refused_with_what_takes_them() -> None:
    with pytest.raises(ValueError, match=r"ndarray is no function.*Heightfield\(values, lo, hi\)"):
        Heightfield.of(np.zeros((3, 3)), LO, HI)
