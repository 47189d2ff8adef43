"""The cache of what is shown: computed when due, and set only when it is another."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calf_viz.viewer.stats_cache import StatsCache


class Source:
    """Computes 1, 2, 3, ... and so tells how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        return self.asked


def frames(cache: StatsCache, count: int, look: Callable[[], int]) -> list[int]:
    """What a look at each of the next frames shows."""
    shown = []
    for _ in range(count):
        shown.append(look())
        cache.next_frame()
    return shown


def test_a_value_stays_for_its_interval() -> None:
    cache, source = StatsCache(), Source()
    assert frames(cache, 7, lambda: cache.get("q", source, update_interval=3)) == [
        1, 1, 1, 2, 2, 2, 3,
    ]  # fmt: skip
    assert cache.computed == source.asked == 3


def test_intervals_are_the_keys_own() -> None:
    cache, q, text, other = (
        StatsCache({"q": 10, "text": 5}, default=2),
        Source(),
        Source(),
        Source(),
    )
    for key, source, wanted in (("q", q, 3), ("text", text, 6), ("other", other, 15)):
        cache.frame = 0
        frames(cache, 30, lambda key=key, source=source: cache.get(key, source))
        assert source.asked == wanted, key


def test_within_one_frame_a_value_is_computed_once() -> None:
    cache, source = StatsCache(), Source()
    assert [cache.get("q", source) for _ in range(5)] == [1] * 5
    cache.next_frame()
    assert cache.get("q", source) == 2


def test_the_interval_given_decides_whether_a_value_is_still_good() -> None:
    cache, source = StatsCache({"q": 100}), Source()
    cache.get("q", source)
    cache.frame = 5
    assert cache.get("q", source) == 1
    assert cache.get("q", source, update_interval=5) == 2


def test_dirty_is_computed_at_the_next_look_and_then_kept_again() -> None:
    cache, a, b = StatsCache(default=100), Source(), Source()
    cache.get("a", a), cache.get("b", b)
    cache.mark_dirty("a")
    assert (a.asked, b.asked) == (1, 1), "marking alone computes nothing"
    for _ in range(3):
        assert (cache.get("a", a), cache.get("b", b)) == (2, 1)
        cache.next_frame()
    cache.mark_dirty()
    assert (cache.get("a", a), cache.get("b", b)) == (3, 2)
    cache.mark_dirty("unheard of")


def test_the_interval_begins_anew_with_a_dirty_value() -> None:
    cache, source = StatsCache(default=4), Source()
    cache.get("q", source)
    cache.frame = 3
    cache.mark_dirty("q")
    assert frames(cache, 5, lambda: cache.get("q", source)) == [2, 2, 2, 2, 3]


def test_none_is_a_value_too() -> None:
    cache = StatsCache(default=3)
    asked: list[int] = []
    assert cache.get("q", lambda: asked.append(1)) is None
    assert cache.get("q", lambda: asked.append(1)) is None
    assert asked == [1]


def test_what_compute_raises_is_raised_and_not_kept() -> None:
    cache, source = StatsCache(default=100), Source()

    def fails() -> int:
        raise RuntimeError("no critic yet")

    with pytest.raises(RuntimeError, match="no critic yet"):
        cache.get("q", fails)
    assert cache.get("q", source) == 1
    cache.mark_dirty("q")
    with pytest.raises(RuntimeError):
        cache.get("q", fails)
    assert cache.get("q", source) == 2, "still due"


def test_switched_off_it_computes_at_every_look() -> None:
    cache, source = StatsCache({"q": 10}, enabled=False), Source()
    assert frames(cache, 3, lambda: cache.get("q", source)) == [1, 2, 3]


@pytest.mark.parametrize("interval", [0, -1])
def test_an_interval_below_one(interval: int) -> None:
    said = f"an interval of {interval} frames: give 1 or more"
    with pytest.raises(ValueError, match=said):
        StatsCache().get("q", Source(), update_interval=interval)
    with pytest.raises(ValueError, match=said):
        StatsCache({"q": interval})
    with pytest.raises(ValueError, match=said):
        StatsCache(default=interval)


def test_a_text_is_reported_once_until_it_is_another() -> None:
    cache = StatsCache()
    told = [cache.changed("fps", text) for text in ("60", "60", "59", "59", "60")]
    assert told == [True, False, True, False, True]
    assert cache.changed("step", "60"), "each key for itself"


@given(
    interval=st.integers(1, 12),
    looks=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=80),
)
def test_no_value_is_older_than_its_interval_nor_computed_early(
    interval: int, looks: list[tuple[bool, bool]]
) -> None:
    """Whatever the frames that look and mark: the value is the frame it was computed in."""
    cache = StatsCache({"q": interval})
    last, dirty = None, False
    for frame, (look, mark) in enumerate(looks):
        if mark:
            cache.mark_dirty("q")
            dirty = True
        if look:
            due = last is None or dirty or frame - last >= interval
            value = cache.get("q", lambda frame=frame: frame)
            assert value == (frame if due else last)
            last, dirty = value, False
        cache.next_frame()
