"""Heights on the GPU, read by transform feedback, against the float64 oracle.

Tolerance: 1e-5 of the range for smooth fields; else 1e-5 plus 4 float32 ulp of the grid coordinate
times the largest step between neighbours, which is what rounding a position must cost.
"""

from __future__ import annotations

import numpy as np
import pytest
import render_probe
from render_probe import Probe, context, transform

from calf_viz.heightfield import Heightfield, plane_nodes
from calf_viz.scene.height_texels import height_texels, level_field
from calf_viz.scene.ring import RingLayout
from calf_viz.scene.scene import Scene
from calf_viz.value_scale import ValueScale

pytestmark = pytest.mark.rendering

SHADER = """#version 330
#include "lib/contract.glsl"
#include "height.glsl"
in vec2 a_point;
out vec4 v_height;  // height, gradient, bad
void main() {
    vec2 gradient;
    float bad;
    float level = height(a_point, gradient, bad);
    v_height = vec4(level, gradient, bad);
}
"""
PLANES = [((-5.0, -5.0), (5.0, 5.0)), ((-5.3, 0.2), (4.1, 0.9))]
SHAPES = [(2, 2), (2, 9), (65, 65), (33, 100), (129, 65), (77, 201)]  # (rows, columns)
SEEDS = [1, 2]


def gpu_heights(folder, field: Heightfield, points: np.ndarray, **options) -> np.ndarray:
    """(points, 4) float64: height, gradient, bad; heights normalised over the field's range."""
    (folder / "probe.vert").write_text(SHADER, encoding="utf-8")
    probe = Probe(
        Scene(trail=2), field, RingLayout.fit(1, 4), folder, "probe.vert", varyings=("v_height",)
    )
    probe.bind(**options)
    vertices = context().buffer(points.astype(np.float32).tobytes())
    array = context().vertex_array(probe.program, [(vertices, "2f", "a_point")])
    return transform(array, 16, len(points)).astype(np.float64)


def sample_points(field: Heightfield, seed: int) -> np.ndarray:
    """Nodes, edges, both diagonals, insides, outsides; (n, 2), float32 values in float64."""
    rng = np.random.default_rng(seed)
    rows, columns = field.shape
    lo, hi = np.array(field.lo), np.array(field.hi)
    step = (hi - lo) / (columns - 1, rows - 1)
    corners = lo + step * rng.integers((0, 0), (columns - 1, rows - 1), (400, 2))
    t = rng.uniform(size=(400, 1))
    one, zero = np.ones_like(t), np.zeros_like(t)
    inside = [[t, zero], [zero, t], [one, t], [t, one], [t, 1 - t], [t, t], [t, t[::-1]]]
    points = np.concatenate(
        [
            plane_nodes(field.lo, field.hi, rows, columns),
            *(corners + step * np.hstack(r) for r in inside),
            rng.uniform(lo - 2 * (hi - lo), hi + 2 * (hi - lo), (800, 2)),
            [lo, hi, [lo[0], hi[1]], [hi[0], lo[1]], lo - 1e6, hi + 1e6],
        ]
    )
    return points.astype(np.float32).astype(np.float64)


def oracle(field: Heightfield, points: np.ndarray) -> np.ndarray:
    """Normalised heights in float64."""
    lo, hi = field.range
    return (field.heights(points) - lo) / (hi - lo)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("plane", PLANES, ids=["square", "oblong"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_random_fields(tmp_path, shape, plane, seed):
    field = Heightfield(np.random.default_rng(seed).uniform(size=shape), *plane)
    points = sample_points(field, seed)
    error = np.abs(gpu_heights(tmp_path, field, points)[:, 0] - oracle(field, points))

    rows, columns = shape
    cells = np.array([columns - 1, rows - 1])
    lo, hi = np.array(field.lo), np.array(field.hi)
    grid = np.clip((points - lo) / (hi - lo), 0, 1) * cells
    ulp = np.spacing(grid.astype(np.float32)).max(axis=1)
    z = field.values.astype(np.float64)
    largest = max(np.abs(np.diff(z, axis=axis)).max() for axis in (0, 1)) / np.ptp(field.range)
    tolerance = 1e-5 + 4 * ulp * largest
    worst = int(np.argmax(error - tolerance))
    assert (error <= tolerance).all(), (points[worst], error[worst], tolerance[worst])


@pytest.mark.parametrize("plane", PLANES, ids=["square", "oblong"])
@pytest.mark.parametrize("shape", [(65, 65), (33, 100), (129, 129)], ids=str)
def test_smooth_fields(tmp_path, shape, plane):
    nodes = plane_nodes(*plane, *shape)
    middle, half = np.mean(plane, axis=0), 0.5 * np.subtract(plane[1], plane[0])
    x, y = ((nodes - middle) / half).T
    values = 30.0 * (x**2 + 0.4 * x * y + 0.7 * y**2) + 4.0 * np.cos(2 * x) - 100.0
    field = Heightfield(values.reshape(shape), *plane)
    points = sample_points(field, 1)
    error = np.abs(gpu_heights(tmp_path, field, points)[:, 0] - oracle(field, points))
    assert error.max() <= 1e-5, f"{error.max():.2e} of the range"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gradient_is_the_triangles(tmp_path, seed):
    """Directions on screen and light come from it. Inside triangles, by differences."""
    field = Heightfield(np.random.default_rng(seed).uniform(size=(9, 14)), (-3.0, 1.0), (5.0, 4.0))
    rng = np.random.default_rng(seed + 100)
    step = np.array([8.0 / 13, 3.0 / 8])
    corners = np.array(field.lo) + step * rng.integers((0, 0), (13, 8), (300, 2))
    # Well inside either triangle, so that no difference leaves it.
    rest = np.where(rng.uniform(size=(300, 1)) < 0.5, [0.2, 0.3], [0.8, 0.6])
    points = (corners + step * rest).astype(np.float32).astype(np.float64)
    gradient = gpu_heights(tmp_path, field, points)[:, 1:3]
    h = 1e-3
    for axis, shift in enumerate(h * np.eye(2)):
        expected = (oracle(field, points + shift) - oracle(field, points - shift)) / (2 * h)
        np.testing.assert_allclose(gradient[:, axis], expected, atol=1e-4)


def test_cells_beside_a_replaced_value_are_bad_and_no_others(tmp_path):
    values = np.random.default_rng(4).uniform(size=(6, 8))
    values[2, 3] = np.nan  # row 2, column 3
    values[5, 7] = np.inf
    field = Heightfield(values, (0.0, 0.0), (7.0, 5.0))  # cells of one unit
    rng = np.random.default_rng(5)
    points = rng.uniform((0, 0), (7, 5), (2000, 2)).astype(np.float32).astype(np.float64)
    height, _, _, bad = gpu_heights(tmp_path, field, points).T
    np.testing.assert_allclose(height, oracle(field, points), atol=1e-5)

    x, y = points.T
    cell_x, cell_y = np.floor(x), np.floor(y)
    upper = (x - cell_x) + (y - cell_y) > 1.0
    touched = np.zeros(len(points), bool)
    for column, row in [(3, 2), (7, 5)]:
        for dx, dy in [(0, 0), (1, 0), (0, 1), (1, 1)]:
            in_cell = (cell_x + dx == column) & (cell_y + dy == row)
            corner_of_triangle = ~upper if (dx, dy) == (0, 0) else upper if dx + dy == 2 else True
            touched |= in_cell & corner_of_triangle
    assert touched.any()
    np.testing.assert_array_equal(bad > 0.0, touched)


@pytest.mark.parametrize("morph", [0.0, 0.25, 1.0])
def test_a_morph_mixes_the_last_critic_and_the_current(tmp_path, morph, monkeypatch):
    rng = np.random.default_rng(6)
    plane = ((-1.0, -1.0), (1.0, 1.0))
    last, current = (Heightfield(rng.uniform(size=(5, 7)), *plane) for _ in range(2))
    lo, hi = (pick(a, b) for pick, a, b in zip((min, max), last.range, current.range, strict=True))
    scale = ValueScale("linear", lo, hi)
    last_texels = height_texels(level_field(last, scale))
    texels = height_texels(level_field(current, scale), last_texels[..., 1])
    monkeypatch.setattr(render_probe, "height_texels", lambda *_: texels)
    points = sample_points(current, 7)
    mixed = (1 - morph) * last.heights(points) + morph * current.heights(points)
    got = gpu_heights(tmp_path, current, points, morph=morph)[:, 0]
    np.testing.assert_allclose(got, (mixed - lo) / (hi - lo), atol=2e-5)
