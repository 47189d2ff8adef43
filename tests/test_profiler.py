"""The profiler: what is time of which section, what is kept, and what the samples amount to.

On a clock that the tests move; nothing here waits or depends on speed.
"""

from __future__ import annotations

import json
import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiling_samples import Clock, Process

import calf_viz
from calf_viz.errors import UserError
from calf_viz.profiling.compare import compare_results
from calf_viz.profiling.profile_file import load_profile
from calf_viz.profiling.profiler import OFF, WARM_UP, Description, PerformanceProfiler
from calf_viz.profiling.resources import INTERVAL, MOST_SAMPLES, ResourceSampler, slope


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def profiler(clock: Clock, process: Process) -> PerformanceProfiler:
    return made(clock, process)


def made(clock: Clock, process: Process, **changes: Any) -> PerformanceProfiler:
    return PerformanceProfiler(**{"warm_up": 0, "clock": clock, "process": process, **changes})


def frame(profiler: PerformanceProfiler, clock: Clock, ms: float, **sections: float) -> None:
    """A frame of so many ms, some of them in sections one after another."""
    with profiler.frame():
        for name, part in sections.items():
            with profiler.section(name):
                clock.go(1e-3 * part)
        clock.go(1e-3 * (ms - sum(sections.values())))


class TestSections:
    def test_shares_are_of_the_frame_and_the_rest_is_told(
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
        profiler = made(clock, Process())

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
        profiler = made(clock, process, most_frames=10)
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

    def test_nothing_outside_of_frames_that_are_told(
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
        profiler = made(clock, process, enabled=False)
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


class TestFramesThatAreFound:
    """Without `frame()`: by sections that are entered again."""

    @staticmethod
    def update(profiler: PerformanceProfiler, clock: Clock, physics: float = 2.0) -> None:
        """One of 10 ms and what physics takes."""
        with profiler.section("physics"):
            clock.go(1e-3 * physics)
        with profiler.section("visuals"):
            clock.go(0.005)
            with profiler.section("physics"):  # within another one it begins nothing
                clock.go(0.001)
        clock.go(0.004)  # the window, say

    def test_the_plans_own_example(self) -> None:
        profiler = PerformanceProfiler()

        def update() -> None:
            with profiler.section("physics"):
                sum(range(100))
            with profiler.section("visuals"):
                sum(range(100))

        for _ in range(WARM_UP + 20):
            update()
        stats = profiler.get_stats()
        assert float(f"{stats['fps_avg']:.1f}") > 0.0
        assert stats["n_frames"] == 19, "the last one lasts until the next begins"
        assert list(stats["sections"]) == ["physics", "visuals"]

    def test_a_frame_lasts_until_a_section_comes_again(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        for physics in (2.0, 3.0, 4.0, 5.0):
            self.update(profiler, clock, physics)
        run = profiler.run()
        assert run.frame_ms == pytest.approx([12.0, 13.0, 14.0])
        assert run.sections_ms["physics"] == pytest.approx([3.0, 4.0, 5.0])
        assert run.own_ms["visuals"] == pytest.approx([5.0] * 3)
        assert profiler.get_stats()["fps_avg"] == pytest.approx(1e3 / 13.0)

    def test_a_section_now_and_then_begins_no_frame(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        with profiler.section("loading"):
            clock.go(1.0)
        for i in range(21):
            with profiler.section("physics"):
                clock.go(0.001)
            if i % 3 == 0:
                with profiler.section("stats"):
                    clock.go(0.001)
        run = profiler.run()
        assert len(run) == 20
        assert run.frame_ms[1:] == pytest.approx([1.0, 1.0, 2.0] * 6 + [1.0])
        assert run.sections_ms["loading"] == pytest.approx([1e3] + [0.0] * 19)

    def test_what_is_counted_in_between_is_the_frames(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        for i in range(4):
            self.update(profiler, clock)
            profiler.count("draw_calls", i)
            profiler.count_all({"draw_calls": 1})
        assert profiler.run().counters["draw_calls"] == pytest.approx([1.0, 2.0, 3.0])

    def test_the_warm_up_is_theirs_too(self, clock: Clock, process: Process) -> None:
        profiler = made(clock, process, warm_up=3)
        for physics in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0):
            self.update(profiler, clock, physics)
        assert profiler.run().frame_ms == pytest.approx([14.0, 15.0])
        profiler.reset()
        for physics in (1.0, 2.0, 3.0, 4.0, 5.0):
            self.update(profiler, clock, physics)
        assert profiler.run().frame_ms == pytest.approx([14.0])

    def test_they_are_of_the_thread_that_began(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        def other() -> None:
            for _ in range(3):
                with profiler.section("training"):
                    profiler.count("draw_calls")
            profiler.frame_end()

        for _ in range(3):
            with profiler.section("draw"):
                thread = threading.Thread(target=other)
                thread.start()
                thread.join()
                clock.go(0.010)
        stats = profiler.get_stats()
        assert list(stats["sections"]) == ["draw"] and stats["draw_calls_per_frame"] == 0.0
        assert stats["n_frames"] == 2

    def test_as_soon_as_frames_are_told_only_they_count(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        for _ in range(3):
            self.update(profiler, clock)
        with profiler.section("loop"):
            frame(profiler, clock, 7.0, physics=1.0)
            for _ in range(3):
                self.update(profiler, clock)
                profiler.count("draw_calls")
            frame(profiler, clock, 8.0)
        profiler.reset()
        self.update(profiler, clock)
        self.update(profiler, clock)
        assert profiler.get_stats()["n_frames"] == 0, "a reset does not change that"
        frame(profiler, clock, 9.0)
        self.update(profiler, clock)
        assert profiler.run().frame_ms == pytest.approx([9.0])
        assert profiler.get_stats()["draw_calls_per_frame"] == 0.0

    def test_what_was_found_before_is_forgotten_then(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        for _ in range(3):
            self.update(profiler, clock)
        profiler.frame_begin()
        clock.go(0.007)
        profiler.frame_end()
        run = profiler.run()
        assert run.frame_ms == pytest.approx([7.0]) and not run.sections_ms

    def test_frame_end_alone_ends_none(self, profiler: PerformanceProfiler, clock: Clock) -> None:
        for _ in range(3):
            self.update(profiler, clock)
            profiler.frame_end()
        assert profiler.run().frame_ms == pytest.approx([12.0, 12.0])

    @pytest.mark.parametrize("how", ["off and on", "reset"])
    def test_one_cut_by_a_key_is_not_kept(
        self, profiler: PerformanceProfiler, clock: Clock, how: str
    ) -> None:
        with profiler.section("physics"):
            with profiler.section("input"):
                if how == "reset":
                    profiler.reset()
                else:
                    profiler.enabled = False
                    profiler.enabled = True
            clock.go(99.0)
        for _ in range(4):
            self.update(profiler, clock)
        assert profiler.run().frame_ms == pytest.approx([12.0] * 3)

    def test_off_nothing_is_found(self, clock: Clock, process: Process) -> None:
        profiler = made(clock, process, enabled=False)
        for _ in range(3):
            self.update(profiler, clock)
            profiler.count("draw_calls")
        assert profiler.get_stats()["n_frames"] == 0 and profiler.frame_number == -1
        assert process.asked == 0

    def test_a_section_that_raises_is_closed(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        for _ in range(3):
            with pytest.raises(RuntimeError), profiler.section("outer"), profiler.section("inner"):
                clock.go(0.001)
                raise RuntimeError
        assert profiler.run().sections_ms["outer"] == pytest.approx([1.0, 1.0])

    def test_they_are_saved_and_traced(
        self, profiler: PerformanceProfiler, clock: Clock, tmp_path: Path
    ) -> None:
        for _ in range(4):
            self.update(profiler, clock)
        profiler.save_trace(tmp_path / "trace.json")
        profiler.save_json(tmp_path / "profile.json")
        events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
        frames = [e for e in events if e["name"] == "frame" and e["ph"] == "X"]
        assert [e["ts"] for e in frames] == pytest.approx([0.0, 12e3, 24e3])
        assert [e["dur"] for e in frames] == pytest.approx([12e3] * 3)
        assert len(load_profile(tmp_path / "profile.json").run) == 3


class TestStats:
    @given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=60))
    def test_frame_times_are_numpys(self, frames: list[float]) -> None:
        clock = Clock()
        clock.now = 0.0
        profiler = made(clock, Process())
        for ms in frames:
            frame(profiler, clock, ms)
        told = profiler.get_stats()
        expected = {
            "n_frames": len(frames),
            "fps_avg": 1e3 / np.mean(frames),
            "fps_min": 1e3 / np.max(frames),
            "frame_time_avg_ms": np.mean(frames),
            "frame_time_min_ms": np.min(frames),
            "frame_time_p50_ms": np.median(frames),
            "frame_time_p95_ms": np.percentile(frames, 95),
            "frame_time_p99_ms": np.percentile(frames, 99),
            "frame_time_max_ms": np.max(frames),
        }
        assert {key: told[key] for key in expected} == pytest.approx(expected, rel=1e-6)

    def test_without_a_frame_every_key_is_there(self, profiler: PerformanceProfiler) -> None:
        stats = profiler.get_stats()
        assert stats["n_frames"] == 0 and stats["sections"] == {}
        for key in (
            "fps_avg", "fps_min", "frame_time_avg_ms", "frame_time_p50_ms", "frame_time_p95_ms",
            "frame_time_p99_ms", "gpu_time_avg_ms", "cpu_percent", "memory_mb",
            "memory_growth_mb_per_minute", "vertices", "entities", "critic_queries_per_frame",
        ):  # fmt: skip
            assert math.isnan(stats[key]), key
            assert f"{stats[key]:.1f}" == "nan", "as any figure is written"

    def test_counters_are_means_and_what_the_scene_holds_is_the_last(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        for i in range(4):
            with profiler.frame():
                clock.go(0.01)
                profiler.count("draw_calls")
                profiler.count_all({"draw_calls": 1, "upload_bytes": 100 * i, "vertices": 10 * i})
                if i == 2:
                    profiler.count("critic_queries", 2)
                    profiler.count("resets")
        stats = profiler.get_stats()
        assert stats["draw_calls_per_frame"] == 2.0
        assert stats["upload_bytes_per_frame"] == 150.0
        assert stats["critic_queries_per_frame"] == 0.5
        assert stats["resets_per_frame"] == 0.25
        assert stats["mesh_updates_per_frame"] == 0.0
        assert stats["vertices"] == 30.0 and "vertices_per_frame" not in stats

    def test_gpu_times_come_late_and_find_their_frames(
        self, profiler: PerformanceProfiler, clock: Clock
    ) -> None:
        numbers = []
        for i in range(4):
            with profiler.frame():
                numbers.append(profiler.frame_number)
                clock.go(0.01)
            if i == 1:
                with pytest.raises(RuntimeError), profiler.frame():
                    lost = profiler.frame_number
                    raise RuntimeError
        profiler.set_gpu_time(numbers[2], 0.003)
        profiler.set_gpu_time(numbers[0], 0.001)
        profiler.set_gpu_time(lost, 9.0)
        profiler.set_gpu_time(numbers[3] + 1, 9.0)
        np.testing.assert_allclose(profiler.run().gpu_ms, [1.0, np.nan, 3.0, np.nan])
        assert profiler.get_stats()["gpu_time_avg_ms"] == pytest.approx(2.0)
        profiler.reset()
        profiler.set_gpu_time(numbers[3], 9.0)
        frame(profiler, clock, 10.0)
        assert math.isnan(profiler.get_stats()["gpu_time_avg_ms"])


class TestResources:
    def test_cpu_is_of_wall_time_and_memory_the_last(self, clock: Clock, process: Process) -> None:
        profiler = made(clock, process, warm_up=10)
        for _ in range(60):
            with profiler.frame():
                process.cpu += 0.15  # of 0.1 s: one core and a half
                process.rss += 1e6
                clock.go(0.1)
        stats = profiler.get_stats()
        assert stats["cpu_percent"] == pytest.approx(150.0)
        assert stats["memory_mb"] == pytest.approx(160.0)
        assert stats["memory_growth_mb_per_minute"] == pytest.approx(600.0)

    def test_they_are_asked_for_seldom(
        self, profiler: PerformanceProfiler, clock: Clock, process: Process
    ) -> None:
        for _ in range(1000):
            frame(profiler, clock, 2.0)
        assert 2.0 / INTERVAL <= process.asked <= 2.0 / INTERVAL + 2

    def test_what_comes_long_after_the_last_frame_is_not_its(
        self, profiler: PerformanceProfiler, clock: Clock, process: Process
    ) -> None:
        for _ in range(10):
            process.cpu += 0.1
            frame(profiler, clock, 100.0)
        clock.go(60.0)
        assert profiler.get_stats()["cpu_percent"] == pytest.approx(100.0, rel=0.2)

    def test_a_long_run_keeps_few_of_its_whole_length(self) -> None:
        process, clock = Process(), Clock()
        sampler = ResourceSampler(process)
        for _ in range(40_000):
            process.rss += 1e3
            clock.go(0.1)
            sampler.tick(clock())
        seconds = sampler.resources().seconds
        assert MOST_SAMPLES / 2 <= len(seconds) <= MOST_SAMPLES
        assert seconds[0] < 100.2 and seconds[-1] > clock() - 2 * sampler.interval
        growth = slope(seconds, sampler.resources().memory_bytes)
        assert growth == pytest.approx(1e4, rel=1e-3)

    @given(
        st.floats(-1e6, 1e6),
        st.integers(20, 200),
        st.lists(st.tuples(st.floats(0, 1), st.floats(-1e9, 1e9)), max_size=4),
    )
    def test_a_few_wild_samples_do_not_sway_the_slope(
        self, growth: float, n: int, wild: list[tuple[float, float]]
    ) -> None:
        x = np.arange(float(n))
        y = 5e8 + growth * x
        for where, value in wild:
            y[int(where * (n - 1))] += value
        assert slope(x, y) == pytest.approx(growth, rel=1e-6, abs=1e-3)

    def test_too_few_samples_have_none(self) -> None:
        x = np.arange(4.0)
        assert math.isnan(slope(x, x))
        assert math.isnan(slope(np.zeros(9), np.arange(9.0)))


class TestFiles:
    def test_a_trace_holds_frames_sections_and_counters(
        self, profiler: PerformanceProfiler, clock: Clock, tmp_path: Path
    ) -> None:
        for _ in range(3):
            with profiler.frame():
                with profiler.section("draw"):
                    clock.go(0.001)
                    with profiler.section("ui"):
                        clock.go(0.002)
                profiler.count("draw_calls", 2)
                clock.go(0.001)
        path = tmp_path / "new" / "run.trace.json"
        profiler.save_trace(path)
        events = json.loads(path.read_text())["traceEvents"]
        spans = [event for event in events if event["ph"] == "X"]
        assert [event["name"] for event in spans].count("frame") == 3
        for span in spans:
            parent = {"ui": "draw", "draw": "frame", "frame": None}[span["name"]]
            around = [
                other for other in spans
                if other["name"] == parent
                and other["ts"] <= span["ts"]
                and span["ts"] + span["dur"] <= other["ts"] + other["dur"] + 1e-3
            ]  # fmt: skip
            assert len(around) == (parent is not None), "viewers nest by time"
        durations = {event["name"]: event["dur"] for event in spans}
        assert durations == pytest.approx({"frame": 4000.0, "draw": 3000.0, "ui": 2000.0})
        counted = [e["args"] for e in events if e["ph"] == "C" and e["name"] == "draw_calls"]
        assert counted == [{"draw_calls": 2.0}] * 3
        assert all({"name", "ph", "pid", "tid"} <= event.keys() for event in events)

    def test_without_a_frame_there_is_no_file(
        self, profiler: PerformanceProfiler, tmp_path: Path
    ) -> None:
        for save in (profiler.save_json, profiler.save_trace):
            with pytest.raises(UserError, match="no frame was measured yet"):
                save(tmp_path / "file.json")
        assert list(tmp_path.iterdir()) == []

    def test_what_is_not_known_is_null_in_files(
        self, profiler: PerformanceProfiler, clock: Clock, tmp_path: Path
    ) -> None:
        profiler.describe = lambda: Description(
            {"rate": math.nan, "all": [1.0, math.inf]}, "a", "b"
        )
        for loss in (1.0, math.nan, -math.inf):
            with profiler.frame():
                clock.go(0.01)
                profiler.count("loss", loss)
        profiler.save_json(tmp_path / "a.json")
        profiler.save_trace(tmp_path / "a.trace.json")
        content = json.loads((tmp_path / "a.json").read_text(), parse_constant=pytest.fail)
        json.loads((tmp_path / "a.trace.json").read_text(), parse_constant=pytest.fail)
        assert content["summary"]["gpu_time_avg_ms"] is content["summary"]["vertices"] is None
        assert content["configuration"] == {"rate": None, "all": [1.0, None]}
        read = load_profile(tmp_path / "a.json")
        np.testing.assert_equal(read.run.counters["loss"], [1.0, math.nan, math.nan])
        assert math.isnan(read.summary["gpu_time_avg_ms"])
        compared = compare_results(read, read)
        assert (compared["loss"].a, compared["loss"].verdict) == (1.0, "no difference")

    def test_the_file_names_what_was_measured(
        self, profiler: PerformanceProfiler, clock: Clock, tmp_path: Path
    ) -> None:
        profiler.describe = lambda: Description({"n_agents": 7}, "a renderer", "4.6")
        frame(profiler, clock, 10.0)
        path = tmp_path / "profile.json"
        profiler.save_json(path)
        content = json.loads(path.read_text())
        assert content["configuration"] == {"n_agents": 7}
        machine = content["machine"]
        assert (machine["gl_renderer"], machine["gl_version"]) == ("a renderer", "4.6")
        assert machine["cpu"] and machine["cores"] >= 1 and machine["os"]
        assert {"numpy", "torch", "panda3d"} <= machine["packages"].keys()
        assert content["summary"]["frame_time_avg_ms"] == pytest.approx(10.0)


def test_the_package_offers_it() -> None:
    assert calf_viz.PerformanceProfiler is PerformanceProfiler
    assert callable(calf_viz.compare_results)
    assert set(calf_viz.__all__) == {*calf_viz._WHERE, "__version__"}
    assert all(hasattr(calf_viz, name) for name in calf_viz.__all__)
