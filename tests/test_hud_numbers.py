"""Numbers as the HUD writes them, and ticks at round ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from calf_viz.hud import numbers


class TestNumbers:
    @pytest.mark.parametrize(
        ("number", "span", "text"),
        [
            (496.4, 6143.0, "496"), (6137.2, 6143.0, "6,137"), (-6.0, 6143.0, "−6"),
            (0.1234, 2.0, "0.12"), (-0.001, 2.0, "0.00"), (0.1234, 0.05, "0.1234"),
            (1e12 + 1e6, 2e6, "1.0000010e12"), (-1e12, 4e11, "−1.00e12"), (3e9, 2e6, "3.0000e9"),
            (1.0, 1e-9, "1.0000000000e0"), (1e30, 1e6, "1.000000000000000e30"),
            (1.5, 0.0, "1.50"), (2.5e7, 5e7, "2.5e7"), (-3e-5, 1e-4, "−3.0e-5"),
            (0.0, 1e-9, "0"), (math.nan, 1.0, "–"), (math.inf, 1.0, "–"),
        ],
    )  # fmt: skip
    def test_value(self, number: float, span: float, text: str) -> None:
        assert numbers.value(number, span) == text.replace("e-", "e−")

    @pytest.mark.parametrize(
        ("low", "high"),
        [(0.0, 1e-9), (1e12, 1e12 + 1e6), (-3e38, 3e38), (1e6, 1e6 + 2.0), (5e-10, 6e-10)],
    )
    def test_three_of_a_range_are_told_apart(self, low: float, high: float) -> None:
        span = high - low
        texts = [numbers.value(x, span) for x in (low, 0.5 * (low + high), high)]
        assert len(set(texts)) == 3

    def test_count(self) -> None:
        assert numbers.count(1234567) == "1,234,567"

    @given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(1, 9))
    def test_nice_ticks(self, low: float, span: float, most: int) -> None:
        high = low + span
        ticks = numbers.nice_ticks(low, high, most)
        assert 1 <= len(ticks) <= most
        assert all(low < tick < high for tick in ticks)
        steps = np.diff(ticks)
        assert np.allclose(steps, steps[0] if len(steps) else 0)

    @pytest.mark.parametrize(
        ("low", "high", "ticks"),
        [
            (0.0, 6.0, [0, 2, 4, 6]),
            (-1.0, 1.0, [-1, -0.5, 0, 0.5, 1]),
            (-0.1, 2.0, [0, 0.5, 1, 1.5, 2]),
        ],
    )
    def test_ends_are_ticks_where_they_are_wanted(
        self, low: float, high: float, ticks: list[float]
    ) -> None:
        assert numbers.nice_ticks(low, high, 5, ends=True) == ticks
        assert numbers.nice_ticks(7.0, 7.0, 5, ends=True) == []

    @given(st.floats(-1e9, 1e9), st.floats(0.0, 1e9))
    @example(0.0, 0.3)  # a third of it is below 0.1, by rounding
    def test_a_round_scale_surrounds_its_range(self, low: float, span: float) -> None:
        high = low + span
        scale = numbers.round_scale(low, high)
        rounding = 1e-9 * (scale[-1] - scale[0])
        assert scale[0] - rounding <= low <= high <= scale[-1] + rounding
        assert 2 <= len(scale) <= 10
        assert not (high <= 0.0 < scale[-1]) and not (scale[0] < 0.0 < low)
        texts = numbers.tick_texts(scale)
        assert len(set(texts)) == len(texts)

    def test_round_scales_are_those_people_expect(self) -> None:
        for low, high, ends in (
            (-1934.0, -3.0, ["−2000", "0"]),
            (-0.4, 2.6, ["−1", "3"]),
            (-0.3, 2.4, ["−0.5", "2.5"]),
            (5.0, 5.0, ["4.9998", "5"]),
            (math.nan, math.nan, ["−1", "0"]),
        ):
            texts = numbers.tick_texts(numbers.round_scale(low, high))
            assert [texts[0], texts[-1]] == ends

    def test_nice_ticks_are_those_people_expect(self) -> None:
        assert numbers.nice_ticks(-5.0, 5.0, 5) == [-4.0, -2.0, 0.0, 2.0, 4.0]
        assert numbers.nice_ticks(0.0, 1.0, 5) == pytest.approx([0.2, 0.4, 0.6, 0.8])
        assert numbers.nice_ticks(0.0, 41.0, 1) == [20.0]
        assert numbers.nice_ticks(1.0, 1.0, 5) == []
        assert max(numbers.nice_ticks(0.07, 0.07 + 0.07, 4)) < 0.07 + 0.07, "though 7 * 0.02 rounds"
