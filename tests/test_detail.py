"""The stride of drawn trails: as long as no curve leaves its samples visibly."""

from __future__ import annotations

import numpy as np
import pytest

from calf_viz.heightfield import Heightfield
from calf_viz.scene import detail
from calf_viz.scene.detail import LADDER, RISE, TOLERANCE, DetailChooser, _most
from calf_viz.scene.height_texels import level_field
from calf_viz.scene.scene import DEPTH_BIAS, Scene
from calf_viz.value_scale import ValueScale

LEVEL = Heightfield(np.zeros((5, 5)), (-5, -5), (5, 5))


def circling(speed: float, radius: float, steps: int, agents: int = 3) -> np.ndarray:
    """Agents on a circle, `speed` units a step: (steps, agents, 2)."""
    angle = speed / radius * np.arange(steps)[:, None] + np.arange(agents)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def watch(
    scene: Scene,
    path: np.ndarray,
    first: np.ndarray | None = None,
    surface: Heightfield = LEVEL,
) -> DetailChooser:
    chooser = DetailChooser(scene)
    chooser.surface = level_field(surface, ValueScale("linear", *surface.range))
    for step, positions in enumerate(path):
        begins = np.zeros(len(positions), bool) if first is None else first[step]
        chooser.see(positions, begins)
        chooser.stride()
    return chooser


def test_one_stride_is_measured_in_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them in one step made every 32nd frame longer."""
    measured: list[int] = []
    deviation = detail._deviation
    monkeypatch.setattr(detail, "_deviation", lambda *a: (measured.append(a[2]), deviation(*a))[1])
    chooser = DetailChooser(Scene())
    each = []
    for positions in circling(0.02, 2.0, 200):
        measured.clear()
        chooser.see(positions, np.zeros(3, bool))
        each.append(tuple(measured))
    assert max(map(len, each)) == 1
    strides = [stride for some in each for stride in some]
    whole = 4 * len(LADDER)
    assert strides[:whole] == [*LADDER] * 4


def test_before_anything_is_known_every_sample_is_drawn() -> None:
    assert DetailChooser(Scene()).stride() == 1
    assert DetailChooser(Scene(stride=3)).stride() == 3


def leaves(path: np.ndarray, stride: int) -> float:
    """Most that a sample of one agent's path (samples, 2) lies off the curve drawn over it: all
    samples of all segments, in a plain loop."""
    worst = 0.0
    middle = stride - stride // 2
    for begin in range(0, len(path) - stride):
        piece = path[begin : begin + stride + 1] - path[begin]
        way = piece[-1] / np.linalg.norm(piece[-1])
        across = piece @ np.array([-way[1], way[0]])
        m = np.arange(stride + 1)
        bend = across[middle] / max(middle * (stride - middle), 1)
        worst = max(worst, np.abs(across - bend * m * (stride - m)).max())
    return worst


@pytest.mark.parametrize("speed", [0.002, 0.02, 0.05, 0.1, 0.2, 0.4])
def test_curves_stay_near_a_circles_samples(speed: float) -> None:
    scene = Scene()
    path = circling(speed, 2.0, 200)
    stride = watch(scene, path).stride()
    scale = scene.camera.pixels_per_unit(scene.size, nearest=True)
    straight = 2.0 * (1 - np.cos(speed / 2.0 / 2))  # what one step's line leaves the circle by
    error = {s: scale * leaves(path[:40, 0], s) for s in LADDER}
    assert error[stride] <= TOLERANCE
    if scale * straight > TOLERANCE:
        assert stride == 1, "samples so far apart are joined as they are"
    elif stride < max(LADDER):
        after = LADDER[LADDER.index(stride) + 1]
        assert error[after] + scale * straight > 0.7 * RISE * TOLERANCE, "as long as may be"


def test_agents_that_go_straight_or_rest_need_few_samples() -> None:
    line = np.linspace(-4, 4, 300)[:, None, None] * np.array([1.0, 0.5])
    assert watch(Scene(), np.tile(line, (1, 2, 1))).stride() == max(LADDER)
    assert watch(Scene(), np.ones((300, 2, 2))).stride() == max(LADDER)


def test_it_follows_the_camera() -> None:
    chooser = watch(Scene(), circling(0.095, 2.0, 200))
    usual = chooser.stride()
    chooser.scene.camera.distance = 5.0
    near = chooser.stride()
    chooser.scene.camera.distance = 100.0
    far = chooser.stride()
    assert near < usual < far


def test_on_a_rough_surface_strides_are_shorter() -> None:
    x, y = np.meshgrid(np.linspace(-5, 5, 41), np.linspace(-5, 5, 41))
    rough = Heightfield(np.sin(6 * x) + np.sin(6 * y), (-5, -5), (5, 5))
    line = np.linspace(-4, 4, 200)[:, None, None] * np.array([[1.0, 0.5]])
    assert watch(Scene(), line).stride() == max(LADDER)
    assert watch(Scene(), line, surface=rough).stride() < max(LADDER)


def test_no_line_sinks_into_a_dome() -> None:
    """Its chord stays above the surface, or within what the bias towards the viewer makes up."""
    x, y = np.meshgrid(np.linspace(-5, 5, 161), np.linspace(-5, 5, 161))
    dome = Heightfield(-(x * x) - y * y, (-5, -5), (5, 5))
    scene = Scene(height_scale=40.0, trail=60)
    speed = 0.02
    line = np.stack([speed * np.arange(120) - 1.2, np.zeros(120)], axis=1)[:, None]
    stride = watch(scene, line, surface=dome).stride()
    sunk = 40.0 / 50.0 * (stride * speed) ** 2 / 4  # of a chord on z = -x^2
    assert 1 < stride < max(LADDER)
    assert sunk < DEPTH_BIAS * scene.camera.units_per_depth()


def test_a_crowd_is_drawn_with_less_detail() -> None:
    """Not without bounds: where longer strides would show, every sample stays."""
    for speed, longer in [(0.11, True), (0.5, False)]:
        path = circling(speed, 2.0, 100)
        few = watch(Scene(), path).stride()
        many = watch(Scene(), np.tile(path, (1, 1000, 1))).stride()
        assert (many > few) == longer


def test_jumps_to_a_new_start_are_no_movement() -> None:
    path = np.repeat(np.random.default_rng(0).uniform(-2, 2, (10, 4, 2)), 30, axis=0)
    path[..., 0] += 0.02 * (np.arange(300) % 30)[:, None]
    first = np.zeros(path.shape[:2], bool)
    first[::30] = True
    assert watch(Scene(), path, first).stride() == max(LADDER)
    assert watch(Scene(), path).stride() < max(LADDER)


def test_it_shortens_at_once_and_lengthens_late() -> None:
    scene = Scene(trail=100)
    slow, fast = circling(0.005, 2.0, 200), circling(0.3, 2.0, 70)
    chooser = watch(scene, slow)
    assert (before := chooser.stride()) > 4
    for positions in fast:
        chooser.see(positions, np.zeros(3, bool))
    assert (during := chooser.stride()) < before
    for positions in slow[:32]:
        chooser.see(positions, np.zeros(3, bool))
    assert chooser.stride() < before, "fast samples are still in the trail"
    for positions in np.concatenate([slow, slow]):
        chooser.see(positions, np.zeros(3, bool))
    assert chooser.stride() == before > during


def test_no_position_but_finite_ones_counts() -> None:
    path = circling(0.01, 2.0, 100)
    path[40:60, 1] = np.nan
    assert watch(Scene(), path).stride() >= 4


@pytest.mark.parametrize(
    ("large", "expected"), [(60, 1.0), (30, 1 / 2), (15, 1 / 4), (2, 1 / 20), (0, 0.0)]
)
def test_few_curves_may_leave_their_samples_by_more(large: int, expected: float) -> None:
    """Of 100 curves, so many leave by 1 px: the fewer, the larger the tolerance they fit in."""
    values = np.zeros(100)
    values[:large] = 1.0
    values = np.append(np.random.default_rng(0).permutation(values), np.nan)
    assert _most(values) == pytest.approx(expected)
    assert _most(np.full(3, np.nan)) == 0.0


def test_rare_kinks_do_not_shorten_all_strides() -> None:
    def zigzag(every: int) -> np.ndarray:
        steps = np.arange(300)
        side = np.abs(steps % (2 * every) - every) * 0.01
        return np.stack([0.02 * steps - 3, side], axis=1)[:, None]

    rare, frequent = (watch(Scene(), zigzag(every)).stride() for every in (100, 5))
    assert frequent < rare and rare >= 8


def test_from_near_it_is_as_fine_as_the_trails_that_are_seen_need() -> None:
    """What is nearer than the trails is no reason for more samples."""
    path = circling(0.03, 0.5, 200)
    chooser = watch(Scene(), path)
    camera = chooser.scene.camera
    camera.distance = 8.0
    (lo, hi), stride = chooser.where, chooser.stride()
    np.testing.assert_allclose([lo[:2], hi[:2]], [[-0.5, -0.5], [0.5, 0.5]], atol=0.01)
    scale = camera.pixels_per_unit(chooser.scene.size) * 8.0 / (8.0 - 0.5 * np.sqrt(2.0))
    assert scale * leaves(path[:40, 0], stride) <= TOLERANCE
    chooser.where = None
    assert chooser.stride() < stride
