"""Ticks of values: round, and the same at the colour bar and at the value's axis."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calf_viz.heightfield import Heightfield
from calf_viz.hud.axes import Axes
from calf_viz.hud.hud import Hud
from calf_viz.hud.numbers import tick_texts
from calf_viz.hud.uprights import uprights_of
from calf_viz.hud.value_axis import ValueAxis
from calf_viz.hud.value_ticks import fewer, value_ticks
from calf_viz.hud.widgets import ColourBar
from calf_viz.scene.scene import Scene
from calf_viz.value_scale import ValueScale


class Listed(ValueScale):
    """A scale that proposes given ticks."""

    def ticks(self, most: int, apart: float = 0.0) -> list[float]:
        return list(PROPOSED[(self.low, self.high)])


PROPOSED = {
    (-0.5, 2.0): [-0.41, 0.0, 0.5, 2.0],
    (430.0, 1600.0): [450.0, 600.0, 1000.0, 1500.0],
    (0.0, 560.0): [0.0, 50.0, 100.0, 200.0, 500.0],
    (90.0, 260.0): [100.0, 150.0, 200.0, 250.0],
    (440.0, 900.0): [450.0, 500.0, 800.0],
}


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((-0.5, 2.0), [-0.4, 0.0, 0.5, 2.0]),
        ((430.0, 1600.0), [500.0, 600.0, 1000.0, 1500.0]),
        ((0.0, 560.0), PROPOSED[(0.0, 560.0)]),
        ((90.0, 260.0), PROPOSED[(90.0, 260.0)]),
        ((440.0, 900.0), [500.0, 800.0]),
    ],
)
def test_no_tick_is_finer_than_all_others_and_has_more_digits_than_its_neighbours(
    ends: tuple[float, float], expected: list[float]
) -> None:
    assert value_ticks(Listed("linear", *ends), 7, 0.0) == pytest.approx(expected)


@given(
    st.sampled_from(["linear", "sqrt", "symlog"]),
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e6),
    st.integers(2, 9),
    st.floats(0.0, 0.4),
)
def test_they_ascend_within_the_scale_and_apart(
    kind: str, low: float, span: float, most: int, apart: float
) -> None:
    scale = ValueScale(kind, low, low + span)
    values = value_ticks(scale, most, apart)
    assert values == sorted(values) and len(values) != 1
    levels = scale.levels(values)
    assert (np.diff(levels) >= apart - 1e-12).all()
    assert all(0.0 <= level <= 1.0 for level in levels)
    some = fewer(scale, values, 2.0 * apart)
    assert set(some) <= set(values) and (np.diff(scale.levels(some)) >= 2.0 * apart - 1e-12).all()


@pytest.mark.parametrize(
    ("kind", "ends", "expected"),
    [
        ("sqrt", (-9.2, 6595.7), [0.0, 500.0, 2000.0, 4000.0, 6000.0]),
        ("symlog", (-9.2, 6595.7), [0.0, 100.0, 500.0, 2000.0, 5000.0]),
        ("linear", (-9.2, 6595.7), [0.0, 2000.0, 4000.0, 6000.0]),
        ("symlog", (-125.0, -53.0), [-120.0, -100.0, -70.0, -60.0]),
        ("sqrt", (443.15, 447.53), [443.2, 443.5, 445.0, 447.0]),
    ],
)
def test_the_last_round_value_before_an_end_has_a_tick(
    kind: str, ends: tuple[float, float], expected: list[float]
) -> None:
    values = value_ticks(ValueScale(kind, *ends), 7, 0.16)
    assert values == pytest.approx(expected)


@given(
    st.sampled_from(["sqrt", "symlog", "rank"]),
    st.floats(0.0, 1e4),
    st.floats(-1.0, 5.0),
    st.floats(0.3, 3.0),
    st.sampled_from([0.15, 0.2]),
)
def test_no_number_of_one_digit_that_is_as_round_fits_beyond_them(
    kind: str, low: float, power: float, bend: float, apart: float
) -> None:
    high = low + 10.0**power
    surface = low + (high - low) * np.linspace(0.0, 1.0, 500) ** bend
    scale = ValueScale.of(kind, (low, high), surface)
    values = value_ticks(scale, 7, apart)
    assume(len(set(np.round(np.diff(values), 9))) > 1)  # else a step further is what may fit
    finest = min(int(Decimal(f"{v:.5e}").normalize().as_tuple().exponent) for v in values if v)
    for exponent in range(finest, 6):
        for digit in range(1, 10):
            value = float(f"{digit}e{exponent}")
            fits = scale.levels(value) >= scale.levels(values[-1]) + apart + 1e-9
            assert not (low <= value <= high and fits)


def test_fewer_of_them_keep_zero() -> None:
    scale = ValueScale("linear", -3.0, 3.0)
    assert fewer(scale, [-2.0, -1.0, 0.0, 1.0, 2.0], 0.3) == [-2.0, 0.0, 2.0]
    assert fewer(scale, [-2.0, -1.0, 0.0, 1.0, 2.0], 2.0) == []


@pytest.mark.parametrize("kind", ["linear", "sqrt", "symlog"])
@pytest.mark.parametrize("ends", [(430.0, 1600.0), (-0.47, 6100.0), (-9.0, 3.0)])
@pytest.mark.parametrize("size", [(480, 300), (1280, 720), (3840, 2160)])
def test_the_axis_has_ticks_of_the_bar(
    kind: str, ends: tuple[float, float], size: tuple[int, int]
) -> None:
    bar, axis = ColourBar("value", ("value",)), ValueAxis("value")
    hud, scale = Hud([bar], value_axis=axis), ValueScale(kind, *ends)
    levels = Heightfield(np.zeros((3, 3)), (-5.0, -5.0), (5.0, 5.0))
    hud.prepare(Scene(size=size), levels, scale)
    assert "value" in hud.placed
    beside = tick_texts(bar.values_of(hud.canvas, scale))
    assert axis._found is not None
    shown = [mark.text for mark in axis._found[1]]
    assert len(shown) >= 2 and set(shown) <= set(beside)
    assert all(math.isfinite(mark.y) for mark in axis._found[1])


@pytest.mark.parametrize("degrees", range(-90, 0, 15))
def test_the_axis_displaces_no_more_of_the_planes_ticks_than_on_its_other_side(
    degrees: int,
) -> None:
    values = np.add.outer(np.linspace(-1, 1, 9) ** 2, np.linspace(-1, 1, 9) ** 2) / 2
    levels = Heightfield(values, (-5.0, -5.0), (5.0, 5.0))
    scene = Scene()
    scene.camera.orbit(math.radians(degrees + 60.0), 0.0)
    axis, scale = ValueAxis("value"), ValueScale("linear", 0.0, 9.0)
    hud = Hud([], Axes(("x", "y")), axis)
    hud.prepare(scene, levels, scale)
    lost = []
    for upright in uprights_of(scene, levels):
        ticks = axis._ticks(hud.canvas, upright, scale)
        lost.append(axis._displaced(hud.canvas, upright, ticks))
        if upright == axis._upright:
            mine = lost[-1]
    assert axis.others and mine == min(lost)
