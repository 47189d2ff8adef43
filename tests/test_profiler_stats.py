"""The profiler's statistics: times, counters, processor time and memory, and the files of them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import profiling_samples as samples
import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiling_samples import Clock, Process, frame, made_profiler

from calf_viz.errors import UserError
from calf_viz.profiling.compare_files import compare_results
from calf_viz.profiling.profile_file import load_profile
from calf_viz.profiling.profiler import Description, PerformanceProfiler
from calf_viz.profiling.resources import INTERVAL, MOST_SAMPLES, ResourceSampler, slope

clock = pytest.fixture(samples.clock)
process = pytest.fixture(samples.process)
profiler = pytest.fixture(samples.profiler)


class TestStats:
    @given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=60))
    def test_frame_times_are_numpys(self, frames: list[float]) -> None:
        clock = Clock()
        clock.now = 0.0
        profiler = made_profiler(clock, Process())
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
        profiler = made_profiler(clock, process, warm_up=10)
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
