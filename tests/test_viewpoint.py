"""Viewpoints as text: what is accepted, what is refused, and that it can be read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calf_viz.errors import UserError
from calf_viz.scene.viewpoint import LIMITS, PRESETS, Viewpoint

numbers = {
    name: st.none() | st.floats(max(low, -1e9), min(high, 1e9))
    for name, (low, high) in LIMITS.items()
}


@given(st.builds(Viewpoint, st.sampled_from(tuple(PRESETS)), **numbers))
def test_what_is_written_is_read_back(viewpoint: Viewpoint) -> None:
    assert Viewpoint.read(str(viewpoint)) == viewpoint


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("home", Viewpoint()),
        ("Top", Viewpoint("top")),
        ("-60,40,16.5", Viewpoint("home", -60.0, 40.0, 16.5)),
        (" -60 , 40 , 16.5 , 1 , -2 , 0.5 ", Viewpoint("home", -60.0, 40.0, 16.5, 1.0, -2.0, 0.5)),
        ("agents,30", Viewpoint("agents", 30.0)),
        ("top,distance=8,x=1e6", Viewpoint("top", distance=8.0, x=1e6)),
        ("elevation=20", Viewpoint("home", elevation=20.0)),
        ("10,y=3", Viewpoint("home", azimuth=10.0, y=3.0)),
    ],
)
def test_ways_to_write_one(text: str, meant: Viewpoint) -> None:
    assert Viewpoint.read(text) == meant


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("none-such", "unknown `camera` 'none-such': give home, agents, plane"),
        ("", "unknown `camera` ''"),
        ("top,", "'' is not a number"),
        ("nan", "azimuth nan is not finite"),
        ("0,inf", "elevation inf is not finite"),
        ("0,91", "elevation 91.0 is out of range: give 3 to 90"),
        ("0,-5", "elevation -5.0 is out of range"),
        ("0,40,0", "distance 0.0 is out of range: give 0.5 to 1000"),
        ("0,40,-3", "distance -3.0 is out of range"),
        ("400", "azimuth 400.0 is out of range: give -360 to 360"),
        ("1,2,3,4,5,6,7", "`camera` has 7 numbers, but at most 6 are wanted, azimuth,elevation,"),
        ("top,10,20,10,0,0,0,7,z=8", "has 7 numbers, but at most 6 are wanted"),
        ("9," * 500, "has 501 numbers"),
        ("top,azimuth=1,azimuth=2", "azimuth is given twice"),
        ("0,azimuth=2", "azimuth is given twice"),
        ("azimuth=1,40", "'40' is no part of one"),
        ("home,far=2", "'far=2' is no part of one"),
        ("x=0x10", "x '0x10' is not a number"),
        ("a" * 9999, "unknown `camera` 'aaa"),
    ],
)
def test_what_is_none_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        Viewpoint.read(text)
    said = str(caught.value)
    assert says in said
    assert "\n" not in said and len(said) < 600
