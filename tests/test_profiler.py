"""The profiler: what is time of which section, and which frames are kept.

On a clock that the tests move; nothing here waits or depends on speed.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import profiling_samples as samples
import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiling_samples import Clock, Process, frame, made_profiler

import calf_viz
from calf_viz.profiling.profiler import OFF, WARM_UP, PerformanceProfiler

clock = pytest.fixture(samples.clock)
process = pytest.fixture(samples.process)
profiler = pytest.fixture(samples.profiler)


class TestSections:
    def test_shares_are_of_the_frame_and_the_rest_is_reported(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        frame(profiler, clock, 10.0, physics=2.0, draw=5.0)
        frame(profiler, clock, 30.0, physics=2.0, draw=21.0)
        stats = profiler.get_stats()
        physics, draw = stats["sections"]["physics"], stats["sections"]["draw"]
        assert (physics["mean_ms"], draw["mean_ms"]) == pytest.approx((2.0, 13.0))
        assert draw["p95_ms"] == pytest.approx(np.percentile([5.0, 21.0], 95))
        assert (physics["share"], draw["share"]) == pytest.approx((4 / 40, 26 / 40))
        assert stats["unaccounted_share"] == pytest.approx(10 / 40)

    def test_nested_time_is_the_inner_ones_own(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        with profiler.frame(), profiler.section("draw"):
            clock.go(0.001)
            with profiler.section("upload"):
                clock.go(0.002)
                with profiler.section("copy"):
                    clock.go(0.004)
            with profiler.section("ui"):
                clock.go(0.003)
        stats = profiler.get_stats()
        told = {name: (s["mean_ms"], s["own_ms"]) for name, s in stats["sections"].items()}
        assert told["draw"] == pytest.approx((10.0, 1.0))
        assert told["upload"] == pytest.approx((6.0, 2.0))
        assert told["copy"] == pytest.approx((4.0, 4.0))
        assert told["ui"] == pytest.approx((3.0, 3.0))
        shares = sum(section["share"] for section in stats["sections"].values())
        assert shares == pytest.approx(1.0), "nothing is counted twice"
        assert stats["unaccounted_share"] == pytest.approx(0.0)

    def test_passes_through_one_section_add_up(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        with profiler.frame():
            for _ in range(3):
                with profiler.section("physics"):
                    clock.go(0.002)
        assert profiler.get_stats()["sections"]["physics"]["mean_ms"] == pytest.approx(6.0)

    def test_a_section_within_itself_is_not_counted_twice(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        with profiler.frame(), profiler.section("stats"):
            clock.go(0.001)
            with profiler.section("ui"):
                clock.go(0.001)
                with profiler.section("stats"):
                    clock.go(0.001)
        stats = profiler.get_stats()["sections"]
        assert (stats["stats"]["mean_ms"], stats["stats"]["own_ms"]) == pytest.approx((3.0, 2.0))

    def test_frames_without_a_section_count_as_zero(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        frame(profiler, clock, 10.0, early=4.0)
        frame(profiler, clock, 10.0)
        frame(profiler, clock, 10.0, late=6.0)
        run = profiler.run()
        assert run.sections_ms["early"] == pytest.approx([4.0, 0.0, 0.0])
        assert run.sections_ms["late"] == pytest.approx([0.0, 0.0, 6.0])
        assert profiler.get_stats()["sections"]["late"]["mean_ms"] == pytest.approx(2.0)

    def test_a_section_that_raises_is_closed(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        with profiler.frame():
            with pytest.raises(RuntimeError), profiler.section("outer"), profiler.section("inner"):
                clock.go(0.001)
                raise RuntimeError
            with profiler.section("after"):
                clock.go(0.002)
        stats = profiler.get_stats()["sections"]
        assert stats["after"]["mean_ms"] == stats["after"]["own_ms"] == pytest.approx(2.0)
        assert stats["outer"]["mean_ms"] == pytest.approx(1.0)

    @given(
        st.recursive(
            st.integers(1, 9), lambda inner: st.lists(st.tuples(st.sampled_from("abc"), inner))
        )
    )
    def test_however_they_nest_own_times_make_up_the_frame(self, tree: Any) -> None:
        clock = Clock()
        profiler = made_profiler(clock, Process())

        def walk(tree: Any) -> None:
            if isinstance(tree, int):
                clock.go(tree)
                return
            for name, inner in tree:
                with profiler.section(name):
                    walk(inner)

        with profiler.frame():
            walk([("a", tree)])
        run = profiler.run()
        own = sum(column[0] for column in run.own_ms.values())
        assert own == pytest.approx(run.frame_ms[0])
        for name, total in run.sections_ms.items():
            assert run.own_ms[name][0] <= total[0] + 1e-6 <= run.frame_ms[0] + 2e-6


class TestWhatIsKept:
    def test_the_first_frames_are_not(self, clock: Clock, process: Process) -> None:
        profiler = PerformanceProfiler(clock=clock, process=process)
        for ms in range(1, WARM_UP + 4):
            frame(profiler, clock, ms, draw=1.0)
        assert WARM_UP == 50
        assert profiler.run().frame_ms == pytest.approx([51.0, 52.0, 53.0])
        profiler.reset()
        for _ in range(WARM_UP):
            frame(profiler, clock, 7.0)
        assert profiler.get_stats()["n_frames"] == 0, "a reset begins with the warm-up"
        frame(profiler, clock, 7.0)
        assert profiler.run().frame_ms == pytest.approx([7.0])
        assert "draw" not in profiler.get_stats()["sections"]

    def test_the_last_frames_are_when_there_are_too_many(
        self, clock: Clock, process: Process
    ) -> None:
        profiler = made_profiler(clock, process, most_frames=10)
        for ms in range(1, 101):
            frame(profiler, clock, ms, draw=ms / 2)
        run = profiler.run()
        assert run.frame_ms == pytest.approx(range(91, 101))
        assert run.sections_ms["draw"] == pytest.approx(np.arange(91, 101) / 2)
        assert len(profiler._log) < 20, "the others are gone"

    def test_stats_of_the_last_frames(self, profiler: PerformanceProfiler, clock: Clock) -> None:
        for ms in (90.0, 10.0, 20.0):
            frame(profiler, clock, ms, draw=ms)
        stats = profiler.get_stats(last=2)
        assert (stats["n_frames"], stats["frame_time_avg_ms"]) == (2, pytest.approx(15.0))
        assert stats["sections"]["draw"]["mean_ms"] == pytest.approx(15.0)

    def test_a_frame_that_raises_is_not(self, profiler: PerformanceProfiler, clock: Clock) -> None:
        with pytest.raises(RuntimeError), profiler.frame(), profiler.section("draw"):
            raise RuntimeError
        frame(profiler, clock, 10.0)
        assert profiler.run().frame_ms == pytest.approx([10.0])

    def test_begin_and_end_do_what_with_does(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        profiler.frame_end()
        profiler.frame_begin()
        clock.go(5.0)
        profiler.frame_begin()  # the one before was not ended
        clock.go(0.004)
        profiler.frame_end()
        profiler.frame_end()
        assert profiler.run().frame_ms == pytest.approx([4.0])

    def test_nothing_outside_of_marked_frames(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        with profiler.section("before"):
            profiler.count("draw_calls")
        frame(profiler, clock, 10.0)
        with profiler.section("after"):
            profiler.count_all({"draw_calls": 3})
        stats = profiler.get_stats()
        assert stats["sections"] == {} and stats["draw_calls_per_frame"] == 0.0

    def test_nothing_of_other_threads(self, profiler: PerformanceProfiler, clock: Clock) -> None:
        def other() -> None:
            with profiler.section("training"):
                profiler.count("draw_calls")
                profiler.count_all({"draw_calls": 1})
            profiler.frame_end()

        with profiler.frame(), profiler.section("draw"):
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            clock.go(0.010)
        stats = profiler.get_stats()
        assert list(stats["sections"]) == ["draw"] and stats["draw_calls_per_frame"] == 0.0
        assert stats["n_frames"] == 1

    @pytest.mark.parametrize("how", ["off and on", "reset"])
    def test_a_frame_cut_by_a_key_is_not_kept_and_the_next_ones_are_whole(
        self, profiler: PerformanceProfiler, clock: Clock, how: str
    ) -> None:
        with profiler.frame(), profiler.section("draw"):
            with profiler.section("input"):
                clock.go(0.001)
                if how == "reset":
                    profiler.reset()
                else:
                    profiler.enabled = False
                    profiler.enabled = True
            with profiler.section("ui"):
                clock.go(0.001)
        assert profiler.get_stats()["n_frames"] == 0
        frame(profiler, clock, 10.0, draw=4.0)
        stats = profiler.get_stats()
        assert stats["n_frames"] == 1 and list(stats["sections"]) == ["draw"]
        assert stats["sections"]["draw"]["own_ms"] == pytest.approx(4.0)

    def test_off_it_does_nothing(self, clock: Clock, process: Process) -> None:
        profiler = made_profiler(clock, process, enabled=False)
        nothing = profiler.section("draw")
        assert nothing is profiler.section("ui") is profiler.frame() is OFF.section("any")
        frame(profiler, clock, 10.0, draw=1.0)
        profiler.count("draw_calls")
        assert profiler.get_stats()["n_frames"] == 0 and process.asked == 0
        profiler.enabled = True
        frame(profiler, clock, 10.0, draw=1.0)
        assert profiler.get_stats()["n_frames"] == 1

    @pytest.mark.parametrize("wrong", [{"warm_up": -1}, {"most_frames": 0}])
    def test_no_such_profiler(self, wrong: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="no such profiler"):
            PerformanceProfiler(**wrong)


def test_the_package_offers_it() -> None:
    assert calf_viz.PerformanceProfiler is PerformanceProfiler
    assert callable(calf_viz.compare_results)
    assert set(calf_viz.__all__) == {*calf_viz._WHERE, "__version__"}
    assert all(hasattr(calf_viz, name) for name in calf_viz.__all__)
