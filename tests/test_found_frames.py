"""Frames that nobody tells the profiler of: found by sections that are entered again."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import profiling_samples as samples
import pytest
from profiling_samples import Clock, Process, frame, made_profiler

from calf_viz.profiling.profile_file import load_profile
from calf_viz.profiling.profiler import WARM_UP, PerformanceProfiler

clock = pytest.fixture(samples.clock)
process = pytest.fixture(samples.process)
profiler = pytest.fixture(samples.profiler)


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
        profiler = made_profiler(clock, process, warm_up=3)
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

    def test_as_soon_as_frames_are_marked_only_they_count(
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
        profiler = made_profiler(clock, process, enabled=False)
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
