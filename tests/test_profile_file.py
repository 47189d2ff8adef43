"""Profiles as files: what is written is read again, and a bad file is told in one line."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from profiling_samples import CONFIGURATION, MACHINE, made_profile, made_run

from calf_viz.errors import UserError
from calf_viz.profiling.profile import Profile
from calf_viz.profiling.profile_file import SCHEMA, load_profile, save_profile
from calf_viz.profiling.run import Resources, Run

times = st.one_of(st.just(0.0), st.floats(1e-6, 1e5))  # files hold nanoseconds
names = st.text(min_size=1, max_size=8)


@st.composite
def runs(draw: Any) -> Run:
    n, samples = draw(st.integers(1, 20)), draw(st.integers(0, 5))
    column = arrays(np.float64, n, elements=times)
    few = arrays(np.float64, samples, elements=times)
    sections = draw(st.dictionaries(names, column, max_size=4))
    gpu = arrays(np.float64, n, elements=st.one_of(times, st.just(np.nan)))
    return Run(
        start_s=draw(column),
        frame_ms=draw(column),
        sections_ms=sections,
        own_ms={name: 0.5 * times for name, times in sections.items()},
        counters=draw(st.dictionaries(names, column, max_size=4)),
        gpu_ms=draw(gpu),
        resources=Resources(draw(few), draw(few), draw(few)),
    )


@settings(max_examples=60)
@given(st.lists(runs(), min_size=1, max_size=3))
def test_what_is_written_is_read_again(tmp_path_factory: Any, written: list[Run]) -> None:
    path = tmp_path_factory.mktemp("profiles") / "profile.json"
    profile = Profile.of(written, CONFIGURATION, MACHINE)
    save_profile(profile, path)
    read = load_profile(path)
    assert (read.machine, read.configuration) == (MACHINE, CONFIGURATION)
    assert (read.reported, read.created) == (profile.reported, profile.created)
    for a, b in zip(written, read.runs, strict=True):
        zero = a.start_s[0]
        np.testing.assert_allclose(b.start_s, a.start_s - zero, atol=1e-6)
        np.testing.assert_allclose(b.frame_ms, a.frame_ms, atol=1e-6)
        np.testing.assert_allclose(b.gpu_ms, a.gpu_ms, atol=1e-6)
        for mine, its in (
            (a.sections_ms, b.sections_ms), (a.own_ms, b.own_ms), (a.counters, b.counters),
        ):  # fmt: skip
            assert mine.keys() == its.keys()
            for name in mine:
                np.testing.assert_allclose(its[name], mine[name], atol=1e-6)
        np.testing.assert_allclose(b.resources.seconds, a.resources.seconds - zero, atol=1e-6)
        np.testing.assert_allclose(b.resources.memory_bytes, a.resources.memory_bytes, atol=1e-6)


def test_the_summary_of_what_is_read_is_the_one_written(tmp_path: Path) -> None:
    profile = made_profile(made_run(np.linspace(5.0, 25.0, 101)))
    path = tmp_path / "profile.json"
    save_profile(profile, path)
    written = json.loads(path.read_text())["summary"]
    assert written["gpu_time_avg_ms"] is None, "null where a figure is not known"
    written = {name: math.nan if value is None else value for name, value in written.items()}
    for summary in (written, load_profile(path).summary):
        sections = summary.pop("sections")
        expected = profile.summary
        assert sections["draw"] == pytest.approx(expected.pop("sections")["draw"])
        assert summary == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("medians", "reported"), [([7], 0), ([9, 5], 1), ([5, 9, 7], 2), ([3, 1, 2], 2), ([1, 1, 9], 1)]
)
def test_the_run_reported_has_the_median_frame_time(medians: list[float], reported: int) -> None:
    profile = made_profile(*(made_run([median] * 3) for median in medians))
    assert profile.reported == reported
    assert profile.run.frame_ms[0] == sorted(medians)[(len(medians) - 1) // 2]


def test_a_run_without_samples_makes_no_profile() -> None:
    for none in ((), (made_run([5.0]), made_run([]))):
        with pytest.raises(UserError, match="no frame was measured yet"):
            made_profile(*none)


def broken(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """A good file, changed."""
    save_profile(made_profile(made_run([10.0, 12.0])), path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def complaint(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_profile(path)
    said = str(caught.value)
    assert "\n" not in said and str(path) in said
    return said


class TestBadFiles:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", ": it is empty; profile anew"),
            (" \n", ": it is empty; profile anew"),
            ("{", ": not complete JSON: "),
            ("no JSON", ": not complete JSON: "),
            ("[" * 100_000, ": not complete JSON: "),
            ("[]", ": not a profile of calf_viz; give "),
            ("{}", ": not a profile of calf_viz; give "),
            ('{"kind": "something else"}', ": not a profile of calf_viz; give "),
        ],
    )
    def test_no_profile(self, tmp_path: Path, text: str, said: str) -> None:
        path = tmp_path / "profile.json"
        path.write_text(text)
        assert complaint(path).startswith(f"{path}{said}")

    def test_missing_or_not_text(self, tmp_path: Path) -> None:
        assert "cannot be read" in complaint(tmp_path / "none.json")
        assert "it is a folder" in complaint(tmp_path)
        path = tmp_path / "profile.json"
        path.write_bytes(b"\xff\xfe\x00")
        assert "it is UTF-16" in complaint(path)
        whole = broken(tmp_path / "p.json", lambda content: None)
        whole.write_bytes(b"\xef\xbb\xbf" + whole.read_bytes())  # as editors on Windows save it
        assert load_profile(whole).runs

    def test_truncated_anywhere(self, tmp_path: Path) -> None:
        path = broken(tmp_path / "profile.json", lambda content: None)
        whole = path.read_text()
        for length in range(1, len(whole) - 1, 37):
            path.write_text(whole[:length])
            assert ": not complete JSON: " in complaint(path)

    def test_of_a_newer_schema(self, tmp_path: Path) -> None:
        path = broken(tmp_path / "p.json", lambda c: c.update(schema=SCHEMA + 1))
        assert complaint(path) == (
            f"{path}: a newer calf_viz made it (schema {SCHEMA + 1}, this one reads up to "
            f"{SCHEMA}); update calf_viz"
        )

    @pytest.mark.parametrize(
        "change",
        [
            lambda c: c.update(runs=[]),
            lambda c: c["runs"][0].update(frame_ms=[]),
        ],
    )
    def test_without_samples(self, tmp_path: Path, change: Any) -> None:
        path = broken(tmp_path / "p.json", change)
        assert complaint(path) == f"{path}: it holds no samples; profile anew, for longer"

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda c: c.update(schema="1"), "its schema is 1"),
            (lambda c: c.update(schema=None), "its schema is None"),
            (lambda c: c.update(schema=True), "its schema is True"),
            (lambda c: c.pop("runs"), "runs is missing"),
            (lambda c: c.update(runs={}), "runs is not a list"),
            (lambda c: c.update(runs=[3]), "runs[0] is not an object"),
            (lambda c: c.update(reported=1), "reported is 1, and there are 1 runs"),
            (lambda c: c.update(reported="0"), "reported is 0"),
            (lambda c: c.update(machine=[]), "machine is not an object"),
            (lambda c: c.pop("configuration"), "configuration is missing"),
            (lambda c: c["runs"][0].pop("gpu_ms"), "gpu_ms is missing"),
            (lambda c: c["runs"][0].update(start_s=[0.0]), "runs[0].start_s has 1 values, not 2"),
            (lambda c: c["runs"][0].update(frame_ms=3), "runs[0].frame_ms is not a list"),
            (lambda c: c["runs"][0].update(frame_ms=["x"]), "something that is not a number"),
            (lambda c: c["runs"][0].update(frame_ms=[None]), "something that is not a number"),
            (lambda c: c["runs"][0].update(frame_ms=[True]), "something that is not a number"),
            (lambda c: c["runs"][0].update(frame_ms=[10, -1]), "frame_ms holds a negative number"),
            (lambda c: c["runs"][0].update(frame_ms=[1e17, 1]), "a frame of more than a day"),
            (lambda c: c.update(reported=False), "reported is False"),
            (lambda c: c.update(runs=c["runs"] * 1000), "there are 1000 runs"),
            (
                lambda c: c["runs"][0]["counters"].update({str(i): [1, 1] for i in range(2000)}),
                "names, at most 1000",
            ),
            (lambda c: c["runs"][0]["counters"].update(a=[1e300, 1]), "beyond 1e+18"),
            (lambda c: c["runs"][0]["counters"].update({"x" * 999: 3}), "xx…xx"),
            (lambda c: c["runs"][0]["own_ms"].clear(), "sections_ms and own_ms differ"),
            (lambda c: c["runs"][0]["counters"].update(a=[1]), "counters.a has 1 values, not 2"),
            (lambda c: c["runs"][0]["resources"].update(seconds=[]), "cpu_seconds has 2 values"),
        ],
    )
    def test_damaged(self, tmp_path: Path, change: Any, said: str) -> None:
        path = broken(tmp_path / "p.json", change)
        message = complaint(path)
        assert message.startswith(f"{path}: not a complete profile: ") and said in message

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
    def test_numbers_that_are_none(self, tmp_path: Path, number: str) -> None:
        path = broken(tmp_path / "p.json", lambda c: c["runs"][0].update(frame_ms=["HERE", 1]))
        path.write_text(path.read_text().replace('"HERE"', number))
        assert "not complete JSON: " in complaint(path) or "not finite" in complaint(path)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write"):
        save_profile(made_profile(made_run([5.0])), tmp_path / "file" / "profile.json")
