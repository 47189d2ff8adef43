"""A view says what is shown, or is refused with what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bowls import VIEW, Bowl

from calf_viz import View
from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.viewer.feed import Feed


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"lo": (0.0, 0.0), "hi": (0.0, 1.0)}, "axis 0 goes from 0.0 to 0.0"),
        ({"lo": (0.0, 2.0), "hi": (1.0, 1.0)}, "axis 1 goes from 2.0 to 1.0"),
        ({"lo": (0.0, 0.0), "hi": (1.0, float("nan"))}, "axis 1"),
        ({"lo": (float("-inf"), 0.0), "hi": (1.0, 1.0)}, "axis 0"),
        ({"lo": (0.0, 0.0), "hi": (1e-300, 1.0)}, "axis 0 .* its width must be within 1e-15 and"),
        ({"lo": (0.0, -1e300), "hi": (1.0, 1e300)}, "axis 1 .* its width must be within"),
        ({"lo": (0.0, -1.7e308), "hi": (1.0, 1.7e308)}, "axis 1 .* its width must be within"),
        ({"lo": (1e6, 0.0), "hi": (1e6 + 1e-9, 1.0)}, "axis 0 .* too far from zero"),
        ({"lo": (0, 0), "hi": (1, 10**400)}, "axis 1 .* give two finite numbers"),
        ({"aspect": "wide"}, "aspect wide: fill or equal"),
        ({"aspect": "equal", "labels": ("x [m]", "v [m/s]")}, "one axis is in m, the other in m/s"),
        ({"aspect": "equal", "labels": ("x [m]", "v")}, "one axis is in m, the other in no unit"),
        ({"aspect": "equal", "hi": (5.0, 1e5)}, "over 1000 times as long"),
        ({"lo": (0.0, 0.0, 0.0), "hi": (1.0, 1.0, 1.0)}, "two of each"),
        ({"labels": ("x",)}, "two of each"), ({"marker": "cube"}, "marker"),
        ({"dt": 0.0}, "a step takes"), ({"dt": "1"}, "dt '1': give a number"),
        ({"dt": True}, "dt True: give a number"), ({"lo": (None, 0.0)}, "lo None: give a number"),
        ({"lo": 5}, "two of each"), ({"hi": None}, "two of each"),
        ({"labels": None}, "two of each"),
        ({"lo": ("0", "0")}, "lo '0': give a number"), ({"labels": "xy"}, "two of each"),
        ({"labels": (1, 2)}, "label 1: give text"), ({"title": None}, "title None: give text"),
        ({"value": 5}, "value 5: give text"), ({"value": "a\nb"}, "give text on one line"),
        ({"symbol": ("Q",)}, "symbol .*give text"),
        ({"title": "\x1b[31m"}, "give text on one line"),
        ({"trainee": -1}, "trainee -1: give an agent"), ({"trainee": 0.5}, "trainee 0.5: give an"),
        ({"trainee": True}, "trainee True: give"), ({"live": 1}, "live 1: give True or False"),
        ({"marker": np.zeros(2)}, "marker"), ({"aspect": np.zeros(2)}, "aspect"),
        ({"trainee": 2**80}, "trainee 1208925819614629174706176: give an"),
        ({"dt": 1e-310}, "a step takes 1e-310 s: give 1e-12 to 1e[+]12"),
        ({"dt": 1e308}, "a step takes"), ({"dt": 10**400}, "a step takes"),
        ({"dt": float("nan")}, "a step takes nan s"),
        ({"modes": {"a", "b"}}, "modes: give a sequence of names, not"),
        ({"modes": ("a",), "colours": {"#000000"}}, "colours: give a sequence of them"),
        ({"modes": ("a",), "colours": [{0.1, 0.2, 0.3}]}, "the colour of mode 0"),
        ({"lo": {-1.0, 0.0}}, "two of each"), ({"labels": {"x", "y"}}, "two of each"),
        ({"periodic": {True, False}}, "periodic .*: give True or"),
        ({"periodic": True}, "periodic True: give True or False for each axis"),
        ({"periodic": (True,)}, r"periodic \(True,\): give True or"),
        ({"periodic": (1, 0)}, r"periodic \(1, 0\): give True or"),
        ({"periodic": "no"}, "periodic 'no': give True or"),
        ({"periodic": ((True, False), (True, False))}, "periodic .*: give True or"),
        ({"periodic": None}, "periodic None: give True or"),
    ],
)  # fmt: skip
def test_a_view_that_makes_no_sense_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        View(**{"title": "mine", **changes})


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize("value", [Unprintable(), -(10**5000)], ids=["repr", "digits"])
@pytest.mark.parametrize(
    "name", ["title", "lo", "labels", "periodic", "modes", "colours", "value", "marker", "aspect",
             "dt", "trainee", "live"],
)  # fmt: skip
def test_a_value_that_cannot_even_be_shown_is_refused(name: str, value: Any) -> None:
    for given in (value, (value,), (value, value)):
        with pytest.raises(UserError, match=r"^[^\n]+$"):
            View(**{"title": "mine", name: given})


def test_answers_may_be_numpys() -> None:
    view = View("mine", live=np.True_, trainee=np.int64(3), periodic=(np.False_, np.True_))
    assert view.live is True and view.periodic == (False, True) and view.trainee == 3


def test_corners_may_be_lists_or_arrays() -> None:
    lo, hi = [-2, -1], np.array([2.0, 1.0])
    assert View("mine", lo=lo, hi=hi).hi == (2.0, 1.0)

    class Listed(Bowl):
        view = replace(VIEW, lo=[-2, -1], hi=np.array([2.0, 1.0]))

        def surface(self) -> Heightfield | None:
            return Heightfield(np.eye(3), [-2, -1], hi)

    assert Feed(Listed(), guarded=False).surface() is not None
