"""Comparisons: what the samples show and what they do not, refusals, limits and exit codes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import compare_profiles
import numpy as np
import pytest
from PIL import Image
from profiling_samples import made_profile, made_run, noisy

from calf_viz import compare_results
from calf_viz.errors import UserError
from calf_viz.profiling import bootstrap
from calf_viz.profiling.comparison import (
    BETTER,
    CONFIDENCE,
    ONLY_A,
    ONLY_B,
    SAME,
    WORSE,
    IncomparableError,
    judge,
)
from calf_viz.profiling.metrics import metrics_of
from calf_viz.profiling.profile import Profile
from calf_viz.profiling.profile_file import save_profile

FEW = 400  # draws of a bootstrap, where there are many


def verdict(a: Profile, b: Profile, name: str = "frame_p50") -> str:
    metric = next(metric for metric in metrics_of(a, b) if metric.name == name)
    return judge(metric, a, b, draws=FEW).verdict


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


class TestVerdicts:
    @pytest.mark.parametrize("name", ["frame_p50", "frame_p95", "frame_mean"])
    @pytest.mark.parametrize("memory", [0.0, 0.6])
    def test_equal_distributions_do_not_differ(self, name: str, memory: float) -> None:
        same = 0
        for seed in range(100):
            draws = rng(seed)
            a, b = (made_profile(made_run(noisy(draws, memory=memory))) for _ in "ab")
            same += verdict(a, b, name) == SAME
        assert same >= 95

    @pytest.mark.parametrize("memory", [0.0, 0.6])
    def test_a_tenth_more_is_found_in_noise_of_a_twentieth(self, memory: float) -> None:
        found = []
        for seed in range(100):
            draws = rng(seed)
            a = made_profile(made_run(noisy(draws, 10.0, memory=memory)))
            b = made_profile(made_run(noisy(draws, 11.0, memory=memory)))
            found.append((verdict(a, b), verdict(b, a)))
        assert found.count((WORSE, BETTER)) >= 95

    def test_runs_that_differ_among_themselves_show_nothing(self) -> None:
        """What is said of single runs is not said of three that differ as much."""
        draws = rng(1)
        slow, fast = (made_run(noisy(draws, ms, 0.01)) for ms in (13.0, 10.0))
        assert verdict(made_profile(fast), made_profile(slow)) == WORSE
        runs = [made_run(noisy(draws, ms, 0.01)) for ms in (10.0, 11.5, 13.0, 10.1, 11.6, 13.1)]
        assert verdict(made_profile(*runs[:3]), made_profile(*runs[3:])) == SAME

    def test_three_runs_each_that_agree_show_a_difference(self) -> None:
        draws = rng(2)
        a = made_profile(*(made_run(noisy(draws, 10.0)) for _ in range(3)))
        b = made_profile(*(made_run(noisy(draws, 11.0)) for _ in range(3)))
        assert (verdict(a, b), verdict(b, a)) == (WORSE, BETTER)

    def test_slow_stretches_are_no_evidence(self) -> None:
        """Frames that come in stretches say less than as many single ones: drawn one by one they
        would show differences that are none."""
        width = {}
        for memory in (0.0, 0.95):
            highs = []
            for seed in range(20):
                run = noisy(rng(seed), memory=memory)
                medians = bootstrap.resampled(
                    [run], lambda x: np.median(x, axis=-1), FEW, rng(seed)
                )
                highs.append(np.ptp(np.quantile(medians, (0.005, 0.995))))
            width[memory] = np.median(highs)
        assert width[0.95] > 2.0 * width[0.0]

    def test_the_direction_is_the_metrics(self) -> None:
        a, b = (made_profile(made_run(noisy(rng(3), ms))) for ms in (10.0, 8.0))
        both = compare_results(a, b)
        for name in ("frame_p50", "frame_p95", "frame_p99", "frame_mean", "section_draw"):
            assert both[name].verdict == BETTER and both[name].change < 0.0, name
        assert both["fps"].verdict == BETTER and both["fps"].change > 0.0
        assert {v.verdict for v in compare_results(b, a).verdicts} == {WORSE, SAME}

    def test_counters_are_exact(self) -> None:
        frames = noisy(rng(4))
        a = made_profile(made_run(frames, draw_calls=1, upload_bytes=320))
        b = made_profile(made_run(frames, draw_calls=41, upload_bytes=319, critic_queries=3))
        both = compare_results(a, b)
        assert (both["draw_calls"].verdict, both["draw_calls"].change) == (WORSE, 40.0)
        assert both["upload_bytes"].verdict == BETTER
        queries = both["critic_queries"]
        assert (queries.a, queries.b, queries.verdict) == (0.0, 3.0, WORSE)
        assert queries.change == np.inf and queries.is_worse_by(10.0)
        assert compare_results(b, a)["critic_queries"].verdict == BETTER
        assert both["mesh_updates"].verdict == SAME

    @pytest.mark.parametrize(("more", "expected"), [(1.01, SAME), (1.1, WORSE)])
    def test_memory_counts_from_two_percent_on(self, more: float, expected: str) -> None:
        a, b = (made_profile(made_run([10.0] * 9, memory_mb=400 * x)) for x in (1.0, more))
        assert verdict(a, b, "memory") == expected

    def test_times_count_from_one_percent_on(self) -> None:
        """Even where each run is as even as can be."""
        a, b, c = (made_profile(made_run([ms] * 300)) for ms in (10.0, 10.05, 10.2))
        assert (verdict(a, b), verdict(a, c)) == (SAME, WORSE)

    def test_what_only_one_has_is_not_judged(self) -> None:
        frames = noisy(rng(5))
        a, b = made_profile(made_run(frames)), made_profile(made_run(frames))
        a.run.gpu_ms[:] = 4.0
        b.run.sections_ms["heatmap"] = b.run.own_ms["heatmap"] = 0.1 * frames
        both = compare_results(a, b)
        assert (both["gpu_mean"].verdict, both["gpu_mean"].b) == (ONLY_A, None)
        assert (both["section_heatmap"].verdict, both["section_heatmap"].a) == (ONLY_B, None)
        assert not any(verdict.is_worse_by(0.0) for verdict in both.verdicts)

    def test_the_same_profiles_give_the_same_verdicts(self, tmp_path: Path) -> None:
        a, b = (made_profile(made_run(noisy(rng(seed)))) for seed in (6, 7))
        assert compare_results(a, b).verdicts == compare_results(a, b).verdicts
        for name, profile in (("a", a), ("b", b)):
            save_profile(profile, tmp_path / name)
        read = compare_results(tmp_path / "a", tmp_path / "b")
        assert read["frame_p95"].verdict == compare_results(a, b)["frame_p95"].verdict

    def test_a_limit_is_exceeded_only_by_the_whole_interval(self) -> None:
        a, b = (made_profile(made_run(noisy(rng(8), ms))) for ms in (10.0, 11.2))
        p50 = compare_results(a, b)["frame_p50"]
        assert p50.interval is not None and p50.change is not None
        low, high = p50.interval
        assert low < p50.change < high
        assert p50.is_worse_by(0.99 * low) and not p50.is_worse_by(1.01 * low)
        assert not compare_results(b, a)["frame_p50"].is_worse_by(0.0)


class TestBootstrap:
    @pytest.mark.parametrize("n", [1, 2, 5, 17, 300])
    def test_what_is_drawn_are_stretches_of_the_samples(self, n: int) -> None:
        seen: list[np.ndarray] = []

        def statistic(samples: np.ndarray) -> np.ndarray:
            seen.append(samples)
            return samples[..., 0]

        run = np.arange(float(n))
        bootstrap.resampled([run], statistic, 50, rng(0))
        drawn = np.concatenate(seen)
        assert drawn.shape[1] == n and set(drawn.ravel()) <= set(run)
        breaks = np.diff(drawn, axis=1) % n != (1 % n)
        assert breaks.sum(axis=1).max(initial=0) <= n // bootstrap.block_length(n)

    def test_every_frame_counts_alike(self) -> None:
        """Those at the ends are drawn as often as those in the middle."""
        n, counts = 50, np.zeros(50)

        def statistic(samples: np.ndarray) -> np.ndarray:
            counts[:] += np.bincount(samples.astype(int).ravel(), minlength=n)
            return samples[..., 0]

        bootstrap.resampled([np.arange(float(n))], statistic, 20_000, rng(0))
        assert counts / counts.mean() == pytest.approx(np.ones(n), abs=0.05)

    def test_intervals_cover_the_mean_of_a_correlated_series(self) -> None:
        """In at least 95 % of series whose frames keep half of each deviation."""
        covered = 0
        for seed in range(200):
            draws = rng(seed)
            means = bootstrap.resampled(
                [noisy(draws, 10.0, 0.05, memory=0.5)], lambda x: x.mean(axis=-1), 1000, draws
            )
            low, high = np.quantile(means, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
            covered += low <= 10.0 <= high
        assert covered >= 190


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"machine": {"cpu": "Another CPU"}}, "cpu: Some CPU, Another CPU"),
            ({"machine": {"cores": 8}}, "cores: 4, 8"),
            ({"machine": {"gl_renderer": "A GPU"}}, "gl_renderer: llvmpipe, A GPU"),
            ({"n_agents": 100}, "n_agents: 20, 100"),
            ({"size": [640, 360]}, "size: 1280x720, 640x360"),
            ({"system": "differential_drive"}, "system: point_mass, differential_drive"),
        ],
    )
    def test_what_cannot_be_compared(self, change: dict[str, Any], said: str) -> None:
        a, b = made_profile(made_run([10.0] * 9)), made_profile(made_run([20.0] * 9), **change)
        with pytest.raises(IncomparableError, match=re.escape(said)):
            compare_results(a, b)
        forced = compare_results(a, b, force=True)
        assert forced.forced == [said] and forced["frame_p50"].verdict == WORSE

    def test_all_reasons_are_reported_at_once(self) -> None:
        a, b = (made_profile(made_run([10.0]), n_agents=n, size=[n, n]) for n in (16, 32))
        with pytest.raises(IncomparableError, match="size: 16x16, 32x32; n_agents: 16, 32"):
            compare_results(a, b)

    def test_other_differences_are_only_reported(self) -> None:
        a = made_profile(made_run([10.0] * 9), renderer="per_agent")
        b = made_profile(
            made_run([10.0] * 9), machine={"packages": {"numpy": "2.1.0"}}, trail_length=60
        )
        both = compare_results(a, b)
        assert both.forced == []
        assert both.differences == [
            "numpy: 2.0.0, 2.1.0", "renderer: per_agent, gpu", "trail_length: 600, 60",
        ]  # fmt: skip


class Ended(NamedTuple):
    code: int
    out: str
    err: str


class TestCommand:
    @pytest.fixture
    def run(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
        def run(*arguments: str | Path) -> Ended:
            monkeypatch.setattr(sys, "argv", ["compare_profiles", *map(str, arguments)])
            capsys.readouterr()
            with pytest.raises(SystemExit) as end:
                compare_profiles.main()
            assert isinstance(end.value.code, int)
            return Ended(end.value.code, *capsys.readouterr())

        return run

    @pytest.fixture
    def files(self, tmp_path: Path) -> dict[str, Path]:
        draws = rng(0)
        profiles = {
            "a": made_profile(made_run(noisy(draws, 10.0))),
            "same": made_profile(made_run(noisy(draws, 10.0))),
            "slow": made_profile(made_run(noisy(draws, 12.0))),
            "fast": made_profile(made_run(noisy(draws, 8.0), draw_calls=0)),
            "more": made_profile(made_run(noisy(draws, 10.0)), n_agents=100),
        }
        for name, profile in profiles.items():
            save_profile(profile, tmp_path / f"{name}.json")
        return {name: tmp_path / f"{name}.json" for name in profiles}

    @pytest.mark.parametrize("flags", [(), ("--no-plot",)])
    def test_no_profile_that_is_compared_is_replaced(
        self, run: Any, files: dict[str, Path], tmp_path: Path, flags: tuple[str, ...]
    ) -> None:
        link = tmp_path / "link.md"
        link.symlink_to(files["same"])
        before = [files[name].read_bytes() for name in ("a", "same")]
        for output in (files["a"], files["same"], link):
            ended = run(files["a"], files["same"], "--output", output, *flags)
            assert ended.code == 2 and "is read, and would be replaced" in ended.err
            with pytest.raises(UserError, match="would be replaced"):
                compare_results(files["a"], files["same"], output, plot=not flags)
        assert [files[name].read_bytes() for name in ("a", "same")] == before

    @pytest.mark.parametrize(
        ("b", "limits", "code"),
        [
            ("same", [], 0),
            ("fast", [], 0),
            ("slow", [], 1),
            ("slow", ["frame_p95:10%"], 1),
            ("slow", ["frame_p95:30%"], 0),
            ("slow", ["frame_p95:30%", "frame_p50:5%"], 1),
            ("slow", ["draw_calls:0%"], 0),
            ("slow", ["fps:5%"], 1),
            ("same", ["frame_p95:0", "memory:0%", "section_draw:0%"], 0),
            ("fast", ["frame_p50:0%", "fps:0%"], 0),
        ],
    )
    def test_exit_codes(
        self, run: Any, files: dict[str, Path], b: str, limits: list[str], code: int
    ) -> None:
        flags = [part for limit in limits for part in ("--fail-if", limit)]
        ended = run(files["a"], files[b], *flags)
        assert ended.code == code, ended
        assert "frame_p50" in ended.out
        assert ("is worse" in ended.err) == (code == 1)

    def test_incomparable_is_3_unless_forced(self, run: Any, files: dict[str, Path]) -> None:
        ended = run(files["a"], files["more"])
        assert (ended.code, ended.out) == (3, "")
        assert ended.err.count("\n") == 1 and "n_agents: 20, 100" in ended.err
        ended = run(files["a"], files["more"], "--force")
        assert ended.code == 0 and "not comparable, forced: n_agents: 20, 100" in ended.out

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--fail-if", "nonsense:10%"], "unknown metric 'nonsense': choose one of frame_p50, "),
            (
                ["--fail-if", "frame_p95"],
                "'frame_p95' is not a limit: give one such as frame_p95:10%",
            ),
            (["--fail-if", "frame_p95:much"], "'frame_p95:much' is not a limit"),
            (["--fail-if", "frame_p95:-1%"], "'frame_p95:-1%' is not a limit"),
            (["--fail-if", "frame_p95:nan"], "'frame_p95:nan' is not a limit"),
            (["--nonsense"], "No such option"),
            (["--output", ""], "is empty: give a path"),
            (["--output", "picture.png"], "'picture.png' would hold Markdown"),
        ],
    )
    def test_bad_use(
        self, run: Any, files: dict[str, Path], tmp_path: Path, arguments: list[str], said: str
    ) -> None:
        output = tmp_path / "comparison.md"
        ended = run(files["a"], files["same"], "--output", output, *arguments)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.count("\n") == 1 and said in ended.err
        assert not output.exists()

    def test_brackets_in_a_path_are_only_brackets(
        self, run: Any, files: dict[str, Path], tmp_path: Path
    ) -> None:
        """rich takes what is in brackets for colours."""
        odd = made_profile(made_run(noisy(rng(0), 10.0)), size="[/red]", shaders="[/a]\x1b[2J|")
        save_profile(odd, tmp_path / "odd.json")
        ended = run(files["a"], tmp_path / "odd.json", "--force")
        assert ended.code == 0 and "[/red]" in ended.out and "[/a]" in ended.out
        output = tmp_path / "comparison.md"
        assert run(files["a"], tmp_path / "odd.json", "--force", "--output", output).code == 0
        for text in (ended.out, output.read_text(encoding="utf-8")):
            assert "\x1b" not in text and "\\x1b[2J" in text, "a terminal obeys nothing of it"

    def test_a_metrics_name_is_only_a_name(
        self, run: Any, files: dict[str, Path], tmp_path: Path
    ) -> None:
        odd = made_run(noisy(rng(0), 10.0))
        odd.counters["a|b\x1b]0;title\x07"] = np.ones(len(odd))
        save_profile(made_profile(odd), tmp_path / "odd.json")
        output = tmp_path / "comparison.md"
        ended = run(files["a"], tmp_path / "odd.json", "--force", "--output", output)
        assert ended.code in (0, 1)
        for text in (ended.out, output.read_text(encoding="utf-8")):
            assert "\x1b" not in text and "\x07" not in text and "\\x1b]0;title" in text
        (row,) = (line for line in output.read_text().splitlines() if "title" in line)
        assert row.replace(r"\|", "").count("|") == 7

    def test_a_metric_that_was_not_measured_has_no_limit(
        self, run: Any, files: dict[str, Path]
    ) -> None:
        ended = run(files["a"], files["same"], "--fail-if", "gpu_mean:1%")
        assert ended.code == 2 and "gpu_mean" in ended.err

    def test_an_unknown_metric_lists_all_there_are(self, run: Any, files: dict[str, Path]) -> None:
        said = run(files["a"], files["same"], "--fail-if", "x:1%").err
        for metric in ("frame_p99", "section_draw", "memory", "draw_calls", "upload_bytes"):
            assert metric in said

    @pytest.mark.parametrize("content", ["", "{", '{"kind": "calf_viz profile", "schema": 99}'])
    def test_bad_files(
        self, run: Any, files: dict[str, Path], tmp_path: Path, content: str
    ) -> None:
        bad = tmp_path / "bad.json"
        bad.write_text(content)
        for pair in ((files["a"], bad), (bad, files["a"])):
            ended = run(*pair)
            assert (ended.code, ended.out) == (2, "")
            assert ended.err.count("\n") == 1 and str(bad) in ended.err

    def test_a_report_with_its_plot(self, run: Any, files: dict[str, Path], tmp_path: Path) -> None:
        output = tmp_path / "new" / "comparison.md"
        ended = run(files["a"], files["slow"], "--output", output)
        assert ended.code == 1
        assert f"wrote {output} and {output.with_suffix('.png')}" in ended.out
        text = output.read_text()
        assert str(files["a"]) in text and str(files["slow"]) in text
        row = next(line for line in text.splitlines() if line.startswith("| frame_p50 [ms] "))
        assert row.endswith("| worse |") and row.count("|") == 7
        assert "![Frame times of A and B](comparison.png)" in text
        with Image.open(output.with_suffix(".png")) as picture:
            assert picture.format == "PNG" and min(picture.size) > 500
            pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
            blue = (pixels[:, 2].astype(int) - pixels[:, 0] > 60).mean()
            assert blue > 0.005, "the second profile's colour is there"
        assert sorted(p.name for p in output.parent.iterdir()) == [
            "comparison.md", "comparison.png",
        ]  # fmt: skip

    def test_one_that_cannot_be_written_leaves_no_plot(
        self, run: Any, files: dict[str, Path], tmp_path: Path
    ) -> None:
        (tmp_path / "folder.md").mkdir()
        ended = run(files["a"], files["same"], "--output", tmp_path / "folder.md")
        assert ended.code == 2 and "is a folder" in ended.err
        assert not (tmp_path / "folder.png").exists()

    def test_without_matplotlib_it_says_what_to_do(
        self, run: Any, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        output = tmp_path / "comparison.md"
        ended = run(files["a"], files["same"], "--output", output)
        assert ended.code == 2 and ended.err.count("\n") == 1
        assert "a plot needs matplotlib: pip install matplotlib" in ended.err
        assert not output.exists()
        assert run(files["a"], files["same"], "--output", output, "--no-plot").code == 0
        assert output.exists() and "![" not in output.read_text()
        assert run(files["a"], files["same"]).code == 0

    def test_help_tells_the_exit_codes(self, run: Any) -> None:
        ended = run("--help")
        assert ended.code == 0
        for text in ("Exit codes:", "frame_p50:0%", "--force"):
            assert text in ended.out


def test_an_unknown_metric_of_a_comparison() -> None:
    a = made_profile(made_run([10.0] * 5))
    with pytest.raises(UserError, match="unknown metric 'x': choose one of frame_p50, "):
        compare_results(a, a)["x"]


def test_output_may_be_asked_for_from_python(tmp_path: Path) -> None:
    a, b = (made_profile(made_run([ms] * 30)) for ms in (10.0, 9.0))
    compare_results(a, b, output=tmp_path / "c.md")
    assert "| better |" in (tmp_path / "c.md").read_text()
    assert (tmp_path / "c.png").is_file()
