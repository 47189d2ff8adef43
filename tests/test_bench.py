"""The tools that measure a frame: that they run, and what they refuse. Never how long it took."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

TOOLS = Path(__file__).resolve().parents[1] / "tools"
sys.path.insert(0, str(TOOLS))

import bench_crowd  # noqa: E402
import bench_frame  # noqa: E402


def rows(tool: click.Command, folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """What a tool writes of one small scene."""
    output = folder / "figures.json"
    given = ["--scene", "3x5", "--rounds", "2", "--output", str(output), *arguments]
    done = CliRunner().invoke(tool, given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    written = json.loads(output.read_text())
    assert written["machine"]["cores"] >= 1
    return list(written["rows"])


def test_steps_played_over_and_over_break_no_trail() -> None:
    assert all(sample.step is None for sample in bench_frame.steps(3, 4, "nominal"))


@pytest.mark.rendering
def test_a_crowd_is_measured_on_both_hosts(tmp_path: Path) -> None:
    (row,) = rows(bench_crowd.main, tmp_path)
    assert (row["agents"], row["trail"]) == (3, 5)
    for kind in bench_crowd.HOSTS:
        host = row[kind]
        assert 0 < host["push_ms"] <= host["whole_ms"] and 0 < host["draw_ms"] <= host["whole_ms"]
        assert host["upload_bytes"] == 3 * 16
    assert row["moderngl"]["gpu_ms"] > 0
    assert row["moderngl"]["vertices"] == row["panda"]["vertices"]


@pytest.mark.rendering
class TestFloor:
    """The floor's picture must be the scene's, but for few edges that a GPU rounds otherwise."""

    @pytest.fixture(autouse=True)
    def _no_child(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bench_frame, "child", lambda *_: {"python_ms": None})

    @pytest.fixture
    def apart(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
        """Makes the floor draw that share of a picture otherwise."""

        def change(share: float) -> None:
            whole = bench_frame.ModernglHost.screenshot
            shots = []

            def screenshot(host: Any) -> np.ndarray:
                picture = whole(host)
                shots.append(picture)
                if len(shots) == 2:
                    picture.reshape(-1, 3)[: round(share * picture.size / 3)] ^= 1
                return picture

            monkeypatch.setattr(bench_frame.ModernglHost, "screenshot", screenshot)

        return change

    def test_a_few_pixels_apart_are_reported(
        self, tmp_path: Path, apart: Callable[[float], None]
    ) -> None:
        apart(0.005)
        (row,) = rows(bench_frame.main, tmp_path)
        assert row["floor_pixels_apart"] == pytest.approx(0.005, abs=1e-4)
        assert row["python_ms"] is None and row["submit_ms"] <= row["scene_ms"]

    def test_many_are_no_floor(self, tmp_path: Path, apart: Callable[[float], None]) -> None:
        apart(0.02)
        with pytest.raises(SystemExit, match=r"2 % of pixels differ, more than 1 %"):
            bench_frame.measure(3, 5, 1, "nominal")


def test_python_time_is_left_out_where_the_driver_draws_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Host:
        gl_version = "4.6.0 NVIDIA 580.159.04"

    monkeypatch.setattr(bench_frame, "filled", lambda *_: (Host(), []))
    assert bench_frame.python_time(3, 5, 1) == {"python_ms": None}
    assert bench_frame.cell("python_ms", None) == ""
