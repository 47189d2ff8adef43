"""The tools that measure a frame: that they run, and what they refuse. Never how long it took."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_crowd
import bench_frame
import bench_hud
import bench_picking
import bench_profiler
import click
import numpy as np
import pytest
import undrawn
from click.testing import CliRunner
from drivers import renderer_here

TOOLS = Path(__file__).resolve().parents[1] / "tools"


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
        monkeypatch.setattr(bench_frame, "undrawn", lambda *_: None)

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
            bench_frame.measure(bench_frame.Case(3, 5, 4), 1, "nominal")


@pytest.mark.rendering
class TestAnotherDriverThanMesas:
    """It knows nothing of GALLIUM_NOOP, and draws: here, as none of these processes has that."""

    def test_a_frames_python_time_is_left_out(self) -> None:
        assert bench_frame.python_time(bench_frame.Case(3, 5, 3), 1) is None
        assert bench_frame.cell("python_ms", None) == ""

    def test_the_huds_is_said_to_be_unknown(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert bench_hud.measure(bench_hud.OffscreenHost, 1, False) is None
        monkeypatch.setattr(bench_hud, "undrawn", lambda *_: None)
        bench_hud.main(["--rounds", "1"], standalone_mode=False)
        python, frame = capsys.readouterr().out.splitlines()
        assert python == "Python: unknown, as this driver cannot be told to draw nothing"
        assert "text changes: +" in frame or "text changes: -" in frame

    def test_the_profilers_rows_are_left_out(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert bench_profiler.measure(3, 1, 1, gpu=True, drawn=False) is None
        figures = {"off": 10.0, "on": 11.0, "extra": 1.0, "low": 0.5, "high": 1.5}
        monkeypatch.setattr(bench_profiler, "measure", lambda *_, **__: figures)
        monkeypatch.setattr(bench_profiler, "undrawn", lambda *_: None)
        monkeypatch.setattr(bench_profiler, "calls", lambda: {"on": 1.0, "off": 0.1})
        bench_profiler.main([], standalone_mode=False)
        said = capsys.readouterr().out
        assert "drawn, no GPU times" in said and "not drawn" not in said


@pytest.mark.rendering
def test_mesa_is_had_to_draw_nothing() -> None:
    scene = ("--scene", "3x5", "--rounds", "1")
    taken = undrawn.undrawn(str(TOOLS / "bench_frame.py"), "--python-only", *scene)
    assert taken is None or taken > 0.0
    if renderer_here().startswith("llvmpipe"):
        assert taken is not None


def test_what_picking_costs_is_told_beside_a_frame_without(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench_picking.main(["--rounds", "1", "--agents", "3", "--trail", "5"], standalone_mode=False)
    said = capsys.readouterr().out
    assert all(case in said for case in bench_picking.CASES) and " 1.000" in said
