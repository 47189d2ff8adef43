"""The profiler in the application: sections and counts of its frames, its keys, and its files."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from applications import running

from calf_viz import CALFApplication, PerformanceProfiler
from calf_viz.hosts.panda import host as panda
from calf_viz.hosts.panda import raw_gl

pytestmark = pytest.mark.rendering


class TestProfiler:
    def test_sections_and_counts_of_a_frame(self) -> None:
        profiler = PerformanceProfiler(warm_up=3)
        with running(n_agents=6, profiler=profiler) as shown:
            for _ in range(10):
                shown.step()
            rows = shown.host.layout.row_bytes
        stats = profiler.get_stats()
        assert stats["n_frames"] == 7
        assert set(stats["sections"]) == {"policy", "physics", "upload", "draw"}
        assert (stats["draw_calls_per_frame"], stats["ring_draws_per_frame"]) == (1.0, 1.0)
        assert stats["upload_bytes_per_frame"] == rows == 6 * 16
        assert (stats["critic_queries_per_frame"], stats["mesh_updates_per_frame"]) == (0.0, 0.0)
        assert stats["policy_queries_per_frame"] == 1.0
        assert stats["entities"] == 1.0 and stats["vertices"] > 17 * 17

    def test_a_new_surface_is_a_query_a_section_and_an_upload(self) -> None:
        profiler = PerformanceProfiler(warm_up=0)
        with running(n_agents=6, profiler=profiler) as shown:
            shown.step()
            with profiler.frame():
                shown.show_critic()
                profiler.count_all(shown.host.frame_counts())
        run = profiler.run()
        assert run.counters["critic_queries"].tolist() == [0.0, 1.0]
        assert run.counters["upload_bytes"][1] == 17 * 17 * 8  # no shader reads its scale
        assert run.sections_ms["heatmap"][0] == 0.0 < run.sections_ms["heatmap"][1]

    def test_it_does_not_change_the_picture(self) -> None:
        """GPU times are asked for in the frame, in the context that draws it."""
        profiler = PerformanceProfiler(warm_up=0)
        with running(n_agents=9) as plain, running(n_agents=9, profiler=profiler) as profiled:
            for shown in (plain, profiled):  # one after the other: each has a context of its own
                for _ in range(30):
                    shown.step()
            np.testing.assert_array_equal(plain.screenshot(), profiled.screenshot())

    def test_gpu_times_where_there_are_timer_queries(self) -> None:
        profiler = PerformanceProfiler(warm_up=0)
        with running(profiler=profiler) as shown:
            for _ in range(120):
                shown.step()
            known = profiler.run().gpu_ms[np.isfinite(profiler.run().gpu_ms)]
            assert ((known > 0.0) & (known < 60_000.0)).all()
            if shown.host.software:  # llvmpipe has them
                assert 120 / panda.TIMED_BY_CPU - 3 <= len(known) <= 120 / panda.TIMED_BY_CPU

    def test_without_them_it_runs_all_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        raw_gl.waiter()  # which would else have Panda wait, from now on
        monkeypatch.setitem(sys.modules, "OpenGL", None)
        profiler = PerformanceProfiler(warm_up=0)
        with running(profiler=profiler) as shown:
            for _ in range(20):
                shown.step()
        stats = profiler.get_stats()
        assert stats["n_frames"] == 20 and np.isnan(stats["gpu_time_avg_ms"])

    def test_a_critic_shown_between_frames_is_no_frame(self) -> None:
        profiler = PerformanceProfiler(warm_up=0)
        with running(profiler=profiler) as shown:
            for _ in range(3):
                shown.show_critic()
            for _ in range(5):
                shown.step()
                shown.show_critic()
                shown.draw()
            assert profiler.get_stats()["n_frames"] == 5

    def test_hosts_beside_each_other_do_not_time_in_each_others_context(self) -> None:
        profilers = [PerformanceProfiler(warm_up=0) for _ in range(2)]
        with running(profiler=profilers[0]) as one, running(profiler=profilers[1]) as two:
            for _ in range(40):
                one.step(), two.step()
            assert not any(np.isfinite(p.run().gpu_ms).any() for p in profilers)
            for _ in range(40):
                two.step()
        assert np.isfinite(profilers[1].run().gpu_ms).any() or not two.host.software

    def test_it_may_be_switched_on_later(self) -> None:
        with running() as shown:
            assert not shown.profiler.enabled
            for enabled in (False, True, False):
                shown.profiler.enabled = enabled
                for _ in range(60):
                    shown.step()
            assert shown.profiler.get_stats()["n_frames"] == 10, "50 were for the warm-up"

    def test_its_files_name_what_is_shown(self, tmp_path: Path) -> None:
        profiler = PerformanceProfiler(warm_up=0)
        with running(n_agents=2, profiler=profiler) as shown:
            shown.n_agents = 5
            shown.step()
            profile = profiler.profile()
            assert profile.machine["gl_renderer"] == shown.host.renderer
        expected = {
            "system": "point_mass", "n_agents": 5, "size": [192, 108], "grid": [16, 16],
            "renderer": "gpu", "window": False, "trail_length": 40,
        }  # fmt: skip
        assert expected.items() <= profile.configuration.items()
        assert profile.machine["gl_version"] != "unknown"


class TestKeysOfTheProfiler:
    """As the window calls them."""

    def pressed(self, shown: CALFApplication, action: str) -> str:
        """What is said once the key was pressed."""
        shown.actions.by_name[action]()
        return shown.actions._said[0]

    def test_it_is_exported_to_the_folder_asked_for(self, tmp_path: Path) -> None:
        with running(profiler=PerformanceProfiler(warm_up=0)) as shown:
            shown.profiles = tmp_path / "mine"
            shown.step()
            assert "mine" in self.pressed(shown, "export_profile")
            assert len(list((tmp_path / "mine").glob("*.json"))) == 1

    def test_one_that_is_off_says_how_to_switch_it_on(self) -> None:
        with running() as shown:
            assert self.pressed(shown, "export_profile").endswith("F2 switches it on")
            assert self.pressed(shown, "toggle_profiler") == "profiler on"
            assert self.pressed(shown, "reset_profiler") == "profiler: measuring anew"

    @pytest.mark.parametrize(
        "action", ["pause", "single_step", "toggle_profiler", "reset_profiler", "export_profile"]
    )
    def test_none_disturbs_a_measurement(self, action: str) -> None:
        with running(profiler=PerformanceProfiler(warm_up=0)) as shown:
            shown.measuring = True
            shown.step()
            assert self.pressed(shown, action) == "not while frames are measured"
            shown.step()
            assert len(shown.profiler.run()) == 2 and not shown.playback.paused

    def test_that_it_is_paused_is_seen_beside_what_they_say(self) -> None:
        with running(hud=True) as shown:
            shown.step()
            self.pressed(shown, "toggle_profiler")
            self.pressed(shown, "pause")
            shown.draw()
            assert shown.hud is not None
            assert (shown.hud.values["state"], shown.hud.values["notice"]) == (
                "paused",
                "profiler on",
            )
            self.pressed(shown, "pause")
            shown.draw()
            assert "state" not in shown.hud.values and "notice" in shown.hud.values

    def test_without_anything_on_screen_the_terminal_says_it(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with running() as shown, caplog.at_level("WARNING", logger="calf_viz"):
            self.pressed(shown, "toggle_profiler")
        assert "profiler on" in caplog.text


def test_the_sections_of_a_frame() -> None:
    profiler = PerformanceProfiler(warm_up=0)
    with running(profiler=profiler, hud=True, size=(800, 450)) as shown:
        shown.step()
    sections = profiler.get_stats()["sections"]
    assert set(sections) == {"policy", "physics", "upload", "stats", "draw", "ui"}
    assert sections["draw"]["own_ms"] < sections["draw"]["mean_ms"], "ui is within draw"


def test_a_profile_is_of_one_number_of_agents() -> None:
    profiler = PerformanceProfiler(warm_up=0)
    with running(profiler=profiler, n_agents=2) as shown:
        shown.step()
        shown.n_agents = 2
        assert len(profiler.run()) == 1
        shown.n_agents = 3
        shown.step()
        assert len(profiler.run()) == 1
