"""Positions on axes that wrap: a view takes them modulo its width, for what is drawn and read."""

from __future__ import annotations

import numpy as np
import pytest

from calf_viz import Samples, View
from calf_viz.heightfield import Heightfield
from calf_viz.viewer.feed import Feed

TUBE = View("tube", lo=(-2.0, -1.0), hi=(2.0, 1.0), periodic=(True, False))


def test_which_axes_are_periodic_may_be_a_list_or_an_array() -> None:
    for given in ([True, False], np.array([True, False])):
        assert View("mine", periodic=given).periodic == (True, False)


class Turning:
    """An agent that turns on and on, told by angles beyond the plane, which wraps along its first
    axis."""

    view = TUBE
    asked = 0

    def step(self) -> Samples:
        self.asked += 1
        return Samples.of([[0.3 * self.asked, 0.5]])

    def surface(self) -> Heightfield:
        return Heightfield.of(lambda x, y: x * x + y, TUBE.lo, TUBE.hi)

    def close(self) -> None:
        pass


def test_positions_beyond_a_periodic_axis_are_taken_modulo_its_width() -> None:
    asked = Feed(Turning(), guarded=False)
    field = asked.surface()
    for turn in range(1, 60):
        (samples,) = asked.steps()
        x, y = asked.view.wrapped(samples.positions)[0]
        assert -2.0 <= x < 2.0 and y == 0.5
        assert x == pytest.approx(np.remainder(0.3 * turn + 2.0, 4.0) - 2.0)
        assert asked.mean_value(samples, field) == field.heights([[x, y]])[0]


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4"])
def test_what_lies_within_the_plane_stays_as_it_is(dtype: str) -> None:
    """Its lower end does, the upper is the lower; on an axis that is not periodic all does."""
    within = np.array([[-2, -9], [0, 9], [1, 1]], dtype)
    assert TUBE.wrapped(within) is within
    ends = np.array([[2, 1], [-6, 1], [7, 1], [-2, 1]], dtype)
    assert TUBE.wrapped(ends).tolist() == [[-2, 1], [-2, 1], [-1, 1], [-2, 1]]
    assert ends[0, 0] == 2, "what was given stays"
    beyond = TUBE.wrapped(np.array([[np.nan, 0.0], [np.inf, 0.0], [-1e-300, 0.0], [1e9, 0.0]]))
    assert np.isnan(beyond[:2, 0]).all() and beyond[2:, 0].tolist() == [-1e-300, 0.0]
